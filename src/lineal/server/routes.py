"""The table of operations: each with its path, the role that it takes, and the function that does it.

A route exists only through this table, so none can be without a policy; a test walks the routes of the app all the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lineal.server.access import Role

PREFIX: Final = "/api/v1"

PUBLIC: Final = None
"""Policy of the few routes that answer anybody: they tell nothing about what is stored."""


Handler = Callable[..., Any]
Adder = Callable[[Handler], Handler]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        method: HTTP method.
        path: Path below the prefix; parameters in braces.
        role: Role that it takes at the least; PUBLIC for none.
        handler: What does it.
        is_page: Whether it stands beside the API, without its prefix.
        is_recorded: Whether each call enters the audit before it is carried out.
        is_sensitive: Whether a browser's session is not enough: the password must have been given in the last minutes.
    """

    method: str
    path: str
    role: Role | None
    handler: Handler
    is_page: bool = False
    is_recorded: bool = False
    is_sensitive: bool = False

    @property
    def full_path(self) -> str:
        """The path as it is asked for."""
        return self.path if self.is_page else PREFIX + self.path


class Table:
    """Collects operations: `@table.get("/runs", Role.VIEWER)`."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def get(self, path: str, role: Role | None, *, is_page: bool = False) -> Adder:
        """Add an operation that changes nothing."""
        return self._adder("GET", path, role, is_page=is_page)

    def post(self, path: str, role: Role | None, *, is_recorded: bool = True, is_sensitive: bool = False) -> Adder:
        """Add an operation that changes something.

        Args:
            path: Path below the prefix.
            role: Role that it takes at the least; PUBLIC for none.
            is_recorded: Whether each call enters the audit, with the parameters of its path and its body. False where the operation
                records itself, where its body holds a secret, or where it only reads.
            is_sensitive: Whether it takes a password that was given in the last minutes.
        """
        return self._adder("POST", path, role, is_recorded=is_recorded, is_sensitive=is_sensitive)

    def delete(self, path: str, role: Role | None, *, is_recorded: bool = True) -> Adder:
        """Add an operation that takes something away."""
        return self._adder("DELETE", path, role, is_recorded=is_recorded)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def _adder(self, method: str, path: str, role: Role | None, **more: bool) -> Adder:
        def add(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, role, handler, **more))
            return handler

        return add
