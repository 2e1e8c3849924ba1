"""The users of a server for a team: passwords, sessions and tokens that are kept with the facts.

Everything is looked up anew at each request: a session or token ends at once when it is ended, and when its user's password or role is
changed, or the user is deactivated or deleted.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from lineal.errors import InvalidName, NotFound
from lineal.metadata_store.accounts import AccountStore, now_micros
from lineal.model.accounts import Role, Session, Token, User, check_user_name
from lineal.server.access import SESSION_SECONDS, Principal, SignInRefused, Source, sha256
from lineal.server.attempts import Attempts
from lineal.server.passwords import check_password, hash_password, is_password

LONGEST_SESSION: Final = 30 * 24 * 3600
"""Seconds after which one signs in again, however much the session is used."""

CONFIRMED_SECONDS: Final = 300
"""How long a password that was given lets accounts be changed without giving it again."""

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_TOKEN = re.compile(r"lineal_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_WRONG: Final = "the name or the password is not right, or the account is not active"


class TeamAccess:
    """Who may ask a server with users.

    Args:
        accounts: Where users, tokens and sessions are kept.
        clock: Microseconds since 1970.
        steady: Seconds that only grow, for the waits between attempts.
    """

    is_team = True

    def __init__(self, accounts: AccountStore, clock: Callable[[], int] = now_micros, steady: Callable[[], float] = time.monotonic) -> None:
        self.accounts: AccountStore = accounts
        self._clock = clock
        self._attempts = Attempts(steady)
        self._setup = ""

    # -- the first admin

    def new_setup_token(self) -> str:
        """Give the token that makes the first admin; the one before is good no more."""
        token = secrets.token_urlsafe(32)
        self._setup = sha256(token)
        return token

    def needs_setup(self) -> bool:
        return not self.accounts.has_admin()

    def set_up(self, token: str, name: str, password: str, source: Source) -> str:
        with self._attempts.attempt(f"peer:{source.peer}"):
            if not self._setup or not hmac.compare_digest(sha256(token), self._setup) or not self.needs_setup():
                raise SignInRefused("that is not the set-up token that this server printed when it started, or there is an admin already")
        user = new_person(name, password, Role.ADMIN, self._clock())
        if not self.accounts.add_first_admin(user, source.act(user.name, "setup", user.name, role="admin")):
            raise SignInRefused("somebody else was quicker: there is an admin already")
        self._setup = ""
        return self._new_session(user, source, "setup")

    # -- sessions

    def open_link(self, code: str, source: Source) -> str | None:
        return None

    def token_session(self, token: str, source: Source) -> str:
        raise SignInRefused("sign in with name and password; a token is for programs")

    def password_session(self, name: str, password: str, source: Source, replaces: str = "") -> str:
        user = self.with_password(name, password, source)
        return self._new_session(user, source, "password", replaces)

    def confirm(self, secret: str, password: str, source: Source) -> None:
        found = self.accounts.find_session(sha256(secret))
        if found is None:
            raise SignInRefused("the session has ended; sign in again")
        self.with_password(found[1].name, password, source, "confirmation failed")
        self.accounts.touch_session(found[0]._replace(confirmed=self._clock()))

    def end_session(self, secret: str, source: Source) -> None:
        found = self.accounts.find_session(sha256(secret))
        if found is not None:
            self.accounts.end_session(found[0].digest, source.act(found[1].name, "logout"))

    def of_session(self, secret: str) -> Principal | None:
        found = self.accounts.find_session(sha256(secret))
        now = self._clock()
        if found is None:
            return None
        session, user = found
        if not user.active or now >= min(session.until, session.begun + LONGEST_SESSION * _SECOND):
            return None
        until = now + SESSION_SECONDS * _SECOND
        if until - session.until > _MINUTE:  # not at every request: it is a write
            self.accounts.touch_session(session._replace(until=until))
        return Principal(user.name, user.role, user.kind, "", now - session.confirmed < CONFIRMED_SECONDS * _SECOND)

    # -- tokens

    def of_token(self, token: str) -> Principal | None:
        parts = _TOKEN.fullmatch(token)
        found = self.accounts.find_token(parts[1]) if parts else None
        if parts is None or found is None:
            return None
        kept, user = found
        now = self._clock()
        is_right = hmac.compare_digest(sha256(parts[2]), kept.digest)
        if not is_right or not user.active or kept.revoked is not None or (kept.expires is not None and now >= kept.expires):
            return None
        if now - (kept.used or 0) > _MINUTE:
            self.accounts.touch_token(kept.id, now)
        return Principal(user.name, min(kept.role, user.role), user.kind, kept.id)

    def _new_session(self, user: User, source: Source, by: str, replaces: str = "") -> str:
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        session = Session(sha256(secret), user.name, now, now, now + SESSION_SECONDS * _SECOND)
        self.accounts.add_session(session, source.act(user.name, "login", by=by), sha256(replaces) if replaces else None)
        return secret

    def with_password(self, name: str, password: str, source: Source, failed: str = "login failed") -> User:
        """Give the user of a name and its password. Takes as long, and says the same, whatever of it is wrong."""
        name = name.strip().lower()[:80]
        with self._attempts.attempt(f"user:{name}", f"peer:{source.peer}"):
            user = self._user(name)
            is_right = is_password(password, user.password if user is not None and user.active else None)
            if user is None or not is_right:
                # What was typed as an unknown name may be a password: it is not kept.
                self.accounts.append(source.act(user.name if user else "", failed, known=user is not None))
                raise SignInRefused(_WRONG)
        self._attempts.forget(f"user:{name}")
        return user

    def _user(self, name: str) -> User | None:
        try:
            return self.accounts.get_user(check_user_name(name))
        except (InvalidName, NotFound):
            return None


def new_person(name: str, password: str, role: Role, now: int) -> User:
    """Give a user who signs in with a password. Raises UsageError for a name or a password that cannot be taken."""
    name = check_user_name(name)
    return User(name, "person", role, True, now, hash_password(check_password(password, name)))


def new_token(user: User, name: str, role: Role, expires: int | None, now: int) -> tuple[Token, str]:
    """Give a token to keep, and its text, which is shown once."""
    token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    token = Token(token_id, user.name, name, min(role, user.role), sha256(secret), now, expires)
    return token, f"lineal_{token_id}_{secret}"
