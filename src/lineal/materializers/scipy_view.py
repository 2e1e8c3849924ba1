"""Shows sparse matrices: shape, density, and a picture of where the stored elements lie."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from lineal.materializers import markup
from lineal.materializers.array_view import heat_map, show_histogram
from lineal.model.text import size_text
from lineal.model.visualization import Visualization

CELLS: Final = 160
"""Rows and columns of the picture."""

ELEMENTS: Final = 200_000
"""Stored elements that are looked at."""


def show_sparse(value: Any) -> Iterator[Visualization]:
    """Give the visualizations of a sparse array or matrix."""
    cells = float(np.prod([float(each) for each in value.shape]))
    facts = {
        "shape": f" {markup.TIMES} ".join(f"{each:,}" for each in value.shape),
        "dtype": str(value.dtype),
        "format": value.format,
        "stored": f"{value.nnz:,}" + (f" ({markup.percent_text(value.nnz / cells)} of all)" if cells else ""),
        "size": size_text(sum(int(each.nbytes) for each in vars(value).values() if isinstance(each, np.ndarray))),
    }
    histogram = show_histogram(value.data) if value.format in ("csr", "csc", "coo", "bsr") else ""
    yield markup.page(markup.beside(markup.facts(facts), histogram), title="Sparse array")
    places = _places(value) if len(value.shape) == 2 and value.nnz and cells else None
    if places is not None:
        yield Visualization("image", heat_map(_density(*places, value.shape)), "Where elements are stored")


def _places(value: Any) -> tuple[Any, Any] | None:
    """Give row and column of the stored elements, of a large matrix of some; None for formats that would have to be converted whole."""
    step = -(-int(value.nnz) // ELEMENTS)
    if value.format == "coo":
        rows, columns = value.coords if hasattr(value, "coords") else (value.row, value.col)
        return rows[::step], columns[::step]
    if value.format in ("csr", "csc"):
        minor = value.indices[::step]
        major = np.searchsorted(value.indptr, np.arange(0, len(value.indices), step), side="right") - 1
        return (major, minor) if value.format == "csr" else (minor, major)
    if value.nnz <= ELEMENTS:
        found = value.tocoo()
        return found.coords if hasattr(found, "coords") else (found.row, found.col)
    return None


def _density(rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
    height, width = min(CELLS, shape[0]), min(CELLS, shape[1])
    counts, _, _ = np.histogram2d(
        rows * (height / shape[0]), columns * (width / shape[1]), bins=(height, width), range=((0, height), (0, width))
    )
    return np.where(counts > 0, np.log1p(counts), np.nan)
