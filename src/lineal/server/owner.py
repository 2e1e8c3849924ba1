"""The one user of a server on this machine: whoever started it.

It still wants a token: other people and containers of the same machine reach the same port. A browser gets a session in exchange for a
link that works once.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, NoReturn

from lineal.metadata_store.accounts import AccountStore
from lineal.server.access import SESSION_SECONDS, Principal, Role, SignInRefused, Source, sha256
from lineal.server.attempts import Attempts

LINK_SECONDS: Final = 600
"""How long a link into the dashboard can be opened."""

MOST_SESSIONS: Final = 1000


class OwnerAccess:
    """The token, links and sessions of a server with one user; sessions end with its process.

    Args:
        token: The secret that programs send; at least 32 characters.
        clock: Seconds that only grow.
        accounts: Where what is done is recorded; None records nothing.

    Raises ValueError for a token that could be guessed.
    """

    is_team = False

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic, accounts: AccountStore | None = None) -> None:
        if len(token) < 32:
            raise ValueError(f"a token has at least 32 characters, got {len(token)}")
        self.accounts = accounts
        self._token = sha256(token)
        self._clock = clock
        self._links: dict[str, float] = {}
        self._sessions: dict[str, float] = {}
        self._lock = threading.Lock()
        self._attempts = Attempts(clock)
        self._owner = Principal("owner", Role.ADMIN)

    def new_link(self) -> str:
        """Give a code that opens one session within ten minutes."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            _drop_expired(self._links, self._clock())
            self._links[sha256(code)] = self._clock() + LINK_SECONDS
        return code

    def open_link(self, code: str, source: Source) -> str | None:
        with self._lock:
            until = self._links.pop(sha256(code), 0.0)
        if until <= self._clock():
            return None
        self._record(source, "login", by="link")
        return self.new_session()

    def token_session(self, token: str, source: Source) -> str:
        with self._attempts.attempt(f"peer:{source.peer}"):
            if self.of_token(token) is None:
                self._record(source, "login failed")
                raise SignInRefused("that is not the token of this server; lineal up prints where it is kept")
        self._record(source, "login", by="token")
        return self.new_session()

    def password_session(self, name: str, password: str, source: Source, replaces: str = "") -> NoReturn:
        self.with_password(name, password, source)

    def with_password(self, name: str, password: str, source: Source) -> NoReturn:
        raise SignInRefused("this server has one user and no passwords: open the link that lineal up printed, or give its token")

    def confirm(self, secret: str, password: str, source: Source) -> None:
        """Do nothing: there is no password."""

    def new_session(self) -> str:
        """Give the secret of a new session."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            _drop_expired(self._sessions, now)
            while len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[min(self._sessions, key=self._sessions.__getitem__)]
            self._sessions[sha256(secret)] = now + SESSION_SECONDS
        return secret

    def end_session(self, secret: str, source: Source) -> None:
        with self._lock:
            ended = self._sessions.pop(sha256(secret), None)
        if ended is not None:
            self._record(source, "logout")

    def of_token(self, token: str) -> Principal | None:
        return self._owner if hmac.compare_digest(sha256(token), self._token) else None

    def of_session(self, secret: str) -> Principal | None:
        with self._lock:
            now, digest = self._clock(), sha256(secret)
            if self._sessions.get(digest, 0.0) <= now:
                self._sessions.pop(digest, None)
                return None
            self._sessions[digest] = now + SESSION_SECONDS
            return self._owner

    def needs_setup(self) -> bool:
        return False

    def set_up(self, token: str, name: str, password: str, source: Source) -> str:
        raise SignInRefused("this server has one user, whoever started it; `lineal server` has users that can be set up")

    def _record(self, source: Source, what: str, by: str = "") -> None:
        if self.accounts is not None:
            self.accounts.append(source.act(self._owner.name, what, by=by))


def _drop_expired(kept: dict[str, float], now: float) -> None:
    for each in [each for each, until in kept.items() if until <= now]:
        del kept[each]
