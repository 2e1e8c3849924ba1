"""Requests to a server that may be restarted, far away or gone: connections that are kept, deadlines, and retries with a key.

A request whose answer was lost is made again with the same key, under which the server gives the first answer again, so it is done once.
"""

import os
import random
import select
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lineal.errors import AccessRefused, LinealError, SettingsError, StoreError, unreached, untrusted

if TYPE_CHECKING:
    import socket
    from http.client import HTTPConnection, HTTPResponse

ATTEMPT: Final = 75.0
"""Seconds that one request may take: a server itself waits up to 60 for its database."""

PATIENCE: Final = 20.0
"""Seconds during which a server that does not answer is asked again: long enough for it to be restarted."""

FIRST_PATIENCE: Final = 2.0
"""The same for a server that has never answered this process: it is more likely to be named wrongly."""

MOST_ANSWER: Final = 256 << 20
"""Bytes that an answer may have."""

_GATEWAY: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT: Final = 2.0
_IDLE: Final = 16
_REMEDY: Final = "sign in with `lineal login {url}`, or set LINEAL_TOKEN to a token of that server"


class Place(NamedTuple):
    """Where a server is."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def is_near(self) -> bool:
        """Whether it is on this machine."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.path}"


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    kind: str
    body: bytes


def place_of(url: str) -> Place:
    """Give where a server is. Raises SettingsError for an address that cannot be one."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"metadata_store {url!r} is no address of a server: {error}; give https://host[:port]") from error
    if parts.username is not None or parts.password is not None:
        raise SettingsError("metadata_store holds a user name or password; leave it out, and sign in with `lineal login` or LINEAL_TOKEN")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"metadata_store {url!r} is no address of a server; give https://host[:port]")
    return Place(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


class Link:
    """Asks one server; safe to use from threads, and in forked children.

    Args:
        url: Address of the server.
        token: Gives the token that is sent; asked again when the server does not know it.
        patience: Seconds during which a server that does not answer is asked again, after it has answered once.
        attempt: Seconds that one request may take.
    """

    def __init__(self, url: str, token: Callable[[], str], *, patience: float = PATIENCE, attempt: float = ATTEMPT) -> None:
        self.place = place_of(url)
        self.requests = 0
        self._ask_token = token
        self._token: str | None = None
        self._patience = patience
        self._attempt = attempt
        self._reached = False
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()
        self._pid = os.getpid()
        weakref.finalize(self, _close, self._idle)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            _close(self._idle)

    def post(self, path: str, body: bytes, key: str | None = None) -> Answer:
        """Send a body below the server's address and give the answer, whatever it is, unless the server was not reached.

        Args:
            path: Path below the address of the server.
            body: JSON.
            key: Stands for this one call; needed when doing it twice is not the same as doing it once.

        Raises StoreError that names the server when it gave no answer in time, AccessRefused when it does not know the token.
        """
        began = time.monotonic()
        patience = self._patience if self._reached else min(FIRST_PATIENCE, self._patience)
        headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
        tries = 0
        while True:
            left = began + self._attempt + patience - time.monotonic()
            try:
                answer = self._ask(path, body, headers, min(self._attempt, left))
            except LinealError:
                raise
            except OSError as error:
                self._refuse_certificate(error)
                reason = _reason(error, self._attempt)
            else:
                self._reached = True
                if answer.status not in _GATEWAY or answer.kind == "application/problem+json":
                    return answer
                reason = f"what stands before it answers {answer.status}"
            tries += 1
            wait = min(_LONGEST_WAIT, 0.05 * 2**tries) * random.uniform(0.5, 1.0)  # noqa: S311 - so that many do not come back at once
            if time.monotonic() - began + wait > patience:
                self._reached = False  # whoever asks next, such as a run that ends by this, need not wait as long again
                again = f" (asked {tries} times)" if tries > 1 else ""
                raise StoreError(
                    f"the Lineal server {self.place.url} cannot be reached: {reason}{again}. Check that it runs and that the address "
                    "(LINEAL_METADATA_STORE) is right"
                )
            time.sleep(wait)

    def _ask(self, path: str, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
        answer = self._once(path, body, headers, limit)
        if answer.status != 401:
            return answer
        known, self._token = self._token, None
        if self._current_token() != known:  # somebody signed in meanwhile
            answer = self._once(path, body, headers, limit)
        if answer.status == 401:
            what = "does not know the token that it was given" if self._current_token() else "was given no token"
            raise AccessRefused(f"the Lineal server {self.place.url} {what}: {_REMEDY.format(url=self.place.url)}")
        return answer

    def _current_token(self) -> str:
        if self._token is None:
            token = self._ask_token()
            if not token.isascii() or not token.isprintable():
                raise SettingsError("the token for the server holds characters that no token has; set LINEAL_TOKEN again")
            self._token = token
        return self._token

    def _once(self, path: str, body: bytes, headers: Mapping[str, str], limit: float) -> Answer:
        from http.client import HTTPException

        token = self._current_token()
        sent = {**headers, "authorization": f"Bearer {token}"} if token else dict(headers)
        if not self.place.is_near:
            sent["accept-encoding"] = "gzip"
        connection, is_fresh = self._take()
        try:
            connection.timeout = limit
            if not is_fresh:
                connection.sock.settimeout(limit)
            self.requests += 1
            connection.request("POST", f"{self.place.path}{path}", body, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers.get_content_type(), _read(response))
        except BaseException as error:  # also an interrupt: what is still to come on this connection belongs to nobody
            connection.close()
            if isinstance(error, ConnectionError) and not is_fresh:
                return self._once(path, body, headers, limit)  # it was closed while nobody used it; the next may be a new one
            if isinstance(error, HTTPException) and not isinstance(error, OSError):
                raise ConnectionError(f"{type(error).__name__}: {error}") from error
            raise
        self._give_back(connection, keep=not response.will_close)
        return answer

    def _take(self) -> "tuple[HTTPConnection, bool]":
        with self._lock:
            if self._pid != os.getpid():  # a forked child must not talk on its parent's connections
                _close(self._idle)  # closes its own copies of the sockets only
                self._pid = os.getpid()
            while self._idle:
                connection = self._idle.pop()
                if not _is_over(connection.sock):
                    return connection, False
                connection.close()
        from http.client import HTTPConnection, HTTPSConnection

        kind = HTTPSConnection if self.place.scheme == "https" else HTTPConnection
        return kind(self.place.host, self.place.port), True

    def _give_back(self, connection: "HTTPConnection", *, keep: bool) -> None:
        with self._lock:
            if keep and connection.sock is not None and len(self._idle) < _IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _refuse_certificate(self, error: OSError) -> None:
        if self.place.scheme == "https":
            import ssl

            if isinstance(error, ssl.SSLCertVerificationError):
                raise untrusted(self.place.url, error.verify_message) from error


def _is_over(connection: "socket.socket") -> bool:
    """Tell whether there is something to read where nothing was asked for: the end of the connection."""
    if sys.platform == "win32":
        return bool(select.select([connection], [], [], 0)[0])
    looks = select.poll()  # `select` itself takes no descriptor above 1023
    looks.register(connection, select.POLLIN)
    return bool(looks.poll(0))


def _close(idle: "list[HTTPConnection]") -> None:
    while idle:
        idle.pop().close()


def _read(response: "HTTPResponse") -> bytes:
    body = response.read(MOST_ANSWER + 1)
    if response.headers.get("content-encoding") == "gzip":
        import zlib

        unpack = zlib.decompressobj(wbits=31)
        body = unpack.decompress(body, MOST_ANSWER + 1)
    if len(body) > MOST_ANSWER:
        raise StoreError(f"an answer of the server has more than {MOST_ANSWER:,} bytes; ask for less at a time")
    if response.length:
        raise ConnectionError("the answer broke off")
    return body


def _reason(error: OSError, limit: float) -> str:
    if isinstance(error, TimeoutError):
        return f"it gave no answer within {limit:.0f} seconds"
    return unreached(error)


def message_of(problem: Mapping[str, Any]) -> str:
    """Give what a problem (RFC 9457) says."""
    return str(problem.get("detail") or problem.get("title") or "no reason was given")
