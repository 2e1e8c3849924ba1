"""The table of operations: each with the function that does it.

A route exists only through this table, so none can be without a policy; a test walks the routes of the app all the same.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lineal.model.operation import PREFIX as PREFIX
from lineal.model.operation import Kind, Operation, Schema

Handler = Callable[..., Any]
Adder = Callable[[Handler], Handler]


class Route(NamedTuple):
    """An operation with what does it. `details` gives what the audit keeps of a body that the handler reads itself."""

    operation: Operation
    handler: Handler
    details: Callable[[bytes], dict[str, Any]] | None = None


class Table:
    """Collects operations: views as `@table.get("/runs", "read")`, described ones with `table.add`."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, operation: Operation, handler: Handler, details: Callable[[bytes], dict[str, Any]] | None = None) -> None:
        """Add an operation with what does it."""
        self._routes.append(Route(operation, handler, details))

    def get(self, path: str, kind: Kind, answer: Schema | None = None, *, media: str = "application/json", is_page: bool = False) -> Adder:
        """Add a view, called as its function is: an operation that changes nothing.

        Args:
            path: Path below the prefix.
            kind: Who may.
            answer: What it gives, as JSON Schema.
            media: Media type of the answer.
            is_page: Whether it stands beside the API.
        """
        return self._adder("GET", path, kind, answer, media=media, is_page=is_page)

    def post(
        self,
        path: str,
        kind: Kind,
        answer: Schema | None = None,
        *,
        is_recorded: bool = True,
        is_sensitive: bool = False,
        makes_room: bool = False,
    ) -> Adder:
        """Add an operation that changes something.

        Args:
            path: Path below the prefix.
            kind: Who may.
            answer: What it gives, as JSON Schema.
            is_recorded: Whether each call enters the audit, with the parameters of its path and its body. False where the operation
                records itself, where its body holds a secret, or where it only reads.
            is_sensitive: Whether it takes a password that was given in the last minutes.
            makes_room: Whether it is what one does on a full disk.
        """
        return self._adder("POST", path, kind, answer, is_recorded=is_recorded, is_sensitive=is_sensitive, makes_room=makes_room)

    def delete(self, path: str, kind: Kind) -> Adder:
        """Add an operation that takes something away."""
        return self._adder("DELETE", path, kind, None, is_recorded=True, makes_room=True)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def _adder(self, method: str, path: str, kind: Kind, answer: Schema | None, **more: Any) -> Adder:
        def add(handler: Handler) -> Handler:
            name, about = handler.__name__, handler.__doc__ or ""
            self.add(Operation(name=name, method=method, path=path, kind=kind, about=about, answer=answer or {}, **more), handler)
            return handler

        return add
