"""polars: frames, series and lazy frames as Arrow IPC files (`data.arrow`) that any Arrow library opens.

Data types, categories included, come back exactly. Equal values give equal bytes, however they are chunked and whatever else the
process has put into its categories. A lazy frame is collected when it is saved and comes back lazy, over the collected data: its plan
is not kept. What is not part of the value, such as the hint that a column is sorted, is not kept either.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa

from lineal.materializers import arrow_canonical, arrow_ipc, parquet
from lineal.materializers.array_summary import summary
from lineal.materializers.arrow_view import show_schema, show_table
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.polars_dtypes import dtype_of, spec_of, stored
from lineal.materializers.table_view import COLUMNS
from lineal.model.records import Json
from lineal.model.visualization import Visualization

FILENAME = "data.arrow"

FACTS_COLUMNS = 200
"""Number of columns of which facts are recorded."""

FACTS_ROWS = 10_000
"""Number of rows up to which facts are exact; more are sampled. Missing values are always counted exactly."""


_NOT_COUNTED = frozenset({"Int128", "UInt128", "Decimal", "Time"})
"""Data types of numbers and times that numpy does not have."""


class _Columns(Materializer):
    """Writes and reads columns with their data types."""

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types

    def write(self, folder: Path, columns: Sequence[pl.Series], spec: dict[str, Json]) -> None:
        """Write columns of one length, with what `read` gives back beside them."""
        spec["dtypes"] = [spec_of(column.dtype, f"the column {column.name!r:.60}") for column in columns]
        self.write_arrays(folder, [_to_arrow(column) for column in columns], [column.name for column in columns], spec)

    def read(self, folder: Path) -> tuple[list[pl.Series], Any]:
        """Give the columns and the rest of the spec."""
        names, arrays, spec = self.read_arrays(folder)
        found = zip(names, arrays, spec["dtypes"], strict=True)
        return [_from_arrow(array, dtype_of(dtype)).alias(name) for name, array, dtype in found], spec

    def write_arrays(self, folder: Path, arrays: Sequence[Any], names: Sequence[str], spec: Mapping[str, Json]) -> None:
        """Write the file."""
        arrow_ipc.write(folder / FILENAME, arrays, names, spec)

    def read_arrays(self, folder: Path) -> tuple[Sequence[str], Sequence[Any], Any]:
        """Read names, arrays and spec of the file."""
        schema, [batch] = arrow_canonical.read(folder / FILENAME)
        return schema.names, batch.columns, arrow_ipc.spec_of(schema)


class FrameMaterializer(_Columns):
    """Saves a DataFrame."""

    id = "polars.DataFrame/1"
    as_parquet = "polars.DataFrame.parquet/1"
    types: ClassVar[tuple[type, ...]] = (pl.DataFrame,)

    def save(self, value: Any, folder: Path) -> None:
        self.write(folder, value.get_columns(), {"height": value.height})

    def load(self, folder: Path, type_: Any) -> Any:
        columns, spec = self.read(folder)
        if not columns and spec["height"]:  # which no frame had before polars 2
            return pl.DataFrame(height=spec["height"])
        return pl.DataFrame({column.name: column for column in columns})  # a list of them would name the nameless

    def metadata(self, value: Any) -> Mapping[str, Json]:
        columns: list[Json] = [
            {"name": each.name, "dtype": _shown(each.dtype), **_facts(each)} for each in value.get_columns()[:FACTS_COLUMNS]
        ]
        return {"shape": list(value.shape), "nbytes": value.estimated_size(), "columns": columns}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        columns = [(column.name, _shown(column.dtype), column) for column in islice(value.iter_columns(), COLUMNS)]
        return [show_table(columns, value.height, value.width, _take, pl.Series.estimated_size)]


class LazyFrameMaterializer(FrameMaterializer):
    """Saves what a LazyFrame gives, and gives it back as a LazyFrame."""

    id = "polars.LazyFrame/1"
    as_parquet = "polars.LazyFrame.parquet/1"
    types = (pl.LazyFrame,)

    def save(self, value: Any, folder: Path) -> None:
        super().save(value.collect(), folder)

    def load(self, folder: Path, type_: Any) -> Any:
        return super().load(folder, type_).lazy()

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the schema: anything else would need the data a second time."""
        schema = value.collect_schema()
        return {"columns": [{"name": name, "dtype": _shown(dtype)} for name, dtype in list(schema.items())[:FACTS_COLUMNS]]}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [show_schema([(name, _shown(dtype)) for name, dtype in value.collect_schema().items()], "Lazy frame")]


class SeriesMaterializer(_Columns):
    """Saves a Series with its name."""

    id = "polars.Series/1"
    as_parquet = "polars.Series.parquet/1"
    types = (pl.Series,)

    def save(self, value: Any, folder: Path) -> None:
        self.write(folder, [value], {})

    def load(self, folder: Path, type_: Any) -> Any:
        [column], _ = self.read(folder)
        return column

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"shape": list(value.shape), "dtype": _shown(value.dtype), "nbytes": value.estimated_size(), **_facts(value)}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [show_table([(value.name, _shown(value.dtype), value)], len(value), 1, _take, pl.Series.estimated_size, "Series")]


class _Parquet(_Columns):
    """Writes and reads the same arrays and spec as Parquet."""

    def write_arrays(self, folder: Path, arrays: Sequence[Any], names: Sequence[str], spec: Mapping[str, Json]) -> None:
        parquet.write(folder / parquet.FILENAME, arrays, names, {**spec, "names": list(names)})

    def read_arrays(self, folder: Path) -> tuple[Sequence[str], Sequence[Any], Any]:
        arrays, spec = parquet.read(folder / parquet.FILENAME)
        return spec["names"], arrays, spec


class ParquetFrameMaterializer(_Parquet, FrameMaterializer):
    """Saves a DataFrame as `data.parquet`: smaller and slower."""

    id = "polars.DataFrame.parquet/1"


class ParquetLazyFrameMaterializer(_Parquet, LazyFrameMaterializer):
    """Saves what a LazyFrame gives as `data.parquet`: smaller and slower."""

    id = "polars.LazyFrame.parquet/1"


class ParquetSeriesMaterializer(_Parquet, SeriesMaterializer):
    """Saves a Series as `data.parquet`: smaller and slower."""

    id = "polars.Series.parquet/1"


def _take(column: pl.Series, places: Sequence[int]) -> list[Any]:
    return column.gather(list(places)).to_list()


def _to_arrow(column: pl.Series) -> Any:
    array = arrow_canonical.canonical(column.cast(stored(column.dtype)).to_arrow(compat_level=pl.CompatLevel.oldest()))
    # As text with codes in the order of appearance: polars' own codes depend on what else the process has done.
    return arrow_canonical.canonical(array.dictionary_encode()) if _has_codes(column.dtype) else array


def _has_codes(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Categorical | pl.Enum)


def _from_arrow(array: Any, dtype: pl.DataType) -> pl.Series:
    if pa.types.is_dictionary(array.type):
        return _series(array.dictionary).cast(dtype).gather(_series(array.indices))
    return _series(array).cast(dtype)


def _series(array: Any) -> pl.Series:
    # Inside a batch: some releases before polars 2 read lists wrongly that come alone.
    found = pl.from_arrow(pa.record_batch([array], names=["a"]))
    assert isinstance(found, pl.DataFrame)
    return found.to_series()


def _shown(dtype: Any) -> str:
    return f"{dtype!s:.200}"  # an Enum names all its categories


def _facts(column: pl.Series) -> Mapping[str, Json]:
    facts: dict[str, Json] = {"missing": column.null_count()}
    dtype = column.dtype
    if not (dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean) or type(dtype).__name__ in _NOT_COUNTED:
        return facts
    step = -(-len(column) // FACTS_ROWS) or 1
    if step > 1:
        column = column.gather_every(step)
        facts["sampled"] = True
    return {**summary(column.drop_nulls().to_numpy(), FACTS_ROWS), **facts}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (FrameMaterializer, LazyFrameMaterializer, SeriesMaterializer)
