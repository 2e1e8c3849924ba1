"""Arrow arrays as Parquet files with zstd: smaller than Arrow IPC, slower, and never mapped.

What Parquet cannot keep exactly is declined, so that the next materializer, which writes Arrow IPC, has it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from lineal.errors import NoMaterializer
from lineal.materializers import arrow_canonical, arrow_ipc
from lineal.model.records import Json

FILENAME: Final = "data.parquet"


def write(path: Path, arrays: Sequence[Any], names: Sequence[str], spec: Mapping[str, Json]) -> None:
    """Write arrays of one length, canonical ones, with what `read` gives back beside them. Raises NoMaterializer when Parquet cannot."""
    import pyarrow.parquet as pq  # late: it is not needed where tables are kept as Arrow

    # Parquet keeps of a dictionary only what is used, in the order of use; and it has no seconds.
    plain = [arrow_ipc.undictionary(array) for array in arrays]
    dictionaries = {str(n): arrow_ipc.embed(a.dictionary) for n, a in enumerate(arrays) if pa.types.is_dictionary(a.type)}
    types = [arrow_ipc.embed(array.slice(0, 0)) for array in plain]
    ordered = [n for n, each in enumerate(arrays) if pa.types.is_dictionary(each.type) and each.type.ordered]
    batch = arrow_ipc.record_batch(plain, names, {**spec, "dictionaries": dictionaries, "ordered": ordered, "types": types})
    try:
        pq.write_table(pa.Table.from_batches([batch]), path, compression="zstd", use_compliant_nested_type=False)
        exact = all(map(_is_plain, plain)) or all(map(_is_same, arrays, read(path)[0]))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise _declined(plain, error) from error
    if not exact:
        raise _declined(plain, "it would come back changed")


def read(path: Path) -> tuple[list[Any], Any]:
    """Give the arrays of a file, and the spec."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:  # unlike read_table it takes two columns of one name
        table = file.read()
    spec = arrow_ipc.spec_of(table.schema)
    types = [arrow_ipc.embedded(text)[0].type for text in spec["types"]]
    arrays = [arrow_ipc.canonical(column.cast(type_)) for column, type_ in zip(table.columns, types, strict=True)]
    for number, text in spec["dictionaries"].items():
        n, dictionary = int(number), arrow_ipc.embedded(text)[0]
        arrays[n] = pa.DictionaryArray.from_arrays(arrays[n], dictionary, ordered=n in spec["ordered"], safe=False)
    return arrays, spec


_TEXT: Final = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def _is_plain(array: Any) -> bool:
    """Tell whether an array is of a type that is known to come back; the others are read again after they were written."""
    kind = array.type
    if pa.types.is_date64(kind):  # which Parquet rounds to days
        return False
    return bool(pa.types.is_primitive(kind)) or any(check(kind) for check in _TEXT)


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two arrays are equal, NaN equal to NaN."""
    if not one.type.equals(other.type, check_metadata=True):
        return False
    # Arrow's own comparison knows no NaN; canonical arrays that are equal have equal bytes.
    written = (pa.RecordBatch.from_arrays([arrow_canonical.canonical(each)], names=[""]).serialize() for each in (one, other))
    return bool(next(written).equals(next(written)))


def _declined(arrays: Sequence[Any], reason: Any) -> NoMaterializer:
    kinds = ", ".join(dict.fromkeys(str(array.type) for array in arrays))
    return NoMaterializer(f"Parquet cannot keep {kinds:.200} ({reason}); it is left to Arrow IPC")
