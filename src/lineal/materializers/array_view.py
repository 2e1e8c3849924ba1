"""Shows arrays: shape, dtype, statistics and a histogram, a table of the columns of a narrow one, a picture of one that is an image.

Everything is taken from a sample at equal steps, so an array of any size costs the same few milliseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from lineal.materializers import markup, png, table_view
from lineal.materializers.array_summary import summary
from lineal.materializers.markup import number_text
from lineal.materializers.table_view import Column, Table
from lineal.model.text import size_text
from lineal.model.visualization import Visualization

Array: TypeAlias = np.ndarray[Any, Any]

SAMPLE: Final = 20_000
"""Elements that are looked at."""

NARROW: Final = 30
"""Columns up to which a matrix is shown as a table."""

SIDE: Final = 320
"""Pixels of the longer side of a picture."""

_BINS = 40
_SMALLEST_IMAGE = 8
_NUMBERS = "iufmM"
# The map "viridis": even steps of brightness, also for those who see fewer colours.
_COLOURS = np.array(
    [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]],
    dtype=np.float64,
)  # fmt: skip


def show_array(value: Any, title: str = "Array") -> Iterator[Visualization]:
    """Give the visualizations of an array."""
    array = np.asarray(value)
    facts = {
        "shape": _shape(array.shape),
        "dtype": str(array.dtype),
        "size": size_text(array.nbytes),
        **_statistics(array),
    }
    table = _as_table(array)
    if table is not None:
        histogram = show_histogram(array) if array.ndim == 1 else ""  # of a matrix each column has its own
        yield markup.page(markup.beside(markup.facts(facts), histogram), table_view.content(table), title=title)
        return
    values = _values(array) if array.dtype.kind in "biufcmM" and array.size and not _is_image(array) else ""
    yield markup.page(markup.beside(markup.facts(facts), show_histogram(array)), values, title=title)
    yield from _pictures(array)


def show_masked(value: Any) -> Iterator[Visualization]:
    """Give the visualizations of a masked array; what is masked is missing."""
    step = max(-(-value.size // SAMPLE), 1)
    seen = np.asarray(value.data).flat[::step]
    hidden = np.zeros(seen.shape, bool) if value.mask is np.ma.nomask else value.mask.flat[::step]
    facts = {"shape": _shape(value.shape), "dtype": str(value.dtype), "size": size_text(value.nbytes)}
    if value.dtype.names is None and value.size:
        facts["masked"] = markup.percent_text(float(np.mean(hidden)))
        present = seen[~hidden]
        shown = markup.beside(markup.facts({**facts, **_statistics(present)}), show_histogram(present))
        yield markup.page(shown, title="Masked array")
    else:
        yield markup.page(markup.facts(facts), title="Masked array")


def show_histogram(array: Array) -> str:
    """Give the histogram of all numbers or times of an array that are finite, over their bounds; empty when there are none."""
    if array.dtype.kind not in _NUMBERS or not array.size:
        return ""
    sample = _sampled(array)
    if sample.dtype.kind in "mM":
        sample, unit = sample[~np.isnat(sample)], sample.dtype
        numbers = sample.view(np.int64).astype(np.float64)
    else:
        unit = None
        numbers = sample.astype(np.float64)
        numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return ""
    low, high = float(numbers.min()), float(numbers.max())
    if low == high or not np.isfinite(high - low):
        return ""
    counts, _ = np.histogram(numbers, bins=_BINS, range=(low, high))
    bounds = [number_text(each, 4) for each in (low, high)] if unit is None else [str(each) for each in (sample.min(), sample.max())]
    return f'<div style="margin:8px 0 0">{markup.histogram(counts.tolist(), 420, 80)}</div>' + markup.note(" … ".join(bounds))


def heat_map(matrix: Array) -> bytes:
    """Give a picture of a matrix of numbers, dark for the smallest and light for the largest; what is not finite is transparent."""
    grid = _thinned(matrix, SIDE, SIDE).astype(np.float64)
    finite = np.isfinite(grid)
    low, high = (float(grid[finite].min()), float(grid[finite].max())) if finite.any() else (0.0, 0.0)
    with np.errstate(all="ignore"):
        scaled = np.where(finite, grid / (high - low) - low / (high - low), 0.0) if high > low else np.zeros_like(grid)
    position = np.clip(np.nan_to_num(scaled), 0, 1) * (len(_COLOURS) - 1)
    picture = np.empty((*grid.shape, 4), np.uint8)
    for channel in range(3):
        picture[..., channel] = np.interp(position, np.arange(len(_COLOURS)), _COLOURS[:, channel])
    picture[..., 3] = np.where(finite, 255, 0)
    return _png(picture)


def image(pixels: Array) -> bytes:
    """Give the picture of an image: (height, width) or (height, width, 1, 3 or 4), of bytes, booleans, or floats from 0 to 1."""
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    longest = max(pixels.shape[:2])
    height, width = (max(side * min(SIDE, longest) // longest, 1) for side in pixels.shape[:2])
    grid = _thinned(pixels, height, width)
    if grid.dtype.kind == "f":
        grid = np.clip(np.nan_to_num(grid.astype(np.float64)), 0, 1) * 255
    elif grid.dtype.kind == "b":
        grid = grid * np.uint8(255)
    return _png(grid.astype(np.uint8))


def _statistics(array: Array) -> Mapping[str, object]:
    if array.dtype.kind == "b" and array.size:
        return {"true": markup.percent_text(float(_sampled(array).mean()))}
    found = summary(array, SAMPLE)
    shown: dict[str, object] = {name: _number(found[name]) for name in ("min", "max", "mean", "std") if name in found}
    if found.get("missing"):
        seen = min(array.size, SAMPLE)
        shown["missing"] = f"{markup.percent_text(int(str(found['missing'])) / seen)}"
    if shown and found.get("sampled"):
        shown["basis"] = f"a sample of {len(_sampled(array)):,} values"
    return shown


def _number(value: object) -> str:
    return number_text(value) if isinstance(value, int | float) else str(value)


def _shape(shape: Sequence[int]) -> str:
    return f" {markup.TIMES} ".join(f"{each:,}" for each in shape) or "a single value"


def _sampled(array: Array) -> Array:
    return array.flat[:: -(-array.size // SAMPLE)] if array.size > SAMPLE else array.reshape(-1)


def _as_table(array: Array) -> Table | None:
    if array.dtype.names is not None:
        columns = [(str(name), array.reshape(-1)[name]) for name in array.dtype.names]
    elif array.dtype.kind in "SUO" and array.ndim == 1:
        columns = [("values", array)]
    elif array.ndim == 2 and 0 < array.shape[1] <= NARROW and len(array) > 1 and not _is_image(array):
        columns = [(str(place), array[:, place]) for place in range(array.shape[1])]
    else:
        return None
    shown = [_column(name, column) for name, column in columns[: table_view.COLUMNS]]
    rows = array.size if array.dtype.names is not None else len(array)
    labels = Column("", "", table_view.shown_rows(rows), ())
    return Table(rows, len(columns), (labels,), shown)


def _column(name: str, values: Array) -> Column:
    sample = values[table_view.sampled_rows(len(values), values.itemsize)]
    return Column(name, str(values.dtype), _plain(values[table_view.shown_rows(len(values))]), _plain(sample))


def _plain(values: Array) -> list[Any]:
    if values.dtype.kind in "mM" and np.datetime_data(values.dtype)[0] != "generic":
        values = values.astype(f"{values.dtype.kind}8[us]")  # as Python's own times
    return list(values.tolist())


def _values(array: Array) -> str:
    text = np.array2string(array, threshold=60, edgeitems=3, max_line_width=100, precision=5)
    return f'<pre style="{markup.PRE}">{markup.escaped_lines(text)}</pre>'


def _pictures(array: Array) -> Iterator[Visualization]:
    if _is_image(array):
        yield Visualization("image", image(array), f"Image, {array.shape[1]:,} {markup.TIMES} {array.shape[0]:,}")
    elif array.ndim == 2 and array.dtype.kind in "biuf" and min(array.shape) > 1:
        yield Visualization("image", heat_map(array), "Heat map")


def _is_image(array: Array) -> bool:
    if array.ndim not in (2, 3) or min(array.shape[:2]) < _SMALLEST_IMAGE:
        return False
    if array.ndim == 2:
        return array.dtype in (np.uint8, np.bool_)
    if array.shape[2] not in (1, 3, 4):
        return False
    if array.dtype.kind == "f":
        sample = _sampled(array)
        return bool(np.all((sample >= 0) & (sample <= 1)))
    return array.dtype in (np.uint8, np.bool_)


def _thinned(array: Array, height: int, width: int) -> Array:
    """Give so many of the rows and columns at equal steps; or each of them several times when there are few."""
    for axis, wanted in enumerate((height, width)):
        length = array.shape[axis]
        if length > wanted:
            array = array.take(np.arange(wanted) * length // wanted, axis=axis)
    larger = min(SIDE // max(array.shape[:2]), 16)
    return array.repeat(larger, axis=0).repeat(larger, axis=1) if larger > 1 else array


def _png(picture: Array) -> bytes:
    height, width, channels = picture.shape
    return png.encode(np.ascontiguousarray(picture).tobytes(), width, height, channels)
