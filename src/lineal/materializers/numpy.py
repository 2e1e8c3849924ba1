"""numpy: arrays, masked arrays and scalars as `.npy`, never with pickle inside.

An array comes back with its exact dtype (byte order and padding included), shape and memory order. What is not contiguous becomes
so in C order. Large arrays come back mapped copy-on-write. Arrays of Python objects are declined: they go to the fallback, by policy.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar, TypeAlias

import numpy as np
from numpy.lib import format as npy

from lineal.errors import NoMaterializer
from lineal.materializers.array_summary import summary
from lineal.materializers.array_view import show_array, show_masked
from lineal.materializers.base import AnyMaterializer, BytesMaterializer, Materializer
from lineal.materializers.mapped import MAP_FROM
from lineal.model.records import FileEntry, Json
from lineal.model.visualization import Visualization

Array: TypeAlias = np.ndarray[Any, Any]

EXACT_LIMIT = 1_000_000
"""Number of elements up to which statistics are exact."""

_HEADER_LIMIT = 1 << 24  # a record of many thousand fields; the header is a literal, and the bytes have been checked

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


def _write(array: Array, path: Path) -> None:
    with path.open("wb") as file:
        _write_to(file, array)


def _write_to(file: IO[bytes], array: Array) -> None:
    npy.write_array(file, canonical(array), version=_version(array.dtype), allow_pickle=False)


def _version(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Give the version of the format that has room for the names of fields. Left to itself numpy warns at a later one."""
    if dtype.names is None:
        return (1, 0)
    header = repr(npy.dtype_to_descr(dtype))
    return (1, 0) if header.isascii() and len(header) < _HEADER_1 else (3, 0)


def _read(path: Path) -> Array:
    mode: Any = "c" if path.stat().st_size >= MAP_FROM else None
    array: Array = np.load(path, mmap_mode=mode, allow_pickle=False, max_header_size=_HEADER_LIMIT)
    # A plain array over the mapping: the memmap class would show in results, in reprs and in type checks.
    return array if type(array) is np.ndarray else array.view(np.ndarray)


def _scalar(path: Path) -> Any:
    return _read(path)[()]


def _declined(value: Any) -> NoMaterializer:
    return NoMaterializer(
        f"an array of dtype {value.dtype} holds what .npy cannot store without pickle; convert it to a dtype of numbers, text, bytes "
        f'or times, or let the fallback keep it (setting pickle = "own")'
    )


class ArrayMaterializer(Materializer):
    """Saves an array as `data.npy`. A `numpy.memmap` is saved by its values and comes back as an array."""

    id = "numpy.ndarray/1"
    types = (np.ndarray, np.memmap)

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types and storable(value.dtype)

    def save(self, value: Any, folder: Path) -> None:
        if not self.accepts(value):
            raise _declined(value)
        with (folder / "data.npy").open("wb") as file:  # not through _write: the route of a value counts its frames
            npy.write_array(file, canonical(np.asarray(value)), version=_version(value.dtype), allow_pickle=False)

    def load(self, folder: Path, type_: Any) -> Array:
        return _read(folder / "data.npy")

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return array_facts(value)

    def visualize(self, value: Any) -> Iterator[Visualization]:
        return show_array(value)


class MaskedArrayMaterializer(Materializer):
    """Saves a masked array: `data.npy` (values under the mask too), `mask.json`, `mask.npy` when there is a mask, `fill_value.npy` when it
    is not the default of the dtype."""

    id = "numpy.ma/1"
    types = (np.ma.MaskedArray,)

    def accepts(self, value: Any) -> bool:
        return type(value) is np.ma.MaskedArray and type(value.data) is np.ndarray and storable(value.dtype)

    def save(self, value: Any, folder: Path) -> None:
        if not self.accepts(value):
            raise _declined(value)
        _write(value.data, folder / "data.npy")
        fill = np.asarray(value.fill_value)
        usual = np.asarray(np.ma.default_fill_value(value))
        if fill.dtype != usual.dtype or fill.tobytes() != usual.tobytes():
            _write(fill, folder / "fill_value.npy")
        if value.mask is not np.ma.nomask:
            _write(value.mask, folder / "mask.npy")
        (folder / "mask.json").write_text(json.dumps({"hard": bool(value.hardmask)}), encoding="utf-8")

    def load(self, folder: Path, type_: Any) -> Any:
        mask, fill = folder / "mask.npy", folder / "fill_value.npy"
        value: Any = np.ma.MaskedArray(
            _read(folder / "data.npy"),
            mask=_read(mask) if mask.exists() else np.ma.nomask,
            fill_value=_scalar(fill) if fill.exists() else None,
            hard_mask=json.loads((folder / "mask.json").read_bytes())["hard"],
            copy=False,
        )
        value.unshare_mask()
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        masked = int(np.count_nonzero(np.ma.getmaskarray(value))) if value.dtype.names is None else None
        return {"shape": list(value.shape), "dtype": str(value.dtype), "nbytes": value.nbytes, "masked": masked}

    def visualize(self, value: Any) -> Iterator[Visualization]:
        return show_masked(value)


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
            raise _declined(value)
        out = io.BytesIO()
        _write_to(out, np.asarray(value))
        return out.getvalue()

    def loads(self, data: bytes, type_: Any) -> Any:
        return np.load(io.BytesIO(data), allow_pickle=False, max_header_size=_HEADER_LIMIT)[()]

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"dtype": str(value.dtype), "value": str(value)[:200]}

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        return [Visualization("text", str(self.loads(read(self.filename), None)))]


def array_facts(value: Array) -> Mapping[str, Json]:
    """Give shape, dtype, size and statistics of an array."""
    return {"shape": list(value.shape), "dtype": str(value.dtype), "nbytes": value.nbytes, **summary(value, EXACT_LIMIT)}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ArrayMaterializer, MaskedArrayMaterializer, ScalarMaterializer)
