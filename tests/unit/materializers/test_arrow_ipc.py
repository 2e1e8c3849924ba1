from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lineal.materializers import arrow_ipc
from lineal.materializers.mapped import MAP_FROM


def layouts(values: list[Any], type_: Any) -> list[Any]:
    """Give the same values in several layouts in memory."""
    plain = pa.array(values, type_)
    longer = pa.array([*values[:1], *values, *values[:2]], type_)
    gappy = pa.concat_arrays([plain, pa.nulls(2, type_)]).slice(0, len(values))  # has a bitmap even if nothing is missing
    return [
        plain,
        longer.slice(1, len(values)),
        gappy,
        pa.chunked_array([plain]),
        pa.chunked_array([plain.slice(0, 1), plain.slice(1, 0), plain.slice(1)]),
        pa.chunked_array([longer.slice(1, 2), longer.slice(3, len(values) - 2)]),
    ]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2, 3, 4], pa.int64()),
        ([1, None, 3, None], pa.int16()),
        ([True, False, None, True], pa.bool_()),
        ([True, False, False, True], pa.bool_()),
        (["a", "", "ccc", "d"], pa.large_string()),
        (["a" * 100, "", "b" * 200, "d"] * 50, pa.large_string()),
        ([1.5, 2.5, 3.5, 4.5] * 50, pa.float32()),
        (["a", None, "ccc", "d"], pa.large_string()),
        ([b"a", None, b"ccc", b""], pa.binary()),
        ([[1], None, [], [2, 3]], pa.list_(pa.int64())),
        ([{"a": 1}, None, {"a": None}, {"a": 4}], pa.struct([("a", pa.int64())])),
        ([None, None, None, None], pa.null()),
    ],
    ids=lambda value: str(value)[:20],
)
def test_layout_does_not_show(values: list[Any], type_: Any, tmp_path: Path) -> None:
    """Slices, chunks and empty bitmaps give the bytes of a fresh array, and the values are the same."""
    written = []
    for number, array in enumerate(layouts(values, type_)):
        canonical = arrow_ipc.canonical(array)
        assert canonical.to_pylist() == values
        path = tmp_path / str(number)
        arrow_ipc.write(path, [canonical], ["a"], {})
        written.append(path.read_bytes())
    assert all(each == written[0] for each in written)


def test_what_lies_under_a_null_does_not_show(tmp_path: Path) -> None:
    """Two arrays that differ only in bytes nobody can see give the same file."""
    texts = pa.array(["a", "hidden", "c"], pa.large_string())
    bitmap = pa.py_buffer(bytes([0b101]))
    hiding = pa.Array.from_buffers(pa.large_string(), 3, [bitmap, *texts.buffers()[1:]])
    for number, array in enumerate([hiding, pa.array(["a", None, "c"], pa.large_string())]):
        arrow_ipc.write(tmp_path / str(number), [arrow_ipc.canonical(array)], ["a"], {})
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    assert b"hidden" not in (tmp_path / "0").read_bytes()


def test_a_flat_array_without_gaps_is_not_copied() -> None:
    """The usual column is written from where it lies."""
    array = pa.array(np.arange(10))
    assert arrow_ipc.canonical(array).buffers()[1].address == array.buffers()[1].address
    values = np.arange(10.0)
    assert arrow_ipc.fixed(pa.float64(), values).buffers()[1].address == values.ctypes.data


@pytest.mark.parametrize("rows", [3, MAP_FROM // 8 + 1])
def test_columns_load_as_writeable_memory(rows: int, tmp_path: Path) -> None:
    """Numbers, with missing ones or not, lie writeable over the file's bytes; the file stays as it is."""
    values, gaps = np.arange(rows), np.arange(rows) % 2 == 1
    path = tmp_path / "data"
    arrow_ipc.write(path, [arrow_ipc.fixed(pa.int64(), values), arrow_ipc.fixed(pa.int64(), values, gaps)], ["a", "a"], {"x": [1, None]})
    path.chmod(0o444)
    before = path.read_bytes()
    arrays, memory, spec = arrow_ipc.read(path)
    assert spec == {"x": [1, None]}
    assert [array.null_count for array in arrays] == [0, gaps.sum()]
    for array in arrays:
        loaded = memory.values(array, values.dtype)
        assert np.array_equal(loaded, values)
        assert not loaded.flags.owndata
        loaded[:] = -1
    assert np.array_equal(arrow_ipc.missing(arrays[1]), gaps)
    assert arrow_ipc.missing(arrays[0]) is None
    assert path.read_bytes() == before


def test_neighbours_form_a_matrix(tmp_path: Path) -> None:
    """Columns of one type at equal steps are rows of one matrix over the file, padding between them included; others are not."""
    columns = [arrow_ipc.fixed(pa.float32(), np.arange(5, dtype="f4") + n) for n in range(3)]
    arrow_ipc.write(tmp_path / "a", [*columns, arrow_ipc.fixed(pa.int64(), np.arange(5)), columns[0]], ["x"] * 5, {})
    arrays, memory, _ = arrow_ipc.read(tmp_path / "a")
    matrix = memory.table(arrays[:3], np.dtype("f4"))
    assert matrix is not None
    assert np.array_equal(matrix, [np.arange(5) + n for n in range(3)])
    matrix[1, 2] = 99
    assert memory.values(arrays[1], np.dtype("f4"))[2] == 99
    assert memory.table([arrays[0], arrays[1], arrays[4]], np.dtype("f4")) is None
    assert arrow_ipc.Memory(None).table(arrays[:3], np.dtype("f4")) is None


def test_bits_come_back(tmp_path: Path) -> None:
    """Booleans are packed and unpacked at any length, with their missing ones."""
    for length in (0, 1, 7, 8, 9, 100):
        flags = np.arange(length) % 3 == 0
        gaps = np.arange(length) % 5 == 4
        arrow_ipc.write(tmp_path / "a", [arrow_ipc.bits(flags, gaps)], ["a"], {})
        [array], _, _ = arrow_ipc.read(tmp_path / "a")
        assert np.array_equal(arrow_ipc.flags(array), flags)
        missing = arrow_ipc.missing(array)
        assert np.array_equal(gaps, np.zeros(length, bool) if missing is None else missing)


def test_an_array_inside_a_spec() -> None:
    """An embedded array comes back, and its text is the same each time."""
    array = pa.array(["a", None, "b"])
    text = arrow_ipc.embed(array)
    assert arrow_ipc.embedded(text)[0].equals(array)
    assert arrow_ipc.embed(pa.array(["a", None, "b"])) == text


def test_a_file_of_another_program_is_told(tmp_path: Path) -> None:
    """An Arrow file without our description is no value of ours."""
    batch = pa.record_batch([pa.array([1])], names=["a"])
    with pa.OSFile(str(tmp_path / "a"), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(ValueError, match="another program"):
        arrow_ipc.read(tmp_path / "a")
