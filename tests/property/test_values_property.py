"""Typed JSON under arbitrary values: what is written comes back exactly, and keys tell apart exactly what differs."""

import math
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from lineal.materializers.registry import registry
from lineal.model import digest, values


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Config:
    a: Any
    b: Any = 1


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.text(st.characters(codec=None, categories=("Cs", "Lu", "Cc")), max_size=3)
    | st.sampled_from(["$type", "tuple", "items", 0, 1, 1.0, -0.0, "1", b"1", "", b""])
    | st.binary()
)
HASHABLE_LEAVES = (
    SCALARS
    | st.complex_numbers()
    | st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.fractions()
)
HASHABLE = st.recursive(
    HASHABLE_LEAVES,
    lambda inner: st.frozensets(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.builds(Point, inner, inner),
    max_leaves=6,
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=4)
    pairs = st.lists(st.tuples(HASHABLE, inner), max_size=4)
    return (
        lists
        | lists.map(tuple)
        | lists.map(deque)
        | st.dictionaries(st.text(max_size=3) | st.just("$type"), inner, max_size=4)
        | pairs.map(dict)
        | pairs.map(OrderedDict)
        | st.sets(HASHABLE, max_size=4)
        | st.lists(st.text(max_size=2), max_size=5).map(Counter)
        | st.builds(Config, inner, inner)
    )


ANY = st.recursive(HASHABLE_LEAVES | st.binary().map(bytearray), _containers, max_leaves=12)


def model(value: Any, *, ordered: bool) -> Any:
    """Give a description that is equal for exactly the same values: the oracle. `ordered` says whether the order of dictionaries counts."""
    kind = type(value)
    if isinstance(value, dict):
        items = [(model(key, ordered=ordered), model(item, ordered=ordered)) for key, item in value.items()]
        return kind, items if ordered or kind is OrderedDict else sorted(items, key=repr)
    if isinstance(value, set | frozenset):
        return kind, sorted((model(item, ordered=ordered) for item in value), key=repr)
    if isinstance(value, list | tuple | deque):
        return kind, getattr(value, "maxlen", None), [model(item, ordered=ordered) for item in value]
    if kind is Config:
        return kind, model([value.a, value.b], ordered=ordered)
    if kind is float:
        return kind, "nan" if math.isnan(value) else value.hex()
    if kind is complex:
        return kind, model([value.real, value.imag], ordered=ordered)
    if hasattr(value, "fold"):
        return kind, repr(value)
    return kind, str(value) if kind not in (str, bytes) else value


@given(ANY)
@settings(deadline=None)
def test_round_trip_is_exact(value: Any) -> None:
    """Types, order, signed zeros and time zones come back at every depth, and the bytes of what came back are the same."""
    data = values.dumps(value)
    back = values.loads(data)
    assert model(back, ordered=True) == model(value, ordered=True)
    assert values.dumps(back) == data


@given(ANY)
@settings(deadline=None)
def test_fast_path_equals_slow_path(value: Any) -> None:
    """The short cut for plain JSON writes and reads what the full codec does."""
    assert values.text(values.to_json(value)) == values.dumps(value)
    assert model(values.from_json(values.parse(values.dumps(value))), ordered=True) == model(value, ordered=True)


@given(ANY, ANY)
@settings(deadline=None)
def test_identity_tells_exactly_what_differs(one: Any, other: Any) -> None:
    """Two values share a digest if and only if they are the same, dictionaries and sets in any order."""
    same = model(one, ordered=False) == model(other, ordered=False)
    assert (digest.of("v", values.identity(one)) == digest.of("v", values.identity(other))) is same


SMALL = st.recursive(st.sampled_from([1, 1.0, True, "1", b"1", None, "$type"]), _containers, max_leaves=3)


@given(SMALL, SMALL)
@settings(deadline=None, max_examples=300)
def test_identity_of_look_alikes(one: Any, other: Any) -> None:
    """The same among few scalars, where equal pairs and near misses are frequent."""
    same = model(one, ordered=False) == model(other, ordered=False)
    assert (digest.of("v", values.identity(one)) == digest.of("v", values.identity(other))) is same


def _reordered(value: Any) -> Any:
    kind = type(value)
    if kind in (dict, Counter):
        return kind({key: _reordered(item) for key, item in reversed(value.items())})
    if kind in (list, tuple, deque):
        return kind(_reordered(item) for item in value)
    return value


@given(ANY)
@settings(deadline=None)
def test_identity_ignores_order_of_dictionaries(value: Any) -> None:
    """Dictionaries filled in another order are the same argument."""
    assert digest.of("v", values.identity(_reordered(value))) == digest.of("v", values.identity(value))


@given(ANY)
@settings(deadline=None)
def test_registry_chooses_json_for_every_plain_value(value: Any) -> None:
    """What the codec holds is stored as JSON, bytes as they are."""
    assert registry.for_value(value).id == ("bytes/1" if type(value) is bytes else "json/1")
