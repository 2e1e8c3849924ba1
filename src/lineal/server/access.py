"""Who asks, and what they may do: one protocol, kept by a server with one user (`owner.py`) and by one for a team (`team.py`).

A browser has a session, as a cookie; programs send a token as `Authorization: Bearer`. Both are opaque, with 256 random bits or more: what
is kept of them is a SHA-256, which is enough for that many.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from starlette.requests import Request

from lineal.errors import SignInRefused as SignInRefused
from lineal.errors import TooManyAttempts as TooManyAttempts
from lineal.metadata_store.accounts import AccountStore
from lineal.model.accounts import Act, User
from lineal.model.accounts import Role as Role

COOKIE: Final = "lineal_session"
"""Name of the cookie of a browser's session; behind TLS it gets a prefix by which browsers refuse it from anywhere else."""

SESSION_SECONDS: Final = 12 * 3600
"""How long a session lasts without being used."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        name: Name of the user.
        role: What it may do here; a token may allow less than its user has.
        kind: `owner` (the one user of a local server), `person` or `service`.
        token: Id of the token that was sent; empty for a session.
        confirmed: Whether the password was given lately, or a token was sent; asked for before accounts are changed.
    """

    name: str
    role: Role
    kind: str = "owner"
    token: str = ""
    confirmed: bool = True


class Source(NamedTuple):
    """Where a request comes from: the address of its sender, and the id that it has in the audit and the log."""

    peer: str = ""
    request: str = ""

    def act(self, who: str, what: str, object: str = "", **details: object) -> Act:
        """Give what somebody does from here."""
        return Act(who, what, object, details, self.peer, self.request)


class Access(Protocol):
    """Tells who asks. Safe to use from threads."""

    is_team: bool
    """Whether there are users; else there is one owner."""

    @property
    def accounts(self) -> AccountStore | None:
        """Users, tokens and the audit; None where they are kept elsewhere."""

    def of_token(self, token: str) -> Principal | None:
        """Give who sends a token, None when it is not valid."""

    def of_session(self, secret: str) -> Principal | None:
        """Give whose session it is, and let it last on; None when it has ended."""

    def open_link(self, code: str, source: Source) -> str | None:
        """Give the secret of a new session in exchange for a link's code, which works once; None for any other."""

    def token_session(self, token: str, source: Source) -> str:
        """Give the secret of a new session in exchange for the server's token. Raises SignInRefused, TooManyAttempts."""

    def with_password(self, name: str, password: str, source: Source) -> User:
        """Give the user of a name and its password, who gets no session. Raises SignInRefused, TooManyAttempts."""

    def password_session(self, name: str, password: str, source: Source, replaces: str = "") -> str:
        """Give the secret of a new session, and end the one with the secret `replaces`. Raises SignInRefused, TooManyAttempts."""

    def confirm(self, secret: str, password: str, source: Source) -> None:
        """Note that the user of a session has given the password again. Raises SignInRefused, TooManyAttempts."""

    def end_session(self, secret: str, source: Source) -> None:
        """End a session; nothing when there is none."""

    def needs_setup(self) -> bool:
        """Whether nobody can sign in before the first admin is made."""

    def set_up(self, token: str, name: str, password: str, source: Source) -> str:
        """Make the first admin, in exchange for the token that the server printed; gives the secret of a session.

        Raises SignInRefused, TooManyAttempts, UsageError for a name or a password that cannot be taken.
        """


def sha256(secret: str) -> str:
    """Give what is kept of a secret that cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def source_of(request: Request) -> Source:
    """Give where a request comes from. The address is that of the connection, unless a proxy that was named says otherwise."""
    return Source(request.client.host if request.client else "", getattr(request.state, "request_id", ""))


def principal_of(request: Request) -> Principal:
    """Give who asks, inside a route that takes a role."""
    found: Principal = request.state.principal
    return found


def cookie_name(request: Request) -> str:
    """Give the name of the session's cookie as this connection has it.

    On a machine's own address it names the port: browsers give cookies to every port of a host, and two dashboards would end each other's sessions.
    """
    if request.url.scheme != "https":
        return f"{COOKIE}_{request.url.port}" if request.url.port else COOKIE
    return f"__Secure-{COOKIE}" if request.scope.get("root_path") else f"__Host-{COOKIE}"
