"""Who asks, and what they may do.

A local server has one user, whoever started it, and still wants a token: other people and containers of the same machine reach the
same port. A browser gets it as a cookie, in exchange for a link that works once; programs send it as `Authorization: Bearer`.
Tokens and sessions are opaque: what is kept of them is a SHA-256, which is enough for 256 random bits.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

COOKIE: Final = "lineal_session"
"""Name of the cookie of a browser's session."""

SESSION_SECONDS: Final = 12 * 3600
"""How long a session lasts without being used."""

LINK_SECONDS: Final = 600
"""How long a link into the dashboard can be opened."""

MOST_SESSIONS: Final = 1000


class Role(IntEnum):
    """What somebody may do: each role may do what those below it may."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    name: str
    role: Role


class Access:
    """The token, links and sessions of a server with one user.

    Args:
        token: The secret that programs send; at least 32 characters.
        clock: Seconds that only grow.

    Raises ValueError for a token that could be guessed.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        if len(token) < 32:
            raise ValueError(f"a token has at least 32 characters, got {len(token)}")
        self._token = _hash(token)
        self._clock = clock
        self._links: dict[bytes, float] = {}
        self._sessions: dict[bytes, float] = {}
        self._lock = threading.Lock()
        self._owner = Principal("owner", Role.ADMIN)

    def new_link(self) -> str:
        """Give a code that opens one session within ten minutes."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            _drop_expired(self._links, self._clock())
            self._links[_hash(code)] = self._clock() + LINK_SECONDS
        return code

    def open_session(self, code: str) -> str | None:
        """Give the secret of a new session in exchange for a link's code, which works once; None for any other."""
        with self._lock:
            until = self._links.pop(_hash(code), 0.0)
        return self.new_session() if until > self._clock() else None

    def new_session(self) -> str:
        """Give the secret of a new session."""
        secret = secrets.token_urlsafe(32)
        with self._lock:
            now = self._clock()
            _drop_expired(self._sessions, now)
            while len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[min(self._sessions, key=self._sessions.__getitem__)]
            self._sessions[_hash(secret)] = now + SESSION_SECONDS
        return secret

    def close_session(self, secret: str) -> None:
        """End a session; nothing when there is none."""
        with self._lock:
            self._sessions.pop(_hash(secret), None)

    def of_token(self, token: str) -> Principal | None:
        """Give who sends a token, None when it is not valid."""
        return self._owner if hmac.compare_digest(_hash(token), self._token) else None

    def of_session(self, secret: str) -> Principal | None:
        """Give whose session it is, and let it last on; None when it has ended."""
        with self._lock:
            now, digest = self._clock(), _hash(secret)
            if self._sessions.get(digest, 0.0) <= now:
                self._sessions.pop(digest, None)
                return None
            self._sessions[digest] = now + SESSION_SECONDS
            return self._owner


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _drop_expired(kept: dict[bytes, float], now: float) -> None:
    for each in [each for each, until in kept.items() if until <= now]:
        del kept[each]
