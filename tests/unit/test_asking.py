"""One question to a server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from lineal.asking import ask
from lineal.errors import AccessRefused, Conflict, LinealError, NotFound, SignInRefused, StoreError, TooManyAttempts, UsageError

ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "/api/v1/good": (200, "application/json", b'{"a": 1}'),
    "/api/v1/nothing": (204, "", b""),
    "/api/v1/page": (200, "text/html", b"<html>"),
    "/api/v1/broken": (502, "text/html", b"<html>"),
    "/api/v1/away": (302, "", b""),
    **{f"/api/v1/{status}": (status, "application/problem+json", json.dumps({"detail": f"no {status}"}).encode()) for status in (400, 401, 403, 404, 409, 422, 429, 500)},
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["authorization"]))
        status, kind, body = ANSWERS.get(self.path, (404, "text/plain", b"elsewhere"))
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Handler.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_is_json_or_nothing(url: str) -> None:
    assert ask(url, "GET", "/good", token="secret") == {"a": 1}
    assert ask(url, "GET", "/nothing") is None
    assert Handler.asked == [("/api/v1/good", "Bearer secret"), ("/api/v1/nothing", None)]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, UsageError), (401, SignInRefused), (403, AccessRefused), (404, NotFound), (409, Conflict), (422, UsageError), (429, TooManyAttempts), (500, StoreError)],
)  # fmt: skip
def test_a_problem_is_the_error_that_it_was_there(url: str, status: int, error: type[LinealError]) -> None:
    with pytest.raises(error) as caught:
        ask(url, "GET", f"/{status}")
    assert type(caught.value) is error
    assert str(caught.value) == (
        f"no {status}" if status != 401 else f"{url} does not know who asks: log in with `lineal login {url}`, or set LINEAL_TOKEN"
    )


@pytest.mark.parametrize("path", ["/page", "/broken", "/away"])
def test_what_is_no_lineal_server_is_said(url: str, path: str) -> None:
    """A34: a redirect is not followed, so that the token goes nowhere else."""
    with pytest.raises(StoreError, match="check the URL"):
        ask(url, "GET", path, token="secret")
    assert [each[0] for each in Handler.asked] == [f"/api/v1{path}"]


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(StoreError, match="does not answer: nothing listens there"):
        ask("http://127.0.0.1:1", "GET", "/good")
