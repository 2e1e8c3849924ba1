"""What is turned away before any route is looked at."""

import anyio
import pytest
from starlette.testclient import TestClient

from lineal.server.gate import BODY_LIMIT, Gate

EVERYWHERE = ["/", "/api/v1/health", "/api/v1/runs", "/assets/x", "/open?code=x", "/nothing"]


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    "host",
    ["evil.test", "testserver.evil.test", "evil.test:80", "testserver:81", "127.0.0.1", "", "testserver.", "[::1]", "TESTSERVER@evil.test"],
)
def test_another_host_is_refused_on_every_path(server: TestClient, path: str, host: str) -> None:
    """A20: a name of an attacker that points to this machine reaches nothing, signed in or not."""
    answer = server.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("hosts", [[], [b"testserver", b"evil.test"]])
def test_a_request_names_one_host(server: TestClient, hosts: list[bytes]) -> None:
    """Neither none, as HTTP/1.0 allows, nor two of which a proxy reads the other one."""
    assert isinstance(server.app, Gate)
    sent = []

    async def ask() -> None:
        scope = {
            "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [(b"host", host) for host in hosts],
        }  # fmt: skip

        async def send(message: object) -> None:
            sent.append(message)

        await server.app(scope, None, send)

    anyio.run(ask)
    assert sent[0]["status"] == 421  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/runs/%2e%2e/x", "/assets/..%2f..%2fetc", "/assets/%252e%252e", "/assets/a%5cb", "/assets/a%00b", "/assets//etc", "/assets/a%0d%0ab"],
)  # fmt: skip
def test_a_path_that_means_something_else_is_refused(server: TestClient, path: str) -> None:
    """A01: encoded and doubly encoded slashes and dots, backslashes, NUL, line ends."""
    assert server.get(path).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "https://testserver"},
        {"origin": "http://testserver.evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_changes_nothing(server: TestClient, headers: dict[str, str]) -> None:
    """A19: whatever it lets the browser send along."""
    answer = server.post("/api/v1/session/end", json={}, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (403, "From another site")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_change_nothing(server: TestClient, kind: str) -> None:
    """A19: what a form can send without asking first is not taken."""
    assert server.post("/api/v1/session", content=b'{"token": "x"}', headers={"content-type": kind}).status_code == 415


def test_a_large_body_is_refused(server: TestClient) -> None:
    """A39: by its header, and by what comes when the header is silent."""
    large = b"[" + b"1," * (BODY_LIMIT // 2) + b"1]"
    assert server.post("/api/v1/session", content=large, headers={"content-type": "application/json"}).status_code == 413

    def pieces() -> object:
        for _ in range(64):
            yield b" " * (BODY_LIMIT // 32)

    answer = server.post("/api/v1/session", content=pieces(), headers={"content-type": "application/json"})  # type: ignore[arg-type]
    assert answer.status_code in (400, 413, 422)


def test_many_headers_are_refused(server: TestClient) -> None:
    assert server.get("/", headers={f"x-{place}": "1" for place in range(200)}).status_code == 431


@pytest.mark.parametrize("path", ["/", "/api/v1/runs", "/nothing"])
def test_every_answer_tells_the_browser_what_pages_may_do(server: TestClient, path: str) -> None:
    """A14, A18, A46: no framing, no other hosts, no guessing of types, no address passed on."""
    headers = server.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
    assert (headers["x-content-type-options"], headers["referrer-policy"], headers["x-frame-options"]) == ("nosniff", "no-referrer", "DENY")
