"""Values reduced to digests: what counts of objects, arrays and tables, and what is said of the rest."""

import datetime as dt
import decimal
import enum
import functools
import logging
import pathlib
import random
import re
import sqlite3
import threading
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from sklearn.linear_model import LogisticRegression

from lineal.engine.code.values import MAX_DEPTH, Reducer, is_immutable, shown


def reduced(value: Any) -> tuple[str, list[str]]:
    """Give the digest of a value and what was said of it. Code is represented by its name."""
    said: list[str] = []
    reducer = Reducer(lambda piece: [getattr(piece, "__qualname__", ""), getattr(piece, "__module__", "")], said.append)
    return reducer.digest(value, "m.X"), said


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a: int) -> None:
        self.a = a


@dataclass
class Data:
    a: Any


class Named(NamedTuple):
    a: int


class Model(BaseModel):
    a: int


class Items(list[int]):
    note = ""


def frame(**columns: Any) -> pd.DataFrame:
    """Give a data frame."""
    return pd.DataFrame(columns)


def function(a: int = 1) -> int:
    """Stand for a function."""
    return a


def noted(note: str) -> Items:
    """Give a list with an attribute."""
    items = Items([1])
    items.note = note
    return items


PAIRS: dict[str, tuple[Any, Any]] = {
    "numbers": (1, 1.0),
    "booleans": (1, True),
    "zeros": (0.0, -0.0),
    "text and bytes": ("a", b"a"),
    "list and tuple": ([1], (1,)),
    "set and frozenset": ({1}, frozenset({1})),
    "nesting": ([[1], 2], [[1, 2]]),
    "order": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "complex": (1j, 2j),
    "ranges": (range(3), range(4)),
    "huge numbers": (10**5000, 10**5000 + 1),
    "long bytes": (bytes(100_000), bytes(99_999) + b"a"),
    "dates": (dt.date(2024, 1, 1), dt.date(2024, 1, 2)),
    "decimals": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "paths": (pathlib.Path("a"), pathlib.Path("b")),
    "identifiers": (uuid.UUID(int=1), uuid.UUID(int=2)),
    "patterns": (re.compile("a"), re.compile("a", re.IGNORECASE)),
    "queues": (deque([1]), deque([1], 5)),
    "counters": (Counter("a"), Counter("aa")),
    "ordered": (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "default factories": (defaultdict(int, a=1), defaultdict(list, a=1)),
    "enums": (Color.RED, Color.BLUE),
    "slots": (Slots(1), Slots(2)),
    "dataclasses": (Data(1), Data([1])),
    "classes of equal state": (Data(1), SimpleNamespace(a=1)),
    "named tuples": (Named(1), Named(2)),
    "models": (Model(a=1), Model(a=2)),
    "views": (MappingProxyType({"a": 1}), MappingProxyType({"a": 2})),
    "subclasses": ([1], Items([1])),
    "subclasses with attributes": (noted("a"), noted("b")),
    "partials": (functools.partial(function, 1), functools.partial(function, 2)),
    "bound methods": (Data(1).__eq__, Data(2).__eq__),
    "generators of random numbers": (random.Random(1), random.Random(2)),
    "arrays": (np.array([1, 2]), np.array([1, 3])),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "dtypes": (np.zeros(2, "f4"), np.zeros(1, "f8")),
    "strided arrays": (np.arange(6)[::2], np.arange(6)[::3]),
    "dates in arrays": (np.array(["2024-01-01"], "M8[D]"), np.array(["2024-01-02"], "M8[D]")),
    "objects in arrays": (np.array([1, "a"], object), np.array([1, "b"], object)),
    "masks": (np.ma.masked_array([1, 2], [True, False]), np.ma.masked_array([1, 2], [False, False])),
    "numpy scalars": (np.float32(1), np.float64(1)),
    "frames": (frame(a=[1, 2]), frame(a=[1, 3])),
    "column names": (frame(a=[1]), frame(b=[1])),
    "column types": (frame(a=[1]), frame(a=[1.0])),
    "indexes": (frame(a=[1]), pd.DataFrame({"a": [1]}, index=[7])),
    "text in frames": (frame(a=["x"]), frame(a=["y"])),
    "categories": (pd.Series(["a"], dtype="category"), pd.Series(["b"], dtype="category")),
    "series names": (pd.Series([1], name="a"), pd.Series([1], name="b")),
    "estimators": (LogisticRegression(C=1.0), LogisticRegression(C=2.0)),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_values_that_differ(one: Any, other: Any) -> None:
    """Each has a digest of its own, always the same, and nothing needs to be said."""
    assert reduced(one) == reduced(one)
    assert reduced(one)[0] != reduced(other)[0]
    assert reduced(one)[1] == []


def test_how_a_frame_is_laid_out_does_not_count() -> None:
    """Built at once or column by column: the same table."""
    one = frame(a=[1, 2], b=[3, 4], c=["x", "y"])
    other = frame(a=[1, 2])
    other["b"] = [3, 4]
    other["c"] = ["x", "y"]
    assert reduced(one) == reduced(other)


def test_sets_have_no_order_and_addresses_do_not_count() -> None:
    """Also sets of objects; and two objects with one content are one value."""
    assert reduced({"a", "b", "c"}) == reduced({"c", "b", "a"})
    assert reduced({Color.RED, Color.BLUE, (1, "a")}) == reduced({(1, "a"), Color.BLUE, Color.RED})
    assert reduced([Data([1]), Data([1])]) == reduced([Data([1])] * 2)


def test_what_holds_itself_is_no_endless_loop() -> None:
    """Lists, dictionaries and objects in cycles; cycles of different shape differ."""
    one: list[Any] = [1]
    one.append(one)
    other: list[Any] = [1]
    other.append([1, other])
    thing = Data({})
    thing.a["self"] = thing
    assert len({reduced(value)[0] for value in (one, other, thing)}) == 3
    assert reduced(one)[1] == []


def test_what_is_too_deep_is_said() -> None:
    """The rest of it counts."""
    deep: list[Any] = []
    for _ in range(MAX_DEPTH + 5):
        deep = [deep]
    assert reduced(deep)[1] == ["value of m.X, which is too large or too deep"]


class Refuses:
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("not now")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ((i for i in []), "value of m.X of type builtins.generator"),
        ({"a": [Data(i for i in [])]}, "value of m.X[a].a of type builtins.generator"),
        (sqlite3.connect(":memory:"), "value of m.X of type sqlite3.Connection"),
        (Refuses(), f"value of m.X of type {__name__}.Refuses"),
        (threading.Condition(), None),
        (logging.getLogger("a"), None),
    ],
    ids=["generator", "inside", "connection", "refuses", "lock", "logger"],
)
def test_what_cannot_be_reduced_is_said(value: Any, said: str | None) -> None:
    """By type and place; locks and loggers have no content to miss."""
    assert reduced(value)[1] == ([said] if said else [])
    if isinstance(value, sqlite3.Connection):
        value.close()


def test_a_proxy_is_not_asked_for_what_it_stands_for() -> None:
    """An object that claims another class and has no __dict__ to give stays what it is."""

    class Proxy:
        @property
        def __class__(self) -> type:  # type: ignore[override]  # what proxies do
            raise RuntimeError("outside of a request")

        @property
        def __dict__(self) -> Any:  # type: ignore[override]  # what proxies do
            raise RuntimeError("outside of a request")

        def __reduce_ex__(self, protocol: Any) -> Any:
            raise RuntimeError("outside of a request")

    assert len(reduced(Proxy())[1]) == 1


def test_what_never_changes_is_known_by_its_identity() -> None:
    """All the way down."""
    assert all(map(is_immutable, (1, "a", None, (1, ("a", len)), frozenset({1}), Color.RED, function, Data, range(3))))
    assert not any(map(is_immutable, ([], {}, (1, []), Data(1), {1})))


def test_plain_values_are_shown_briefly() -> None:
    """Short, and nothing for what has no short text."""
    assert [shown(v) for v in (0.1, "a", [1, 2], {"a": None}, Data(1), [Data(1)], list(range(100)), Named(1))] == [
        "0.1", "'a'", "[1, 2]", "{'a': None}", "", "", "", "",
    ]  # fmt: skip
    assert len(shown("x" * 1000)) == 60
    assert shown(10**6000).startswith("0x")
