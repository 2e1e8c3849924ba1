"""pandas: frames, series and indexes as Arrow IPC files (`data.arrow`), or as Parquet by setting.

Everything comes back exactly: dtypes, labels of any type, all kinds of index, names, attrs, and each kind of missing value. Equal
frames give equal bytes. Columns of fixed width without gaps load as copy-on-write memory over the file, whatever their size.
What Arrow and typed JSON cannot hold exactly (sparse columns, arbitrary objects) is declined and left to the fallback.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from lineal.errors import NoMaterializer
from lineal.materializers import arrow_ipc, pandas_axes, pandas_cells, pandas_view, parquet
from lineal.materializers.array_summary import summary
from lineal.materializers.arrow_ipc import Memory
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.pandas_columns import Spec, decode, encode, is_numpy, values_of
from lineal.model.records import Json
from lineal.model.visualization import Visualization

MANY_BLOCKS = 100
"""Number of blocks above which pandas warns, at each new column, that a frame is fragmented."""

FACTS_COLUMNS = 200
"""Number of columns of which facts are recorded."""

FACTS_ROWS = 10_000
"""Number of rows up to which facts are exact; more are sampled."""

_INDEX_TYPES = (
    pd.Index,
    pd.RangeIndex,
    pd.MultiIndex,
    pd.DatetimeIndex,
    pd.TimedeltaIndex,
    pd.PeriodIndex,
    pd.IntervalIndex,
    pd.CategoricalIndex,
)


class _Table(Materializer):
    """Packs a value as Arrow arrays and a spec; the subclasses say how they make one and what the file is."""

    filename: ClassVar[str] = "data.arrow"

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types

    def save(self, value: Any, folder: Path) -> None:
        if not self.accepts(value):
            raise NoMaterializer(f"{self.id} saves exactly {self.types[0].__name__}, not its subclass {type(value).__qualname__}")
        spec, names, arrays = self.pack(value)
        self.write(folder / self.filename, spec, names, arrays)

    def load(self, folder: Path, type_: Any) -> Any:
        arrays, memory, spec = self.read(folder / self.filename)
        return self.unpack(spec, iter(arrays), memory)

    def write(self, path: Path, spec: Spec, names: Sequence[str], arrays: Sequence[Any]) -> None:
        """Write the file."""
        arrow_ipc.write(path, arrays, names, spec)

    def read(self, path: Path) -> tuple[Sequence[Any], Memory, Any]:
        """Read the arrays of the file, the memory that they lie in, and the spec."""
        return arrow_ipc.read(path)

    def pack(self, value: Any) -> tuple[Spec, list[str], list[Any]]:
        """Give the spec, the names and the Arrow arrays of a value."""
        raise TypeError(f"{type(self).__qualname__} has no pack()")

    def unpack(self, spec: Spec, arrays: Iterator[Any], memory: Memory) -> Any:
        """Give the value of what `pack` gave."""
        raise TypeError(f"{type(self).__qualname__} has no unpack()")


class IndexMaterializer(_Table):
    """Saves an index of any kind."""

    id = "pandas.Index/1"
    as_parquet = "pandas.Index.parquet/1"
    types = _INDEX_TYPES

    def pack(self, value: Any) -> tuple[Spec, list[str], list[Any]]:
        """Give the spec, the names and the Arrow arrays of an index."""
        spec, arrays = pandas_axes.encode(value, "the index")
        return {"index": spec}, _index_names(arrays), arrays

    def unpack(self, spec: Spec, arrays: Iterator[Any], memory: Memory) -> Any:
        """Give an index back."""
        return pandas_axes.decode(spec["index"], arrays, memory)

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [pandas_view.show_index(value)]

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"shape": list(value.shape), "type": type(value).__name__, "dtype": str(value.dtype), "nbytes": int(value.nbytes)}


class SeriesMaterializer(_Table):
    """Saves a Series with its index."""

    id = "pandas.Series/1"
    as_parquet = "pandas.Series.parquet/1"
    types = (pd.Series,)

    def pack(self, value: Any) -> tuple[Spec, list[str], list[Any]]:
        """Give the spec, the names and the Arrow arrays of a Series."""
        index, arrays = pandas_axes.encode(value.index, "the index")
        column, array = encode(values_of(value), "the series")
        name = pandas_cells.to_json(value.name, "the name of the series")
        return (
            {"index": index, "values": column, "name": name, **_extras(value)},
            [*_index_names(arrays), _text(value.name)],
            [*arrays, array],
        )

    def unpack(self, spec: Spec, arrays: Iterator[Any], memory: Memory) -> Any:
        """Give a Series back."""
        index = pandas_axes.decode(spec["index"], arrays, memory)
        values = decode(spec["values"], next(arrays), memory)
        series = pd.Series(values, index=index, dtype=values.dtype, name=pandas_cells.from_json(spec["name"]), copy=False)
        return _with_extras(series, spec)

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [pandas_view.show_series(value)]

    def metadata(self, value: Any) -> Mapping[str, Json]:
        values, nbytes = values_of(value), int(value.memory_usage())
        return {"shape": list(value.shape), "dtype": str(values.dtype), "nbytes": nbytes, **_facts(values)}


class FrameMaterializer(_Table):
    """Saves a DataFrame."""

    id = "pandas.DataFrame/1"
    as_parquet = "pandas.DataFrame.parquet/1"
    types = (pd.DataFrame,)

    def pack(self, value: Any) -> tuple[Spec, list[str], list[Any]]:
        """Give the spec, the names and the Arrow arrays of a DataFrame."""
        index, arrays = pandas_axes.encode(value.index, "the index")
        names, columns = _index_names(arrays), []
        for label, series in value.items():
            column, array = encode(values_of(series), f"the column {label!r:.60}")
            columns.append(column)
            arrays.append(array)
            names.append(_text(label))
        labels = pandas_axes.embed(value.columns, "the column labels")
        return {"index": index, "labels": labels, "columns": columns, **_extras(value)}, names, arrays

    def unpack(self, spec: Spec, arrays: Iterator[Any], memory: Memory) -> Any:
        """Give a DataFrame back."""
        index = pandas_axes.decode(spec["index"], arrays, memory)
        frame = _frame(spec["columns"], list(arrays), index, memory)
        frame.columns = pandas_axes.embedded(spec["labels"])
        return _with_extras(frame, spec)

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [pandas_view.show_frame(value)]

    def metadata(self, value: Any) -> Mapping[str, Json]:
        nbytes = int(value.index.memory_usage())
        columns: list[Json] = []
        for label, series in value.items():
            values = values_of(series)
            nbytes += int(values.nbytes)
            if len(columns) < FACTS_COLUMNS:
                columns.append({"name": _text(label), "dtype": str(values.dtype), **_facts(values)})
        return {"shape": list(value.shape), "nbytes": nbytes, "columns": columns}


class _Parquet(_Table):
    """Writes and reads the same arrays and spec as Parquet with zstd."""

    filename = parquet.FILENAME

    def write(self, path: Path, spec: Spec, names: Sequence[str], arrays: Sequence[Any]) -> None:
        parquet.write(path, arrays, names, spec)

    def read(self, path: Path) -> tuple[Sequence[Any], Memory, Any]:
        arrays, spec = parquet.read(path)
        return arrays, Memory(None), spec


class ParquetFrameMaterializer(_Parquet, FrameMaterializer):
    """Saves a DataFrame as `data.parquet`: smaller and slower."""

    id = "pandas.DataFrame.parquet/1"


class ParquetSeriesMaterializer(_Parquet, SeriesMaterializer):
    """Saves a Series as `data.parquet`: smaller and slower."""

    id = "pandas.Series.parquet/1"


class ParquetIndexMaterializer(_Parquet, IndexMaterializer):
    """Saves an index as `data.parquet`: smaller and slower."""

    id = "pandas.Index.parquet/1"


def _text(label: Any) -> str:
    return str(label).encode("utf-8", "backslashreplace").decode()


def _index_names(arrays: Sequence[Any]) -> list[str]:
    return [f"__index_level_{number}__" for number in range(len(arrays))]


def _extras(value: Any) -> Spec:
    extras: Spec = {}
    if value.attrs:
        extras["attrs"] = pandas_cells.to_json(value.attrs, "attrs")
    if not value.flags.allows_duplicate_labels:
        extras["unique_labels"] = True
    return extras


def _with_extras(value: Any, spec: Spec) -> Any:
    if "attrs" in spec:
        value.attrs = pandas_cells.from_json(spec["attrs"])
    if spec.get("unique_labels"):
        value.flags.allows_duplicate_labels = False
    return value


def _frame(specs: Sequence[Spec], arrays: Sequence[Any], index: Any, memory: Memory) -> Any:
    if len(specs) > MANY_BLOCKS:
        return _wide_frame(specs, arrays, index, memory)
    columns = {n: _column(spec, array, index, memory) for n, (spec, array) in enumerate(zip(specs, arrays, strict=True))}
    return pd.DataFrame(columns, index=index, copy=False)


def _column(spec: Spec, array: Any, index: Any, memory: Memory) -> Any:
    values = decode(spec, array, memory)
    # Without the dtype pandas 3 would look whether an array of objects holds only text.
    return pd.Series(values, index=index, dtype=object, copy=False) if values.dtype == np.dtype(object) else values


def _wide_frame(specs: Sequence[Spec], arrays: Sequence[Any], index: Any, memory: Memory) -> Any:
    """Give a frame in which neighbours of one dtype share a block, as pandas makes them, without copying them."""
    pieces, start = [], 0
    while start < len(specs):
        stop = start + 1
        while stop < len(specs) and specs[stop] == specs[start] and is_numpy(specs[start]):
            stop += 1
        matrix = memory.table(arrays[start:stop], np.dtype(specs[start]["dtype"])) if stop - start > 1 else None
        if matrix is None:
            columns = {n: _column(specs[n], arrays[n], index, memory) for n in range(start, stop)}
            pieces.append(pd.DataFrame(columns, index=index, copy=False))
        else:
            pieces.append(pd.DataFrame(matrix.T, index=index, copy=False))
        start = stop
    if len(pieces) == 1:
        return pieces[0]
    if len(pieces) > MANY_BLOCKS:  # dtypes in turn: only a copy can bring them together
        return pd.concat(pieces, axis=1).copy()
    return pd.concat(pieces, axis=1)


def _facts(values: Any) -> Mapping[str, Json]:
    if isinstance(values.dtype, np.dtype) and not values.dtype.hasobject:
        return {"missing": 0, **summary(values, FACTS_ROWS)}
    step = -(-len(values) // FACTS_ROWS) or 1
    sample = values[::step]
    missing = pd.isna(sample)
    facts: dict[str, Json] = {"missing": int(np.count_nonzero(missing))}
    if step > 1:
        facts["sampled"] = True
    numbers = getattr(values.dtype, "numpy_dtype", None)  # of nullable and of Arrow's numbers
    if isinstance(numbers, np.dtype) and numbers.kind in "biuf":
        return {**summary(sample[~missing].to_numpy(numbers), FACTS_ROWS), **facts}
    return facts


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (FrameMaterializer, SeriesMaterializer, IndexMaterializer)
