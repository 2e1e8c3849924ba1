import json
from typing import Any

import numpy as np
import pytest

from lineal.materializers.array_summary import SAMPLE, summary


def test_numbers() -> None:
    """Missing values are counted and left out of the rest."""
    assert summary(np.array([1.0, np.nan, 3.0]), 10) == {"missing": 1, "min": 1.0, "max": 3.0, "mean": 2.0, "std": 1.0}


def test_whole_numbers_stay_whole() -> None:
    """The extremes of 64-bit integers are exact, which floats would not be."""
    facts = summary(np.array([2**63 - 1, -(2**63)]), 10)
    assert (facts["min"], facts["max"]) == (-(2**63), 2**63 - 1)


def test_more_than_the_limit_is_sampled() -> None:
    """A sample takes elements at equal steps, and is marked as such."""
    facts = summary(np.arange(100), 10)
    assert facts["sampled"] is True
    assert (facts["min"], facts["max"]) == (0, 90)
    assert "sampled" not in summary(np.arange(10), 10)


def test_what_is_exact_up_to_a_million_is_sampled_by_fewer() -> None:
    """The elements of a sample lie far apart: each costs a look into memory."""
    number = 3 * SAMPLE
    assert summary(np.arange(number), 2 * SAMPLE)["max"] == number - 3
    assert summary(np.arange(2 * SAMPLE), 2 * SAMPLE)["max"] == 2 * SAMPLE - 1


@pytest.mark.parametrize(
    "values",
    [
        np.array([np.inf, -np.inf, np.nan]),
        np.array([np.nan]),
        np.array([6e4, 6e4], np.float16),
        np.array([1e308, 1e308, -1e308]),
        np.array([1 + 2j, np.nan]),
        np.array([True, False]),
        np.array(["2020-01-01", "NaT"], "M8[s]"),
        np.array([1, 2], "m8[ns]"),
        np.array(["NaT"], "m8[ns]"),
        np.array(3.5),
        np.zeros((0, 3)),
        np.array(["a"]),
        np.array([(1, 2.0)], "i4,f8"),
        np.arange(24, dtype=">f8").reshape(4, 6)[::2, ::3],
        np.array([1e4000], np.longdouble) if np.finfo(np.longdouble).max > 1e309 else np.array([1.0]),
    ],
    ids=lambda values: f"{values.dtype}",
)
def test_every_kind_gives_json_without_warning(values: "np.ndarray[Any, Any]") -> None:
    """Infinity, overflow, empty arrays and kinds without order neither warn nor fail, and give what JSON has."""
    json.dumps(dict(summary(values, 100)), allow_nan=False)


def test_no_copy_of_a_large_strided_array() -> None:
    """A sample of a view costs the sample, whatever the size: here a copy of all would take 80 GB."""
    huge = np.broadcast_to(np.arange(10.0), (10**9, 10))
    assert summary(huge, 1000)["max"] <= 9
