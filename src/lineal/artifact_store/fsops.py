"""The raw file operations of the local store, so that tests can record them and let each of them fail.

They raise OSError as the system gave it; `typed` turns that into an error of Lineal at the edge of the store. Paths are plain
text: building a `Path` costs as much as some of these calls.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from lineal.files import UNSUPPORTED
from lineal.files import sync_folder as sync_folder

OPERATIONS = (
    "make_folder",
    "write_new",
    "make_read_only",
    "start_writeback",
    "sync_file",
    "sync_folder",
    "rename",
    "link",
    "remove_file",
    "remove_folder",
)
"""The names of the functions here that change something on disk or wait for it."""

READ_ONLY = 0o444

# A FIFO must not block us, a link must not lead us away, and a worker process must not inherit the file.
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_SYNCABLE = os.O_RDWR | getattr(os, "O_BINARY", 0) if sys.platform == "win32" else _READ
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """Open a regular file for reading and give its descriptor and status. Raises OSError (EINVAL) for anything else; never blocks."""
    descriptor = os.open(path, _READ)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor, status


def make_folder(path: str, mode: int = 0o777) -> None:
    """Make one folder."""
    os.mkdir(path, mode)


def write_new(path: str, data: bytes, mode: int = READ_ONLY) -> None:
    """Write a file that may not exist yet."""
    descriptor = os.open(path, _CREATE, mode)
    try:
        rest = memoryview(data)
        while rest:  # near a limit the system writes a part and fails at the next call
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def make_read_only(descriptor: int, path: str) -> None:
    """Make an open file read-only."""
    if os.chmod in os.supports_fd:
        os.chmod(descriptor, READ_ONLY)
    else:
        os.chmod(path, READ_ONLY)


def start_writeback(paths: Sequence[str]) -> None:
    """Let the system begin to write these files, so that the syncs that follow share one commit of its journal. Only a hint."""
    if sys.platform == "linux":
        start = _sync_file_range()
        for path in paths if start and len(paths) > 1 else ():
            descriptor = os.open(path, _READ)
            try:
                start(descriptor, 0, 0, 2)  # SYNC_FILE_RANGE_WRITE: begin, do not wait. An error shows at the sync.
            finally:
                os.close(descriptor)


@cache
def _sync_file_range() -> Any:
    import ctypes  # late: a step that gives one file never needs it

    function = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


def sync_file(path: str) -> None:
    """Wait until the file's content and size are on the disk. After an error the file is void: a second call would report success."""
    if sys.platform == "win32":
        os.chmod(path, stat.S_IWRITE | stat.S_IREAD)  # only a handle that may write can be flushed there
    descriptor = os.open(path, _SYNCABLE)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)
        if sys.platform == "win32":
            os.chmod(path, READ_ONLY)


if sys.platform == "darwin":
    import fcntl

    def _sync(descriptor: int) -> None:
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync there leaves the data in the drive's own cache
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            os.fsync(descriptor)

else:
    _sync = getattr(os, "fdatasync", os.fsync)


def rename(source: str, target: str) -> None:
    """Move a folder to a place on the same filesystem that is free or an empty folder."""
    os.rename(source, target)


def link(source: str, target: str) -> None:
    """Give a file a second name that must be free: of any number of callers one succeeds, and nobody sees half a file."""
    os.link(source, target)


def remove_file(path: str) -> None:
    """Remove a file or a link; one that is gone already is fine."""
    with contextlib.suppress(FileNotFoundError):
        if sys.platform == "win32":
            os.chmod(path, stat.S_IWRITE)  # Windows does not remove what is read-only
        os.unlink(path)


def remove_folder(path: str) -> None:
    """Remove an empty folder; one that is gone already is fine."""
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(path)
