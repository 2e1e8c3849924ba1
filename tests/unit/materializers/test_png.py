"""PNG images without an imaging library."""

import io

import pytest
from PIL import Image

from lineal.materializers.png import encode


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_another_reader_sees_the_same_pixels(channels: int, mode: str) -> None:
    rows = bytes(range(5 * 7 * channels))
    image = Image.open(io.BytesIO(encode(rows, 5, 7, channels)))
    assert (image.mode, image.size, image.tobytes()) == (mode, (5, 7), rows)


@pytest.mark.parametrize(("size", "width", "height"), [(0, 0, 0), (5, 2, 2), (4, 4, 0)])
def test_what_is_no_image_is_refused(size: int, width: int, height: int) -> None:
    with pytest.raises(ValueError, match="are no image of"):
        encode(bytes(size), width, height, 1)
