"""Plain values and containers: where the one has something that the other has not, by path."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from enum import Enum
from typing import Any, Final, NamedTuple

from lineal.compare.base import ROWS, Comparison, Part, count_text, text_of
from lineal.model import values
from lineal.model.values_classes import describe

Compare = Callable[[Any, Any], Comparison | None]
"""Compares two values of one type that are no containers; None when it does not know how."""

SEQUENCE: Final = 1_000
"""Elements up to which lists are aligned, so that an inserted one moves the others; longer ones are compared place by place."""

_COLLECTIONS = (list, tuple, deque)


class Change(NamedTuple):
    """One difference: `kind` is changed, added or removed; the texts show what stands at the path, and `note` says more about it."""

    path: str
    kind: str
    before: str
    after: str
    note: str = ""


def compare_plain(one: Any, other: Any, nested: Compare, name: str = "value") -> Comparison:
    """Compare two values of any depth. `nested` compares parts such as an array in a dict.

    All differences are counted, and the first are given. Types count: `1`, `1.0` and `True` differ.
    """
    found: list[Change] = []
    total = 0
    for change in _Walk(nested).changes(name, one, other):
        total += 1
        if total <= ROWS:
            found.append(change)
    if not total:
        return Comparison("plain", same=True, summary="equal", data={"differences": 0, "changes": []})
    summary = count_text(total, "difference")
    lines = [] if total <= ROWS else [f"the first {ROWS} of {total:,}"]
    rows = [(each.path, each.note or each.kind, each.before, each.after) for each in found]
    return Comparison(
        "plain", same=False, summary=f"{summary}, the first at {found[0].path}",
        parts=[Part(summary, lines, ("path", "", "before", "after"), rows)],
        data={"differences": total, "changes": [each._asdict() for each in found]},
    )  # fmt: skip


class _Walk:
    """A walk through two values side by side. No recursion: values may be deep, and may contain themselves."""

    def __init__(self, nested: Compare) -> None:
        self._nested = nested
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}

    def changes(self, path: str, one: Any, other: Any) -> Iterator[Change]:
        stack: list[Iterator[Change | tuple[str, Any, Any]]] = [iter([(path, one, other)])]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
            elif isinstance(step, Change):
                yield step
            else:
                stack.append(self._compare(*step))

    def _compare(self, path: str, one: Any, other: Any) -> Iterator[Change | tuple[str, Any, Any]]:
        if one is other:
            return
        cls = type(one)
        if cls is not type(other):
            yield Change(path, "changed", text_of(one), text_of(other), f"{_name(cls)} → {_name(type(other))}")
        elif cls in values.ATOMS:
            if not same_atom(one, other):
                before, after = text_of(one), text_of(other)
                yield Change(path, "changed", before, after, "differs further on" if before == after else "")
        elif self._is_new(one, other):
            yield from self._inside(path, one, other)

    def _is_new(self, one: Any, other: Any) -> bool:
        # The values are held, so that no other comes to have the address of one that was met.
        key = id(one), id(other)
        if key in self._seen:
            return False
        self._seen[key] = one, other
        return True

    def _inside(self, path: str, one: Any, other: Any) -> Iterator[Change | tuple[str, Any, Any]]:
        if isinstance(one, Mapping):
            yield from _mappings(one, other, lambda key: f"{path}[{text_of(key)}]")
        elif isinstance(one, _COLLECTIONS) and not hasattr(one, "_fields"):
            yield from _sequences(path, one, other)
        elif isinstance(one, set | frozenset):
            yield from (Change(path, "removed", text, "") for text in sorted(map(text_of, one - other)))
            yield from (Change(path, "added", "", text) for text in sorted(map(text_of, other - one)))
        elif (fields := _fields(one)) is not None:
            yield from _mappings(fields, _fields(other) or {}, lambda key: f"{path}.{key}")
        elif (comparison := self._nested(one, other)) is not None:
            if not comparison.same:
                yield Change(path, "changed", text_of(one), text_of(other), f"{comparison.kind}: {comparison.summary}")
        elif _is_silent(one):
            yield from _mappings(vars(one), vars(other), lambda key: f"{path}.{key}")
        elif not _equal(one, other):
            yield Change(path, "changed", text_of(one), text_of(other))


def same_atom(one: Any, other: Any) -> bool:
    """Tell whether two plain values of one type are equal; not-a-number equals itself."""
    return bool(one == other or (one != one and other != other))


def _mappings(one: Mapping[Any, Any], other: Mapping[Any, Any], path: Callable[[Any], str]) -> Iterator[Change | tuple[str, Any, Any]]:
    for key in {**one, **other}:
        if key not in other:
            yield Change(path(key), "removed", text_of(one[key]), "")
        elif key not in one:
            yield Change(path(key), "added", "", text_of(other[key]))
        else:
            yield path(key), one[key], other[key]


def _sequences(path: str, one: Any, other: Any) -> Iterator[Change | tuple[str, Any, Any]]:
    for first, last, start, end in _blocks(one, other):
        both = min(last - first, end - start)
        for offset in range(both):
            yield f"{path}[{start + offset}]", one[first + offset], other[start + offset]
        for place in range(first + both, last):
            yield Change(f"{path}[{place}]", "removed", text_of(one[place]), "")
        for place in range(start + both, end):
            yield Change(f"{path}[{place}]", "added", "", text_of(other[place]))


def _blocks(one: Any, other: Any) -> list[tuple[int, int, int, int]]:
    """Give the stretches that may differ: aligned by content where the elements are plain, else both as a whole."""
    whole = [(0, len(one), 0, len(other))]
    if len(one) == len(other) or max(len(one), len(other)) > SEQUENCE:
        return whole
    if not all(type(each) in values.ATOMS for sequence in (one, other) for each in sequence):
        return whole
    aligned = SequenceMatcher(None, [_key(each) for each in one], [_key(each) for each in other], autojunk=False)
    return [(first, last, start, end) for tag, first, last, start, end in aligned.get_opcodes() if tag != "equal"]


def _key(atom: Any) -> tuple[type, Any]:
    return type(atom), atom if atom == atom else "nan"


def _fields(value: Any) -> dict[str, Any] | None:
    shape = describe(type(value))
    if shape is None or shape.kind == "enum":
        return None
    return {name: item for part in shape.read(value).values() for name, item in part.items()}


def _is_silent(value: Any) -> bool:
    """Tell whether a value's class says nothing of equality: such a value is what it holds."""
    cls = type(value)
    silent = getattr(cls, "__eq__", None) is object.__eq__ and cls.__module__ not in ("builtins", "types")
    return silent and hasattr(value, "__dict__") and not isinstance(value, Enum)


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # an == of somebody else's class, or one that gives no truth value
        return text_of(one) == text_of(other)


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
