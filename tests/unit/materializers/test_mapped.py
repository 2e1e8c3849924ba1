import mmap
from pathlib import Path

import pytest

from lineal.materializers.mapped import MAP_FROM, private_bytes


def test_a_small_file_is_read(tmp_path: Path) -> None:
    """Below the limit the bytes are the process's own, with no mapping and no open descriptor."""
    path = tmp_path / "small"
    path.write_bytes(b"abc")
    data = private_bytes(path)
    assert isinstance(data, bytearray)
    assert data == b"abc"


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    """An empty file cannot be mapped, and need not be."""
    (tmp_path / "empty").touch()
    assert private_bytes(tmp_path / "empty") == b""


@pytest.mark.parametrize("size", [MAP_FROM - 1, MAP_FROM])
def test_writing_stays_private(tmp_path: Path, size: int) -> None:
    """Whether read or mapped, a read-only file gives writeable bytes, and writing them changes neither file nor other readers."""
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    path.chmod(0o444)
    one, other = private_bytes(path), private_bytes(path)
    assert isinstance(one, mmap.mmap) == (size >= MAP_FROM)
    one[7:9] = b"xy"
    assert one[6:10] == b"\0xy\0"
    assert other[6:10] == b"\0\0\0\0"
    assert path.read_bytes() == bytes(size)
