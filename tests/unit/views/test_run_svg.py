"""A run as a picture, in a notebook."""

from collections.abc import Callable

import pytest

from lineal import pipeline, step
from lineal.views import RunView


@step
def square(x: int) -> int:
    return x * x


@step
def total(squares: list[int]) -> int:
    return sum(squares)


@pipeline
def squares(calls: int) -> None:
    total([square(x) for x in range(calls)])


def test_a_run_shows_its_steps_and_the_versions_between_them(training: Callable[..., RunView]) -> None:
    shown = training()._repr_html_()
    assert shown.count("<svg") == 1
    for name in ("load", "train", "evaluate", "numbers@1", "model@1", "score@1"):
        assert f">{name}</text>" in shown, name


@pytest.mark.usefixtures("lineal_home")
def test_many_calls_of_a_step_are_drawn_as_one() -> None:
    """With an edge straight to who uses what they made; a few calls are drawn each."""
    many, few = squares(7)._repr_html_(), squares(3)._repr_html_()
    assert "square, 7 calls" in many
    assert "squares::square_2::output@" not in many
    assert "squares::square_2::output@" in few


def test_a_run_that_failed_shows_where(failed: RunView) -> None:
    shown = failed._repr_html_()
    assert ">fail</text>" in shown
    assert "ValueError: no luck at all" in shown


@pytest.mark.usefixtures("lineal_home")
def test_the_table_of_a_large_run_is_bounded() -> None:
    shown = squares(60)._repr_html_()
    assert "40 of 61 steps" in shown
    assert "square, 60 calls" in shown
