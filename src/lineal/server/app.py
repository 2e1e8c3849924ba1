"""The application: the table of operations behind the gate, each with its guard."""

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lineal.client import Client
from lineal.errors import LinealError, UsageError
from lineal.metadata_store.operations import MOST_BYTES, PATH
from lineal.server import (
    accounts,
    changing,
    comparing,
    content,
    devices,
    facts,
    live,
    overviews,
    pages,
    reading,
    signing_in,
    stack,
    storing,
    tables,
)
from lineal.server.access import Access, Principal, Role, TooManyAttempts, cookie_name
from lineal.server.answers import answer, problem, problem_of
from lineal.server.describing import describe
from lineal.server.gate import Gate
from lineal.server.recording import recorded
from lineal.server.routes import PREFIX, Route, Table
from lineal.workspace import Workspace

logger: Final = logging.getLogger("lineal.server")


class _Refused(Exception):
    """A request that lacks what its route takes."""

    def __init__(self, response: Response) -> None:
        self.response = response


def create_app(workspace: Workspace, access: Access, hosts: Iterable[str], root_path: str = "") -> Gate:
    """Make the ASGI application that serves a workspace.

    Raises UsageError when the facts of the workspace are on a server themselves.

    Args:
        workspace: The stores to serve. Nothing of them is ever unpickled here, whatever the setting says.
        access: Who may ask.
        hosts: Exact values of the Host header under which it is reached, such as `127.0.0.1:8237`.
        root_path: Path below which a proxy shows it, such as `/lineal`; empty for none.
    """
    if workspace.database is None:
        raise UsageError(
            f"metadata_store is the server {workspace.settings.metadata_store}: open that; a server of your own needs a database (unset "
            "LINEAL_METADATA_STORE, or give it sqlite:///path)"
        )
    client = Client(Workspace(replace(workspace.settings, pickle="forbid")))
    table = Table()
    for part in (reading, overviews, comparing, tables, content, changing, storing, live, facts):
        part.add_to(table, client)
    signing_in.add_to(table, access)
    accounts.add_to(table, access)
    devices.add_to(table, access)
    stack.add_to(table, workspace)
    pages.add_to(table)
    api = FastAPI(title="Lineal", version=version("lineal"), openapi_url=None, docs_url=None, redoc_url=None)

    @table.get("/openapi.json", "read")
    def get_openapi(request: Request) -> Response:
        """Describe this API as OpenAPI."""
        return answer(request, describe(api.openapi(), (route.operation for route in table)))

    for route in table:
        _add_route(api, route, access, workspace)
    _add_problems(api)
    return Gate(api, hosts, root_path, bodies={f"{PREFIX}{PATH}": MOST_BYTES})


def _add_route(api: FastAPI, route: Route, access: Access, workspace: Workspace) -> None:
    wanted = route.operation
    guards = [] if wanted.role is None else [Depends(_guard(access, wanted.role, is_sensitive=wanted.is_sensitive))]
    api.add_api_route(
        wanted.full_path, recorded(route, access, lambda: workspace.metadata.room()), methods=[wanted.method], dependencies=guards, response_class=Response, name=wanted.name,
        operation_id=wanted.name, description=wanted.about, include_in_schema=not wanted.is_page,
    )  # fmt: skip


def _guard(access: Access, role: Role, *, is_sensitive: bool) -> Callable[[Request], Principal]:
    """Give what a route asks before it does anything; the policy can be read off it."""

    def guard(request: Request) -> Principal:  # not async: it asks the database, in a thread
        principal = _principal(access, request)
        if principal is None:
            how = "sign in" if access.is_team else "open the link that the server printed"
            refused = problem(401, "Not signed in", f"{how}, or send a token as Authorization: Bearer")
            refused.headers["www-authenticate"] = "Bearer"
            raise _Refused(refused)
        if principal.role < role:
            raise _Refused(problem(403, "Not allowed", f"this takes the role {role.name.lower()}; yours is {principal.role.name.lower()}"))
        if is_sensitive and not principal.confirmed:
            raise _Refused(problem(403, "Confirm your password", "give your password again to change accounts", confirm=True))
        request.state.principal = principal
        return principal

    guard.role = role  # type: ignore[attr-defined]  # for the test that walks all routes
    guard.is_sensitive = is_sensitive  # type: ignore[attr-defined]
    return guard


def _principal(access: Access, request: Request) -> Principal | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return access.of_token(token.strip()) if scheme.lower() == "bearer" else None
    session = request.cookies.get(cookie_name(request))
    return None if session is None else access.of_session(session)


def _add_problems(api: FastAPI) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, _Refused)
        return error.response

    async def typed(request: Request, error: Exception) -> Response:
        assert isinstance(error, LinealError)
        found = problem_of(error)
        if isinstance(error, TooManyAttempts):
            found.headers["retry-after"] = str(math.ceil(error.seconds))
        return found

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in error.errors()[:20]]
        return problem(422, "Not valid", "; ".join(f"{each['where']}: {each['what']}" for each in wrong), errors=wrong)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = f"there is nothing at this path; the API is at {PREFIX}" if error.status_code == 404 else str(error.detail)
        found = problem(error.status_code, str(error.detail), detail)
        found.headers.update(error.headers or {})
        return found

    async def unforeseen(request: Request, error: Exception) -> Response:
        name = request.state.request_id
        logger.error("request %s failed", name, exc_info=error)
        return problem(500, "Internal error", f"this should not happen; the server's log has it as {name}", request=name)

    handlers: dict[Any, Any] = {
        _Refused: refused, LinealError: typed, RequestValidationError: invalid, HTTPException: http, Exception: unforeseen,
    }  # fmt: skip
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)
