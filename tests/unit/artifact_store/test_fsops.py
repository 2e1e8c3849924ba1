"""Raw file operations: what they refuse, what the system's errors become, and that waiting really waits."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from lineal import errors, files
from lineal.artifact_store import fsops
from lineal.errors import ArtifactCorrupted, InvalidName, StorageFull, StoreError


def test_every_operation_that_changes_the_disk_is_listed():
    """The list that tests record is complete: every function here but the two that only read or explain."""
    own = (fsops.__name__, files.__name__)  # one of them is shared with what lies beside the store
    functions = {name for name, value in vars(fsops).items() if callable(value) and getattr(value, "__module__", "") in own}
    assert {name for name in functions if not name.startswith("_")} - {"open_regular", "typed"} == set(fsops.OPERATIONS)


def test_open_regular_gives_the_file(tmp_path: Path):
    """A regular file is opened for reading, with its status, and is not inherited by child processes."""
    (tmp_path / "a").write_bytes(b"123")
    descriptor, status = fsops.open_regular(str(tmp_path / "a"))
    try:
        assert (os.read(descriptor, 10), status.st_size, os.get_inheritable(descriptor)) == (b"123", 3, False)
    finally:
        os.close(descriptor)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("kind", ["FIFO", "link", "folder", "socket", "device"])
def test_open_regular_never_blocks_and_refuses_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str):
    """A FIFO without a writer would block a plain open for ever."""
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    if kind == "FIFO":
        os.mkfifo("a")
    elif kind == "link":
        Path("b").write_bytes(b"1")
        Path("a").symlink_to("b")
    elif kind == "folder":
        Path("a").mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("a")
    with pytest.raises(OSError):
        fsops.open_regular("/dev/null" if kind == "device" else "a")


def test_write_new_never_replaces(tmp_path: Path):
    """A file that exists is not ours to change; what is written is read-only."""
    path = tmp_path / "a"
    fsops.write_new(str(path), b"first")
    with pytest.raises(FileExistsError):
        fsops.write_new(str(path), b"second")
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0


def test_write_new_goes_on_after_a_partial_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The system may take only a part of the bytes at a time."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    fsops.write_new(str(tmp_path / "a"), bytes(range(100)))
    assert (tmp_path / "a").read_bytes() == bytes(range(100))


def test_sync_file_syncs_a_read_only_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Sealed files are read-only, and their content is waited for through the descriptor of that very file."""
    fsops.write_new(str(tmp_path / "a"), b"1")
    synced = []
    real = fsops._sync
    monkeypatch.setattr(fsops, "_sync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino) or real(descriptor))
    fsops.sync_file(str(tmp_path / "a"))
    assert synced == [(tmp_path / "a").stat().st_ino]


@pytest.mark.parametrize(("code", "raised"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_sync_folder_minds_only_real_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raised: bool):
    """A filesystem without syncs of folders is no error, a failing disk is."""

    def fails(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fails)
    if raised:
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            fsops.sync_folder(str(tmp_path))
    else:
        assert fsops.sync_folder(str(tmp_path)) is None


def test_starting_writeback_is_only_a_hint(tmp_path: Path):
    """It leaves files and descriptors as they were."""
    paths = [str(tmp_path / name) for name in "abc"]
    for path in paths:
        fsops.write_new(path, path.encode())
    before = len(os.listdir("/dev/fd"))
    fsops.start_writeback(paths)
    assert [Path(path).read_bytes() for path in paths] == [path.encode() for path in paths]
    assert len(os.listdir("/dev/fd")) == before


def test_rename_does_not_replace_a_folder_with_files(tmp_path: Path):
    """The store relies on it: whoever comes second is told."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    with pytest.raises(OSError):
        fsops.rename(str(tmp_path / "new"), str(tmp_path / "old"))
    assert (tmp_path / "old" / "a").read_text() == "old"


def test_removing_twice_is_fine(tmp_path: Path):
    """Two sweeps may meet."""
    fsops.remove_file(str(tmp_path / "a"))
    fsops.remove_folder(str(tmp_path / "a"))
    assert list(tmp_path.glob("a")) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_storage_full(tmp_path: Path, code: int):
    """Full disk, quota and file-size limit say where, how much was needed, how much is free and what to do."""
    error = errors.typed(OSError(code, os.strerror(code), str(tmp_path / "no" / "file")), "unused", 12345)
    assert isinstance(error, StorageFull)
    for part in (str(tmp_path / "no" / "file"), "12,345 bytes were needed", "bytes are free", "prune", os.strerror(code)):
        assert part in str(error)


@pytest.mark.parametrize(
    ("code", "cls", "part"),
    [
        (errno.EACCES, StoreError, "owner"),
        (errno.EROFS, StoreError, "mounted"),
        (errno.ENAMETOOLONG, InvalidName, "255"),
        (errno.EIO, StoreError, "Input/output error"),
    ],
)
def test_other_errors_name_the_path_and_the_reason(code: int, cls: type[Exception], part: str):
    """Each error of the system has one meaning for the store."""
    error = errors.typed(OSError(code, os.strerror(code)), "/some/place")
    assert type(error) is cls
    assert "/some/place" in str(error)
    assert part in str(error)


def test_an_error_on_a_descriptor_names_the_path(tmp_path: Path):
    """The system names the number of the descriptor then, which tells nobody anything."""
    error = errors.typed(OSError(errno.ENOSPC, "full", 12), str(tmp_path / "file"))
    assert str(error).startswith(f"{tmp_path}/file could not be written: full")


def test_own_errors_stay_what_they_are():
    """Some of Lineal's errors are OSErrors too; their message is already right."""
    error = ArtifactCorrupted("x")
    assert errors.typed(error, "/place") is error
