"""Tells in microseconds whether everything that a fingerprint was taken from is still what it was."""

from collections.abc import Callable, Mapping
from types import CellType, CodeType, FunctionType
from typing import Any, Final

ABSENT: Final = object()


class Watch:
    """What was seen where: names and cells by identity, values that can change in place by digest.

    It holds what it watches, so that no address can come to mean something else. `redigest` gives the digest of a value again;
    it raises LookupError when the value refers to code that was not there before.
    """

    __slots__ = ("_bindings", "_cells", "_functions", "_redigest", "_sizes", "_values")

    def __init__(self, redigest: Callable[[object], str]) -> None:
        self._redigest = redigest
        self._bindings: dict[tuple[int, str], tuple[Mapping[str, Any], str, Any]] = {}
        self._functions: list[tuple[FunctionType, CodeType, Any, Any]] = []
        self._cells: dict[int, tuple[CellType, Any]] = {}
        self._sizes: list[tuple[Mapping[Any, Any], int]] = []
        self._values: list[tuple[Any, str]] = []

    def name(self, namespace: Mapping[str, Any], name: str) -> Any:
        """Look a name up and remember what it stood for; ABSENT when for nothing."""
        value = namespace.get(name, ABSENT)
        self._bindings[id(namespace), name] = (namespace, name, value)
        return value

    def size(self, mapping: Mapping[Any, Any]) -> None:
        """Remember how many entries a mapping has."""
        self._sizes.append((mapping, len(mapping)))

    def function(self, function: FunctionType) -> None:
        """Remember a function's code and defaults."""
        keywords = function.__kwdefaults__
        self._functions.append((function, function.__code__, function.__defaults__, keywords))
        if keywords:
            self.size(keywords)
            for name in keywords:
                self.name(keywords, name)

    def cell(self, cell: CellType) -> Any:
        """Give what a closure cell holds and remember it; ABSENT when it is empty."""
        value = _content(cell)
        self._cells[id(cell)] = (cell, value)
        return value

    def value(self, value: object, digest: str) -> None:
        """Remember the digest of a value that can change in place."""
        self._values.append((value, digest))

    def holds(self) -> bool:
        """Tell whether all is as it was."""
        for namespace, name, expected in self._bindings.values():
            if namespace.get(name, ABSENT) is not expected:
                return False
        for function, code, defaults, kwdefaults in self._functions:
            if function.__code__ is not code or function.__defaults__ is not defaults or function.__kwdefaults__ is not kwdefaults:
                return False
        for cell, expected in self._cells.values():
            if _content(cell) is not expected:
                return False
        for mapping, size in self._sizes:
            if len(mapping) != size:
                return False
        try:
            return all(self._redigest(value) == digest for value, digest in self._values)
        except LookupError:
            return False


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT
