"""A server for tests that answers as it is told, over real sockets."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Told(ThreadingHTTPServer):
    """`answer(handler, body)` answers each request; `seen` has path, headers and body of each."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Any, bytes], None], port: int) -> None:
        self.answer = answer
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Told

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.server.answer(self, body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def reply(self, status: int, payload: Any, kind: str = "application/json", **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self) -> None:
        """End the connection without an answer."""
        self.close_connection = True


@contextlib.contextmanager
def told(answer: Callable[[Any, bytes], None], port: int = 0) -> Iterator[Told]:
    """Serve while the block runs, on a free port unless one is given."""
    server = Told(answer, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
