"""Indexes of every kind, alone and as both axes of a frame, in both file formats."""

import zoneinfo
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers import pandas_axes
from lineal.materializers.pandas import FrameMaterializer, IndexMaterializer, ParquetFrameMaterializer, ParquetIndexMaterializer
from lineal.testing.materializers import MaterializerTests, load, save

PARIS = zoneinfo.ZoneInfo("Europe/Paris")

INDEXES = (
    pd.RangeIndex(3),
    pd.RangeIndex(3, 9, 2, name="x"),
    pd.RangeIndex(0),
    pd.RangeIndex(5, 0, -2),
    pd.Index([0, 1, 2]),
    pd.Index([0, 1, 2], dtype="u1"),
    pd.Index([1.5, np.nan]),
    pd.Index([True, False]),
    pd.Index(["a", "b"], name=("a", 1)),
    pd.Index(["a", None]),
    pd.Index(["a", "b", "a"], name="name", dtype=object),
    pd.Index(["a", None], name="objects", dtype=object),
    pd.Index(["a", 1, (1, 2), None, pd.NaT, np.nan, pd.Timestamp("2020")], dtype=object),
    pd.Index([("a", 1), ("b", 2)], tupleize_cols=False),
    pd.Index([], dtype=object),
    pd.Index([], dtype="M8[s]"),
    pd.Index([1, None], dtype="Int64"),
    pd.Index(["a", None], dtype="string[python]"),
    pd.Index([1, None], dtype="int64[pyarrow]"),
    pd.date_range("2020", periods=3, freq="B", tz="UTC", name=pd.Timestamp("2020")),
    pd.date_range("2020-10-25", periods=3, freq="h", tz=PARIS),
    pd.date_range("2020", periods=3, freq="2D"),
    pd.DatetimeIndex(["2020-01-01", None, "2020-01-01"]),
    pd.timedelta_range("1s", periods=3),
    pd.TimedeltaIndex(["1s", "5s", "3s"]),
    pd.period_range("2020", periods=2, freq="Q"),
    pd.interval_range(0, 3),
    pd.interval_range(pd.Timestamp("2020"), periods=3),
    pd.CategoricalIndex(["a", "b"], categories=["b", "a", "c"]),
    pd.CategoricalIndex(pd.interval_range(0, 3)),
    pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None]),
    pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None])[1:3],
    pd.MultiIndex.from_arrays(
        [pd.Categorical(["a", "b"]), pd.interval_range(0, 2), [None, 1.5], pd.DatetimeIndex(["2020", None], tz=PARIS)]
    ),
    pd.MultiIndex.from_arrays([range(2), range(2)], names=["same", "same"]),
    pd.MultiIndex.from_tuples([], names=["a", "b"]),
    pd.MultiIndex.from_product([range(200), ["a"]]),
)


def same_index(one: Any, other: Any) -> bool:
    """Tell whether two indexes are equal in everything that can be seen, levels and their order included."""
    if type(one) is not type(other) or list(map(type, one.names)) != list(map(type, other.names)) or list(one.names) != list(other.names):
        return False
    if isinstance(one, pd.MultiIndex):
        levels = len(one.levels) == len(other.levels) and all(map(same_index, one.levels, other.levels))
        return levels and all(map(np.array_equal, one.codes, other.codes))
    if isinstance(one, pd.RangeIndex):
        return (one.start, one.stop, one.step) == (other.start, other.stop, other.step)
    if repr(one.dtype) != repr(other.dtype) or getattr(one, "freq", None) != getattr(other, "freq", None):
        return False
    return one.equals(other) and list(map(type, one)) == list(map(type, other))


class TestIndex(MaterializerTests):
    """Indexes as Arrow."""

    materializer = IndexMaterializer()
    values = INDEXES
    other_process = False  # the same code as columns, which are written there

    def equal(self, one: Any, other: Any) -> bool:
        return same_index(one, other)

    def mutate(self, value: Any) -> bool:
        return False


class TestParquetIndex(TestIndex):
    """Indexes as Parquet."""

    materializer = ParquetIndexMaterializer()


@pytest.mark.parametrize("number", range(len(INDEXES)), ids=lambda number: f"{number}-{type(INDEXES[number]).__name__}")
def test_as_both_axes(number: int, tmp_path: Path) -> None:
    """Any index can be the rows and the columns of a frame."""
    index = INDEXES[number]
    frame = pd.DataFrame(np.zeros((len(index), 2)), index=index)
    wide = pd.DataFrame(np.zeros((2, len(index))), columns=index)
    for materializer in (FrameMaterializer(), ParquetFrameMaterializer()):
        place = materializer.id.replace("/", "-")
        assert same_index(load(materializer, save(materializer, frame, tmp_path / f"{place}-rows")).index, index)
        assert same_index(load(materializer, save(materializer, wide, tmp_path / f"{place}-columns")).columns, index)


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_inside_a_spec(index: Any) -> None:
    """An index that lies inside a spec comes back from it."""
    assert same_index(pandas_axes.embedded(pandas_axes.embed(index, "the labels")), index)


@pytest.mark.parametrize(
    ("index", "named"),
    [
        (pd.Index([object()]), r"the index\[0\]"),
        (pd.Index([1], name=frozenset([object()])), "the name of the index"),
        (pd.date_range("2020", periods=3, freq=pd.offsets.CustomBusinessDay(holidays=["2020-01-02"])), "frequency"),
        (pd.MultiIndex.from_arrays([[1], pd.arrays.SparseArray([1])]), "level 1 of the index"),
    ],
    ids=["object", "name", "freq", "level"],
)
def test_what_cannot_be_kept_exactly_is_declined(index: Any, named: str, tmp_path: Path) -> None:
    """The error says which part of the index, and the next materializer can be tried."""
    with pytest.raises(NoMaterializer, match=named):
        IndexMaterializer().save(index, tmp_path)
