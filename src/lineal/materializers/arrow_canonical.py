"""Arrow arrays of every type as ones whose bytes depend on their values alone, and the files of them.

`lineal.materializers.arrow_ipc` does this for the columns of pandas; here are the types that only Arrow itself has: nested,
views, run-end encoded, dictionaries and extensions. What lies under a null, between lists or behind a slice does not show.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineal.materializers import arrow_ipc
from lineal.materializers.mapped import private_bytes

_OFFSETS = {each.id: np.int32 for each in (pa.string(), pa.binary())} | {
    each.id: np.int64 for each in (pa.large_string(), pa.large_binary())
}
"""What counts the bytes of text and bytes, by type."""


def canonical(array: Any) -> Any:
    """Give an array, or the chunks of one, as one array of the same type and values in its one canonical layout.

    Nothing is copied when the layout is canonical already. Raises ArrowInvalid when chunks together are more than the offsets of the
    type can count, ArrowNotImplementedError for types that Arrow cannot take apart.
    """
    kind = array.type
    if len(array) == 0 and not (pa.types.is_dictionary(kind) and isinstance(array, pa.Array)):
        return pa.nulls(0, kind)
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else pa.concat_arrays(array.chunks)
    if isinstance(kind, pa.BaseExtensionType):
        return kind.wrap_array(canonical(array.storage))
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(canonical(array.indices), canonical(array.dictionary), ordered=kind.ordered, safe=False)
    if pa.types.is_run_end_encoded(kind):
        runs = pc.run_end_encode(canonical(pc.run_end_decode(array)), run_end_type=kind.run_end_type)
        return pa.RunEndEncodedArray.from_arrays(canonical(runs.run_ends), canonical(runs.values), kind)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        plain = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
        return canonical(array.cast(plain)).cast(kind)
    if pa.types.is_struct(kind):
        return _struct(array)
    if pa.types.is_fixed_size_list(kind):
        return _fixed_lists(array)
    if pa.types.is_union(kind):
        return _in_order(array)
    return _lists(array) if pa.types.is_nested(kind) else _flat(array)


def _struct(array: Any) -> Any:
    # Flattened fields are null where the struct is: what they held there is not part of the value.
    fields = [canonical(field) for field in array.flatten()]
    return pa.Array.from_buffers(array.type, len(array), [_validity(array)], array.null_count, children=fields)


def _lists(array: Any) -> Any:
    """Give lists of variable length, views of lists, and maps with their elements in order and nothing between them."""
    kind = array.type
    found = _entries(array) if pa.types.is_map(kind) else array
    sizes = np.asarray(pc.list_value_length(found).fill_null(0))
    ends = np.zeros(len(array) + 1, sizes.dtype)
    np.cumsum(sizes, out=ends[1:])
    is_view = pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
    places = [pa.py_buffer(ends[:-1].copy()), pa.py_buffer(sizes)] if is_view else [pa.py_buffer(ends)]
    return pa.Array.from_buffers(kind, len(array), [_validity(array), *places], array.null_count, children=[canonical(found.flatten())])


def _entries(array: Any) -> Any:
    """Give a map as the list of pairs that it is: Arrow's functions for lists do not take maps."""
    kind = array.type
    pairs = pa.StructArray.from_arrays([array.keys, array.items], fields=[kind.key_field, kind.item_field])
    return pa.Array.from_buffers(pa.list_(pairs.type), len(array), array.buffers()[:2], array.null_count, array.offset, [pairs])


def _fixed_lists(array: Any) -> Any:
    packed = _in_order(array)
    return pa.Array.from_buffers(array.type, len(array), [_validity(packed)], packed.null_count, children=[canonical(packed.values)])


def _flat(array: Any) -> Any:
    kind = array.type
    if pa.types.is_null(kind):
        return array.slice(0, len(array))
    if pa.types.is_boolean(kind):
        return arrow_ipc.bits(array.fill_null(False).to_numpy(zero_copy_only=False), arrow_ipc.missing(array))
    gaps = arrow_ipc.missing(array)
    dtype = _OFFSETS.get(kind.id)
    buffers = [_fixed(array, gaps)] if dtype is None else _text(array, dtype, gaps)
    return pa.Array.from_buffers(kind, len(array), [_packed(gaps), *buffers], array.null_count)


def _fixed(array: Any, gaps: Any) -> Any:
    """Give the elements of a type of fixed width, with zero for those that are missing; a copy only where something else lies there."""
    width = array.type.bit_width // 8
    data = array.buffers()[1].slice(array.offset * width, len(array) * width)
    if gaps is None or width == 0:
        return data
    octets = np.frombuffer(data, np.uint8)
    elements = octets.view(f"u{width}") if width in (1, 2, 4, 8) else octets.reshape(len(array), width)
    places = np.flatnonzero(gaps)
    if not elements[places].any():
        return data
    elements = elements.copy()
    elements[places] = 0
    return pa.py_buffer(elements)


def _text(array: Any, dtype: Any, gaps: Any) -> list[Any]:
    """Give offsets from zero, and text or bytes with nothing between them."""
    ends = _ends(array, dtype)
    if gaps is not None and np.diff(ends)[gaps].any():  # something lies under a null
        array = _in_order(array)
        ends = _ends(array, dtype)
    first, last = int(ends[0]), int(ends[-1])
    data = array.buffers()[2]
    offsets = pa.py_buffer(ends - ends[0] if first else ends)
    return [offsets, pa.py_buffer(b"") if data is None else data.slice(first, last - first)]


def _ends(array: Any, dtype: Any) -> Any:
    return np.frombuffer(array.buffers()[1], dtype, len(array) + 1, array.offset * np.dtype(dtype).itemsize)


def _in_order(array: Any) -> Any:
    # What takes every element in order builds each buffer anew.
    return array.take(pa.array(np.arange(len(array))))


def _validity(array: Any) -> Any:
    return _packed(arrow_ipc.missing(array))


def _packed(gaps: Any) -> Any:
    return None if gaps is None else pa.py_buffer(np.packbits(~gaps, bitorder="little"))


def batches(table: Any) -> list[Any]:
    """Give a table as canonical record batches: one, or as many as the offsets of its types need."""
    if table.num_columns == 0:
        return table.combine_chunks().to_batches() or [pa.RecordBatch.from_arrays([], schema=table.schema)]
    try:
        return [pa.RecordBatch.from_arrays([canonical(column) for column in table.columns], schema=table.schema)]
    except pa.ArrowInvalid:
        if table.num_rows < 2:
            raise
        table, half = table.unify_dictionaries(), table.num_rows // 2
        return [*batches(table.slice(0, half)), *batches(table.slice(half))]


def write(path: Path, schema: Any, found: Sequence[Any]) -> None:
    """Write record batches as an uncompressed Arrow IPC file."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in found:
            writer.write_batch(batch)


def read(path: Path) -> tuple[Any, list[Any]]:
    """Give the schema and the record batches of a file; their memory is the file's, mapped when it is large."""
    with pa.ipc.open_file(pa.BufferReader(pa.py_buffer(private_bytes(path)))) as reader:
        return reader.schema, [reader.get_batch(number) for number in range(reader.num_record_batches)]


def types_in(kind: Any) -> Iterator[Any]:
    """Give a type and all types that it is made of."""
    yield kind
    if isinstance(kind, pa.BaseExtensionType):
        yield from types_in(kind.storage_type)
    elif pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        yield from types_in(kind.value_type)
    else:
        for number in range(kind.num_fields):
            yield from types_in(kind.field(number).type)
