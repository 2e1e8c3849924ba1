"""Whatever a record holds comes back from its JSON as it was."""

from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from lineal.metadata_store.base import Page
from lineal.metadata_store.codec import codec_of
from lineal.metadata_store.json_text import dump_whole, load
from lineal.model import records
from lineal.model.records import Json
from lineal.model.states import Status

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON: st.SearchStrategy[Json] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
TYPES: list[Any] = [
    records.RunRecord, records.StepCommit, records.VersionRecord, records.StepRunRecord, records.CachedCall, records.CodeRecord,
    records.ArtifactRecord, records.EarlierStepRun, records.Edge, records.Needed, records.PipelineRecord, records.Prunable, records.Reference,
    records.StepCount, records.Totals, records.Trust, records.Companion, Page[records.VersionRecord], dict[str, list[records.StepCount]],
]  # fmt: skip

LEAF_TYPES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT, int: st.integers(-(1 << 63), (1 << 63) - 1), bool: st.booleans(), bytes: st.binary(max_size=20), type(None): st.none(), Any: JSON,
    Status: st.sampled_from(Status),
}  # fmt: skip


@cache
def values(type_: Any) -> st.SearchStrategy[Any]:
    """Give values of a type, odd ones included."""
    if type_ in LEAF_TYPES:
        return LEAF_TYPES[type_]
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of([values(each) for each in arguments])
    if origin is list or (origin is tuple and arguments[-1] is ...):
        return st.lists(values(arguments[0]), max_size=3).map(origin)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin in (dict, Mapping):
        return st.dictionaries(TEXT, values(arguments[1]), max_size=3)
    hints = get_type_hints(origin or type_)
    if origin is not None:  # a generic record
        hints = {name: list[arguments[0]] if get_args(hint) else hint for name, hint in hints.items()}
    return st.builds(origin or type_, **{name: values(hint) for name, hint in hints.items()})


@given(st.sampled_from(TYPES).flatmap(lambda type_: st.tuples(st.just(type_), values(type_))))
def test_records_come_back_as_they_were(drawn: tuple[Any, Any]) -> None:
    """Compared by what they show, for NaN is not equal to itself. Integers that no database takes are refused, as another test shows."""
    type_, value = drawn
    codec = codec_of(type_, "it")
    assert repr(codec.decode(load(dump_whole(codec.encode(value), "it")))) == repr(value)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_what_records_keep_as_json_comes_back(metadata: dict[str, Any]) -> None:
    """Floats of any kind, integers of any size, odd keys and odd characters."""
    codec = codec_of(records.CodeRecord, "it")
    value = records.CodeRecord("d", metadata, "")
    assert repr(codec.decode(load(dump_whole(codec.encode(value), "it")))) == repr(value)
