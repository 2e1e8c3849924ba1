"""Arrow IPC files whose bytes depend on their values alone, and whose columns load as writeable memory.

Writing: one uncompressed record batch; arrays begin at offset zero, carry a validity bitmap only when something is missing, and hold
nothing behind what is missing. Reading: the buffers of fixed-width columns become numpy arrays over the mapped file, copy-on-write.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from mmap import mmap
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from lineal.materializers.mapped import private_bytes
from lineal.model.records import Json

Array: TypeAlias = np.ndarray[Any, Any]

KEY = b"lineal"
"""The one key of the schema's metadata; its value is compact JSON."""


def fixed(type_: Any, values: Array, missing: Array | None = None) -> Any:
    """Give an Arrow array of a fixed-width type over the memory of `values`, which is copied only when it is not contiguous.

    `missing` marks the elements that other tools should see as null; their bits in `values` are stored as they are.
    """
    data = pa.py_buffer(np.ascontiguousarray(values).reshape(-1).view(np.uint8))
    return pa.Array.from_buffers(type_, len(values), [_validity(missing), data])


def bits(values: Array, missing: Array | None = None) -> Any:
    """Give an Arrow array of booleans, eight to the byte."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(missing), _packed(values)])


def _validity(missing: Array | None) -> Any:
    return _packed(~missing) if missing is not None and missing.any() else None


def _packed(flags: Array) -> Any:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def canonical(array: Any) -> Any:
    """Give an Arrow array of any layout as one that depends on its values alone: no chunks, offsets or leftovers."""
    if isinstance(array, pa.ChunkedArray):
        chunks = [chunk for chunk in array.chunks if len(chunk)]
        if not chunks:
            return pa.array([], array.type)
        array = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)
    if array.offset == 0 and array.null_count == 0:
        buffers = _trimmed(array)
        if buffers is not None:
            return pa.Array.from_buffers(array.type, len(array), [None, *buffers], null_count=0)
    # What takes every element in order builds each buffer anew.
    return array.take(pa.array(np.arange(len(array))))


def _trimmed(array: Any) -> list[Any] | None:
    """Give the buffers of a flat array up to its last element, for Arrow writes up to 63 bytes more; None for other arrays."""
    kind, count = array.type, len(array)
    if pa.types.is_primitive(kind) and kind.bit_width >= 8:
        return [array.buffers()[1].slice(0, count * kind.bit_width // 8)]
    if pa.types.is_large_string(kind) and count:
        _, offsets, data = array.buffers()
        ends = np.frombuffer(offsets, np.int64, count + 1)
        return [offsets.slice(0, ends.nbytes), data.slice(0, int(ends[-1]))] if ends[0] == 0 and data is not None else None
    return None


def write(path: Path, arrays: Sequence[Any], names: Sequence[str], spec: Mapping[str, Json]) -> None:
    """Write arrays of one length as a file with one record batch; the memory of the arrays is not copied."""
    batch = record_batch(arrays, names, spec)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def record_batch(arrays: Sequence[Any], names: Sequence[str], spec: Mapping[str, Json]) -> Any:
    """Give arrays as a record batch with `spec` in the metadata of its schema."""
    text = json.dumps(spec, separators=(",", ":"))  # not sorted: the order of a dict in attrs can be seen
    fields = [pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(list(arrays), schema=pa.schema(fields, {KEY: text.encode()}))


def read(path: Path) -> tuple[list[Any], "Memory", Any]:
    """Give the arrays of a file, the memory that they lie in, and the spec."""
    memory = Memory(private_bytes(path))
    with pa.ipc.open_file(pa.BufferReader(memory.buffer)) as reader:
        batch = reader.get_batch(0)
    return batch.columns, memory, spec_of(batch.schema)


def spec_of(schema: Any) -> Any:
    """Give the spec that a schema carries. Raises ValueError when it has none."""
    if not schema.metadata or KEY not in schema.metadata:
        raise ValueError("the file has no description by Lineal in its schema: it was written by another program")
    return json.loads(schema.metadata[KEY])


def undictionary(array: Any) -> Any:
    """Give the codes of a dictionary array; any other array as it is."""
    return array.indices if pa.types.is_dictionary(array.type) else array


def embed(array: Any) -> str:
    """Give one array as text, to lie inside a spec."""
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([array], names=[""])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return base64.b64encode(sink.getvalue()).decode("ascii")


def embedded(text: str) -> tuple[Any, "Memory"]:
    """Give the array that `embed` turned into text, and its memory."""
    memory = Memory(bytearray(base64.b64decode(text)))
    with pa.ipc.open_stream(pa.BufferReader(memory.buffer)) as reader:
        return reader.read_next_batch().column(0), memory


class Memory:
    """The private memory that a file's arrays lie in. `None` stands for memory of Arrow's own, from which everything is copied."""

    def __init__(self, raw: mmap | bytearray | None) -> None:
        self._raw = raw
        self.buffer = pa.py_buffer(b"" if raw is None else raw)

    def values(self, array: Any, dtype: np.dtype[Any]) -> Array:
        """Give the elements of a fixed-width array, missing ones included, as writeable numpy memory."""
        count = len(array)
        data = array.buffers()[1]
        if count == 0 or dtype.itemsize == 0:
            return np.zeros(count, dtype)
        at = self.position(array, dtype)
        if at is None or self._raw is None:
            return np.frombuffer(data, dtype, count, array.offset * dtype.itemsize).copy()
        return np.frombuffer(self._raw, dtype, count, at)

    def position(self, array: Any, dtype: np.dtype[Any]) -> int | None:
        """Give where the elements of an array begin in this memory; None when they lie elsewhere."""
        data = array.buffers()[1]
        at = data.address - self.buffer.address
        return at + array.offset * dtype.itemsize if 0 <= at < self.buffer.size else None

    def table(self, arrays: Sequence[Any], dtype: np.dtype[Any]) -> Array | None:
        """Give arrays that lie at equal steps as the rows of one writeable matrix; None when they do not."""
        count = len(arrays[0])
        if count == 0 or self._raw is None:
            return None
        places = [self.position(array, dtype) for array in arrays]
        steps = {None if a is None or b is None else b - a for a, b in pairwise(places)}
        step = steps.pop() if len(steps) == 1 else None
        if step is None or step < count * dtype.itemsize or places[0] is None:
            return None
        return np.ndarray((len(arrays), count), dtype, self._raw, places[0], (step, dtype.itemsize))


def flags(array: Any) -> Array:
    """Give the elements of an array of booleans."""
    return _unpacked(array.buffers()[1], array)


def missing(array: Any) -> Array | None:
    """Give which elements of an array are missing; None when none is."""
    return ~_unpacked(array.buffers()[0], array) if array.null_count else None


def _unpacked(buffer: Any, array: Any) -> Array:
    if len(array) == 0:
        return np.zeros(0, np.bool_)
    octets = np.frombuffer(buffer, np.uint8)
    return np.unpackbits(octets, count=array.offset + len(array), bitorder="little")[array.offset :].view(np.bool_)
