"""How a machine without a browser gets a token: it shows a short code, and somebody who is signed in types that code in a browser; or
name and password are typed on its own terminal.
"""

import secrets
import time
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.errors import AccessRefused, Conflict, SignInRefused
from lineal.metadata_store.accounts import AccountStore, now_micros
from lineal.model.accounts import Act, Device, Token, User
from lineal.server.access import Access, Source, principal_of, sha256, source_of
from lineal.server.answers import answer
from lineal.server.attempts import Attempts
from lineal.server.people import DAYS, token_json
from lineal.server.routes import Table
from lineal.server.signing_in import Name, Password, Secret
from lineal.server.team import new_token

SECONDS: Final = 600
"""How long a code can be approved."""

INTERVAL: Final = 3
"""Seconds between two questions of a machine whether it was approved."""

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so that no code is a word
_MICROS: Final = 1_000_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Waiting(_Body):
    """A machine that begins to wait; its name is what its token will be called."""

    name: str = Field("device", min_length=1, max_length=40)

    @property
    def shown(self) -> str:
        """The name, as far as it can be shown."""
        return self.name if self.name.isprintable() else "device"


class Approval(_Body):
    """The code that the machine shows."""

    code: Annotated[str, Field(max_length=20)]


class Typed(Waiting):
    """Name and password that were typed on a machine, beside what its token will be called."""

    user: Name
    password: Password


class Asking(_Body):
    """The secret of a machine that waits."""

    device: Secret


def add_to(table: Table, access: Access) -> None:
    """Add the operations to a table. They record themselves."""
    begun, typed = Attempts(time.monotonic, free=10), Attempts(time.monotonic)

    @table.post("/device", "public", is_recorded=False)
    def begin_device(request: Request, waiting: Waiting) -> Response:
        """Let a machine wait: gives its secret, the code that it shows, and how long and how often it may ask."""
        accounts = _accounts(access)
        begun.count(f"peer:{source_of(request).peer}")
        secret, code = secrets.token_urlsafe(32), "".join(secrets.choice(_LETTERS) for _ in range(8))
        now = now_micros()
        accounts.add_device(Device(sha256(secret), sha256(code), waiting.shown, now, now + SECONDS * _MICROS))
        found = {"device": secret, "code": f"{code[:4]}-{code[4:]}", "page": "/#/device", "seconds": SECONDS, "interval": INTERVAL}
        return _unkept(answer(request, found))

    @table.post("/device/approve", "own", is_recorded=False, is_sensitive=True)
    def approve_device(request: Request, approval: Approval) -> Response:
        """Let the machine that shows a code act as whoever is signed in; gives its name."""
        accounts, who, source = _accounts(access), principal_of(request), source_of(request)
        if who.token:
            raise SignInRefused("a machine is approved in a browser, not with a token")
        code = sha256("".join(each for each in approval.code.upper() if each in _LETTERS))
        with typed.attempt(f"user:{who.name}", f"peer:{source.peer}"):
            device = accounts.find_device(code=code)
            act = source.act(who.name, "device approved", device.name if device else "")
            if device is None or not accounts.approve_device(code, who.name, now_micros(), act):
                raise SignInRefused("no machine shows this code now: codes are good for ten minutes and once; begin again there")
        return answer(request, {"name": device.name})

    @table.post("/device/token", "public", is_recorded=False)
    def take_token(request: Request, asking: Asking) -> Response:
        """Give the token of a machine that was approved, once; 202 while it waits."""
        accounts, source = _accounts(access), source_of(request)
        digest, now = sha256(asking.device), now_micros()
        device = accounts.find_device(digest=digest)
        if device is None or device.until <= now:
            raise AccessRefused("the code was not approved in time, or its token was taken; begin again")
        if device.user is None:
            return Response(status_code=202)
        user = accounts.get_user(device.user)
        token, text, act = _token(user, device.name, source, "device")
        if not user.active or not accounts.take_device(digest, token, act):
            raise AccessRefused("the code was not approved in time, or its token was taken; begin again")
        return _unkept(answer(request, {**token_json(token), "token": text}))

    @table.post("/device/login", "public", is_recorded=False)
    def log_in(request: Request, typed: Typed) -> Response:
        """Give a token for name and password, to a machine on whose terminal they were typed."""
        accounts, source = _accounts(access), source_of(request)
        token, text, act = _token(access.with_password(typed.user, typed.password, source), typed.shown, source, "password")
        accounts.add_token(token, act)
        return _unkept(answer(request, {**token_json(token), "token": text}))


def _token(user: User, name: str, source: Source, by: str) -> tuple[Token, str, Act]:
    """Give a token for a machine, its text, and how that is recorded."""
    now = now_micros()
    token, text = new_token(user, name, user.role, now + DAYS * 24 * 3600 * _MICROS, now)
    return token, text, source.act(user.name, "token created", token.id, user=user.name, name=name, role=token.role.name.lower(), by=by)


def _accounts(access: Access) -> AccountStore:
    if access.accounts is None or not access.is_team:
        raise Conflict("this server has one user: programs send the token in the file that lineal up names")
    return access.accounts


def _unkept(response: Response) -> Response:
    response.headers["cache-control"] = "no-store"
    return response
