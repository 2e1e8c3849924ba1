"""Users, tokens and the audit as the command line reaches them: in the home in force, by whoever may write its file, or on a server."""

from typing import Any, Protocol
from urllib.parse import quote, urlencode

import click

from lineal.asking import ask
from lineal.credentials import server_url, token_for
from lineal.host import person
from lineal.model.accounts import Role, role_of
from lineal.model.records import Json
from lineal.model.text import shown
from lineal.server.access import Principal, Source
from lineal.server.people import People, entry_json, token_json, user_json
from lineal.settings import Settings
from lineal.workspace import open_workspace


class Desk(Protocol):
    """What can be done with accounts; answers are JSON as the API has it."""

    def users(self) -> Any:
        """Give all users."""

    def add_user(self, name: str, role: str, password: str | None) -> Any:
        """Add a user; without a password a service."""

    def change_user(self, name: str, change: dict[str, Any]) -> Any:
        """Change role, password, or whether a user is active."""

    def delete_user(self, name: str) -> None:
        """Delete a user."""

    def tokens(self, *, everybody: bool) -> Any:
        """Give tokens."""

    def create_token(self, name: str, role: str | None, days: int | None, user: str | None) -> Any:
        """Make a token; the answer holds its text."""

    def revoke_token(self, token_id: str) -> None:
        """End a token."""

    def audit(self, who: str | None, what: str | None, limit: int, offset: int) -> Any:
        """Give a page of the audit."""

    def check_audit(self) -> Any:
        """Say whether the audit is as it was written."""


class LocalDesk:
    """The accounts of the home in force. Whoever may write its file needs no other permission; what is done is recorded all the same."""

    def __init__(self) -> None:
        self._accounts = open_workspace().accounts
        self._who = Principal(f"command line ({person()})", Role.ADMIN)

    def _people(self) -> People:
        return People(self._accounts, self._who, Source())

    def users(self) -> Any:
        return [user_json(each) for each in self._people().users()]

    def add_user(self, name: str, role: str, password: str | None) -> Any:
        return user_json(self._people().add_user(name, role_of(role), password))

    def change_user(self, name: str, change: dict[str, Any]) -> Any:
        role = change.get("role")
        return user_json(self._people().change_user(name, **{**change, "role": None if role is None else role_of(role)}))

    def delete_user(self, name: str) -> None:
        self._people().delete_user(name)

    def tokens(self, *, everybody: bool) -> Any:
        return [token_json(each) for each in self._people().tokens(everybody=True)]

    def create_token(self, name: str, role: str | None, days: int | None, user: str | None) -> Any:
        if user is None:
            raise click.UsageError("say whose token it is: --user NAME")
        token, text = self._people().create_token(name, None if role is None else role_of(role), days, user)
        return {**token_json(token), "token": text}

    def revoke_token(self, token_id: str) -> None:
        self._people().revoke_token(token_id)

    def audit(self, who: str | None, what: str | None, limit: int, offset: int) -> Any:
        page = self._accounts.list_audit(who=who, what=what, limit=limit, offset=offset)
        items: list[Json] = [entry_json(each) for each in page.items]
        return {"items": items, "total": page.total, "offset": offset}

    def check_audit(self) -> Any:
        good, digest, wrong = self._accounts.verify_audit()
        return {"entries": good, "digest": digest, "wrong": wrong}


class RemoteDesk:
    """The accounts of a server, with the token that belongs to it.

    Args:
        server: URL of the server.
    """

    def __init__(self, server: str) -> None:
        self._server = server_url(server)
        self._token = token_for(self._server, Settings.load())

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return ask(self._server, method, path, body, token=self._token)

    def users(self) -> Any:
        return self._ask("GET", "/users")

    def add_user(self, name: str, role: str, password: str | None) -> Any:
        return self._ask("POST", "/users", {"name": name, "role": role, "password": password})

    def change_user(self, name: str, change: dict[str, Any]) -> Any:
        return self._ask("POST", f"/users/{quote(name, safe='')}", change)

    def delete_user(self, name: str) -> None:
        self._ask("POST", f"/users/{quote(name, safe='')}/delete", {})

    def tokens(self, *, everybody: bool) -> Any:
        return self._ask("GET", "/tokens?everybody=true" if everybody else "/tokens")

    def create_token(self, name: str, role: str | None, days: int | None, user: str | None) -> Any:
        return self._ask("POST", "/tokens", {"name": name, "role": role, "days": days, "user": user})

    def revoke_token(self, token_id: str) -> None:
        self._ask("POST", f"/tokens/{quote(token_id, safe='')}/revoke", {})

    def audit(self, who: str | None, what: str | None, limit: int, offset: int) -> Any:
        given = {"who": who, "what": what, "limit": limit, "offset": offset}
        return self._ask("GET", f"/audit?{urlencode({name: value for name, value in given.items() if value is not None})}")

    def check_audit(self) -> Any:
        return self._ask("GET", "/audit/check")


def desk_of(server: str | None) -> Desk:
    """Give the accounts of a server, or of the home in force."""
    return LocalDesk() if server is None else RemoteDesk(server)


def server_option(command: Any) -> Any:
    """Add `--server` to a command."""
    return click.option("--server", metavar="URL", help="A server, with the token of `lineal login`; without, the home in force.")(command)


def print_rows(names: list[str], rows: list[dict[str, Any]]) -> None:
    """Print some fields of rows in columns, for people."""
    lines = [names] + [["" if row[name] is None else shown(row[name]) for name in names] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line in lines:
        click.echo("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())
