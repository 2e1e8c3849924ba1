"""Private folders: where copies of stored files lie that are the caller's own, until the step or the process ends."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Final

offered: Final[dict[Path, Callable[[], Path]]] = {}
"""Folders in which private folders may lie besides the system's temporary one, each with what makes it ready and gives the place.

A copy shares the blocks of its original only on the same file system, and a temporary folder in memory is no place for large ones.
"""

# By process: a forked child must not remove what its parent made.
_roots: dict[tuple[int, str], Path] = {}
_made: dict[int, list[Path]] = {}
_scope: ContextVar[list[Path] | None] = ContextVar("lineal_private", default=None)


class PrivateScope:
    """Private folders that are made inside `with` are removed when it ends; others when the process ends."""

    __slots__ = ("_folders", "_token")

    def __enter__(self) -> None:
        self._folders: list[Path] = []
        self._token = _scope.set(self._folders)

    def __exit__(self, *_: object) -> None:
        _scope.reset(self._token)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def private_folder(near: str | Path | None = None) -> Path:
    """Give a new, empty folder that only this user may open, on the file system of `near` where that is possible."""
    base = _base(near)
    while True:
        root = _root(base)
        try:
            folder = Path(tempfile.mkdtemp(dir=root))
        except FileNotFoundError:  # what cleans the system's temporary folder may have been here just now
            continue
        folders = _scope.get()
        if folders is not None:
            folders.append(folder)
        return folder


def _base(near: str | Path | None) -> str:
    usual = tempfile.gettempdir()
    if near is None or not offered:
        return usual
    device = _device(near)
    if device is None or device == _device(usual):
        return usual
    places = [place for place in reversed(list(offered)) if _device(place.parent) == device]
    if not places:
        return usual
    return str(offered[max(places, key=lambda place: len(os.path.commonpath((place, Path(near).absolute()))))]())


def _device(path: str | Path) -> int | None:
    try:
        return Path(path).stat().st_dev
    except OSError:
        return None


def _root(base: str) -> Path:
    pid = os.getpid()
    root = _roots.get((pid, base))
    if root is None or not root.is_dir():  # what cleans the system's temporary folder may have been here
        if not _made.get(pid):
            atexit.register(_remove_all, pid)
        root = Path(tempfile.mkdtemp(prefix="lineal-", dir=base))
        _made.setdefault(pid, []).append(root)
        _roots[pid, base] = root
    return root


def _remove_all(pid: int) -> None:
    if os.getpid() == pid:
        for root in _made.pop(pid, []):
            shutil.rmtree(root, ignore_errors=True)
