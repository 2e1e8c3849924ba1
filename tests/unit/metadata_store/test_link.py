"""Requests to a server: kept connections, deadlines, retries with a key, and what is said when it does not work."""

import fcntl
import gzip
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lineal.errors import AccessRefused, SettingsError, StoreError
from lineal.metadata_store import link as module
from lineal.metadata_store.link import Link, place_of

from .servers import told


def ok(handler: Any, body: bytes) -> None:
    handler.reply(200, {"you sent": body.decode()})


@pytest.fixture
def links() -> Iterator[list[Link]]:
    made: list[Link] = []
    yield made
    for each in made:
        each.close()


def linked(links: list[Link], url: str, token: str = "secret", **given: Any) -> Link:
    links.append(Link(url, lambda: token, **{"patience": 2.0, "attempt": 5.0, **given}))
    return links[-1]


def test_one_connection_serves_many_requests(links: list[Link]) -> None:
    """A handshake per step would cost more than the step; the path of a proxy goes in front."""
    with told(ok) as server:
        link = linked(links, f"{server.url}/team/")
        for _ in range(3):
            assert link.post("/x", b"{}").body == b'{"you sent": "{}"}'
        assert server.connections == 1
        path, headers, _ = server.seen[0]
        assert (path, headers["authorization"], headers["content-type"]) == ("/team/x", "Bearer secret", "application/json")
        assert "idempotency-key" not in headers
        link.close()


def test_a_process_with_many_files_open_keeps_connections_too(links: list[Link]) -> None:
    """A loop over thousands of mapped arrays has descriptors beyond those that `select` takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    try:
        with told(ok) as server:
            link = linked(links, server.url)
            link.post("/x", b"1")
            [connection] = link._idle
            low = connection.sock
            connection.sock = socket.socket(fileno=fcntl.fcntl(low.fileno(), fcntl.F_DUPFD, 1500))
            low.close()
            assert link.post("/x", b"2").status == 200
            assert server.connections == 1
            link.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_key(links: list[Link]) -> None:
    """The server sees that it is one call."""
    lost = iter([True, True, False])
    with told(lambda handler, body: handler.hang_up() if next(lost) else ok(handler, body)) as server:
        assert linked(links, server.url).post("/x", b"1", key="k").status == 200
        assert [(headers["idempotency-key"], body) for _, headers, body in server.seen] == [("k", b"1")] * 3
        links[0].close()


def test_half_an_answer_is_none(links: list[Link]) -> None:
    """What broke off is asked for again, not read as if it was all."""
    answers = iter([100, 2])

    def cut(handler: Any, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(next(answers)))
        handler.end_headers()
        handler.wfile.write(b"{}")
        handler.close_connection = True

    with told(cut) as server:
        assert linked(links, server.url).post("/x", b"").body == b"{}"
        assert len(server.seen) == 2


def test_a_gateway_that_cannot_reach_the_server_is_asked_again(links: list[Link]) -> None:
    """502 to 504 of a proxy pass by themselves; a problem that the server itself tells of is an answer."""
    answers = iter([(502, "text/html"), (503, "text/html"), (429, "text/plain"), (503, "application/problem+json")])

    def say(handler: Any, body: bytes) -> None:
        status, kind = next(answers)
        handler.reply(status, {"title": "StoreBusy"}, kind)

    with told(say) as server:
        answer = linked(links, server.url).post("/x", b"")
        assert (answer.status, answer.kind) == (503, "application/problem+json")
        assert len(server.seen) == 4
        links[0].close()


def test_a_server_that_was_never_there_is_given_up_soon(links: list[Link], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is in the error, and what to look at."""
    monkeypatch.setattr(module, "FIRST_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(StoreError, match=rf"the Lineal server {url} cannot be reached: nothing listens there .*LINEAL_METADATA_STORE"):
        linked(links, url, patience=60.0).post("/x", b"")
    assert time.monotonic() - began < 10


def test_a_server_that_is_restarted_is_waited_for(links: list[Link]) -> None:
    """Runs go on over an update of the server."""
    with told(ok) as server:
        link, port = linked(links, server.url, patience=20.0), server.server_port
        link.post("/x", b"1")
        link.close()
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(link.post("/x", b"2").status))
    thread.start()
    time.sleep(0.3)
    with told(ok, port):
        thread.join(20)
        link.close()
    assert found == [200]


def test_silence_ends(links: list[Link]) -> None:
    """One request may take so long, and all attempts together so long."""
    stop = threading.Event()
    with told(lambda handler, body: stop.wait(20) and handler.hang_up()) as server:
        began = time.monotonic()
        with pytest.raises(StoreError, match="gave no answer within"):
            linked(links, server.url, patience=0.1, attempt=0.3).post("/x", b"")
        assert time.monotonic() - began < 5
        stop.set()


def test_a_token_that_is_not_known_names_the_remedy(links: list[Link]) -> None:
    """And the token is nowhere in the error; one that was renewed meanwhile is found."""

    def check(handler: Any, body: bytes) -> None:
        handler.reply(200 if handler.headers["authorization"] == "Bearer new" else 401, {})

    with told(check) as server:
        with pytest.raises(AccessRefused, match=f"does not know the token .*lineal login {server.url}.*LINEAL_TOKEN") as caught:
            linked(links, server.url, "old-secret").post("/x", b"")
        assert "old-secret" not in str(caught.value)
        with pytest.raises(AccessRefused, match="was given no token"):
            linked(links, server.url, "").post("/x", b"")
        with pytest.raises(SettingsError, match="no token has"):
            linked(links, server.url, "a\nb").post("/x", b"")
        tokens = iter(["old", "new"])
        links.append(Link(server.url, lambda: next(tokens)))
        assert links[-1].post("/x", b"").status == 200
        for each in links:
            each.close()


def test_answers_are_unpacked_within_bounds(links: list[Link], monkeypatch: pytest.MonkeyPatch) -> None:
    """A39: a small answer that unpacks to a huge one is not held."""
    packed = gzip.compress(b"x" * 100_000)
    with told(lambda handler, body: handler.reply(200, packed, content_encoding="gzip")) as server:
        link = linked(links, server.url)
        assert len(link.post("/x", b"").body) == 100_000
        monkeypatch.setattr(module, "MOST_ANSWER", 50_000)
        with pytest.raises(StoreError, match="more than 50,000 bytes"):
            link.post("/x", b"")


def test_a_forked_child_has_connections_of_its_own(links: list[Link]) -> None:
    """Two processes on one connection would read each other's answers."""
    with told(ok) as server:
        link = linked(links, server.url)
        link.post("/x", b"1")
        child = os.fork()
        if child == 0:
            status = link.post("/x", b"2").status
            os._exit(0 if status == 200 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert link.post("/x", b"3").status == 200
        assert server.connections == 2
        link.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://", "is no address of a server"),
        ("https://host:port", "is no address of a server"),
        ("https://host/?a=1", "is no address of a server"),
        ("ftp://host", "is no address of a server"),
        ("https://me:hunter2@host", "holds a user name or password"),
    ],
)
def test_what_is_no_address_is_refused(url: str, message: str) -> None:
    """A password in it is not repeated."""
    with pytest.raises(SettingsError, match=message) as caught:
        place_of(url)
    assert "hunter2" not in str(caught.value)


def test_an_address_is_read() -> None:
    """With its path, which a proxy may need, and IPv6."""
    assert place_of("https://lineal.example/team/").url == "https://lineal.example/team"
    assert place_of("http://[::1]:8237").url == "http://[::1]:8237"
    assert [place_of(url).is_near for url in ("http://127.0.0.2", "http://localhost:1", "https://example")] == [True, True, False]
