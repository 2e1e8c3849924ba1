"""Plain values differ at paths that a person can read, in types too, and however deep they are."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import pytest

from lineal.compare.base import ROWS, Comparison
from lineal.compare.plain import compare_plain


@dataclass
class Layer:
    size: int
    name: str = "a"


class Point(NamedTuple):
    x: int
    y: int


class Colour(Enum):
    RED = 1
    BLUE = 2


class Silent:
    """Says nothing of equality."""

    def __init__(self, n: int) -> None:
        self.n = n


class Opaque:
    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        self.n = n


def nested(one: Any, other: Any) -> Comparison | None:
    return Comparison("thing", same=one.n == other.n, summary="other n") if isinstance(one, Opaque) else None


def found(one: Any, other: Any) -> list[tuple[str, str, str, str]]:
    result = compare_plain(one, other, nested, "v")
    changes = [(each["path"], each["note"] or each["kind"], each["before"], each["after"]) for each in result.data["changes"]]
    assert result.same is (changes == [])
    return changes


CASES: list[tuple[Any, Any, list[tuple[str, str, str, str]]]] = [
    (1, 2, [("v", "changed", "1", "2")]),
    (1, 1.0, [("v", "int → float", "1", "1.0")]),
    (True, 1, [("v", "bool → int", "True", "1")]),
    (float("nan"), float("nan"), []),
    (None, 0, [("v", "NoneType → int", "None", "0")]),
    ({"a": 1, "b": {"c": [1]}}, {"b": {"c": [2]}, "d": 0}, [
        ("v['a']", "removed", "1", ""), ("v['b']['c'][0]", "changed", "1", "2"), ("v['d']", "added", "", "0"),
    ]),
    ({1: "x"}, {"1": "x"}, [("v[1]", "removed", "'x'", ""), ("v['1']", "added", "", "'x'")]),
    ([1, 2, 3], [0, 1, 2, 3], [("v[0]", "added", "", "0")]),
    ([1, 2, 3], [1, 3], [("v[1]", "removed", "2", "")]),
    ([[1], [2]], [[1]], [("v[1]", "removed", "[2]", "")]),
    (["a"], ("a",), [("v", "list → tuple", "['a']", "('a',)")]),
    (deque([1]), deque([2]), [("v[0]", "changed", "1", "2")]),
    ({1, 2}, {2, 3}, [("v", "removed", "1", ""), ("v", "added", "", "3")]),
    (Layer(1), Layer(2), [("v.size", "changed", "1", "2")]),
    (Point(1, 2), Point(1, 3), [("v.y", "changed", "2", "3")]),
    (Colour.RED, Colour.BLUE, [("v", "changed", "<Colour.RED: 1>", "<Colour.BLUE: 2>")]),
    ({"l": [Silent(1)]}, {"l": [Silent(1)]}, []),
    (Silent(1), Silent(2), [("v.n", "changed", "1", "2")]),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "expected"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_each_difference_has_its_path(one: Any, other: Any, expected: Any) -> None:
    """Keys, places, fields; added, removed, changed, or of another type."""
    assert found(one, other) == expected
    assert compare_plain(one, one, nested).same


def test_texts_that_look_the_same_when_cut_are_said_to_differ_further_on() -> None:
    """Two lines that read the same would look like an error."""
    text = "x" * 500
    [(path, note, before, after)] = found(text[:250] + "a" + text[250:], text[:250] + "b" + text[250:])
    assert (path, note) == ("v", "differs further on")
    assert before == after
    assert len(before) <= 80


def test_what_is_no_container_is_compared_by_the_caller() -> None:
    """Such as an array in a dict."""
    assert found([Opaque(1)], [Opaque(2)])[0][:2] == ("v[0]", "thing: other n")
    assert found([Opaque(1)], [Opaque(1)]) == []


def test_all_differences_are_counted_and_the_first_are_given() -> None:
    """A list of a million changed numbers does not become a million lines."""
    result = compare_plain(list(range(10_000)), list(range(1, 10_001)), nested)
    assert result.data["differences"] == 10_000
    assert len(result.data["changes"]) == ROWS
    assert result.parts[0].lines == [f"the first {ROWS} of 10,000"]
    assert result.summary == "10,000 differences, the first at value[0]"


def test_values_may_be_deep_and_contain_themselves() -> None:
    """No recursion of ours ends the walk."""

    def deep(n: int, end: int, wrap: Callable[[Any], Any]) -> Any:
        value: Any = end
        for _ in range(n):
            value = wrap(value)
        return value

    result = compare_plain(deep(20_000, 1, lambda x: [x]), deep(20_000, 2, lambda x: [x]), nested)
    assert result.data["differences"] == 1
    one: list[Any] = [1]
    other: list[Any] = [2]
    one.append(one)
    other.append(other)
    assert compare_plain(one, other, nested).data["differences"] == 1
