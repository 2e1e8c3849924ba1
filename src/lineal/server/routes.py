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


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    Attributes:
        method: HTTP method.
        path: Path below the prefix; parameters in braces.
        role: Role that it takes at the least; PUBLIC for none.
        handler: What does it.
        is_page: Whether it stands beside the API, without its prefix.
    """

    method: str
    path: str
    role: Role | None
    handler: Callable[..., Any]
    is_page: bool = False

    @property
    def full_path(self) -> str:
        """The path as it is asked for."""
        return self.path if self.is_page else PREFIX + self.path


class Table:
    """Collects operations: `@table.get("/runs", Role.VIEWER)`."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def get(self, path: str, role: Role | None, *, is_page: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add an operation that changes nothing."""
        return self._adder("GET", path, role, is_page)

    def post(self, path: str, role: Role | None, *, is_page: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add an operation that changes something."""
        return self._adder("POST", path, role, is_page)

    def delete(self, path: str, role: Role | None, *, is_page: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add an operation that takes something away."""
        return self._adder("DELETE", path, role, is_page)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def _adder(self, method: str, path: str, role: Role | None, is_page: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def add(handler: Callable[..., Any]) -> Callable[..., Any]:
            self._routes.append(Route(method, path, role, handler, is_page))
            return handler

        return add
