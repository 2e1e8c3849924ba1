"""What every request passes before anything else looks at it, and what every answer says to the browser.

Outermost, and not a list of routes: a page of an attacker who let his own host name point to this machine, a form that he
submits across sites, and a path that means something else after decoding are turned away whatever they ask for.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

Scope = dict[str, Any]

BODY_LIMIT: Final = 1024 * 1024
"""Bytes that the body of a request may have."""

APP_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What pages of our own may do. Styles may be inline: components set positions with them, and they can run nothing."""

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NEVER: Final = (b"%2f", b"%5c", b"%00", b"%2e%2e", b"\\", b"%25", b"/../", b"//")
_MOST_HEADERS: Final = 100


class Gate:
    """An ASGI layer that turns away what cannot be meant for this server.

    Args:
        app: What it protects.
        hosts: The exact values of the Host header that are ours, such as `127.0.0.1:8237`.
        root_path: Path below which a proxy shows it, such as `/lineal`. A proxy may take it off the paths or leave it there.
        bodies: Bytes that the body of a request may have, by the beginning of its path; elsewhere BODY_LIMIT.
    """

    def __init__(self, app: Any, hosts: Iterable[str], root_path: str = "", *, bodies: Mapping[str, int] = MappingProxyType({})) -> None:
        self._bodies = bodies
        self._app = app
        self._hosts = frozenset(host.lower().encode() for host in hosts)
        self._root = root_path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        refused = self._refusal(scope)
        if refused is not None:
            await _refuse(send, *refused)
            return
        await self._app(self._inner(scope), _Bounded(receive, self._limit(scope)), _with_headers(send, scope["scheme"] == "https"))

    def _inner(self, scope: Scope) -> Scope:
        """Give the request as the app sees it: with an id, and with the path below which it is shown taken off."""
        inner = {**scope, "state": {**scope.get("state", {}), "request_id": uuid.uuid4().hex[:16]}}
        if self._root:
            inner["root_path"] = self._root  # the app's router takes it off by itself where it is there
        return inner

    def _limit(self, scope: Scope) -> int:
        path = scope["path"].removeprefix(self._root)
        return next((most for start, most in self._bodies.items() if path.startswith(start)), BODY_LIMIT)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > _MOST_HEADERS:
            return 431, "Too many headers", f"a request may have {_MOST_HEADERS} headers"
        named = [value.lower() for name, value in headers if name == b"host"]
        if len(named) != 1 or named[0] not in self._hosts:
            return (
                421,
                "Not a host of this server",
                "the Host header names another server; open the address that was printed when this one started",
            )
        raw = scope.get("raw_path") or scope["path"].encode()
        if any(each in raw.lower() for each in _NEVER) or not scope["path"].isprintable():
            return (
                400,
                "Not a path",
                "the path holds what no path of this server does: an encoded slash or dot, a backslash or a control character",
            )
        if scope["method"] not in _SAFE:
            return _cross_site(headers, scope["scheme"].encode() + b"://" + named[0], self._limit(scope))
        return None


def _cross_site(headers: list[tuple[bytes, bytes]], own: bytes, most: int) -> tuple[int, str, str] | None:
    """Refuse what another site lets a browser send. Programs send no Origin; browsers always do where it matters: `own` is ours."""
    origins = [value.lower() for name, value in headers if name == b"origin"]
    sites = [value for name, value in headers if name == b"sec-fetch-site"]
    if any(origin != own for origin in origins) or any(site not in (b"same-origin", b"none") for site in sites):
        return 403, "From another site", "changes are taken from this server's own pages and from programs, not from other sites"
    kinds = [value.partition(b";")[0].strip().lower() for name, value in headers if name == b"content-type"]
    if any(kind != b"application/json" for kind in kinds):
        return 415, "Not JSON", "the body of a request is application/json"
    sizes = [value for name, value in headers if name == b"content-length"]
    if len(sizes) > 1 or (sizes and (not sizes[0].isdigit() or int(sizes[0]) > most)):
        return 413, "Too large", f"the body of a request may have {most} bytes"
    return None


class _Bounded:
    """Receives a body, and ends the connection when it is longer than it may be, whatever its header said."""

    def __init__(self, receive: Any, most: int) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                return {"type": "http.disconnect"}
        return message


def _with_headers(send: Any, is_encrypted: bool) -> Any:
    async def send_more(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            present = {name for name, _ in headers}
            headers += [each for each in _HEADERS if each[0] not in present]
            if b"content-security-policy" not in present:
                headers += [(b"content-security-policy", APP_POLICY.encode()), (b"x-frame-options", b"DENY")]
            if is_encrypted:
                headers.append((b"strict-transport-security", b"max-age=31536000"))
            if b"cache-control" not in present:
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return send_more


async def _refuse(send: Any, status: int, title: str, detail: str) -> None:
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
