"""pyarrow: tables, record batches, arrays and schemas as Arrow IPC files (`data.arrow`) that any Arrow library opens.

Types, names, nullability and the metadata of schema and fields come back exactly. How values were cut into chunks does not: equal
values give equal bytes, and come back as one chunk (more only where one would exceed the 2 GiB that Arrow's smaller offsets count).
A large file loads as a mapping; nothing of it can be changed, for pyarrow's values are immutable.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers import arrow_canonical, parquet
from lineal.materializers.array_summary import summary
from lineal.materializers.arrow_view import show_schema, show_table
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.table_view import COLUMNS
from lineal.model.records import Json
from lineal.model.visualization import Visualization

FILENAME = "data.arrow"

FACTS_COLUMNS = 200
"""Number of columns of which facts are recorded."""

FACTS_ROWS = 10_000
"""Number of rows up to which facts are exact; more are sampled. Missing values are always counted exactly."""

_EXTENSIONS = "extensions.txt"


class _Arrow(Materializer):
    """Writes one table; the subclasses say how a value is one."""

    def save(self, value: Any, folder: Path) -> None:
        table = self._table(value)
        extensions = _extensions(table.schema)
        try:
            found = arrow_canonical.batches(table)
            arrow_canonical.write(folder / FILENAME, table.schema, found)
            exact = not _is_risky(table.schema) or _reads_back(folder / FILENAME, table.schema, found)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of the format
                raise
            raise _declined(table.schema, error) from error
        if not exact:
            raise _declined(table.schema, "it would come back changed")
        if extensions:
            (folder / _EXTENSIONS).write_text("\n".join(extensions), encoding="utf-8")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the value back. Raises MaterializerError when an extension type that it had is not registered in this process."""
        schema, found = arrow_canonical.read(folder / FILENAME)
        named = folder / _EXTENSIONS
        # Without its class Arrow gives the bare storage: another type than was saved.
        missing = set(named.read_text(encoding="utf-8").split("\n")) - set(_extensions(schema)) if named.exists() else None
        if missing:
            raise MaterializerError(
                f"the extension type {', '.join(sorted(missing))} is not known to pyarrow in this process; import the module that "
                "registers it (pyarrow.register_extension_type), then load again"
            )
        return self._value(schema, found)

    def _table(self, value: Any) -> Any:
        """Give a value as a table."""
        raise TypeError(f"{type(self).__qualname__} has no _table()")

    def _value(self, schema: Any, found: list[Any]) -> Any:
        """Give the value of record batches."""
        raise TypeError(f"{type(self).__qualname__} has no _value()")


class TableMaterializer(_Arrow):
    """Saves a Table. How it is chunked is not kept."""

    id = "pyarrow.Table/1"
    as_parquet = "pyarrow.Table.parquet/1"
    types = (pa.Table,)

    def accepts(self, value: Any) -> bool:
        return type(value) is pa.Table

    def _table(self, value: Any) -> Any:
        return value

    def _value(self, schema: Any, found: list[Any]) -> Any:
        return pa.Table.from_batches(found, schema)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"shape": list(value.shape), "nbytes": value.nbytes, "columns": _columns(value.schema, value.columns)}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [_show(value)]


class RecordBatchMaterializer(_Arrow):
    """Saves a RecordBatch."""

    id = "pyarrow.RecordBatch/1"
    as_parquet = "pyarrow.RecordBatch.parquet/1"
    types = (pa.RecordBatch,)

    def accepts(self, value: Any) -> bool:
        return type(value) is pa.RecordBatch

    def _table(self, value: Any) -> Any:
        return pa.Table.from_batches([value])

    def _value(self, schema: Any, found: list[Any]) -> Any:
        [batch] = found
        return batch

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"shape": list(value.shape), "nbytes": value.nbytes, "columns": _columns(value.schema, value.columns)}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [_show(value)]


class _Parquet(_Arrow):
    """Writes and reads the one record batch of a table as Parquet."""

    def save(self, value: Any, folder: Path) -> None:
        table = self._table(value)
        if _extensions(table.schema) or not table.num_columns:
            raise NoMaterializer("a table with extension types, or without columns, is left to Arrow IPC")
        found = arrow_canonical.batches(table)
        if len(found) > 1:
            raise NoMaterializer("a table with a column of more than 2 GiB of text is left to Arrow IPC")
        spec = {"schema": b64encode(table.schema.serialize()).decode("ascii")}
        parquet.write(folder / parquet.FILENAME, found[0].columns, table.schema.names, spec)

    def load(self, folder: Path, type_: Any) -> Any:
        arrays, spec = parquet.read(folder / parquet.FILENAME)
        schema = pa.ipc.read_schema(pa.py_buffer(b64decode(spec["schema"])))
        return self._value(schema, [pa.RecordBatch.from_arrays(arrays, schema=schema)])


class ParquetTableMaterializer(_Parquet, TableMaterializer):
    """Saves a Table as `data.parquet`: smaller and slower."""

    id = "pyarrow.Table.parquet/1"


class ParquetRecordBatchMaterializer(_Parquet, RecordBatchMaterializer):
    """Saves a RecordBatch as `data.parquet`: smaller and slower."""

    id = "pyarrow.RecordBatch.parquet/1"


class ArrayMaterializer(_Arrow):
    """Saves an Array of any type as the only column of a file."""

    id = "pyarrow.Array/1"
    types = (pa.Array,)

    def _table(self, value: Any) -> Any:
        return pa.Table.from_arrays([value], names=[""])

    def _value(self, schema: Any, found: list[Any]) -> Any:
        [batch] = found
        return batch.column(0)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {"shape": [len(value)], "dtype": str(value.type), "nbytes": value.nbytes, **_facts(value)}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [show_table([("values", str(value.type), value)], len(value), 1, _take, _nbytes, "Array")]


class ChunkedArrayMaterializer(ArrayMaterializer):
    """Saves a ChunkedArray. How it is chunked is not kept."""

    id = "pyarrow.ChunkedArray/1"
    types = (pa.ChunkedArray,)

    def _value(self, schema: Any, found: list[Any]) -> Any:
        return pa.chunked_array([batch.column(0) for batch in found], schema.field(0).type)


class SchemaMaterializer(_Arrow):
    """Saves a Schema as a file without rows."""

    id = "pyarrow.Schema/1"
    types = (pa.Schema,)
    data_type = "schema"

    def _table(self, value: Any) -> Any:
        return value.empty_table()

    def _value(self, schema: Any, found: list[Any]) -> Any:
        return schema

    def metadata(self, value: Any) -> Mapping[str, Json]:
        fields: list[Json] = [{"name": field.name, "dtype": str(field.type)} for _, field in zip(range(FACTS_COLUMNS), value, strict=False)]
        return {"fields": fields}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [show_schema([(field.name, str(field.type)) for field in value])]


def _show(value: Any) -> Visualization:
    columns = [(field.name, str(field.type), value.column(n)) for n, field in enumerate(islice(value.schema, COLUMNS))]
    return show_table(columns, value.num_rows, value.num_columns, _take, _nbytes)


def _take(column: Any, places: Sequence[int]) -> list[Any]:
    # One by one: `take` of many chunks would copy all of them.
    return [_python(column[place]) for place in places]


def _python(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError, pa.ArrowException):  # times finer or farther away than Python's
        return str(scalar.cast(pa.string()))


def _nbytes(column: Any) -> int:
    return int(column.nbytes)


def _extensions(schema: Any) -> list[str]:
    """Give the names of the extension types in a schema."""
    kinds = (kind for field in schema for kind in arrow_canonical.types_in(field.type))
    return sorted({kind.extension_name for kind in kinds if isinstance(kind, pa.BaseExtensionType)})


def _is_risky(schema: Any) -> bool:
    """Tell whether a schema has dictionaries inside other types, some of which pyarrow writes and cannot read."""
    kinds = (kind for field in schema for kind in list(arrow_canonical.types_in(field.type))[1:])
    return any(pa.types.is_dictionary(kind) for kind in kinds)


def _reads_back(path: Path, schema: Any, found: list[Any]) -> bool:
    written, batches = arrow_canonical.read(path)
    return bool(written.equals(schema)) and len(batches) == len(found) and all(a.equals(b) for a, b in zip(batches, found, strict=True))


def _declined(schema: Any, reason: Any) -> NoMaterializer:
    kinds = ", ".join(dict.fromkeys(str(field.type) for field in schema))
    return NoMaterializer(f"Arrow IPC cannot keep {kinds:.200} ({reason}); it is left to the fallback")


def _columns(schema: Any, columns: Iterable[Any]) -> list[Json]:
    return [
        {"name": field.name, "dtype": str(field.type), **_facts(column)}
        for _, field, column in zip(range(FACTS_COLUMNS), schema, columns, strict=False)
    ]


def _facts(column: Any) -> Mapping[str, Json]:
    facts: dict[str, Json] = {"missing": column.null_count}
    if not pa.types.is_primitive(column.type):
        return facts
    step = -(-len(column) // FACTS_ROWS) or 1
    if step > 1:
        column = column.take(pa.array(np.arange(0, len(column), step)))
        facts["sampled"] = True
    values = np.asarray(
        column.drop_null().to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.drop_null().to_numpy()
    )
    return {**summary(values, FACTS_ROWS), **facts}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (
    TableMaterializer,
    RecordBatchMaterializer,
    ChunkedArrayMaterializer,
    ArrayMaterializer,
    SchemaMaterializer,
)
