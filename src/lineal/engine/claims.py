"""One computation at a time: who makes the result for a cache key holds a claim on it, and others wait and take what was made.

A claim is a lock on one byte of a file beside the facts, at the place that the key gives. The system drops it when the process ends,
however it ends; taking and dropping one costs microseconds and writes nothing. It reaches the processes of one machine, as the
facts do. Where the file system has no locks, claims keep out only this process's other runs.
"""

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import IO

from lineal.errors import FULL, StoreError, typed

_DIGITS = 15 if sys.platform != "win32" else 7  # of a key: what the system takes as the place of a lock


class Claims:
    """The claims of this process on the results of one set of facts; safe to use from threads.

    Args:
        path: The file whose bytes are locked; made when it is first needed, and always empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: set[int] = set()
        self._file: IO[bytes] | None = None
        self.renew_lock()

    def renew_lock(self) -> None:
        """Begin anew in a forked child, which has none of its parent's claims."""
        self._lock = threading.Lock()
        self._held.clear()
        self._file = None  # a child that closes it drops no lock of the parent's

    def take(self, key: str) -> bool:
        """Claim a key; False when somebody else has it, in this process or another."""
        place = int(key[:_DIGITS], 16)
        with self._lock:
            if place in self._held:
                return False
            if self._file is None:
                self._file = self._open()
            if not _lock(self._file.fileno(), place):
                return False
            self._held.add(place)
            return True

    def drop(self, key: str) -> None:
        """Give up a claim; nothing when it is not held."""
        place = int(key[:_DIGITS], 16)
        with self._lock:
            if place in self._held and self._file is not None:
                self._held.discard(place)
                _unlock(self._file.fileno(), place)

    def rest(self) -> None:
        """Close the file when nothing is claimed; the next claim opens it."""
        with self._lock:
            if not self._held and self._file is not None:
                self._file.close()
                self._file = None

    def _open(self) -> IO[bytes]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        except OSError as error:
            if error.errno in FULL:
                raise typed(error, str(self._path)) from error
            raise StoreError(f"{self._path} cannot be opened: {error.strerror}; LINEAL_SINGLE_FLIGHT=off does without it") from error


_known: dict[Path, Claims] = {}


def claims_at(path: Path) -> Claims:
    """Give this process's claims at a path: always the same ones, for a second file would drop the locks of the first."""
    return _known.setdefault(path, Claims(path))


def _renew_locks() -> None:
    for claims in _known.values():
        claims.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, place: int) -> bool:
        os.lseek(descriptor, place, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int, place: int) -> None:
        os.lseek(descriptor, place, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int, place: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:  # no locks here: only this process's own runs are kept apart
            return True
        return True

    def _unlock(descriptor: int, place: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)
