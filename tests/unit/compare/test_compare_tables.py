"""Tables: schema, rows, drift by column, changed cells of rows that are matched by a key."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lineal.compare.base import ROWS
from lineal.compare.tables import as_table, compare_tables
from lineal.errors import UsageError


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


BEFORE = frame(id=[1, 2, 3, 4], x=[1.0, 2.0, 3.0, 4.0], c=list("aabb"))
AFTER = frame(id=[2, 3, 4, 5], x=[2.0, 3.5, np.nan, 9.0], c=list("abbb"), new=[1, 2, 3, 4])


def test_changed_cells_are_found_by_key() -> None:
    """A row that moved is no change; rows that came and went are told by their key."""
    result = compare_tables(BEFORE, AFTER, "id")
    assert result.data["cells"] == [
        {"row": "3", "column": "x", "before": "3.0", "after": "3.5"},
        {"row": "4", "column": "x", "before": "4.0", "after": "nan"},
    ]
    assert (result.data["matched_by"], result.data["rows_added"], result.data["rows_removed"]) == ("key id", 1, 1)
    assert result.data["changed_by_column"] == {"x": 2}
    assert result.parts[0].lines[2:] == ["1 row added: 5", "1 row removed: 1"]


def test_schema_changes_are_columns_that_came_went_or_have_another_type() -> None:
    """In the order of the columns."""
    result = compare_tables(frame(a=[1], b=[1], c=[1]), frame(a=[1.0], c=[1], d=[1]), None)
    assert result.data["schema"] == [
        {"column": "a", "change": "type", "before": "int64", "after": "float64"},
        {"column": "b", "change": "removed", "before": "int64", "after": ""},
        {"column": "d", "change": "added", "before": "", "after": "int64"},
    ]
    assert result.data["changed_cells"] == 0, "1 and 1.0 are the same number"
    assert compare_tables(frame(a=[1], b=[2]), frame(b=[2], a=[1]), None).summary == "columns in another order"


def test_drift_of_numbers_is_mean_std_quantiles_missing_and_shift() -> None:
    """The shift is in standard deviations of the values before."""
    drift = compare_tables(frame(x=[0.0, 1, 2, 3, 4]), frame(x=[10.0, 11, 12, 13, None]), None).data["drift"]["x"]
    assert drift["count"] == [5, 4]
    assert drift["missing"] == [0.0, pytest.approx(0.2)]
    assert drift["mean"] == [2.0, 11.5]
    assert drift["quantiles"][0] == pytest.approx([0.2, 1, 2, 3, 3.8])
    assert drift["shift"] == pytest.approx(9.95 / np.std([0, 1, 2, 3, 4]), rel=1e-6)


def test_drift_of_categories_is_how_their_shares_changed() -> None:
    """The largest change first."""
    drift = compare_tables(frame(c=list("aaab")), frame(c=list("abbc")), None).data["drift"]["c"]
    assert drift["distinct"] == [2, 3]
    assert drift["shares"][0] == {"value": "'a'", "share": [0.75, 0.25]}


def test_drift_of_moments_is_told_in_moments() -> None:
    """Zones and spans of time too."""
    days = pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin")
    result = compare_tables(frame(t=days, d=days - days[0]), frame(t=days + pd.Timedelta("1D"), d=(days - days[0]) * 2), None)
    rows = {row[0]: row for row in result.parts[1].rows}
    assert rows["t"][2] == "2026-01-01 23:00:00 → 2026-01-02 23:00:00"
    assert rows["d"][2] == "1 days 00:00:00 → 2 days 00:00:00"


def test_without_a_key_rows_are_matched_by_the_index_or_by_their_place() -> None:
    """An index that is not unique matches nothing, and says what to do."""
    one, other = BEFORE.set_index("id"), AFTER.set_index("id")
    assert compare_tables(one, other, None).data["matched_by"] == "index"
    assert compare_tables(one, other, None).data["changed_cells"] == 2
    assert compare_tables(BEFORE, AFTER, None).data["matched_by"] == "position"
    longer = compare_tables(frame(x=[1, 2]), frame(x=[1, 2, 3]), None)
    assert (longer.data["rows_added"], longer.data["changed_cells"]) == (1, 0)
    twice = compare_tables(frame(x=[1, 2]).set_index([["a", "a"]]), frame(x=[1, 3]).set_index([["a", "a"]]), None)
    assert "pass key=" in str(twice.parts[0].lines)
    assert not twice.same


def test_several_columns_can_be_the_key() -> None:
    """Their values together name a row."""
    one = frame(a=[1, 1, 2], b=[1, 2, 1], x=[1, 2, 3])
    other = frame(a=[2, 1, 1], b=[1, 2, 1], x=[3, 5, 1])
    result = compare_tables(one, other, ["a", "b"])
    assert result.data["cells"] == [{"row": "(1, 2)", "column": "x", "before": "2", "after": "5"}]
    assert result.data["rows_reordered"]


def test_rows_in_another_order_are_a_difference() -> None:
    """Even when no cell changed."""
    result = compare_tables(frame(a=[1, 2]), frame(a=[2, 1]), "a")
    assert (result.same, result.summary) == (False, "rows in another order")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("nothing", "first table has no column 'nothing'.*there are: id, x, c"),
        (["c"], "key c does not tell the rows of the first table apart: 'a'"),
    ],
)
def test_a_key_that_does_not_fit_is_an_error(key: Any, message: str) -> None:
    """It names the column or the value."""
    with pytest.raises(UsageError, match=message):
        compare_tables(BEFORE, AFTER, key)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, None], [1, 2]), (["a", "b"], ["a", "c"]), ([[1], [2]], [[1], [3]]), ([np.arange(2), np.arange(2)], [np.arange(2), np.arange(3)]),
        (pd.array([1, None], "Int64"), pd.array([1, 2], "Int64")), (pd.Categorical(["a", "b"]), pd.Categorical(["a", "c"])),
        ([1, "b"], [1, 2]), ([True, False], [True, True]), ([Decimal(1), Decimal(2)], [Decimal(1), Decimal(3)]),
        (pd.period_range("2026", periods=2, freq="D"), pd.period_range("2026", periods=2, freq="D")[[0, 0]]),
        ([1 + 1j, 2], [1 + 1j, 3]), (pd.array(["a", None], "string"), pd.array(["a", "b"], "string")), (["1", "2"], ["1", 2]),
    ],
)  # fmt: skip
def test_one_changed_cell_of_any_type_is_found(one: Any, other: Any) -> None:
    """And an equal column is the same; JSON can hold all that is said."""
    result = compare_tables(frame(x=one), frame(x=other), None)
    assert result.data["changed_cells"] == 1
    json.dumps(result.data, allow_nan=False)
    assert compare_tables(frame(x=one), frame(x=one), None).same


def test_two_columns_of_one_name_are_two_columns() -> None:
    """And names need not be text."""
    one = pd.DataFrame([[1, 2, 3]], columns=["a", "a", 7])
    other = pd.DataFrame([[1, 5, 4]], columns=["a", "a", 7])
    assert compare_tables(one, other, None).data["changed_by_column"] == {"a (2)": 1, "7": 1}


def test_many_changes_are_counted_and_the_first_are_shown() -> None:
    """Row by row."""
    one = frame(a=range(1000), b=range(1000))
    result = compare_tables(one, one + 1, None)
    assert result.data["changed_cells"] == 2000
    assert [(cell["row"], cell["column"]) for cell in result.data["cells"][:3]] == [("0", "a"), ("0", "b"), ("1", "a")]
    assert len(result.data["cells"]) == ROWS
    assert result.parts[-1].lines == ["a 1,000, b 1,000", f"the first {ROWS} of 2,000"]


def test_empty_tables_compare() -> None:
    """No rows, no columns."""
    assert compare_tables(frame(), frame(), None).same
    result = compare_tables(frame(x=[]), frame(x=[1.0]), None)
    assert result.data["drift"]["x"]["mean"] == [None, 1.0]
    assert compare_tables(frame(c=["a"] * 3), frame(c=["a"] * 3), None).same


def test_tables_of_other_libraries_are_tables() -> None:
    """polars, pyarrow, and a single column."""
    for value in (pl.DataFrame({"x": [1]}), pl.LazyFrame({"x": [1]}), pl.Series("x", [1]), pa.table({"x": [1]}), pd.Series([1], name="x"),
                  pa.record_batch({"x": [1]})):  # fmt: skip
        assert as_table(value).to_dict("list") == {"x": [1]}
    assert list(as_table(pd.Series([1])).columns) == ["value"]
    assert as_table({"x": 1}) is None
