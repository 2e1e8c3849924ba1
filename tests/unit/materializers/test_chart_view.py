"""Charts drawn without a library."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from lineal.materializers.chart_view import POINTS, SERIES, Series, draw
from lineal.views.subset import parse

START = datetime(2024, 1, 1, tzinfo=UTC)


def drawn(*series: Series) -> str:
    made = draw(series, "x <b>", "y")
    assert made == "" or parse(made) is not None, "a notebook would show it in a frame"
    return made


def test_lines_points_and_bars_are_drawn() -> None:
    assert "<polyline" in drawn(Series("a", "line", [1, 2, 3], [1.0, 2.0, 1.5]))
    assert drawn(Series("a", "points", [1, 2, 3], [1.0, 2.0, 1.5])).count("<circle") == 3
    assert drawn(Series("a", "bars", ["x", "y"], [1, -2])).count("<rect") == 2


def test_axes_have_round_numbers_names_or_times() -> None:
    assert ">7<" in drawn(Series("a", "line", [0, 10], [5, 8]))
    assert ">north<" in drawn(Series("a", "bars", ["north"], [1]))
    assert ">2024-01-01<" in drawn(Series("a", "line", [START, START + timedelta(days=3)], [5, 8]))
    assert "y by x &lt;b&gt;" in drawn(Series("a", "line", [0, 1], [0, 1]))


def test_several_series_have_a_legend() -> None:
    made = drawn(Series("<script>", "line", [0, 1], [0, 1]), Series("b", "points", [0, 1], [1, 0]))
    assert "&lt;script&gt;" in made
    assert "\N{BLACK CIRCLE}" in made
    assert "\N{BLACK CIRCLE}" not in drawn(Series("a", "line", [0, 1], [0, 1]))


def test_what_is_no_number_is_left_out() -> None:
    made = drawn(Series("a", "points", [1, None, 3, 4, math.nan], [1.0, 2.0, math.nan, None, 5.0]))
    assert made.count("<circle") == 1
    assert drawn(Series("a", "points", [1], ["high"])) == ""
    assert drawn() == ""


def test_charts_are_bounded() -> None:
    many = [Series(str(n), "line", list(range(10_000)), list(range(10_000))) for n in range(SERIES + 3)]
    made = drawn(*many)
    assert made.count("<polyline") == SERIES
    assert "3 more series" in made
    assert len(made) < SERIES * POINTS * 16
    assert drawn(Series("a", "bars", [str(n) for n in range(400)], [1] * 400)).count("<text") < 40


@pytest.mark.parametrize("ys", [[1e308, -1e308], [5e-324, 0.0], [7, 7], [10**300, 1]])
def test_any_numbers_are_drawn(ys) -> None:
    assert "nan" not in drawn(Series("a", "line", [1, 2], ys))
