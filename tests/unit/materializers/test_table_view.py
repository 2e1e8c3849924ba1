"""Tables as they are shown, whatever library they come from."""

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.materializers.table_view import BINS, SAMPLED, Column, Summary, Table, cell_text, content, sampled_rows, shown_rows, view
from lineal.views.subset import body_of, parse


def column(name: str, *values: object, dtype: str = "object") -> Column:
    return Column(name, dtype, values, values)


def table(*columns: Column, rows: int | None = None, **given: object) -> Table:
    count = len(columns[0].shown) if rows is None else rows
    return Table(count, given.pop("columns", len(columns)), given.pop("labels", ()), columns, **given)


def test_a_short_table_is_shown_whole_and_a_long_one_from_both_ends() -> None:
    assert shown_rows(12) == list(range(12))
    assert shown_rows(13) == [0, 1, 2, 3, 4, 8, 9, 10, 11, 12]
    assert shown_rows(0) == []


@pytest.mark.parametrize("rows", [0, 1, SAMPLED, SAMPLED + 1, 12_345, 10**9])
def test_a_sample_is_bounded_spread_out_in_order_and_the_same_each_time(rows) -> None:
    places = sampled_rows(rows)
    assert places == sampled_rows(rows)
    assert len(places) == min(rows, SAMPLED)
    assert sorted(set(places)) == places
    assert not places or (places[-1] < rows and places[-1] >= rows - 2 * math.ceil(rows / SAMPLED))


def test_of_large_values_fewer_are_sampled() -> None:
    """A column of documents may be larger than the memory."""
    assert len(sampled_rows(10**6, width=1_000_000)) == 5


def test_schema_sample_distribution_and_missing_values_are_shown() -> None:
    numbers = [float(n) for n in range(10)] + [math.nan, None]
    made = content(table(column("price", *numbers, dtype="float64"), labels=[column("", *range(12))], nbytes="96 B"))
    for expected in ("12 rows", "1 column", "96 B", "<b>price</b>", "float64", "<svg", "0 … 9", "17 % missing", "NaN", "\N{EN DASH}"):
        assert expected in made


def test_a_long_range_of_times_is_one_of_days() -> None:
    """A column that is wide because of the time of day hides the next one."""
    start = datetime(2026, 1, 1, 13, 30)  # noqa: DTZ001 - as most frames have them
    assert "2026-01-01 … 2026-01-08" in content(table(column("t", start, start + timedelta(days=7))))
    assert "2026-01-01 13:30:00 … 2026-01-01 15:30:00" in content(table(column("t", start, start + timedelta(hours=2))))


def test_long_text_is_shorter_where_there_are_many_columns() -> None:
    long = column("long", "x" * 50)
    assert "x" * 50 in content(table(long))
    assert "x" * 33 not in content(table(long, *(column(name, 1) for name in "abc")))


def test_what_is_left_out_is_said() -> None:
    shown = Column("a", "int64", list(range(10)), list(range(1000)))
    made = content(table(shown, rows=5_000_000, columns=60))
    assert "5,000,000 rows" in made
    assert "the first 1 of 60 columns" in made
    assert "from a sample of 1,000 rows" in made
    assert made.count("⋮") == 1
    assert "sample" not in content(table(column("a", 1, 2)))


NAIVE = datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'); alert(1); ('",
    "a\x1b[31m\nb",
    "{{7*7}}",
    "\ud800",
    "javascript:x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_values_and_html_in_cells_are_shown_as_text(text) -> None:
    """A17."""
    made = view(table(column(text, text, [text], {text: text}, dtype=text), labels=[column(text, text, text, text)]), text)
    body = body_of(str(made.content))
    assert parse(body) is not None
    assert "<script" not in body
    assert "<img" not in body
    made.data.decode("utf-8")


@pytest.mark.parametrize(
    ("values", "kind", "low", "high"),
    [
        ([1, 2, 30], "number", "1", "30"),
        ([0.5, 2], "number", "0.5", "2"),
        ([Decimal("1.5"), Decimal(7)], "number", "1.5", "7"),
        ([10**400, 1], "number", "1", "1"),
        ([math.inf, 1.0, -math.inf], "number", "1", "1"),
        ([1e308, -1e308], "number", "-1e+308", "1e+308"),
        ([5e-324, 1e-323], "number", "4.941e-324", "9.881e-324"),
        ([date(2024, 1, 1), date(2024, 2, 1)], "time", "2024-01-01", "2024-02-01"),
        ([NAIVE, NAIVE.replace(hour=12, minute=30, second=5, microsecond=7)], "time", "2024-01-01", "2024-01-01 12:30:05"),
        ([datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)], "time", "0001-01-01", "9999-12-31"),
        ([timedelta(1), timedelta(2)], "time", "1 day, 0:00:00", "2 days, 0:00:00"),
        ([time(1), time(2, 30)], "time", "01:00:00", "02:30:00"),
        ([True, False], "bool", "", ""),
        (["a", "b"], "text", "", ""),
        ([1j], "other", "", ""),
        ([1, "a"], "other", "", ""),
        ([], "other", "", ""),
        ([None], "other", "", ""),
        ([math.nan], "other", "", ""),
    ],
)
def test_kind_and_bounds_of_a_column(values, kind, low, high) -> None:
    found = Summary(values)
    assert (found.kind, found.low, found.high) == (kind, low, high)


@given(st.lists(st.none() | st.floats() | st.integers()))
def test_every_finite_number_is_counted_once(values) -> None:
    found = Summary(values)
    finite = [value for value in values if value is not None and abs(value) < math.inf and _is_float(value)]
    assert sum(found.counts) == len(finite)
    assert len(found.counts) in (0, BINS)


def _is_float(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def test_the_most_frequent_values_are_named() -> None:
    found = Summary(["north"] * 5 + ["south"] * 3 + ["east", "west"])
    assert found.top == [("north", 0.5), ("south", 0.3), ("east", 0.1)]
    assert found.distinct == 4
    assert "north 50 %, 4 different" in content(table(column("region", *["north"] * 5, *["south"] * 3, "east", "west")))
    assert "all different" in content(table(column("id", "a", "b", "c")))
    assert "always x" in content(table(column("id", "x", "x")))
    assert "always 5" in content(table(column("n", 5, 5)))
    assert "True 50 %" in content(table(column("ok", True, False)))
    assert "30 different" in content(Table(60, 1, (), [Column("id", "str", ["1"] * 10, [str(n) for n in range(30)] * 2)]))


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"), (math.nan, "NaN"), (0.1 + 0.2, "0.3"), (10**400, "1000"), ("a\nb", "a\\nb"), (b"\0" * 10**6, "b'\\x00"), (Rude(), "<Rude instance at"),
        ([0] * 10**6, "[0, 0, 0, 0, 0, 0, ...]"), ({"a": 1}, "{'a': 1}"), (date(2024, 1, 1), "2024-01-01"), (True, "True"),
    ],
)  # fmt: skip
def test_any_value_has_a_short_text(value, text) -> None:
    found = cell_text(value)
    assert found.startswith(text)
    assert len(found) <= 60


def test_long_text_is_told_apart_by_its_beginning() -> None:
    assert Summary(["a" * 10**6 + "x", "a" * 10**6 + "y"]).distinct == 1


def test_an_empty_table_is_shown() -> None:
    made = content(Table(0, 2, [Column("", "", [], [])], [Column("a", "int64", [], []), Column("b", "str", [], [])]))
    assert "0 rows" in made
    assert content(Table(0, 0, (), ()))
