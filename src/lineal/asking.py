"""One question to a server: JSON in, JSON out, its problems as the errors that they were there."""

import json
from http.client import HTTPException, HTTPMessage
from ssl import SSLCertVerificationError
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from lineal.errors import (
    AccessRefused,
    Conflict,
    LinealError,
    NotFound,
    SignInRefused,
    StoreError,
    TooManyAttempts,
    UsageError,
    unreached,
    untrusted,
)

MOST = 16 << 20
"""Bytes of an answer that are read."""

_ERRORS: dict[int, type[LinealError]] = {
    400: UsageError, 401: SignInRefused, 403: AccessRefused, 404: NotFound, 409: Conflict, 422: UsageError, 429: TooManyAttempts,
}  # fmt: skip


class _NoRedirects(HTTPRedirectHandler):
    """A token is for the server that was named, and goes nowhere else."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str) -> None:
        return None


_opener = build_opener(_NoRedirects)


def ask(server: str, method: str, path: str, body: object = None, *, token: str | None = None, timeout: float = 30.0) -> Any:
    """Ask a server for something below its API, and give what it answers; None for nothing.

    Raises the error that the server's problem stands for, and StoreError when it does not answer, or not as a Lineal server does.
    """
    headers = {"accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None
    if body is not None:
        data, headers["content-type"] = json.dumps(body).encode(), "application/json"
    request = Request(f"{server}/api/v1{path}", data, headers, method=method)  # noqa: S310 - server_url takes http and https only
    try:
        with _opener.open(request, timeout=timeout) as answer:
            return _json(answer.read(MOST + 1), server)
    except HTTPError as error:
        with error:
            raise _problem(error, server) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, SSLCertVerificationError):
            raise untrusted(server, reason.verify_message) from error
        raise StoreError(
            f"the server {server} does not answer: {reason if isinstance(reason, str) else unreached(reason)}; check the URL, and that it runs"
        ) from error


def _json(data: bytes, server: str) -> Any:
    try:
        if len(data) > MOST:
            raise ValueError
        return json.loads(data) if data else None
    except ValueError:
        raise StoreError(f"{server} does not answer as a Lineal server does; check the URL") from None


def _problem(error: HTTPError, server: str) -> LinealError:
    try:
        detail = str(json.loads(error.read(100_000))["detail"])
    except (ValueError, KeyError, TypeError, OSError):
        return StoreError(f"{server} answers {error.code} {error.reason}, and not as a Lineal server does; check the URL")
    if error.code == 401:
        detail = f"{server} does not know who asks: log in with `lineal login {server}`, or set LINEAL_TOKEN"
    return _ERRORS.get(error.code, StoreError)(detail)
