"""What this machine and this process are: boot id, host name, and a sign of life that vanishes with the process.

A process that runs pipelines holds a lock on a file of its own. The system drops the lock when the process ends, however it
ends, so whoever can take the lock knows that the process is gone; a process id alone could belong to somebody new by then.
"""

import atexit
import os
import platform
import secrets
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import IO


@cache
def boot_id() -> str:
    """Give an id that changes when the machine boots, so that writes which were never synced can be told apart."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        pass  # not Linux
    if sys.platform == "darwin":
        return subprocess.run(["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=True).stdout.strip()
    return f"unknown-{secrets.token_hex(8)}"  # never equal to another: what was not synced is verified


@cache
def host_name() -> str:
    """Give this machine's name."""
    return platform.node() or "localhost"


@cache
def life_sign(folder: Path) -> "LifeSign":
    """Give this process's one sign of life in a folder: a second one would drop the first one's lock when it closes its file."""
    return LifeSign(folder)


class LifeSign:
    """This process's sign of life in a folder: `token` names it, `is_alive` reads anyone's. Made by `life_sign`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._held: IO[bytes] | None = None
        self._pid = 0
        self._token = ""

    def token(self) -> str:
        """Give this process's token, taking its lock on first use: `host:pid:random`."""
        with self._lock:
            if self._held is None or self._pid != os.getpid():  # a forked child needs a sign of its own
                self._pid = os.getpid()
                self._token = f"{host_name()}:{self._pid}:{secrets.token_hex(4)}"
                self.folder.mkdir(parents=True, exist_ok=True)
                path = self._path(self._token)
                self._held = path.open("wb")
                _try_lock(self._held)
                atexit.register(_remove_own, path, self._pid)
            return self._token

    def is_alive(self, token: str) -> bool | None:
        """Tell whether the process of that token still lives; None when it ran on another machine and cannot be asked."""
        host = token.rsplit(":", 2)[0]
        if host != host_name():
            return None
        if token == self._token and self._pid == os.getpid():
            return True
        try:
            with self._path(token).open("r+b") as file:
                return not _try_lock(file)
        except FileNotFoundError:
            return False

    def _path(self, token: str) -> Path:
        return self.folder / f"{token.replace(':', '-').replace(os.sep, '-')}.lock"


def _remove_own(path: Path, pid: int) -> None:
    if os.getpid() == pid:
        path.unlink(missing_ok=True)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        # POSIX record locks: unlike flock, a forked child does not inherit them, so a surviving worker cannot keep a dead run alive.
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
