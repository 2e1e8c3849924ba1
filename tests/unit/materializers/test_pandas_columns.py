"""Columns of every dtype, through the materializer of Series in both file formats."""

import datetime as dt
import decimal
import math
import zoneinfo
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers.pandas import ParquetSeriesMaterializer, SeriesMaterializer
from lineal.testing.materializers import MaterializerTests, content, load, save

PARIS = zoneinfo.ZoneInfo("Europe/Paris")

NUMPY = [
    "i1",
    "i2",
    "i4",
    "i8",
    "u1",
    "u2",
    "u4",
    "u8",
    "f2",
    "f4",
    "f8",
    "c8",
    "c16",
    ">i4",
    ">f8",
    "M8[s]",
    "M8[ms]",
    "M8[us]",
    "m8[s]",
    "m8[ns]",
]

COLUMNS: dict[str, Any] = {
    **{code: np.arange(5).astype(code) for code in NUMPY},
    "specials": np.array([np.nan, np.inf, -0.0, 0.0, 1.5]),
    "bool": np.array([True, False, False, True, True]),
    "gaps in time": pd.to_datetime(["2020-01-01", None, "2021-02-03", None, "2262-01-01"]),
    "gaps in spans": pd.to_timedelta([1, None, 3, 4, 5], unit="s"),
    "paris": pd.date_range("2020-10-25", periods=5, freq="30min", tz=PARIS),
    "utc with gaps": pd.to_datetime([None, 1, 2, 3, 4], utc=True),
    "offset in seconds": pd.date_range("2020", periods=5, tz=dt.timezone(dt.timedelta(hours=2)), unit="s"),
    "Int64": pd.array([1, None, 3, 4, 5], dtype="Int64"),
    "UInt8": pd.array([1, 2, 3, 4, 5], dtype="UInt8"),
    "boolean": pd.array([True, None, False, True, True], dtype="boolean"),
    "Float32": pd.array([1.5, None, 3, 4, 5], dtype="Float32"),
    "NaN and NA": pd.arrays.FloatingArray(np.array([1.0, np.nan, 3, 0, 0]), np.array([False, False, True, False, False])),
    "str": pd.Series(["a", None, "", "é", "日本"]),
    "string[python]": pd.array(["a", None, "", "é", "日本"], dtype="string[python]"),
    "string[pyarrow]": pd.array(["a", None, "", "é", "日本"], dtype="string[pyarrow]"),
    "text without gaps": pd.array(["a", "b", "", "é", "日本"], dtype="string[pyarrow]"),
    "ordered": pd.Categorical(["a", "b", None, "a", "b"], categories=["z", "b", "a"], ordered=True),
    "unordered": pd.Categorical(["a", "b", None, "a", "b"], categories=["z", "b", "a"]),
    "numbers in categories": pd.Categorical([1.5, 2, 1.5, None, 2]),
    "categories of a range": pd.Categorical([1, 2, 0, 1, 2], categories=pd.RangeIndex(3)),
    "many categories": pd.Categorical(["1", "299", "0", "7", "1"], categories=[str(n) for n in range(300)]),
    "no category": pd.Categorical([None] * 5),
    "cut": pd.cut(pd.Series([1, 2, 3, 4, 5.0]), 2),
    "times in categories": pd.Categorical(pd.date_range("2020", periods=5, tz=PARIS)),
    "months": pd.period_range("2020", periods=5, freq="M"),
    "years with gaps": pd.PeriodIndex(["2020", None, "2021", "2022", "2023"], freq="Y"),
    "weeks": pd.period_range("2020", periods=5, freq="W-WED"),
    "intervals": pd.arrays.IntervalArray.from_breaks(range(6), closed="both"),
    "intervals with gaps": pd.arrays.IntervalArray.from_tuples([(0.0, 1.0), None, (2, 3), (1, 2), (0, 9)]),
    "intervals of time": pd.interval_range(pd.Timestamp("2020", tz="UTC"), periods=5),
    "int32[pyarrow]": pd.array([1, None, 3, 4, 5], dtype="int32[pyarrow]"),
    "double[pyarrow]": pd.array([1.5, None, math.nan, 4, 5], dtype="double[pyarrow]"),
    "bool[pyarrow]": pd.array([True, None, False, True, True], dtype="bool[pyarrow]"),
    "text of arrow": pd.array(["a", None, "b", "c", "d"], dtype=pd.ArrowDtype(pa.string())),
    "decimals of arrow": pd.array([decimal.Decimal("1.5"), *[None] * 4], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "lists of arrow": pd.array([[1], None, [], [2, 3], [4]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "records of arrow": pd.array([{"a": 1}, None, {"a": None}, {"a": 2}, {"a": 3}], dtype=pd.ArrowDtype(pa.struct([("a", pa.int8())]))),
    "times of arrow": pd.array([dt.datetime(2020, 1, 1, tzinfo=dt.UTC), *[None] * 4], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    **{
        f"objects: {name}": pd.Series(values, dtype=object)
        for name, values in {
            "text": ["a", "b", "c", "d", "e"],
            "text and None": ["a", None, "b", "c", "d"],
            "text and NaN": ["a", math.nan, "b", "c", "d"],
            "text and NA": ["a", pd.NA, "b", "c", "d"],
            "text and NaT": ["a", pd.NaT, "b", "c", "d"],
            "text and a number": ["a", 1.5, "b", "c", "d"],
            "bytes": [b"a", None, b"", b"\0", b"d"],
            "None": [None] * 5,
            "NaN": [math.nan] * 5,
            "NA": [pd.NA] * 5,
            "all gaps": [None, math.nan, pd.NA, pd.NaT, "x"],
            "numbers": [1, True, 1.0, 10**30, 2j],
            "pandas": [pd.Timestamp("2020", tz=PARIS), pd.Timedelta(1), np.float32(1.5), np.str_("a"), pd.NaT],
            "exact": [decimal.Decimal("1.0"), decimal.Decimal("1.00"), dt.date(2020, 1, 1), {"a": (1, 2)}, {1, 2}],
            "lists": [[1], [1, [2]], [], [[3], [4]], [None]],
            "surrogates": ["\ud800", "a", "\ud83d\ude00", None, "\U0001f600"],
        }.items()
    },
}


def same_cell(one: Any, other: Any) -> bool:
    """Tell whether two cells are equal and of the same type, missing values by kind."""
    if type(one) is not type(other):
        return False
    return one is other or (isinstance(one, float) and one != one and other != other) or bool(one == other)


def same_series(one: Any, other: Any) -> bool:
    """Tell whether two series are equal in everything that can be seen."""
    if repr(one.dtype) != repr(other.dtype) or one.attrs != other.attrs:
        return False
    if one.dtype == object:  # pandas cannot compare lists in cells
        return one.name == other.name and one.index.equals(other.index) and all(map(same_cell, one, other))
    try:
        pd.testing.assert_series_equal(one, other, check_exact=True, check_freq=True, check_flags=True)
    except AssertionError:
        return False
    # Where it compares missing values, NaN and NA are the same to pandas.
    filled = [each.to_numpy("f8", na_value=7.0) for each in (one, other) if isinstance(each.array, pd.arrays.FloatingArray)]
    return not filled or np.array_equal(*filled, equal_nan=True)


class TestColumns(MaterializerTests):
    """Series of every dtype as Arrow."""

    materializer = SeriesMaterializer()
    values = tuple(pd.Series(values, name=name) for name, values in COLUMNS.items())

    def equal(self, one: Any, other: Any) -> bool:
        return same_series(one, other)

    def mutate(self, value: Any) -> bool:
        before = value.copy()
        value.iloc[0:1] = value.iloc[2:3].array  # as a slice: one list would be taken for several cells
        return not same_series(value, before)


class TestParquetColumns(TestColumns):
    """The same as Parquet."""

    materializer = ParquetSeriesMaterializer()
    other_process = False  # the same arrays as above


@pytest.mark.parametrize("name", COLUMNS)
def test_layout_in_memory_does_not_show(name: str, tmp_path: Path) -> None:
    """A slice, a step, a concatenation and a copy of equal columns give the bytes of the column itself."""
    column = pd.Series(COLUMNS[name])
    double = pd.concat([column, column], ignore_index=True)
    variants = [
        column,
        column.copy(),
        double.iloc[5:].reset_index(drop=True),
        double.iloc[:5],
        pd.concat([column.iloc[:2], column.iloc[2:]]),
        column.iloc[::-1].iloc[::-1],
    ]
    written = [
        content(save(SeriesMaterializer(), each, tmp_path / str(n))) for n, each in enumerate(variants) if each.dtype == column.dtype
    ]
    assert len(written) >= 3, "pandas itself swaps the bytes of what it concatenates"
    assert all(each == written[0] for each in written)


@pytest.mark.parametrize("name", COLUMNS)
def test_no_rows(name: str, tmp_path: Path) -> None:
    """An empty column keeps its dtype."""
    column = pd.Series(COLUMNS[name], name=name).iloc[:0]
    for materializer in (SeriesMaterializer(), ParquetSeriesMaterializer()):
        assert same_series(load(materializer, save(materializer, column, tmp_path / materializer.id.replace("/", "-"))), column)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (pd.arrays.SparseArray([0, 0, 1]), "Sparse"),
        ([object()], r"\[0\] is a object"),
        ([1, np.array([1])], r"\[1\] is a numpy.ndarray"),
        (pd.array(["\ud800"], dtype="string[python]"), "surrogate"),
        (pd.array(["a"], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))), "dictionary"),
    ],
    ids=["sparse", "object", "array", "surrogate", "dictionary"],
)
def test_what_cannot_be_kept_exactly_is_declined(values: Any, named: str, tmp_path: Path) -> None:
    """The error says what and where, nothing is written, and the next materializer can be tried."""
    column = pd.Series(values, dtype=object if isinstance(values, list) else None)
    with pytest.raises(NoMaterializer, match=named):
        SeriesMaterializer().save(column, tmp_path)
    assert list(tmp_path.glob("*.*")) == []


def test_what_lies_under_a_gap_does_not_show(tmp_path: Path) -> None:
    """Two nullable columns that differ only where both are missing are equal, and give the same bytes."""
    gaps = np.array([False, True])
    columns = [pd.Series(pd.arrays.IntegerArray(np.array([1, hidden]), gaps)) for hidden in (5, 6)]
    first, second = (content(save(SeriesMaterializer(), column, tmp_path / str(n))) for n, column in enumerate(columns))
    assert first == second


def test_other_tools_see_nulls(tmp_path: Path) -> None:
    """In the file a missing value is an Arrow null and a category its text: whoever opens it needs to know nothing of pandas."""
    for name, expected in {
        "gaps in spans": [0, None, 0, 0, 0],
        "Int64": [1, None, 3, 4, 5],
        "ordered": ["a", "b", None, "a", "b"],
        "objects: text and NaN": ["a", None, "b", "c", "d"],
    }.items():
        save(SeriesMaterializer(), pd.Series(COLUMNS[name], name="x"), tmp_path / name.replace(":", ""))
        with pa.ipc.open_file(tmp_path / name.replace(":", "") / "data.arrow") as file:
            column = file.read_all()["x"].to_pylist()
        assert [None if cell is None else expected[n] if name == "gaps in spans" else cell for n, cell in enumerate(column)] == expected
