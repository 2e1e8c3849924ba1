"""Who may do what on a server: users and their roles, tokens, sessions, and the record of what was done."""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final, NamedTuple

from lineal.errors import InvalidName, UsageError

LONGEST: Final = 64
"""Characters of the name of a user or a token."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")


class Role(IntEnum):
    """What somebody may do: each role may do what those below it may."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


ROLES: Final = tuple(role.name.lower() for role in Role)


class User(NamedTuple):
    """Somebody who may sign in, or a service that has tokens only. Times are microseconds since 1970 in UTC."""

    name: str
    kind: str
    """`person` or `service`; a service has no password and cannot sign in to the dashboard."""
    role: Role
    active: bool
    created: int
    password: str | None = None
    """The argon2id hash; never shown."""


class Token(NamedTuple):
    """An API token as it is kept: of its secret only the SHA-256."""

    id: str
    user: str
    name: str
    role: Role
    digest: str
    created: int
    expires: int | None = None
    used: int | None = None
    revoked: int | None = None


class Session(NamedTuple):
    """A browser that is signed in: of its secret only the SHA-256. `confirmed` is when its user last gave the password."""

    digest: str
    user: str
    begun: int
    confirmed: int
    until: int


class Device(NamedTuple):
    """A machine without a browser that waits to be approved in one. Both codes are kept as SHA-256 only."""

    digest: str
    code: str
    name: str
    begun: int
    until: int
    user: str | None = None


class Act(NamedTuple):
    """Something that was done or tried: who, what, to which object, from where. `details` holds what JSON can."""

    who: str
    what: str
    object: str = ""
    details: Mapping[str, Any] = {}
    peer: str = ""
    request: str = ""


class AuditEntry(NamedTuple):
    """An act as it was recorded. `digest` covers it and the digest of the entry before, so that no entry can be changed or left out."""

    id: int
    at: int
    who: str
    what: str
    object: str
    details: str
    peer: str
    request: str
    digest: str


def check_user_name(name: str) -> str:
    """Give a user's name in lower case, so that no two differ by case only. Raises InvalidName that says what is allowed."""
    lower = name.strip().lower()
    if not _NAME.fullmatch(lower):
        raise InvalidName(
            f"a user cannot be called {name[:80]!a}: names have 1 to {LONGEST} characters of a-z, 0-9 and . _ @ + -, and begin with a letter or digit"
        )
    return lower


def role_of(name: str) -> Role:
    """Give the role of a name. Raises UsageError that lists them."""
    if name not in ROLES:
        raise UsageError(f"{name[:80]!a} is no role; roles are: {', '.join(ROLES)}")
    return Role[name.upper()]
