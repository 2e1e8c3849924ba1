"""scipy: sparse arrays and matrices of every format as `data.npz`, without pickle.

For the formats that `scipy.sparse.load_npz` knows, it opens the file; dok and lil are stored in the same manner. The class, the
format, the dtypes and the parts of a matrix (order of indices, duplicates, explicit zeros) come back exactly. The entries of a dok
come back sorted, since it has no order of its own, and the numbers in the lists of a lil come back as Python's.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import scipy.sparse as sp

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.array_summary import summary
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.npy import canonical, storable
from lineal.materializers.scipy_view import show_sparse
from lineal.model.records import Json
from lineal.model.visualization import Visualization

Array: TypeAlias = np.ndarray[Any, Any]

FILENAME = "data.npz"

FACTS_ELEMENTS = 100_000
"""Number of stored elements up to which facts are exact; more are sampled."""

_UNIX = 3
_FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
_CLASSES: Mapping[tuple[str, bool], Any] = {
    (name, is_array): getattr(sp, f"{name}_{'array' if is_array else 'matrix'}") for name in _FORMATS for is_array in (True, False)
}


class SparseMaterializer(Materializer):
    """Saves a sparse array or matrix of any format."""

    id = "scipy.sparse/1"
    types = tuple(_CLASSES.values())

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types and storable(value.dtype)

    def save(self, value: Any, folder: Path) -> None:
        if not self.accepts(value):
            raise NoMaterializer(f"{self.id} saves exactly scipy's own sparse classes, not a {type(value).__qualname__} of {value.dtype}")
        parts = {
            **_PARTS[value.format](value),
            "format": np.array(value.format.encode("ascii")),
            "shape": np.array(value.shape, np.int64),
            "_is_array": np.array(isinstance(value, sp.sparray)),
        }
        _write(folder / FILENAME, parts)

    def load(self, folder: Path, type_: Any) -> Any:
        with np.load(folder / FILENAME, allow_pickle=False) as parts:
            kind = parts["format"].item().decode("ascii"), bool(parts["_is_array"])
            if kind not in _CLASSES:
                raise MaterializerError(f"{FILENAME} has the sparse format {kind[0]!r:.80}; known are {', '.join(_FORMATS)}")
            return _MAKERS[kind[0]](_CLASSES[kind], tuple(parts["shape"].tolist()), parts)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        stored = int(value.nnz)
        data = value.data if value.format in ("csr", "csc", "coo", "bsr", "dia") else np.zeros(0)
        return {
            "shape": list(value.shape),
            "dtype": str(value.dtype),
            "format": value.format,
            "nnz": stored,
            **summary(data, FACTS_ELEMENTS),
        }

    def visualize(self, value: Any) -> Iterator[Visualization]:
        return show_sparse(value)


def _write(path: Path, parts: Mapping[str, Array]) -> None:
    """Write arrays as `numpy.savez` does, without the date and the system."""
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for name, array in parts.items():
            entry = ZipInfo(f"{name}.npy")  # dated 1980
            entry.create_system = _UNIX
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, canonical(np.asarray(array)), allow_pickle=False)


# From a matrix to its parts


def _compressed_parts(value: Any) -> dict[str, Array]:
    return {"indices": value.indices, "indptr": value.indptr, "data": value.data}


def _coordinate_parts(value: Any) -> dict[str, Array]:
    if len(value.shape) == 2:
        row, column = value.coords
        return {"row": row, "col": column, "data": value.data}
    return {"coords": np.array(value.coords), "data": value.data}


def _dictionary_parts(value: Any) -> dict[str, Array]:
    found = value.tocoo()
    order = np.lexsort(found.coords[::-1])
    return {"coords": np.array([each[order] for each in found.coords]), "data": found.data[order]}


_PARTS: Mapping[str, Callable[[Any], dict[str, Array]]] = {
    "bsr": _compressed_parts,
    "csc": _compressed_parts,
    "csr": _compressed_parts,
    "coo": _coordinate_parts,
    "dia": lambda value: {"offsets": value.offsets, "data": value.data},
    "dok": _dictionary_parts,
    "lil": lambda value: _coordinate_parts(value.tocoo()),
}


# From the parts to the matrix


def _compressed(cls: Any, shape: tuple[int, ...], parts: Any) -> Any:
    data = parts["data"]
    made = cls(shape, dtype=data.dtype, **({"blocksize": data.shape[1:]} if cls.__name__.startswith("bsr") else {}))
    # Set one by one: the constructor would narrow the indices.
    made.data, made.indices, made.indptr = data, parts["indices"], parts["indptr"]
    return made


def _coordinates(cls: Any, shape: tuple[int, ...], parts: Any) -> Any:
    data = parts["data"]
    made = cls(shape, dtype=data.dtype)
    made.coords = (parts["row"], parts["col"]) if "row" in parts else tuple(parts["coords"])
    made.data = data
    return made


def _diagonals(cls: Any, shape: tuple[int, ...], parts: Any) -> Any:
    made = cls(shape, dtype=parts["data"].dtype)
    made.data, made.offsets = parts["data"], parts["offsets"]
    return made


def _converted(cls: Any, shape: tuple[int, ...], parts: Any) -> Any:
    return cls(_coordinates(sp.coo_array, shape, parts))


_MAKERS: Mapping[str, Callable[[Any, tuple[int, ...], Any], Any]] = {
    "bsr": _compressed,
    "csc": _compressed,
    "csr": _compressed,
    "coo": _coordinates,
    "dia": _diagonals,
    "dok": _converted,
    "lil": _converted,
}

MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (SparseMaterializer,)
