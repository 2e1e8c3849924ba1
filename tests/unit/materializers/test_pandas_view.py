"""What is shown of pandas frames, series and indexes."""

import time

import numpy as np
import pandas as pd
import pytest

from lineal.materializers.pandas import FrameMaterializer, IndexMaterializer, SeriesMaterializer
from lineal.materializers.pandas_view import show_frame, show_index, show_series
from lineal.views.subset import body_of, parse


def body(visualization) -> str:
    assert visualization.kind == "html"
    found = body_of(visualization.content)
    assert parse(found) is not None, "a notebook would show it in a frame"
    return found


FRAME = pd.DataFrame(
    {
        "price": [1.5, 2.5, np.nan, 4.5],
        "count": [1, 2, 3, 4],
        "region": pd.Categorical(["north", "south", None, "north"]),
        "when": pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-01-04"]),
        "zone": pd.to_datetime(["2024-01-01 10:00", None, "2024-01-02 11:00", "2024-01-02 12:00"]).tz_localize("Europe/Berlin"),
        "ok": [True, False, True, True],
        "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
        "text": pd.array(["<b>", None, "x", "y"], dtype="string"),
        "month": pd.period_range("2024-01", periods=4, freq="M"),
        "bin": pd.interval_range(0, 4),
        "lasts": pd.to_timedelta([1, 2, None, 4], unit="h"),
        "mixed": [1, "a", None, [1]],
        "complex": [1j, 2, 3, 4],
    },
    index=pd.Index(["a", "b", "c", "d"], name="key"),
)


def test_a_frame_shows_schema_sample_distributions_and_missing_values() -> None:
    made = body(show_frame(FRAME))
    for name, dtype in FRAME.dtypes.items():
        assert f"<b>{name}</b>" in made
        assert str(dtype).replace("<", "&lt;").replace(">", "&gt;")[:40] in made
    for expected in (
        "4 rows", "13 columns", ">key<", "25 % missing", "1.5 … 4.5", "north 67 %, 2 different", "2024-01-01 … 2024-01-04", "2024-01",
        "(0, 1]", "True 75 %", "&lt;b&gt;", "[1]", "2024-01-01 10:00:00", "NaN",
    ):  # fmt: skip
        assert expected in made, expected


def test_levels_labels_of_any_type_and_duplicates_are_shown() -> None:
    frame = pd.DataFrame(
        np.arange(12).reshape(4, 3),
        columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 1), (None, "<script>")]),
        index=pd.MultiIndex.from_product([["p", "q"], [1, None]], names=["letter", None]),
    )
    made = body(show_frame(frame))
    assert made.count("<b>a / 1</b>") == 2
    assert "&lt;script&gt;" in made
    assert "letter" in made


@pytest.mark.parametrize(
    "frame", [pd.DataFrame(), pd.DataFrame(index=range(3)), pd.DataFrame({"a": []}), pd.DataFrame({0: [object()], None: [1]})]
)
def test_empty_and_odd_frames_are_shown(frame) -> None:
    body(show_frame(frame))


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(100), pd.Index([]), pd.Index(["a", None]), pd.CategoricalIndex(list("aba")), pd.period_range("2020", periods=20, freq="M"),
        pd.interval_range(0, 20), pd.timedelta_range("1D", periods=3), pd.DatetimeIndex(["2020-01-01", None], tz="UTC"),
        pd.MultiIndex.from_product([["a"], [1, 2]]), pd.CategoricalIndex(pd.interval_range(0, 3)), pd.Index([10**30, "x"]),
    ],
)  # fmt: skip
def test_every_kind_of_index_and_series_is_shown(index) -> None:
    body(show_index(index))
    if index.nlevels == 1:
        body(show_series(pd.Series(index, name="values")))


def test_times_outside_of_pythons_years_are_shown() -> None:
    body(show_series(pd.Series(np.array(["30000-01-01", "2020-01-01"], dtype="datetime64[s]"))))


def test_the_materializers_visualize() -> None:
    for materializer, value, title in (
        (FrameMaterializer(), FRAME, "Table"),
        (SeriesMaterializer(), FRAME["price"], "Series"),
        (IndexMaterializer(), FRAME.index, "Index"),
    ):
        [made] = materializer.visualize(value)
        assert made.title == title


def test_equal_frames_have_equal_visualizations() -> None:
    assert show_frame(FRAME) == show_frame(FRAME.copy())


def test_a_frame_of_any_size_is_looked_at_in_a_sample_only() -> None:
    """Ten thousand times the rows take about the same time."""
    small, large = (pd.DataFrame({"a": np.arange(rows), "b": np.ones(rows)}) for rows in (2_000, 20_000_000))
    times = []
    for frame in (small, large):
        show_frame(frame)
        clock = time.process_time()
        for _ in range(5):
            show_frame(frame)
        times.append(time.process_time() - clock)
    assert times[1] < 5 * times[0] + 0.1
    assert "20,000,000 rows" in body(show_frame(large))


def test_the_numbers_of_a_range_are_not_written_out() -> None:
    """They would fill 8 TB here, and the usual index of a frame is such a range."""
    shown = body(show_index(pd.RangeIndex(0, 10**12, name="row")))
    assert "1,000,000,000,000 rows" in shown
    assert "999999999999" in shown


def test_wide_frames_show_their_first_columns() -> None:
    made = body(show_frame(pd.DataFrame(np.ones((3, 5_000)))))
    assert "the first 40 of 5,000 columns" in made
    assert len(made) < 200_000
