"""Users, tokens and the audit, over HTTP."""

from typing import Annotated, Literal

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.errors import UsageError
from lineal.model.accounts import role_of
from lineal.server.access import Access, SignInRefused, cookie_name, principal_of, source_of
from lineal.server.answers import answer
from lineal.server.people import DAYS, MOST_DAYS, People, entry_json, token_json, user_json
from lineal.server.reading import MOST
from lineal.server.routes import Table
from lineal.server.signing_in import Name, Password, with_session

RoleName = Literal["viewer", "editor", "admin"]
UserName = Annotated[str, Path(max_length=80)]
TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class _Body(BaseModel):
    """The body of a change. What it does not name cannot be changed with it."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewUser(_Body):
    """A user; without a password a service, which has tokens only."""

    name: Name
    role: RoleName = "viewer"
    password: Password | None = None


class UserChange(_Body):
    """What to change of a user; all of its sessions end."""

    role: RoleName | None = None
    active: bool | None = None
    password: Password | None = None


class PasswordChange(_Body):
    """One's own password: the one so far, and the next."""

    current: Password
    password: Password


class NewToken(_Body):
    """A token for oneself, or as an admin for a service. `days` is how long it is good for, null for ever."""

    name: Name
    role: RoleName | None = None
    days: int | None = Field(DAYS, ge=1, le=MOST_DAYS)
    user: Name | None = None


class AuditQuery(BaseModel):
    """Filters of the audit."""

    model_config = ConfigDict(extra="forbid")

    who: str | None = Field(None, max_length=500)
    what: str | None = Field(None, max_length=500)
    object: str | None = Field(None, max_length=500)
    limit: int = Field(50, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=1 << 40)


def add_to(table: Table, access: Access) -> None:
    """Add the operations to a table. They record themselves, in the transactions of their changes."""
    _add_users(table, access)
    _add_tokens(table, access)

    @table.get("/audit", "look after")
    def list_audit(request: Request, query: Annotated[AuditQuery, Query()]) -> Response:
        """List what was done and by whom, the newest first."""
        accounts = access.accounts
        page = ([], 0) if accounts is None else accounts.list_audit(**query.model_dump())
        return answer(request, {"items": [entry_json(each) for each in page[0]], "total": page[1], "offset": query.offset})

    @table.get("/audit/check", "look after")
    def check_audit(request: Request) -> Response:
        """Say whether the entries of the audit are those that were written: how many fit, and the first that does not."""
        good, digest, wrong = (0, "", None) if access.accounts is None else access.accounts.verify_audit()
        return answer(request, {"entries": good, "digest": digest, "wrong": wrong})


def _people(request: Request, access: Access) -> People:
    return People(access.accounts, principal_of(request), source_of(request))


def _add_users(table: Table, access: Access) -> None:
    @table.get("/users", "look after")
    def list_users(request: Request) -> Response:
        """List all users."""
        return answer(request, [user_json(each) for each in _people(request, access).users()])

    @table.post("/users", "look after", is_recorded=False, is_sensitive=True)
    def add_user(request: Request, user: NewUser) -> Response:
        """Add a user; gives it."""
        return answer(request, user_json(_people(request, access).add_user(user.name, role_of(user.role), user.password)))

    @table.post("/users/{name}", "look after", is_recorded=False, is_sensitive=True)
    def change_user(request: Request, name: UserName, change: UserChange) -> Response:
        """Change the role or the password of a user, or whether it may sign in; gives it. Its sessions end."""
        role = None if change.role is None else role_of(change.role)
        changed = _people(request, access).change_user(name, role=role, active=change.active, password=change.password)
        return answer(request, user_json(changed))

    @table.post("/users/{name}/delete", "look after", is_recorded=False, is_sensitive=True)
    def delete_user(request: Request, name: UserName) -> Response:
        """Delete a user, with its tokens and sessions."""
        _people(request, access).delete_user(name)
        return Response(status_code=204)

    @table.post("/me/password", "own", is_recorded=False)
    def change_password(request: Request, change: PasswordChange) -> Response:
        """Change one's own password; all other sessions end."""
        who, source = principal_of(request), source_of(request)
        if who.token:
            raise SignInRefused("a password is changed where one is signed in with it, not with a token")
        if who.kind != "person":
            raise UsageError("the owner of this server has no password")
        access.confirm(request.cookies.get(cookie_name(request), ""), change.current, source)
        _people(request, access).change_user(who.name, password=change.password)
        return with_session(request, Response(status_code=204), access.password_session(who.name, change.password, source))


def _add_tokens(table: Table, access: Access) -> None:
    @table.get("/tokens", "own")
    def list_tokens(request: Request, everybody: bool = False) -> Response:
        """List one's own tokens, or for an admin those of everybody."""
        return answer(request, [token_json(each) for each in _people(request, access).tokens(everybody=everybody)])

    @table.post("/tokens", "own", is_recorded=False, is_sensitive=True)
    def create_token(request: Request, token: NewToken) -> Response:
        """Make a token; the answer has its text, which is shown this once."""
        role = None if token.role is None else role_of(token.role)
        made, text = _people(request, access).create_token(token.name, role, token.days, token.user)
        response = answer(request, {**token_json(made), "token": text})
        response.headers["cache-control"] = "no-store"
        return response

    @table.post("/tokens/{token_id}/revoke", "own", is_recorded=False, is_sensitive=True)
    def revoke_token(request: Request, token_id: TokenId) -> Response:
        """End a token at once."""
        _people(request, access).revoke_token(token_id)
        return Response(status_code=204)
