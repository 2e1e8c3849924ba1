"""The `.npy` format: which dtypes it gives back exactly, bytes that depend on the values alone, and scalars.

Apart from the arrays (`numpy.py`), because tables and other formats hold single numpy values and need nothing else of numpy's.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, ClassVar, TypeAlias

import numpy as np
from numpy.lib import format as npy

from lineal.errors import NoMaterializer
from lineal.materializers.base import BytesMaterializer
from lineal.model.records import FileEntry, Json
from lineal.model.visualization import Visualization

Array: TypeAlias = np.ndarray[Any, Any]

HEADER_LIMIT = 1 << 24  # a record of many thousand fields; the header is a literal, and the bytes have been checked

_HEADER_1 = 60_000  # the first version of the format has room for 65,535 bytes, in Latin-1

# The x87 number fills 10 of its 16 (or 12) bytes; what lies in the rest is left over from other uses of the memory.
_EXTENDED_BYTES = 10 if np.finfo(np.longdouble).nmant == 63 else np.dtype(np.longdouble).itemsize


def storable(dtype: np.dtype[Any]) -> bool:
    """Tell whether `.npy` gives this dtype back exactly, without pickle."""
    if dtype.hasobject or dtype.kind not in "biufcmMSUV" or dtype.metadata:
        return False
    try:
        return bool(npy.descr_to_dtype(npy.dtype_to_descr(dtype)) == dtype)
    except (TypeError, ValueError):  # fields that overlap cannot be described
        return False


def canonical(array: Array) -> Array:
    """Give an array whose bytes depend on its values alone: bytes between and behind the values are zero."""
    return _clean_copy(array) if _has_padding(array.dtype) else array


def _has_padding(dtype: np.dtype[Any]) -> bool:
    if dtype.subdtype is not None:
        return _has_padding(dtype.subdtype[0])
    if dtype.fields:
        used = sum(field[0].itemsize for field in dtype.fields.values())
        return used != dtype.itemsize or any(_has_padding(field[0]) for field in dtype.fields.values())
    return dtype.char in "gG" and np.dtype(np.longdouble).itemsize != _EXTENDED_BYTES


def _clean_copy(array: Array) -> Array:
    clean: Array = np.zeros(array.shape, array.dtype, order="F" if array.flags.fnc else "C")
    _copy_values(array, clean)
    return clean


def _copy_values(source: Array, target: Array) -> None:
    if source.dtype.names is not None:
        for name in source.dtype.names:  # a plain assignment of records copies the padding too
            _copy_values(source[name], target[name])
        return
    target[...] = source
    if _has_padding(source.dtype):
        # Not reachable by a view of the whole: a field's strides step over its neighbours.
        for part in (target,) if source.dtype.char == "g" else (target.real, target.imag):
            _zero_tails(part)


def _zero_tails(part: Array) -> None:
    width = part.dtype.itemsize
    tails = np.lib.stride_tricks.as_strided(part.view(), (*part.shape, 1), (*part.strides, width))
    octets = tails.view(np.uint8)
    start, stop = (0, width - _EXTENDED_BYTES) if part.dtype.byteorder == ">" else (_EXTENDED_BYTES, width)
    octets[..., start:stop] = 0


def write_to(file: IO[bytes], array: Array) -> None:
    """Write an array in its canonical form."""
    npy.write_array(file, canonical(array), version=version_of(array.dtype), allow_pickle=False)


def check_written(file: IO[bytes]) -> None:
    """Raise OSError when a file is shorter than what NumPy wrote to it.

    The end of an array is in a buffer of the C library until NumPy closes its own copy of the file, and whether that worked it does not ask:
    on a full disk an array would be saved without its end.
    """
    place, size = file.tell(), os.fstat(file.fileno()).st_size
    if size < place:
        raise OSError(f"{place} requested and {size} written")  # in NumPy's own words for what it does notice


def version_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Give the version of the format that has room for the names of fields. Left to itself numpy warns at a later one."""
    if dtype.names is None:
        return (1, 0)
    header = repr(npy.dtype_to_descr(dtype))
    return (1, 0) if header.isascii() and len(header) < _HEADER_1 else (3, 0)


def declined(value: Any) -> NoMaterializer:
    """Give the error that says why an array or scalar cannot be held."""
    return NoMaterializer(
        f"an array of dtype {value.dtype} holds what .npy cannot store without pickle; convert it to a dtype of numbers, text, bytes "
        f'or times, or let the fallback keep it (setting pickle = "own")'
    )


class ScalarMaterializer(BytesMaterializer):
    """Saves a numpy scalar as an `.npy` of no dimensions; the dtype comes back exactly."""

    id = "numpy.scalar/1"
    filename: ClassVar[str] = "data.npy"
    # Those that are also a str, bytes, float or complex are named: by their bases they are Python's before they are numpy's.
    types = (np.generic, np.float64, np.complex128, np.str_, np.bytes_)

    def accepts(self, value: Any) -> bool:
        return type(value) is value.dtype.type and storable(value.dtype)

    def dumps(self, value: Any) -> bytes:
        if not self.accepts(value):
            raise declined(value)
        out = io.BytesIO()
        write_to(out, np.asarray(value))
        return out.getvalue()

    def loads(self, data: bytes, type_: Any) -> Any:
        return np.load(io.BytesIO(data), allow_pickle=False, max_header_size=HEADER_LIMIT)[()]

    def metadata(self, value: Any) -> Mapping[str, Json]:
        plain = value.item() if value.dtype.kind in "biuf" and value.dtype.itemsize <= 8 and np.isfinite(value) else str(value)[:200]
        return {"dtype": str(value.dtype), "value": plain}

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        return [Visualization("text", str(self.loads(read(self.filename), None)))]
