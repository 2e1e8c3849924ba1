"""Turns to write, one process after the other in the order in which they came.

SQLite tries a lock that is taken again and again, after pauses that become longer: whoever comes late is served first, and some wait for
many seconds while hundreds of others commit. So writers stand in a line first, at a lock of an empty file beside the database. The system
wakes one of them when it is let go, and lets it go when its process ends, however it ends. SQLite's own lock stays what keeps writers
apart: where the file cannot be made or locked, and for programs that know nothing of it, all goes on as it would without.
"""

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

PATIENCE = 5.0
"""Seconds after which it is said who is waited for."""


class Turns:
    """The place of one process in the line. Its threads must ask one at a time.

    Args:
        path: The database.
    """

    def __init__(self, path: Path) -> None:
        self._database = path
        self._path = f"{path}.turns"
        self._file: int | None = None

    def take(self, seconds: float, tell: Callable[[], None]) -> bool:
        """Wait for a turn; False when it did not come in time. `tell` is called when one process wrote for most of PATIENCE."""
        file = self._open()
        if file is None or _try(file):
            return True
        waiting = _Waiting(file)
        threading.Thread(target=waiting.wait, name="lineal-turn", daemon=True).start()
        try:
            if seconds > PATIENCE:
                if waiting.came.wait(PATIENCE / 4):
                    return True
                first = holder(self._database)
                if not waiting.came.wait(PATIENCE * 3 / 4) and first == holder(self._database):
                    tell()  # and not because the line is long
                seconds -= PATIENCE
            return waiting.came.wait(seconds) or not waiting.give_up()
        except BaseException:
            waiting.give_up()
            raise

    def leave(self) -> None:
        """Let the next one write."""
        if self._file is not None:
            _let_go(self._file)

    def _open(self) -> int | None:
        if self._file is None:
            with contextlib.suppress(OSError):  # a folder that is not there yet or may not be written to, a full disk
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
                weakref.finalize(self, os.close, self._file)
        return self._file


class _Waiting:
    """A wait that can be given up: the lock itself cannot be waited for with a limit, so a thread of its own does it."""

    def __init__(self, file: int) -> None:
        self.came = threading.Event()
        self._file = file
        self._guard = threading.Lock()
        self._is_wanted = True

    def wait(self) -> None:
        _wait_for(self._file)
        with self._guard:
            if self._is_wanted:
                self.came.set()
            else:
                _let_go(self._file)

    def give_up(self) -> bool:
        """Want it no more; False when it has come at the last moment, and is to be let go by the caller."""
        with self._guard:
            self._is_wanted = self.came.is_set()
            return not self._is_wanted


def holder(path: Path) -> int | None:
    """Give the process that holds the write lock of a database now; None when that cannot be told, as on other systems than Linux.

    From the system's list. A look at the file itself would drop this process's own locks when it is closed.
    """
    try:
        status = os.stat(f"{path}-shm")  # noqa: PTH116 - as everywhere here, a path of text
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in locks.splitlines():
        match line.split():
            case [_, "POSIX", _, "WRITE", pid, where, start, end] if where == place and int(start) <= _WRITE_LOCK <= _end(end):
                return int(pid) if int(pid) > 0 else None
    return None


_WRITE_LOCK = 120  # the byte of the shared memory that SQLite locks to write; a part of its file format


def _end(text: str) -> float:
    return float("inf") if text == "EOF" else int(text)


if sys.platform == "win32":

    def _try(file: int) -> bool:
        return True

    def _wait_for(file: int) -> None:
        return

    def _let_go(file: int) -> None:
        return

else:
    import fcntl

    def _try(file: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:  # no locks here
            return True
        return True

    def _wait_for(file: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX)

    def _let_go(file: int) -> None:
        try:
            fcntl.lockf(file, fcntl.LOCK_UN)
        except OSError:  # no locks here; not suppress(), which would take longer than the call
            return
