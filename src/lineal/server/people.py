"""What is done with users and tokens, whoever asks: the API, or the command line on the machine of the server."""

from typing import Final

from lineal.errors import AccessRefused, Conflict, NotFound, UsageError
from lineal.metadata_store.accounts import AccountStore, now_micros
from lineal.model.accounts import LONGEST, AuditEntry, Role, Token, User, check_user_name
from lineal.model.records import Json
from lineal.server.access import Principal, Source
from lineal.server.passwords import check_password, hash_password
from lineal.server.team import new_person, new_token
from lineal.views.shapes import time_text

DAYS: Final = 90
"""How long a token is good for where nothing else is asked for."""

MOST_DAYS: Final = 366

_DAY: Final = 24 * 3600 * 1_000_000


class People:
    """Users and tokens of a server, as one principal may change them.

    Args:
        accounts: Where they are kept; None raises Conflict at once, for a server whose facts are elsewhere.
        who: Who asks.
        source: Where the request comes from.
    """

    def __init__(self, accounts: AccountStore | None, who: Principal, source: Source) -> None:
        if accounts is None:
            raise Conflict("this server keeps no accounts: its facts are on another server, which does")
        self._accounts = accounts
        self._who = who
        self._source = source

    def users(self) -> list[User]:
        """Give all users by name."""
        return self._accounts.list_users()

    def add_user(self, name: str, role: Role, password: str | None) -> User:
        """Add a person, or without a password a service, which has tokens only.

        Raises UsageError for a name or a password that cannot be taken, Conflict for a name that is.
        """
        now = now_micros()
        if password is None:
            user = User(check_user_name(name), "service", role, True, now)
        else:
            user = new_person(name, password, role, now)
        act = self._source.act(self._who.name, "user added", user.name, role=role.name.lower(), kind=user.kind)
        self._accounts.add_user(user, act)
        return user

    def change_user(self, name: str, *, role: Role | None = None, active: bool | None = None, password: str | None = None) -> User:
        """Change a user, whose sessions end. Raises NotFound, UsageError, and Conflict when no active admin would be left."""
        user = self._accounts.get_user(check_user_name(name))
        if password is not None:
            if user.kind != "person":
                raise UsageError(f"{user.name!r} is a service: it has tokens, and no password")
            password = hash_password(check_password(password, user.name))
        details: dict[str, object] = {"password": "changed"} if password else {}
        details |= {} if role is None else {"role": role.name.lower(), "before": user.role.name.lower()}
        details |= {} if active is None else {"active": active}
        act = self._source.act(self._who.name, "user changed", user.name, **details)
        return self._accounts.change_user(user.name, act, role=role, active=active, password=password)

    def delete_user(self, name: str) -> None:
        """Delete a user with its tokens and sessions. Raises NotFound, and Conflict for the last active admin."""
        name = check_user_name(name)
        self._accounts.delete_user(name, self._source.act(self._who.name, "user deleted", name))

    def tokens(self, *, everybody: bool = False) -> list[Token]:
        """Give one's own tokens, or for an admin those of everybody."""
        if everybody and self._who.role is not Role.ADMIN:
            raise AccessRefused("only an admin sees the tokens of everybody")
        return self._accounts.list_tokens(None if everybody else self._who.name)

    def create_token(self, name: str, role: Role | None, days: int | None, user: str | None = None) -> tuple[Token, str]:
        """Make a token for oneself, as an admin for a service, or as the owner of the store for anybody; gives it with its text, which nobody can see again.

        It never allows more than its user or whoever makes it. Raises NotFound, UsageError, AccessRefused.
        """
        owner = self._accounts.get_user(self._who.name if user is None else check_user_name(user))
        is_for_service = self._who.role is Role.ADMIN and owner.kind == "service"
        if owner.name != self._who.name and not is_for_service and self._who.kind != "owner":
            raise AccessRefused("a token is made by its own user, or for a service by an admin")
        if not 1 <= len(name.strip()) <= LONGEST or not name.isprintable():
            raise UsageError(f"a token has a name of 1 to {LONGEST} printable characters, which says what it is for")
        most = min(self._who.role, owner.role)
        if role is not None and role > most:
            raise AccessRefused(f"a token cannot have the role {role.name.lower()}; at most {most.name.lower()}")
        now = now_micros()
        token, text = new_token(owner, name.strip(), most if role is None else role, None if days is None else now + days * _DAY, now)
        act = self._source.act(
            self._who.name, "token created", token.id, user=owner.name, name=token.name, role=token.role.name.lower(), days=days
        )
        self._accounts.add_token(token, act)
        return token, text

    def revoke_token(self, token_id: str) -> None:
        """End one's own token, or as an admin any. Raises NotFound, also for what one may not see."""
        found = self._accounts.find_token(token_id)
        if found is None or (found[0].user != self._who.name and self._who.role is not Role.ADMIN):
            raise NotFound(f"no token that still works has the id {token_id[:80]!a}; `lineal token list` shows them")
        self._accounts.revoke_token(token_id, self._source.act(self._who.name, "token revoked", token_id, user=found[0].user))


def user_json(user: User) -> dict[str, Json]:
    """Give a user, without its password."""
    return {
        "name": user.name, "kind": user.kind, "role": user.role.name.lower(), "active": user.active, "created": time_text(user.created),
    }  # fmt: skip


def token_json(token: Token) -> dict[str, Json]:
    """Give what may be known of a token."""
    return {
        "id": token.id, "user": token.user, "name": token.name, "role": token.role.name.lower(), "created": time_text(token.created),
        "expires": time_text(token.expires), "used": time_text(token.used), "revoked": time_text(token.revoked),
    }  # fmt: skip


def entry_json(entry: AuditEntry) -> dict[str, Json]:
    """Give an entry of the audit. Its details are text: JSON of what was asked for."""
    return {**entry._asdict(), "at": time_text(entry.at)}
