"""Cache keys: calls that differ never share one, equal calls always do, in every process; and the collisions that others had."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineal import pipeline, step
from lineal.model import digest, values


class Color(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True)
class One:
    a: Any


@dataclass(frozen=True)
class Other:
    a: Any


class Text(str):
    __slots__ = ()


class Number(int):
    pass


def key(parameters: dict[str, Any], inputs: dict[str, Any] | None = None, code: str = "code", policy: Any = None) -> str:
    """Give the key of a call with these parameters, as the engine makes it."""
    identities = {name: values.identity(value) for name, value in parameters.items()}
    return digest.of_call(code, identities, inputs or {}, {"output": "json/1"}, policy or {})


# Values that Python, JSON, pickle, str() or repr() of some system take for one another.
ALIKE: list[list[Any]] = [
    [0, 0.0, -0.0, False, "0", b"0", None, "", b"", (), [], {}, set(), frozenset(), Decimal(0), Fraction(0), 0j, timedelta(0)],
    [1, 1.0, True, "1", b"1", "True", "true", [1], (1,), {1}, {1: 1}, {"1": 1}, Decimal(1), Fraction(1), 1 + 0j, Color.RED, Level.LOW, Number(1)],
    [float("nan"), "nan", None, "null", "None", "NaN", float("inf"), "inf", float("-inf"), Decimal("NaN"), Decimal("Infinity")],
    [["ab", "c"], ["a", "bc"], ["abc"], "abc", ["a", ["b", "c"]], [["a", "b"], "c"], ["a", "b", "c"], ("a", "b", "c"), "a,b,c", '["a","b","c"]'],
    [{"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": {"b": 2}}, [("a", 1), ("b", 2)], (("a", 1), ("b", 2)), Pair(1, 2), (1, 2), [1, 2]],
    [{"a": 1}, One(1), Other(1), {"a": 1.0}, {"a": "1"}, {"$type": "tuple", "items": [1]}, (1,), {"a": [1]}],
    [{1: "a"}, {"1": "a"}, {1.5: "a"}, {(1,): "a"}, {None: "a"}, {"None": "a"}, {b"1": "a"}, [[1, "a"]]],
    [2**63, -(2**63), 2**63 - 1, float(2**63), 2**64, str(2**63), 10**400],
    [0.1, 0.1 + 1e-17 + 1e-16, 0.30000000000000004, 0.3, Decimal("0.1"), Decimal("0.10"), Fraction(1, 10), "0.1"],
    ["é", "e\u0301", "É", "e", b"\xc3\xa9", "\\u00e9", "\ud800", "\ufffd"],
    ["a", Text("a"), b"a", bytearray(b"a"), PurePosixPath("a"), ["a"], Pair("a", None)],
    [date(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))), "2026-01-01"],  # noqa: DTZ001
    [datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 30, fold=1)],  # noqa: DTZ001
    [UUID(int=1), str(UUID(int=1)), 1, UUID(int=1).bytes],
    [range(3), [0, 1, 2], (0, 1, 2), range(0, 3, 2), range(0, 4, 2)],
    [{1, 2}, frozenset({1, 2}), [1, 2], {1, 2.5}, {"1", "2"}],
    ["", " ", "\x00", "\n", "\r\n", "\u200b"],
]  # fmt: skip


def plain(value: Any) -> str | None:
    """Give the key of a call with a value as its only parameter; None when it cannot be a parameter."""
    try:
        return key({"a": value})
    except values.NotPlain:
        return None


@pytest.mark.parametrize("group", ALIKE, ids=lambda group: repr(group[0])[:20])
def test_values_that_are_easily_confused_have_keys_of_their_own(group: list[Any]) -> None:
    keys = [found for value in group if (found := plain(value)) is not None]
    assert len(set(keys)) == len(keys) >= 2, [(value, plain(value)) for value in group]


def test_all_these_values_together_share_no_key() -> None:
    """Not even values of different groups; those that stand in several groups are the same ones."""
    owners: dict[str, str] = {}
    for group in ALIKE:
        for value in group:
            found = plain(value)
            if found is not None:
                shown = f"{type(value).__name__} {value!r}"
                assert owners.setdefault(found, shown) == shown


# -- the shape of a call


def test_arguments_that_could_flow_into_each_other_do_not() -> None:
    """Names, values, inputs, outputs and policy are framed: what moves from one place to another makes another key."""
    calls = [
        key({"a": "b"}), key({"ab": ""}), key({"a": "b", "c": "d"}), key({"a": "bcd"}), key({"a": "d", "c": "b"}), key({"ac": "bd"}),
        key({}), key({"": ""}), key({}, {"a": "b"}), key({"a": ["b"]}), key({}, {"a": ["b"]}), key({"a": "b"}, {"c": "d"}),
        key({}, policy={"a": "b"}), key({}, code="codea"), key({"code": "a"}, code=""), key({"a": "b"}, {"a": "b"}), key({"a": None}),
        digest.of_call("code", {}, {}, {}, {}), digest.of_call("code", {}, {}, {"output": ""}, {}), digest.of_call("code", {}, {}, {"output": "json/2"}, {}),
    ]  # fmt: skip
    assert len(set(calls)) == len(calls)


def test_positional_keyword_and_default_arguments_are_one_call() -> None:
    """How a call is written says nothing about what it computes."""

    @step
    def work(a: int, b: int = 2, *, c: int = 3) -> int:
        return a + b + c

    @pipeline
    def flow(way: int) -> None:
        [lambda: work(1), lambda: work(1, 2), lambda: work(a=1, b=2, c=3), lambda: work(1, c=3, b=2)][way]()

    assert len({flow(way).steps["work"].cache_key for way in range(4)}) == 1


def test_a_parameter_is_not_an_artifact_with_the_same_value() -> None:
    @step
    def give() -> int:
        return 5

    @step
    def use(n: int) -> int:
        return n

    @pipeline
    def flow(*, stored: bool) -> None:
        use(give() if stored else 5)

    assert flow(stored=True).steps["use"].cache_key != flow(stored=False).steps["use"].cache_key


def test_a_string_that_is_a_digest_is_not_the_artifact_with_it() -> None:
    content = digest.of_bytes(b"x")
    assert key({"data": content}) != key({}, {"data": content})


# -- any values

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8)
HASHABLE = st.recursive(ATOMS.filter(lambda value: value == value), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
PLAIN = st.recursive(
    ATOMS | st.decimals() | st.dates() | st.datetimes() | st.timedeltas() | st.uuids() | st.fractions(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.frozensets(HASHABLE, max_size=4)
        | st.builds(Pair, inner, inner)
        | st.builds(One, inner)
        | st.builds(Other, inner)
    ),
    max_leaves=10,
)
CALLS = st.dictionaries(st.text(max_size=4), PLAIN, max_size=4)


def exact(value: Any) -> Any:
    """Give a form that is equal exactly for values that a step could not tell apart, made another way than keys are."""
    kind = type(value)
    if kind in (list, tuple):
        return kind.__name__, [exact(item) for item in value]
    if kind is Pair:
        return "Pair", [exact(item) for item in value]
    if kind in (One, Other):
        return kind.__name__, exact(value.a)
    if kind is dict:
        return "dict", sorted((repr(exact(name)), repr(exact(item))) for name, item in value.items())
    if kind is frozenset:
        return "frozenset", sorted(repr(exact(item)) for item in value)
    if kind is float:
        return "float", "nan" if value != value else value.hex()
    if kind is Decimal:
        return "Decimal", str(value.as_tuple())
    if kind is datetime:
        return "datetime", value.isoformat(), value.fold
    return kind.__name__, repr(value)


@given(CALLS, CALLS)
def test_two_calls_share_a_key_exactly_when_they_are_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (key(one) == key(other)) == (repr(exact(one)) == repr(exact(other)))


@given(PLAIN, st.data())
def test_a_value_that_is_wrapped_is_another_value(value: Any, data: st.DataObject) -> None:
    wrapped = data.draw(st.sampled_from([[value], (value,), {"a": value}, One(value), Other(value), Pair(value, None), [value, None]]))
    assert key({"a": value}) != key({"a": wrapped})


@given(CALLS, st.randoms(use_true_random=False))
def test_the_order_of_names_makes_no_difference(call: dict[str, Any], order: Any) -> None:
    names = list(call)
    order.shuffle(names)
    assert key({name: call[name] for name in names}) == key(call)


@given(st.lists(HASHABLE, min_size=2, max_size=6, unique_by=repr), st.randoms(use_true_random=False))
def test_the_order_counts_in_lists_and_not_in_sets_and_dictionaries(items: list[Any], order: Any) -> None:
    shuffled = items[:]
    order.shuffle(shuffled)
    assert key({"a": frozenset(items)}) == key({"a": frozenset(shuffled)})
    assert key({"a": dict.fromkeys(items, 1)}) == key({"a": dict.fromkeys(shuffled, 1)}) or len(set(items)) < len(items)
    assert (key({"a": items}) == key({"a": shuffled})) == (repr(exact(items)) == repr(exact(shuffled)))


# -- other processes

OTHER = """
import ast, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from lineal.model import digest, values
names = {"inf": float("inf"), "nan": float("nan"), "date": date, "datetime": datetime, "timedelta": timedelta, "Decimal": Decimal,
         "Fraction": Fraction, "UUID": UUID}
calls = [eval(text, names) for text in json.loads(sys.stdin.read())]
print(json.dumps([digest.of_call("code", {n: values.identity(v) for n, v in call.items()}, {}, {"output": "json/1"}, {}) for call in calls]))
"""
WRITABLE = st.recursive(
    ATOMS | st.decimals(allow_nan=False) | st.fractions() | st.uuids(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.frozensets(HASHABLE, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=3)
@given(st.lists(st.dictionaries(st.text(max_size=4), WRITABLE, max_size=4), min_size=20, max_size=60), st.integers(1, 2**32 - 1))
def test_another_process_with_another_hash_seed_gives_the_same_keys(calls: list[dict[str, Any]], seed: int) -> None:
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", OTHER, folder], input=json.dumps([repr(call) for call in calls]), env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [key(call) for call in calls]


def test_keys_are_what_they_were() -> None:
    """A changed formula makes every stored result unreachable: it must be meant."""
    assert key({"lr": 0.1, "layers": [64, 64], "name": "é", "deep": {"a": (1, None, b"x")}}) == (
        "b887d9c513d754a987e6c1f50836e8e75f939fa2b1c1bea42308c2691453f837"
    )
