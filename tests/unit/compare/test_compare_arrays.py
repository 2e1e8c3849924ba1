"""Arrays: shape, dtype, how many elements differ, by how much, and where most."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from lineal.compare import arrays
from lineal.compare.arrays import as_array, compare_arrays


def test_shape_dtype_and_the_largest_and_mean_difference_are_told() -> None:
    """And the place of the largest."""
    one = np.zeros((2, 3))
    other = one.copy()
    other[1, 2] = -4
    other[0, 0] = 2
    result = compare_arrays(one, other)
    assert result.summary == "2 of 6 elements differ, by 4 at most"
    assert result.data == {
        "shape": [[2, 3], [2, 3]], "dtype": ["float64", "float64"], "different": 2, "size": 6,
        "largest_difference": 4.0, "mean_difference": 1.0, "largest_at": [1, 2],
    }  # fmt: skip
    assert ("mean", "0", "-0.333333") in result.parts[0].rows


def test_another_shape_or_dtype_is_a_difference_of_its_own() -> None:
    """Equal numbers of another dtype are not the same array."""
    assert compare_arrays(np.zeros(2), np.zeros(3)).summary == "shape (2,) → (3,)"
    result = compare_arrays(np.zeros(2), np.zeros(2, np.float32))
    assert (result.same, result.summary) == (False, "dtype float64 → float32")
    assert compare_arrays(np.ones(2, int), np.zeros(2)).summary == "dtype int64 → float64; 2 of 2 elements differ, by 1 at most"


@pytest.mark.parametrize(
    "array",
    [
        np.array([1.0, np.nan, np.inf]), np.array(5), np.array([], float), np.array(["a", "b"]), np.array([b"a"]),
        np.array(["2026", "NaT"], "M8[D]"), np.array([1 + 2j, np.nan]), np.array([(1, 2.0)], "i4,f8"), np.array([None, "x", [1]], object),
        np.array([True]), np.array([2**64 - 1], np.uint64),
    ],
)  # fmt: skip
def test_an_array_of_any_dtype_equals_its_copy(array: Any) -> None:
    """Not-a-number equals itself, and no dtype fails."""
    assert compare_arrays(array, array.copy()).same


@pytest.mark.parametrize(
    ("one", "other", "largest"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), "inf"),
        (np.array([np.inf]), np.array([-np.inf]), "inf"),
        (np.array([0], np.uint8), np.array([255], np.uint8), 255.0),
        (np.array([-(2**63)]), np.array([2**63 - 1]), 2.0**64),
        (np.array([3 + 4j]), np.array([0j]), 5.0),
        (np.array([True]), np.array([False]), 1.0),
        (np.array(["a"]), np.array(["b"]), None),
        (np.array(["2026"], "M8[Y]"), np.array(["2027"], "M8[Y]"), None),
        (np.array([None, {}], object), np.array([None, []], object), None),
        (np.array(["1"]), np.array([1]), None),
    ],
)
def test_one_element_that_differs_is_found(one: Any, other: Any, largest: Any) -> None:
    """Without an overflow, and with a distance where there is one."""
    result = compare_arrays(one, other)
    assert result.data["different"] == 1
    assert result.data.get("largest_difference") == largest


def test_large_arrays_are_compared_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is the same, wherever the pieces meet."""
    monkeypatch.setattr(arrays, "CHUNK", 7)
    one = np.arange(100.0).reshape(4, 25)
    other = one.copy()
    other[0, 6] += 1
    other[3, 24] += 5
    result = compare_arrays(one, np.asfortranarray(other))
    assert (result.data["different"], result.data["largest_at"]) == (2, [3, 24])


def test_images_and_tensors_are_arrays() -> None:
    """What has numbers in it is compared by them."""
    import torch

    assert compare_arrays(as_array(Image.new("L", (2, 2))), as_array(Image.new("L", (2, 2), 9))).data["largest_difference"] == 9.0
    assert as_array(torch.ones(2, dtype=torch.bfloat16)).tolist() == [1.0, 1.0]
    assert as_array(torch.nn.Parameter(torch.ones(2))).tolist() == [1.0, 1.0]
    assert as_array([1]) is None
