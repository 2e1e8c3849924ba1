"""What is shown of arrays."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from lineal.materializers import array_view
from lineal.materializers.array_view import heat_map, image, show_array, show_masked
from lineal.materializers.npy import ScalarMaterializer
from lineal.materializers.numpy import ArrayMaterializer, MaskedArrayMaterializer
from lineal.views.subset import body_of, parse

RNG = np.random.default_rng(0)


def shown(array) -> tuple[str, list[str]]:
    """Give the text of the page, and the titles of the pictures that follow it."""
    page, *pictures = show_array(array)
    body = body_of(page.content)
    assert parse(body) is not None, "a notebook would show it in a frame"
    return body, [each.title for each in pictures]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_shape_dtype_statistics_and_histogram_are_shown() -> None:
    body, pictures = shown(np.arange(5000.0))
    for expected in ("5,000", "float64", "40 kB", "4,999", "2499.5", "<path", "0 … 4,999", "[0.000e+00"):
        assert expected in body
    assert pictures == []


def test_what_is_counted_from_a_sample_is_said() -> None:
    body, _ = shown(np.where(np.arange(100_000) % 4, 1.0, np.nan))
    assert "a sample of 20,000 values" in body


def test_missing_values_are_counted() -> None:
    assert "50 %" in shown(np.array([np.nan, 1.0, 2.0, np.nan]))[0]
    assert "25 %" in shown(np.array(["2020-01-01", "NaT", "2020-01-03", "2020-01-03"], dtype="M8[D]"))[0]


def test_a_narrow_matrix_is_a_table_of_its_columns() -> None:
    body, pictures = shown(RNG.normal(size=(500, 6)))
    assert "500 rows" in body
    assert body.count("float64") == 1 + 6
    assert pictures == []


def test_records_and_text_are_tables() -> None:
    body, _ = shown(np.array([(1, 2.5, "<b>")] * 20, dtype=[("a", "i4"), ("<c>", "f8"), ("t", "U3")]))
    assert "&lt;c&gt;" in body
    assert "&lt;b&gt;" in body
    assert "x 50 %" in shown(np.array(["x", "y", "x", "z"]))[0]


@pytest.mark.parametrize(
    ("array", "title"),
    [
        (np.zeros((30, 40), np.uint8), "Image, 40 \N{MULTIPLICATION SIGN} 30"),
        (np.zeros((30, 40), bool), "Image, 40 \N{MULTIPLICATION SIGN} 30"),
        (np.zeros((30, 40, 3), np.uint8), "Image, 40 \N{MULTIPLICATION SIGN} 30"),
        (np.zeros((30, 40, 4), np.float32), "Image, 40 \N{MULTIPLICATION SIGN} 30"),
        (np.zeros((40, 50)), "Heat map"),
        (np.zeros((40, 50), np.int64), "Heat map"),
        (np.zeros((2, 50), np.uint8), "Heat map"),
    ],
)
def test_images_are_shown_as_images_and_wide_matrices_as_heat_maps(array, title) -> None:
    assert shown(array)[1] == [title]


@pytest.mark.parametrize(
    "array", [np.full((30, 40, 3), 2.0), np.zeros((30, 40, 5)), np.zeros((2, 2, 3), np.uint8), np.zeros((30, 40, 3), np.int64)]
)
def test_what_only_has_the_shape_of_an_image_is_none(array) -> None:
    assert shown(array)[1] == []


def test_a_picture_has_the_colours_and_proportions_of_its_image() -> None:
    small = RNG.integers(0, 256, (10, 20, 3), dtype=np.uint8)
    assert np.array_equal(pixels(image(small))[::16, ::16], small)
    large = RNG.integers(0, 256, (300, 1200), dtype=np.uint8)
    assert pixels(image(large)).shape == (80, 320)
    assert pixels(image(np.ones((8, 1000), np.uint8)))[0, 0] == 1
    assert np.array_equal(pixels(image(np.array([[0.0, 0.5], [1.0, np.nan]])))[::16, ::16], [[0, 127], [255, 0]])


def test_a_heat_map_is_dark_for_the_smallest_and_transparent_for_what_is_missing() -> None:
    found = pixels(heat_map(np.array([[0.0, 1.0], [np.nan, np.inf]])))
    assert found[0, 0].tolist() == [68, 1, 84, 255]
    assert found[0, -1].tolist() == [253, 231, 37, 255]
    assert found[-1, 0, 3] == found[-1, -1, 3] == 0
    assert pixels(heat_map(np.array([[-1.7e308, 1.7e308]]))).shape == (16, 32, 4)


@pytest.mark.parametrize(
    "array",
    [
        np.array(5), np.zeros((0, 3)), np.zeros(0, "M8[s]"), np.ones(3) * 1j, np.full((40, 40), np.nan), RNG.normal(size=(2, 3, 4, 5)),
        np.zeros(3, "V5"), np.array([1e308, -1e308]), np.array([np.inf, 1.0]), np.arange(100, dtype=">i4"), np.ones(5, np.float16),
        np.array([b"a", b"b"]), np.zeros(2, "m8"), np.zeros((3, 0)), np.array([["a", "b"]]), np.array([True, False]),
        np.array([2**64 - 1, 0], np.uint64), np.zeros(0, [("a", "i4")]), np.asfortranarray(np.ones((50, 60))), np.ones((5, 5), np.longdouble),
        np.array(["10000-01-01"], "M8[D]"),
    ],
)  # fmt: skip
def test_any_array_is_shown(array) -> None:
    shown(array)


def test_masked_values_are_counted_and_left_out() -> None:
    [made] = show_masked(np.ma.array([1.0, 2, 3, 1e9], mask=[0, 0, 0, 1]))
    assert "25 %" in made.content
    assert "e+09" not in made.content
    assert "1,000,000,000" not in made.content
    for array in (np.ma.array(np.ones((3, 3), order="F")), np.ma.zeros(0), np.ma.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")])):
        assert [each.kind for each in show_masked(array)] == ["html"]


def test_the_materializers_visualize() -> None:
    assert [each.title for each in ArrayMaterializer().visualize(np.ones(3))] == ["Array"]
    assert [each.title for each in MaskedArrayMaterializer().visualize(np.ma.ones(3))] == ["Masked array"]
    data = ScalarMaterializer().dumps(np.float32(0.5))
    assert [each.content for each in ScalarMaterializer().preview((), lambda path: data)] == ["0.5"]


def test_an_array_of_any_size_is_looked_at_in_a_sample_only() -> None:
    """A thousand times the elements take about the same time."""
    times = []
    for array in (np.ones((200, 200)), np.ones((6000, 6000))):
        list(show_array(array))
        clock = time.process_time()
        for _ in range(3):
            list(show_array(array))
        times.append(time.process_time() - clock)
    assert times[1] < 5 * times[0] + 0.2


def test_pictures_are_small() -> None:
    noise = RNG.integers(0, 256, (4000, 4000, 4), dtype=np.uint8)
    assert len(image(noise)) < 450_000
    assert array_view.SIDE == 320
