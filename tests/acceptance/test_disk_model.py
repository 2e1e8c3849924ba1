"""The model of a disk under a page cache, by which the harness cuts the power: it loses what POSIX allows to be lost, and nothing else."""

from pathlib import Path

import pytest
from torture.disk import (
    _HEAD,
    CREATE,
    FATES,
    LINK,
    MKDIR,
    NOTE,
    RENAME,
    SYNC,
    SYNC_FAILED,
    UNLINK,
    WRITE,
    Disk,
)


def record(*calls: tuple[int, int, int, str, str, bytes]) -> bytes:
    return b"".join(_HEAD.pack(kind, inode, offset, len(a), len(b), len(data)) + a.encode() + b.encode() + data
                    for kind, inode, offset, a, b, data in calls)  # fmt: skip


def call(kind: int, inode: int = 0, first: Path | str = "", second: Path | str = "", data: bytes = b"", offset: int = 0):
    return kind, inode, offset, str(first), str(second), data


def left(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def disk(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "old").write_bytes(b"before")
    return Disk(tmp_path / "disk")


FILE, FOLDER = 1 << 40, 1 << 41  # inodes that no file has


def cut(disk: Disk, tmp_path: Path, fate: str = "nothing", moment: int | None = None) -> dict[str, bytes]:
    target = tmp_path / f"cut-{fate}-{moment}"
    disk.cut(disk.moments if moment is None else moment, fate, "seed", target)
    return left(target)


def test_what_was_never_synced_is_lost_in_every_way(disk, tmp_path):
    new = disk.folder / "new"
    disk.replay(record(call(CREATE, FILE, new), call(WRITE, FILE, data=b"content")))
    assert disk.live() == {"old": b"before", "new": b"content"}
    assert cut(disk, tmp_path) == cut(disk, tmp_path, "content") == {"old": b"before"}
    assert cut(disk, tmp_path, "names") == {"old": b"before", "new": b""}
    assert cut(disk, tmp_path, "zeros") == {"old": b"before", "new": bytes(7)}


@pytest.mark.parametrize("fate", FATES)
def test_a_synced_file_in_a_synced_folder_stays_whatever_else_is_lost(disk, tmp_path, fate):
    root = disk.folder.stat().st_ino
    disk.replay(record(call(CREATE, FILE, disk.folder / "new"), call(WRITE, FILE, data=b"content"), call(SYNC, FILE), call(SYNC, root),
                       call(WRITE, FILE, data=b"X", offset=7), call(UNLINK, 0, disk.folder / "old")))  # fmt: skip
    assert cut(disk, tmp_path, fate, 4) == {"old": b"before", "new": b"content"}
    assert cut(disk, tmp_path, fate)["new"] in (b"content", b"contentX", b"content\0")


def test_a_file_that_is_synced_is_lost_with_the_name_of_its_folder(disk, tmp_path):
    folder = disk.folder / "a"
    calls = [
        call(MKDIR, FOLDER, folder),
        call(CREATE, FILE, folder / "x"),
        call(WRITE, FILE, data=b"1"),
        call(SYNC, FILE),
        call(SYNC, FOLDER),
    ]
    disk.replay(record(*calls, call(SYNC, disk.folder.stat().st_ino)))
    assert cut(disk, tmp_path, moment=5) == {"old": b"before"}
    assert cut(disk, tmp_path, moment=6) == {"old": b"before", "a/x": b"1"}


def test_a_rename_is_whole_or_not_at_all(disk, tmp_path):
    disk.replay(record(call(RENAME, 0, disk.folder / "old", disk.folder / "new"), call(LINK, 0, disk.folder / "new", disk.folder / "twin")))
    assert cut(disk, tmp_path) == {"old": b"before"}
    assert cut(disk, tmp_path, moment=1, fate="names") == {"new": b"before"}
    assert cut(disk, tmp_path, "names") == {"new": b"before", "twin": b"before"}


def test_no_later_sync_saves_what_a_failed_one_dropped(disk, tmp_path):
    root = disk.folder.stat().st_ino
    disk.replay(record(call(CREATE, FILE, disk.folder / "new"), call(WRITE, FILE, data=b"lost"), call(SYNC_FAILED, FILE), call(SYNC, FILE),
                       call(SYNC, root), call(WRITE, FILE, data=b"k", offset=4), call(SYNC, FILE), call(NOTE, 0, "done")))  # fmt: skip
    assert cut(disk, tmp_path)["new"] == b"\0\0\0\0k"
    assert disk.cut(disk.moments, "nothing", "", tmp_path / "notes") == ["done"]
