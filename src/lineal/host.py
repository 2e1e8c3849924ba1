"""What this machine and this process are: boot id, host name, and a sign of life that vanishes with the process.

A process that runs pipelines holds a lock on a file of its own. The system drops the lock when the process ends, however it
ends, so whoever can take the lock knows that the process is gone; a process id alone could belong to somebody new by then.
"""

import atexit
import contextlib
import getpass
import json
import os
import platform
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple, TextIO

from lineal import memory
from lineal.errors import typed

MARK = "+"
"""Stands between machine and folder in a token; in no name of a machine."""

_WIDTH = 2048
_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> str:
    """Give an id that changes when the machine boots, so that writes which were never synced can be told apart."""
    if _LINUX_BOOT_ID.exists():
        return _LINUX_BOOT_ID.read_text(encoding="ascii").strip()
    if sys.platform == "darwin":
        return subprocess.run(["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=True).stdout.strip()
    return f"unknown-{secrets.token_hex(8)}"  # never equal to another: what was not synced is verified


@cache
def host_name() -> str:
    """Give this machine's name."""
    return platform.node() or "localhost"


def person() -> str:
    """Give who uses this process, and where: `user@host`; the number of a user without a name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # such as a container's user that is in no list
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{host_name()}"


MOMENT = 2.0
"""Seconds for which a prune and a backup wait for who holds their lock: a deletion does for a moment."""


@contextmanager
def alone(path: Path, *, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock of a file, made when it is not there, while the block runs; gives False when somebody else holds it.

    That one is waited for as long as `patience` says, in seconds. The system drops the lock when the process ends, however it ends. Where the
    file system has no locks, only this process is kept out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    key = str(path.absolute()), os.getpid()
    end = time.monotonic() + patience
    while (taken := _take(path, key)) is None and time.monotonic() < end:
        time.sleep(0.02)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            with _alone_lock:
                taken.close()
                _alone.discard(key)


def _take(path: Path, key: tuple[str, int]) -> IO[bytes] | None:
    with _alone_lock:
        if key in _alone:  # never opened twice here: closing the file would drop the lock that this process holds on it
            return None
        file = path.open("ab")
        if _try_lock(file) is False:
            file.close()
            return None
        _alone.add(key)
        return file


_alone: set[tuple[str, int]] = set()
_alone_lock = threading.Lock()


def life_sign(folder: Path, *, shared: bool = False) -> "LifeSign":
    """Give this process's sign of life in a folder: always the same one, also to threads that ask at once.

    Args:
        folder: Where it is.
        shared: Whether tokens are read by processes that have other folders, also of this machine: then they name the folder too, so that
            nobody takes a process for dead whose sign is somewhere else.
    """
    return _signs.setdefault((folder, shared), LifeSign(folder, shared=shared))


class Vitals(NamedTuple):
    """What a process last wrote of itself: its boot, its peak of memory and how much it may use, in bytes, and `memory.kills()`."""

    boot: str
    peak: int | None
    limit: int | None
    kills: dict[str, int]


class LifeSign:
    """This process's sign of life in a folder: `token` names it, `is_alive` reads anyone's, `last` what somebody said before dying."""

    def __init__(self, folder: Path, *, shared: bool = False) -> None:
        self.folder = folder
        self._shared = shared
        self._name = ""
        self._lock = threading.Lock()
        self._pid = 0
        self._token = ""

    def token(self) -> str:
        """Give this process's token, taking its lock on first use: `host:pid:random`."""
        if self._pid != os.getpid():  # a forked child needs a sign of its own
            with self._lock:
                if self._pid != os.getpid():
                    self._take()
        return self._token

    def renew_lock(self) -> None:
        """Forget whoever holds the lock of this object: called in a forked child, where that thread does not exist."""
        self._lock = threading.Lock()

    def _take(self) -> None:
        token = f"{self._place()}:{os.getpid()}:{secrets.token_hex(4)}"
        path = self._path(token)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = path.open("wb", buffering=0)  # nothing that was not written waits in memory to be tried again
        except OSError as error:
            raise typed(error, str(path)) from error
        _try_lock(file)
        _own[token] = os.getpid(), file
        self._write(file)
        atexit.register(_remove_own, token, path)
        self._token = token
        self._pid = os.getpid()  # last: it tells other threads that the token is there

    def _place(self) -> str:
        """Give the machine, and the folder where that does not follow from it."""
        if not self._name:
            self._name = f"{host_name()}{MARK}{_folder_id(self.folder)}" if self._shared else host_name()
        return self._name

    def beat(self) -> None:
        """Write down how this process is, for whoever finds it dead. Cheap, and never an error: a full disk must not stop a run."""
        pid, file = _own.get(self.token(), (0, None))
        if pid == os.getpid() and file is not None:
            self._write(file)

    @staticmethod
    def _write(file: IO[bytes]) -> None:
        text = json.dumps(Vitals(boot_id(), memory.peak(), memory.limit(), memory.kills()))
        with contextlib.suppress(OSError):  # the lock is the sign; these words are a courtesy
            file.seek(0)
            file.write(text.encode().ljust(_WIDTH))  # one width: a shorter text leaves nothing of a longer one

    def last(self, token: str) -> Vitals | None:
        """Give what the process of that token last wrote of itself; None when it took its sign away as it ended, or cannot be asked."""
        if token in _own and _own[token][0] == os.getpid():
            return None  # never opened again here, as in `is_alive`
        try:
            return Vitals(*json.loads(self._path(token).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def is_alive(self, token: str) -> bool | None:
        """Tell whether the process of that token still lives.

        None when it cannot be asked: it ran on another machine, has its sign in another folder, belongs to another user, or the file
        system has no locks.
        """
        if token.rsplit(":", 2)[0] != self._place():
            return None
        if token in _own and _own[token][0] == os.getpid():
            return True  # never opened again here: closing the file would drop the lock that this process holds on it
        try:
            with self._path(token).open("r+b") as file:
                taken = _try_lock(file)
        except FileNotFoundError:
            return False
        except PermissionError:
            return None
        return None if taken is None else not taken

    def _path(self, token: str) -> Path:
        return self.folder / f"{token.replace(':', '-').replace(os.sep, '-')}.lock"


def machine_of(token: str) -> str:
    """Give the name of the machine of a token."""
    return token.rsplit(":", 2)[0].partition(MARK)[0]


def _folder_id(folder: Path) -> str:
    """Give a name of a folder that no other has: of this machine, of a container on it, or of another machine of the same name."""
    path = folder / "id"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():  # of two that are here for the first time at once the last one wins: the other is judged by its heartbeat
            part = folder / f"id-{secrets.token_hex(4)}"
            part.write_text(secrets.token_hex(8), encoding="ascii")
            part.replace(path)
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise typed(error, str(path)) from error


_signs: dict[tuple[Path, bool], LifeSign] = {}
_own: dict[str, tuple[int, IO[bytes]]] = {}
"""Tokens that this process, or one that it was forked from, has taken, with its process id. Closing the file would drop the lock."""


def _renew_locks() -> None:
    for sign in _signs.values():
        sign.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _remove_own(token: str, path: Path) -> None:
    pid, file = _own.pop(token)
    file.close()
    if os.getpid() == pid:
        path.unlink(missing_ok=True)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool | None:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool | None:
        """Give True when the lock was taken, False when another process has it, None when the file system has no locks."""
        # POSIX record locks: unlike flock, a forked child does not inherit them, so a surviving worker cannot keep a dead run alive.
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return None
        return True


def in_notebook() -> bool:
    """Tell whether this code runs in a notebook, without loading IPython to find out."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None  # a terminal's IPython has none


def progress_stream() -> TextIO | None:
    """Give where progress is shown: standard error; in a notebook, which shows that in red as if something was wrong, standard output."""
    return sys.stdout if in_notebook() else sys.stderr
