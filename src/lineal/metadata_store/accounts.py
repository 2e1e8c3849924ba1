"""Where a server keeps who may ask for what, and what they did: users, tokens, sessions, the audit.

Apart from the protocol of facts, because only a server needs it. Each change and its entry in the audit are one transaction.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import Cursor
from typing import Any, Final, Protocol

from lineal.errors import Conflict, NotFound
from lineal.metadata_store.base import Page
from lineal.metadata_store.connections import Connections
from lineal.metadata_store.json_text import dump
from lineal.metadata_store.statements import SQL
from lineal.model.accounts import Act, AuditEntry, Device, Role, Session, Token, User

MOST_SESSIONS: Final = 50
"""Sessions of one user at the same time; a new one ends the one that has not been used for longest."""

MOST_DEVICES: Final = 200
"""Devices that wait to be approved at the same time."""

_BATCH: Final = 5000


def now_micros() -> int:
    """Give the time in microseconds since 1970 in UTC."""
    return time.time_ns() // 1000


class AccountStore(Protocol):
    """Keeps accounts. Every method that changes something takes the act that it is recorded as."""

    def has_admin(self) -> bool:
        """Tell whether an active person is an admin; before that, a server can only be set up."""

    def add_first_admin(self, user: User, act: Act) -> bool:
        """Add a user if there is no admin yet, however many ask at the same moment; gives whether it was added."""

    def add_user(self, user: User, act: Act) -> None:
        """Add a user. Raises Conflict when the name is taken."""

    def get_user(self, name: str) -> User:
        """Give a user by name. Raises NotFound."""

    def list_users(self) -> list[User]:
        """Give all users by name."""

    def change_user(
        self, name: str, act: Act, *, role: Role | None = None, active: bool | None = None, password: str | None = None
    ) -> User:
        """Change a user, and end all of its sessions; None leaves as it is.

        Raises NotFound, and Conflict when no active admin would be left.
        """

    def delete_user(self, name: str, act: Act) -> None:
        """Delete a user with tokens and sessions. Raises NotFound, and Conflict for the last active admin."""

    def add_token(self, token: Token, act: Act) -> None:
        """Add a token. Raises NotFound when there is no such user."""

    def find_token(self, token_id: str) -> tuple[Token, User] | None:
        """Give a token by its public id, with its user."""

    def list_tokens(self, user: str | None = None) -> list[Token]:
        """Give all tokens, or those of one user, the newest first."""

    def touch_token(self, token_id: str, now: int) -> None:
        """Note that a token was used."""

    def revoke_token(self, token_id: str, act: Act) -> None:
        """End a token at once. Raises NotFound when there is none of that id that still works."""

    def add_session(self, session: Session, act: Act, replaces: str | None = None) -> None:
        """Begin a session, and end the one with the digest `replaces`. Raises NotFound when there is no such user."""

    def find_session(self, digest: str) -> tuple[Session, User] | None:
        """Give a session by the digest of its secret, with its user."""

    def touch_session(self, session: Session) -> None:
        """Keep when a session runs out and when its user last gave the password."""

    def end_session(self, digest: str, act: Act) -> None:
        """End a session."""

    def add_device(self, device: Device) -> None:
        """Let a device wait. Raises Conflict when too many do."""

    def find_device(self, *, digest: str | None = None, code: str | None = None) -> Device | None:
        """Give a device by the digest of its secret or of the code that it shows."""

    def approve_device(self, code: str, user: str, now: int, act: Act) -> bool:
        """Let a user take the device that shows a code, once; gives whether there was one."""

    def take_device(self, digest: str, token: Token | None, act: Act) -> bool:
        """End a device's waiting, with the token that it gets; gives whether it still waited, so that only one gets a token."""

    def append(self, act: Act) -> None:
        """Record an act that changed nothing here."""

    def list_audit(
        self, *, who: str | None = None, what: str | None = None, object: str | None = None, limit: int = 100, offset: int = 0
    ) -> Page[AuditEntry]:
        """Give entries of the audit, the newest first."""

    def verify_audit(self) -> tuple[int, str, int | None]:
        """Check the chain: gives how many entries fit, the digest of the last of them, and the id of the first that does not, or None."""


class SqliteAccounts:
    """Accounts in the SQLite file that holds the facts.

    Args:
        path: The file; made and migrated when it is not there.
        clock: Microseconds since 1970.
        busy_timeout: Seconds after which waiting for another writer ends with StoreBusy.
    """

    def __init__(self, path: Path, clock: Callable[[], int] = now_micros, busy_timeout: float = 60.0) -> None:
        self._db = Connections(Path(path).absolute(), "step", busy_timeout)
        self._clock = clock

    def close(self) -> None:
        """Close the connections that nobody is using at this moment."""
        self._db.close()

    def _write(self, work: Callable[..., Any], *arguments: Any, act: Act | None = None) -> Any:
        def both(cursor: Cursor) -> Any:
            result = work(cursor, *arguments)
            if act is not None and result is not False:
                _record(cursor, act, self._clock())
            return result

        return self._db.write(both)

    # -- users

    def has_admin(self) -> bool:
        return bool(self._db.read(SQL["count_admins"], ("",))[0][0])

    def add_first_admin(self, user: User, act: Act) -> bool:
        def add(cursor: Cursor) -> bool:
            if cursor.execute(SQL["count_admins"], ("",)).fetchone()[0]:
                return False
            _insert_user(cursor, user)
            return True

        return bool(self._write(add, act=act))

    def add_user(self, user: User, act: Act) -> None:
        self._write(_insert_user, user, act=act)

    def get_user(self, name: str) -> User:
        rows = self._db.read(SQL["user_by_name"], (name,))
        if not rows:
            raise _no_user(name)
        return _user(rows[0][:-1])

    def list_users(self) -> list[User]:
        return [_user(row) for row in self._db.read(SQL["list_users"])]

    def change_user(
        self, name: str, act: Act, *, role: Role | None = None, active: bool | None = None, password: str | None = None
    ) -> User:
        def change(cursor: Cursor) -> User:
            user, row_id = _user_row(cursor, name)
            changed = user._replace(
                role=user.role if role is None else role,
                active=user.active if active is None else active,
                password=user.password if password is None else password,
            )
            if _counts(user) and not _counts(changed):
                _refuse_last(cursor, name)
            cursor.execute(SQL["update_user"], (int(changed.role), int(changed.active), changed.password, row_id))
            cursor.execute(SQL["end_sessions_of"], (row_id,))
            return changed

        changed: User = self._write(change, act=act)
        return changed

    def delete_user(self, name: str, act: Act) -> None:
        def delete(cursor: Cursor) -> None:
            user, row_id = _user_row(cursor, name)
            if _counts(user):
                _refuse_last(cursor, name)
            cursor.execute(SQL["delete_user"], (row_id,))

        self._write(delete, act=act)

    # -- tokens

    def add_token(self, token: Token, act: Act) -> None:
        self._write(_insert_token, token, act=act)

    def find_token(self, token_id: str) -> tuple[Token, User] | None:
        rows = self._db.read(SQL["token_and_user"], (token_id,))
        return (_token(rows[0][:9]), _user(rows[0][9:])) if rows else None

    def list_tokens(self, user: str | None = None) -> list[Token]:
        return [_token(row) for row in self._db.read(SQL["list_tokens"], (user, user))]

    def touch_token(self, token_id: str, now: int) -> None:
        self._write(lambda cursor: cursor.execute(SQL["touch_token"], (now, token_id)))

    def revoke_token(self, token_id: str, act: Act) -> None:
        def revoke(cursor: Cursor) -> None:
            if cursor.execute(SQL["revoke_token"], (self._clock(), token_id)).fetchone() is None:
                raise NotFound(f"no token that still works has the id {token_id[:80]!a}; `lineal token list` shows them")

        self._write(revoke, act=act)

    # -- sessions

    def add_session(self, session: Session, act: Act, replaces: str | None = None) -> None:
        def begin(cursor: Cursor) -> None:
            _, row_id = _user_row(cursor, session.user)
            cursor.execute(SQL["end_old_sessions"], (session.begun,))
            if replaces is not None:
                cursor.execute(SQL["end_session"], (replaces,))
            cursor.execute(SQL["insert_session"], (session.digest, row_id, session.begun, session.confirmed, session.until))
            cursor.execute(SQL["end_surplus_sessions"], (row_id, row_id, MOST_SESSIONS))

        self._write(begin, act=act)

    def find_session(self, digest: str) -> tuple[Session, User] | None:
        rows = self._db.read(SQL["session_and_user"], (digest,))
        return (Session(*rows[0][:5]), _user(rows[0][5:])) if rows else None

    def touch_session(self, session: Session) -> None:
        self._write(lambda cursor: cursor.execute(SQL["touch_session"], (session.until, session.confirmed, session.digest)))

    def end_session(self, digest: str, act: Act) -> None:
        self._write(lambda cursor: cursor.execute(SQL["end_session"], (digest,)), act=act)

    # -- devices

    def add_device(self, device: Device) -> None:
        def wait(cursor: Cursor) -> None:
            cursor.execute(SQL["end_old_devices"], (device.begun,))
            if cursor.execute(SQL["count_devices"]).fetchone()[0] >= MOST_DEVICES:
                raise Conflict(f"{MOST_DEVICES} devices wait to be approved; try again in ten minutes")
            cursor.execute(SQL["insert_device"], device[:5])

        self._write(wait)

    def find_device(self, *, digest: str | None = None, code: str | None = None) -> Device | None:
        rows = self._db.read(*((SQL["device_by_code"], (code,)) if digest is None else (SQL["device_by_digest"], (digest,))))
        return Device(*rows[0]) if rows else None

    def approve_device(self, code: str, user: str, now: int, act: Act) -> bool:
        return bool(self._write(lambda cursor: cursor.execute(SQL["approve_device"], (user, code, now)).fetchone() is not None, act=act))

    def take_device(self, digest: str, token: Token | None, act: Act) -> bool:
        def take(cursor: Cursor) -> bool:
            if cursor.execute(SQL["delete_device"], (digest,)).fetchone() is None:
                return False
            if token is not None:
                _insert_token(cursor, token)
            return True

        return bool(self._write(take, act=act))

    # -- the audit

    def append(self, act: Act) -> None:
        self._write(lambda cursor: None, act=act)

    def list_audit(
        self, *, who: str | None = None, what: str | None = None, object: str | None = None, limit: int = 100, offset: int = 0
    ) -> Page[AuditEntry]:
        given = (who, who, what, what, object, object)
        rows = self._db.read(SQL["list_audit"], (*given, limit, offset))
        return Page([AuditEntry(*row) for row in rows], self._db.read(SQL["count_audit"], given)[0][0])

    def verify_audit(self) -> tuple[int, str, int | None]:
        count, before = 0, ""
        for entry in self._entries():
            if entry.id != count + 1 or entry.digest != chained(before, entry):
                return count, before, entry.id
            count, before = count + 1, entry.digest
        return count, before, None

    def _entries(self) -> Iterator[AuditEntry]:
        last = 0
        while rows := self._db.read(SQL["audit_after"], (last, _BATCH)):
            yield from (AuditEntry(*row) for row in rows)
            last = rows[-1][0]


def chained(before: str, entry: AuditEntry) -> str:
    """Give the digest of an entry that follows the one with the digest `before`."""
    text = json.dumps([before, *entry[1:-1]], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _record(cursor: Cursor, act: Act, now: int) -> None:
    last = cursor.execute(SQL["last_audit"]).fetchone()
    details = dump(dict(act.details), "details of an act")
    who, what, object, peer, request = (_plain(each) for each in (act.who, act.what, act.object, act.peer, act.request))
    entry = AuditEntry(0, now, who, what, object, details, peer, request, "")
    cursor.execute(SQL["insert_audit"], (*entry[1:-1], chained(last[0] if last else "", entry)))


def _plain(text: str) -> str:
    """Give a text of one line: what is not printable is escaped, so that no line of a log can be made up."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text[:500])


def _insert_user(cursor: Cursor, user: User) -> None:
    row = cursor.execute(
        SQL["insert_user"], (user.name, user.kind, int(user.role), int(user.active), user.created, user.password)
    ).fetchone()
    if row is None:
        raise Conflict(f"there is a user {user.name!r} already; choose another name, or change that one")


def _insert_token(cursor: Cursor, token: Token) -> None:
    _, row_id = _user_row(cursor, token.user)
    cursor.execute(SQL["insert_token"], (token.id, row_id, token.name, int(token.role), token.digest, token.created, token.expires))


def _user_row(cursor: Cursor, name: str) -> tuple[User, int]:
    row = cursor.execute(SQL["user_by_name"], (name,)).fetchone()
    if row is None:
        raise _no_user(name)
    return _user(row[:-1]), row[-1]


def _counts(user: User) -> bool:
    return user.active and user.role is Role.ADMIN and user.kind == "person"


def _refuse_last(cursor: Cursor, name: str) -> None:
    if not cursor.execute(SQL["count_admins"], (name,)).fetchone()[0]:
        raise Conflict(f"{name!r} is the last admin that can sign in; make somebody else an admin first")


def _no_user(name: str) -> NotFound:
    return NotFound(f"there is no user {name[:80]!a}; `lineal user list` shows all")


def _user(row: Any) -> User:
    return User(row[0], row[1], Role(row[2]), bool(row[3]), row[4], row[5])


def _token(row: Any) -> Token:
    return Token._make((*row[:3], Role(row[3]), *row[4:]))
