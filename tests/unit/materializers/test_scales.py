"""Axes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.materializers.scales import ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (-1, 1, [-1, -0.5, 0, 0.5, 1]), (0.013, 0.019, [0.014, 0.016, 0.018]), (5, 5, [5]), (5, 1, [5])],
)
def test_ticks_are_round_numbers(low, high, expected) -> None:
    assert ticks(low, high) == pytest.approx(expected)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_ticks_are_few(low, high) -> None:
    assert 1 <= len(ticks(low, high)) <= 8 or low >= high
