"""Arrow arrays of every type: the layout in memory does not show in the bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lineal.materializers import arrow_canonical
from lineal.materializers.mapped import MAP_FROM


def _hiding(kind: Any, children: list[Any]) -> Any:
    """Give three elements of which the middle one is null and has something under it."""
    return pa.Array.from_buffers(kind, 3, [pa.py_buffer(bytes([0b101]))], children=children)


ARRAYS: dict[str, Any] = {
    "int": pa.array([1, 2, 3]),
    "int-null": pa.array([1, None, 3]),
    "float": pa.array([1.5, None, float("nan")]),
    "half": pa.array(np.array([1, 2], "f2")),
    "bool": pa.array([True, None, False]),
    "null": pa.nulls(3),
    "text": pa.array(["a", "", "ccc"]),
    "text-null": pa.array(["a", None, "ccc"]),
    "large-text": pa.array(["a", None, "ccc"], pa.large_string()),
    "bytes": pa.array([b"a", None, b""], pa.binary()),
    "fixed-bytes": pa.array([b"ab", None], pa.binary(2)),
    "no-bytes": pa.array([b"", None], pa.binary(0)),
    "decimals": pa.array([1, None], pa.decimal256(50, 2)),
    "interval": pa.array([pa.MonthDayNano([1, 2, 3]), None]),
    "time": pa.array([1, None], pa.timestamp("ms", "Europe/Berlin")),
    "text-view": pa.array(["a", None, "x" * 20], pa.string_view()),
    "bytes-view": pa.array([b"a", None, b"x" * 20], pa.binary_view()),
    "list": pa.array([[1], None, [2, None]]),
    "list-of-text": pa.array([["a", None], None, []]),
    "large-list": pa.array([[1], None, [2, 3]], pa.large_list(pa.int8())),
    "list-view": pa.array([[1], None, [2, 3]], pa.list_view(pa.int64())),
    "large-list-view": pa.array([[1], None, [2, 3]], pa.large_list_view(pa.int64())),
    "fixed-list": pa.array([[1, 2], None], pa.list_(pa.int32(), 2)),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": ""}]),
    "no-struct": pa.array([{}, None, {}], pa.struct([])),
    "list-of-struct": pa.array([[{"a": 1}, None], None]),
    "dense-union": pa.UnionArray.from_dense(
        pa.array([0, 1, 0], pa.int8()), pa.array([0, 0, 1], pa.int32()), [pa.array([1, 2]), pa.array(["x"])]
    ),
    "sparse-union": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["x", "y"])]),
    "run-ends": pa.RunEndEncodedArray.from_arrays([2, 3], pa.array([1, None])),
    "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "dictionary-null": pa.DictionaryArray.from_arrays(pa.array([0, None, 1]), pa.array(["a", None])),
    "dictionary-unused": pa.DictionaryArray.from_arrays(pa.array([2, 0], pa.int8()), pa.array(["a", "b", "c"]), ordered=True),
    "list-of-dictionary": pa.ListArray.from_arrays([0, 2, 3], pa.array(["a", "b", "a"]).dictionary_encode()),
    "uuid": pa.array([b"a" * 16, None], pa.uuid()),
    "tensor": pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int32(), [2]), pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2))),
    "struct-hiding": _hiding(pa.struct([("a", pa.int64())]), [pa.array([1, 2, 3])]),
    "fixed-list-hiding": _hiding(pa.list_(pa.int64(), 1), [pa.array([1, 2, 3])]),
}


def layouts(array: Any) -> list[Any]:
    """Give the same values in other places of memory."""
    return [
        array,
        pa.chunked_array([array]),
        pa.chunked_array([array.slice(0, 1), array.slice(1, 0), array.slice(1)]),
        pa.concat_arrays([array, array, array]).slice(len(array), len(array)),
        pa.concat_arrays([array, array]).slice(len(array)),
    ]


def written(array: Any, path: Path) -> bytes:
    batch = pa.RecordBatch.from_arrays([array], names=[""])
    arrow_canonical.write(path, batch.schema, [batch])
    return path.read_bytes()


@pytest.mark.parametrize("name", ARRAYS)
def test_layout_in_memory_does_not_show(name: str, tmp_path: Path) -> None:
    """Slices and chunks give the bytes of a fresh array; type and values stay, and the result is valid Arrow."""
    array = ARRAYS[name]
    files = []
    for number, each in enumerate(layouts(array)):
        found = arrow_canonical.canonical(each)
        found.validate(full=True)
        assert found.type == array.type
        assert found.to_pylist() == array.to_pylist() if name != "float" else str(found.to_pylist()) == str(array.to_pylist())
        files.append(written(found, tmp_path / str(number)))
    assert all(each == files[0] for each in files)


@pytest.mark.parametrize("name", ARRAYS)
def test_no_elements_have_one_form(name: str, tmp_path: Path) -> None:
    """An empty slice and chunks of nothing are the same."""
    array = ARRAYS[name]
    empties = [array.slice(0, 0), array.slice(1, 0), pa.chunked_array([array.slice(0, 0)]), pa.chunked_array([], array.type)]
    found = [arrow_canonical.canonical(each) for each in empties]
    assert all(each.type == array.type and len(each) == 0 for each in found)
    if not pa.types.is_dictionary(array.type):  # whose dictionary is a part of the value
        assert len({written(each, tmp_path / str(number)) for number, each in enumerate(found)}) == 1


@pytest.mark.parametrize(
    ("seen", "hidden"),
    [
        (pa.array([1, None, 3]), pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), pa.array([1, 99, 3]).buffers()[1]])),
        (
            pa.array(["a", None, "c"]),
            pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\x05"), *pa.array(["a", "zz", "c"]).buffers()[1:]]),
        ),
        (pa.array([True, None]), pa.Array.from_buffers(pa.bool_(), 2, [pa.py_buffer(b"\xfd"), pa.py_buffer(b"\xff")])),
        (pa.array([{"a": 1}, None, {"a": 3}]), ARRAYS["struct-hiding"]),
    ],
    ids=["int", "text", "bool", "struct"],
)
def test_what_lies_under_a_null_does_not_show(seen: Any, hidden: Any, tmp_path: Path) -> None:
    """Two arrays that differ only in bytes nobody can see give the same file."""
    assert seen.equals(hidden)
    files = [written(arrow_canonical.canonical(each), tmp_path / str(number)) for number, each in enumerate((seen, hidden))]
    assert files[0] == files[1]


@pytest.mark.parametrize("array", [pa.array([1, 2, None]), pa.array(["a", "b", None]), pa.array([1.0])], ids=str)
def test_what_is_canonical_is_not_copied(array: Any) -> None:
    """The usual column is written from where it lies, missing values or not."""
    assert arrow_canonical.canonical(array).buffers()[1].address == array.buffers()[1].address


def test_dictionaries_of_chunks_become_one() -> None:
    """Chunks that number their values differently are one array with one dictionary."""
    chunks = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode(), pa.array(["b", "c"]).dictionary_encode()])
    assert arrow_canonical.canonical(chunks).to_pylist() == ["a", "b", "b", "c"]


def test_what_one_batch_cannot_count_becomes_several(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When chunks together exceed the offsets of their type, the table is cut in halves, and the file holds all of it."""
    whole = arrow_canonical.canonical

    def small(array: Any) -> Any:
        if isinstance(array, pa.ChunkedArray) and len(array) > 2:
            raise pa.ArrowInvalid("offset overflow while concatenating arrays")
        return whole(array)

    monkeypatch.setattr(arrow_canonical, "canonical", small)
    texts = ["a", "b", "a", "c", None]
    table = pa.table({"text": texts, "code": pa.array(texts).dictionary_encode()})
    found = arrow_canonical.batches(table)
    assert [batch.num_rows for batch in found] == [2, 1, 2]
    arrow_canonical.write(tmp_path / "a", table.schema, found)
    schema, back = arrow_canonical.read(tmp_path / "a")
    assert pa.Table.from_batches(back, schema).equals(table)


def test_a_row_that_is_too_large_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be cut any more is not cut for ever."""

    def never(array: Any) -> Any:
        raise pa.ArrowInvalid("offset overflow")

    monkeypatch.setattr(arrow_canonical, "canonical", never)
    with pytest.raises(pa.ArrowInvalid):
        arrow_canonical.batches(pa.table({"a": [1]}))


def test_a_large_file_is_mapped(tmp_path: Path) -> None:
    """What is read lies in the file's own pages, and nothing can be written there."""
    values = np.arange(MAP_FROM // 8 + 1)
    batch = pa.record_batch([pa.array(values)], names=["a"])
    arrow_canonical.write(tmp_path / "a", batch.schema, [batch])
    allocated = pa.total_allocated_bytes()
    _, [back] = arrow_canonical.read(tmp_path / "a")
    assert pa.total_allocated_bytes() - allocated < 10_000
    found = np.frombuffer(back.column(0).buffers()[1], np.int64)
    assert not found.flags.writeable
    assert np.array_equal(found, values)


def test_types_inside_a_type_are_found() -> None:
    """Fields, values of dictionaries and the storage of extensions are looked into."""
    kind = pa.struct([("a", pa.list_(pa.dictionary(pa.int8(), pa.string()))), ("b", pa.uuid())])
    found = list(arrow_canonical.types_in(kind))
    assert pa.string() in found
    assert pa.binary(16) in found
    assert found[0] == kind
