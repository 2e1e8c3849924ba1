"""How a browser gets a session, and ends it; how the first admin is made; who asks."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import RedirectResponse, Response

from lineal.server.access import SESSION_SECONDS, Access, cookie_name, principal_of, source_of
from lineal.server.answers import answer, problem
from lineal.server.routes import Table

Name = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(min_length=1, max_length=1000)]
Secret = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    """The body of a request. What it does not name cannot be given."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SignIn(_Body):
    """The token of a server with one user, or name and password."""

    token: Secret | None = None
    name: Name | None = None
    password: Password | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "SignIn":
        if (self.token is None) == (self.name is None) or (self.name is None) != (self.password is None):
            raise ValueError("give a token, or name and password")
        return self


class SetUp(_Body):
    """The token that the server printed, and the first admin."""

    token: Secret
    name: Name
    password: Password


class Confirmation(_Body):
    """The password of whoever is signed in."""

    password: Password


def add_to(table: Table, access: Access) -> None:
    """Add the operations to a table."""

    @table.get("/health", "public")
    def health(request: Request) -> Response:
        """Say that the server is there, and how one signs in."""
        return answer(request, {"status": "ok", "version": version("lineal"), "team": access.is_team, "needs_setup": access.needs_setup()})

    @table.get("/me", "own")
    def get_me(request: Request) -> Response:
        """Say who asks, and what it may do."""
        return answer(request, me_json(request, access))

    @table.get("/open", "public", is_page=True)
    def open_link(request: Request, code: Annotated[str, Query(max_length=200)]) -> Response:
        """Turn a link that works once into a session, and go on to the first page."""
        secret = access.open_link(code, source_of(request))
        if secret is None:
            return problem(403, "The link has been used", "a link opens one session, within ten minutes; lineal up prints a new one")
        return with_session(request, RedirectResponse("./", status_code=303), secret)

    @table.post("/session", "public", is_recorded=False)
    def begin_session(request: Request, signing: SignIn) -> Response:
        """Turn the server's token, or name and password, into a session."""
        source = source_of(request)
        if signing.token is not None:
            secret = access.token_session(signing.token, source)
        else:
            before = request.cookies.get(cookie_name(request), "")
            secret = access.password_session(signing.name or "", signing.password or "", source, before)
        return with_session(request, Response(status_code=204), secret)

    @table.post("/session/confirm", "own", is_recorded=False)
    def confirm_session(request: Request, confirmation: Confirmation) -> Response:
        """Give the password again, which lets accounts be changed for some minutes."""
        access.confirm(request.cookies.get(cookie_name(request), ""), confirmation.password, source_of(request))
        return Response(status_code=204)

    @table.post("/session/end", "own", is_recorded=False)
    def end_session(request: Request) -> Response:
        """End this browser's session."""
        access.end_session(request.cookies.get(cookie_name(request), ""), source_of(request))
        return without_session(request, Response(status_code=204))

    @table.post("/setup", "public", is_recorded=False)
    def set_up(request: Request, setup: SetUp) -> Response:
        """Make the first admin and sign in, once, with the token that the server printed when it started."""
        secret = access.set_up(setup.token, setup.name, setup.password, source_of(request))
        return with_session(request, Response(status_code=204), secret)


def me_json(request: Request, access: Access) -> dict[str, Any]:
    """Give who asks, as JSON."""
    who = principal_of(request)
    return {"name": who.name, "role": who.role.name.lower(), "kind": who.kind, "team": access.is_team, "confirmed": who.confirmed}


def without_session(request: Request, response: Response) -> Response:
    """Take the cookie of a session away."""
    secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(request), path=_path(request), httponly=True, samesite="strict", secure=secure)
    return response


def with_session(request: Request, response: Response, secret: str) -> Response:
    """Hand a session to the browser."""
    # Lax would do for reading; with Strict no other site can even have a page of ours opened with the session.
    secure = request.url.scheme == "https"
    name, path = cookie_name(request), _path(request)
    response.set_cookie(name, secret, max_age=SESSION_SECONDS, httponly=True, samesite="strict", path=path, secure=secure)
    return response


def _path(request: Request) -> str:
    return f"{request.scope.get('root_path') or ''}/"
