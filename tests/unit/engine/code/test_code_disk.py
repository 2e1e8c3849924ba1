"""The folder of what was read: a shortcut that is never wrong and never in the way."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lineal.engine.code import disk

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give the folder in use."""
    disk.set_folder(tmp_path / "cache")
    yield tmp_path / "cache"
    disk.set_folder(None)


def test_what_is_put_comes_back() -> None:
    """As JSON."""
    assert disk.get(KEY) is None
    disk.put(KEY, {"a": [1, "\udc80", None]})
    assert disk.get(KEY) == {"a": [1, "\udc80", None]}


def test_without_a_folder_nothing_is_kept(folder: Path) -> None:
    """The default."""
    disk.set_folder(None)
    disk.put(KEY, 1)
    assert disk.get(KEY) is None
    assert not folder.exists()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:70], lambda b: b"", lambda b: b + b" ", lambda b: b"x" + b[1:]])
def test_a_damaged_entry_is_not_believed(folder: Path, damage: object) -> None:
    """Torn, empty, longer, changed."""
    disk.put(KEY, [1, 2, 3])
    whole = (folder / KEY).read_bytes()
    (folder / KEY).write_bytes(damage(whole))  # type: ignore[operator]  # a function from the list above
    assert disk.get(KEY) is None


def test_an_entry_under_another_key_is_not_believed(folder: Path) -> None:
    """The seal covers the key."""
    disk.put(KEY, 1)
    (folder / ("cd" * 32)).write_bytes((folder / KEY).read_bytes())
    assert disk.get("cd" * 32) is None


def test_a_place_that_cannot_be_written_is_no_error(folder: Path) -> None:
    """A file where the folder should be, a folder where the entry should be; nothing is left behind."""
    folder.mkdir()
    (folder / KEY).mkdir()
    disk.put(KEY, 1)
    assert disk.get(KEY) is None
    assert [path.name for path in folder.iterdir()] == [KEY]
    disk.set_folder(folder / KEY / "x" / "y")
    (folder / KEY / "x").write_text("a file", encoding="utf-8")
    disk.put(KEY, 1)
    assert disk.get(KEY) is None


def test_readers_and_writers_do_not_disturb_each_other() -> None:
    """A reader sees a whole entry or none."""
    value = list(range(5000))

    def work(number: int) -> object:
        if number % 2:
            disk.put(KEY, value)
        return disk.get(KEY)

    with ThreadPoolExecutor(8) as pool:
        assert all(found is None or found == value for found in pool.map(work, range(200)))


def test_old_entries_are_swept_now_and_then(folder: Path) -> None:
    """By age, when a key of one in 256 is written."""
    disk.put(KEY, 1)
    disk.put("cd" * 32, 2)
    old = time.time() - disk.MAX_AGE - 60
    os.utime(folder / KEY, (old, old))
    disk.put("00" + "ef" * 31, 3)
    assert disk.get(KEY) is None
    assert disk.get("cd" * 32) == 2
