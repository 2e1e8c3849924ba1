"""What can be asked of a server: one description of an operation, whatever kind of answer it gives.

The operations of the metadata store and the views of the dashboard are written in this form. The server makes its routes, their guards
and the OpenAPI document of it, the client of a server its calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from lineal.model.accounts import Role

PREFIX: Final = "/api/v1"
"""Path below which a server has its operations."""

Schema = dict[str, Any]
"""JSON Schema."""

Kind = Literal["public", "read", "own", "write", "look after"]
"""Who may: anybody; whoever may read; the same, for what only concerns themselves; whoever may write; and whoever may take from
everybody, or decide for them.
"""

ROLES: Final[Mapping[Kind, Role | None]] = {
    "public": None, "read": Role.VIEWER, "own": Role.VIEWER, "write": Role.EDITOR, "look after": Role.ADMIN,
}  # fmt: skip
"""The role that each kind takes at the least; None for none: these tell nothing about what is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        name: What it is called in the description, and in the audit.
        method: HTTP method.
        path: Path below the prefix; parameters in braces.
        kind: Who may.
        about: What it does.
        answer: What it gives, as JSON Schema; empty where that is not told.
        media: Media type of the answer.
        body: What it is given, as JSON Schema, where that cannot be read off the function that does it.
        takes_key: Whether a second call may find something else than the first, so that it takes an Idempotency-Key, under which it is
            done once.
        is_page: Whether it stands beside the API, without its prefix.
        is_recorded: Whether each call enters the audit before it is carried out.
        makes_room: Whether it is what one does on a full disk: its entry in the audit may take the space that is kept for that.
        is_sensitive: Whether a browser's session is not enough: the password must have been given in the last minutes.
    """

    name: str
    method: str
    path: str
    kind: Kind
    about: str
    answer: Schema
    media: str = "application/json"
    body: Schema | None = None
    takes_key: bool = False
    is_page: bool = False
    is_recorded: bool = False
    makes_room: bool = False
    is_sensitive: bool = False

    @property
    def role(self) -> Role | None:
        """Role that it takes at the least; None for none."""
        return ROLES[self.kind]

    @property
    def full_path(self) -> str:
        """The path as it is asked for."""
        return self.path if self.is_page else PREFIX + self.path
