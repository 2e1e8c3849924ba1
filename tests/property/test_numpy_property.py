"""Arrays of any dtype, shape and layout: what is saved comes back exactly, and the bytes depend on the values alone."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from lineal.materializers.npy import ScalarMaterializer
from lineal.materializers.numpy import ArrayMaterializer

NUMBERS = (
    npst.boolean_dtypes()
    | npst.integer_dtypes(endianness="?")
    | npst.floating_dtypes(endianness="?")
    | npst.complex_number_dtypes(endianness="?")
)
TIMES = npst.datetime64_dtypes(endianness="?") | npst.timedelta64_dtypes(endianness="?")
FLAT = NUMBERS | TIMES | npst.byte_string_dtypes(min_len=1, max_len=5) | npst.unicode_string_dtypes(min_len=1, max_len=5, endianness="?")
DTYPES = FLAT | npst.array_dtypes(FLAT, max_size=3, allow_subarrays=True)
SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
ARRAYS = npst.arrays(DTYPES, SHAPES)


def octets(array: Any) -> Any:
    """Give the elements as bytes: two NaNs of other bits are told apart, and NaN equals itself."""
    return [array[name].tobytes() for name in array.dtype.names] if array.dtype.names else array.tobytes()


def saved(array: Any, folder: Path) -> bytes:
    """Give the bytes of the file of an array."""
    ArrayMaterializer().save(array, folder)
    return (folder / "data.npy").read_bytes()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(ARRAYS, st.sampled_from("CF"), st.data())
def test_round_trip(array: Any, order: Any, data: st.DataObject) -> None:
    """Dtype, shape, order and every bit come back, and an equal array in another place or layout gives the same file."""
    array = np.array(array, order=order)
    with TemporaryDirectory() as name:
        folder = Path(name)
        written = saved(array, folder)
        back = ArrayMaterializer().load(folder, None)
        assert (type(back), back.dtype, back.shape) == (np.ndarray, array.dtype, array.shape)
        assert back.flags.fnc == array.flags.fnc
        assert back.flags.writeable
        assert octets(back) == octets(array)
        assert saved(back, folder) == written
        if array.ndim and order == "C":
            spread = np.repeat(array, 2, axis=data.draw(st.integers(0, array.ndim - 1), label="axis"))
            view = spread[
                tuple(slice(None, None, 2 if wide != near else None) for wide, near in zip(spread.shape, array.shape, strict=True))
            ]
            assert saved(view, folder) == written
        ArrayMaterializer().metadata(array)


@given(npst.arrays(FLAT, ()))
def test_scalars_round_trip(array: Any) -> None:
    """A scalar comes back of the same type and dtype, bit by bit."""
    scalar = array[()]
    back = ScalarMaterializer().loads(ScalarMaterializer().dumps(scalar), None)
    assert (type(back), back.dtype) == (type(scalar), scalar.dtype)
    assert back.tobytes() == scalar.tobytes()
