"""How a browser gets a session, and ends it."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from lineal.server.access import COOKIE, SESSION_SECONDS, Access, Role
from lineal.server.answers import answer, problem
from lineal.server.routes import PUBLIC, Table


class SignIn(BaseModel):
    """The server's token, as it stands in its file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: str = Field(max_length=200)


def add_to(table: Table, access: Access) -> None:
    """Add the operations to a table."""

    @table.get("/health", PUBLIC)
    def health(request: Request) -> Response:
        """Say that the server is there."""
        return answer(request, {"status": "ok"})

    @table.get("/open", PUBLIC, is_page=True)
    def open_link(request: Request, code: Annotated[str, Query(max_length=200)]) -> Response:
        """Turn a link that works once into a session, and go on to the first page."""
        secret = access.open_session(code)
        if secret is None:
            return problem(403, "The link has been used", "a link opens one session, within ten minutes; lineal up prints a new one")
        return _with_session(request, RedirectResponse("./", status_code=303), secret)

    @table.post("/session", PUBLIC)
    def begin_session(request: Request, signing: SignIn) -> Response:
        """Turn the server's token into a session."""
        if access.of_token(signing.token) is None:
            return problem(403, "Not the token", "that is not the token of this server; lineal up prints where it is kept")
        return _with_session(request, Response(status_code=204), access.new_session())

    @table.post("/session/end", Role.VIEWER)
    def end_session(request: Request) -> Response:
        """End this browser's session."""
        access.close_session(request.cookies.get(COOKIE, ""))
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return response


def _with_session(request: Request, response: Response, secret: str) -> Response:
    # Lax would do for reading; with Strict no other site can even have a page of ours opened with the session.
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, secret, max_age=SESSION_SECONDS, httponly=True, samesite="strict", path="/", secure=secure)
    return response
