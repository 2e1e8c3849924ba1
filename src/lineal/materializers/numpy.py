"""numpy: arrays, masked arrays and scalars as `.npy`, never with pickle inside.

An array comes back with its exact dtype (byte order and padding included), shape and memory order. What is not contiguous becomes
so in C order. Large arrays come back mapped copy-on-write. Arrays of Python objects are declined: they go to the fallback, by policy.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from lineal.materializers.array_summary import summary
from lineal.materializers.array_view import show_array, show_masked
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.mapped import MAP_FROM
from lineal.materializers.npy import (
    HEADER_LIMIT,
    Array,
    ScalarMaterializer,
    canonical,
    check_written,
    declined,
    storable,
    version_of,
    write_to,
)
from lineal.model.records import Json
from lineal.model.visualization import Visualization

EXACT_LIMIT = 1_000_000
"""Number of elements up to which statistics are exact."""


def _write(array: Array, path: Path) -> None:
    with path.open("wb") as file:
        write_to(file, array)
        check_written(file)


def _read(path: Path) -> Array:
    mode: Any = "c" if path.stat().st_size >= MAP_FROM else None
    array: Array = np.load(path, mmap_mode=mode, allow_pickle=False, max_header_size=HEADER_LIMIT)
    # A plain array over the mapping: the memmap class would show in results, in reprs and in type checks.
    return array if type(array) is np.ndarray else array.view(np.ndarray)


def _scalar(path: Path) -> Any:
    return _read(path)[()]


class ArrayMaterializer(Materializer):
    """Saves an array as `data.npy`. A `numpy.memmap` is saved by its values and comes back as an array."""

    id = "numpy.ndarray/1"
    types = (np.ndarray, np.memmap)

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types and storable(value.dtype)

    def save(self, value: Any, folder: Path) -> None:
        if not self.accepts(value):
            raise declined(value)
        with (folder / "data.npy").open("wb") as file:  # not through _write: the route of a value counts its frames
            npy.write_array(file, canonical(np.asarray(value)), version=version_of(value.dtype), allow_pickle=False)
            check_written(file)

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
            raise declined(value)
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


def array_facts(value: Array) -> Mapping[str, Json]:
    """Give shape, dtype, size and statistics of an array."""
    return {"shape": list(value.shape), "dtype": str(value.dtype), "nbytes": value.nbytes, **summary(value, EXACT_LIMIT)}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ArrayMaterializer, MaskedArrayMaterializer, ScalarMaterializer)
