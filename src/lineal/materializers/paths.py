"""`pathlib.Path`: the file or folder itself, under its own name.

The object holds the file, or the folder with everything in it, by its own name. Folders without files, which an object of files cannot
show, are listed in `.lineal-folders`, written only when there are any. Permissions are not kept.
"""

import atexit
import errno
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PosixPath, WindowsPath
from typing import Any

from lineal.errors import MaterializerError
from lineal.materializers.base import Materializer
from lineal.model.records import Json

FOLDERS = ".lineal-folders"
"""The name of the file that lists empty folders."""


class PathMaterializer(Materializer):
    """Saves the file or folder that a path points to; loads a path to a private, writable copy with the same name."""

    id = "pathlib.Path/1"
    types = (PosixPath, WindowsPath)

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a plain Path: a subclass, such as one into an archive, may not be on this disk."""
        return type(value) in self.types

    def save(self, value: Path, folder: Path) -> None:
        """Copy what the path points to into `folder`. Raises MaterializerError when nothing is there, or something that is no plain file."""
        source, name = _source(value)
        if not source.is_dir():
            copy_file(source, folder / name)
            return
        content = Content(source)
        content.copy(folder / name)
        if content.empty:
            (folder / FOLDERS).write_text(json.dumps([f"{name}/{relative}" for relative in content.empty]), encoding="ascii")

    def load(self, folder: Path, type_: Any) -> Path:
        """Give the path of a private copy, which is removed when the process ends."""
        return private_copy(folder)

    def metadata(self, value: Path) -> Mapping[str, Json]:
        """Give the name, the number of files and the size of all in bytes."""
        source, name = _source(value)
        files = Content(source).files if source.is_dir() else {"": source}
        return {"name": name, "files": len(files), "bytes": sum(path.stat().st_size for path in files.values())}


class Content:
    """What a folder holds: `files` by relative path, and the relative paths of folders without any. Links inside are followed.

    Raises MaterializerError with a list of what is neither file nor folder, or leads outside.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.files: dict[str, Path] = {}
        self.empty: list[str] = []
        self._refused: list[str] = []
        self._walk()
        self.empty.sort()
        if self._refused:
            self._refused.sort()
            listed = "; ".join(self._refused[:10]) + (f"; and {len(self._refused) - 10} more" if len(self._refused) > 10 else "")
            raise MaterializerError(f"folder {root} holds what cannot be kept: {listed}. Remove it, or return a folder without it")

    def copy(self, target: Path) -> None:
        """Copy all files into a new folder."""
        made: set[Path] = set()
        for relative, path in self.files.items():
            place = target / relative
            if place.parent not in made:
                place.parent.mkdir(parents=True, exist_ok=True)
                made.add(place.parent)
            copy_file(path, place)

    def _walk(self) -> None:
        waiting: list[tuple[Path, str, tuple[Path, ...]]] = [
            (self.root, "", (self.root,))
        ]  # the last are the folders that this one lies in
        while waiting:
            folder, prefix, above = waiting.pop()
            with os.scandir(folder) as listing:
                entries = list(listing)
            if not entries:
                self.empty.append(prefix.rstrip("/") or ".")
            for entry in entries:
                relative = prefix + entry.name
                path = self._inside(Path(entry.path), relative, above) if entry.is_symlink() else Path(entry.path)
                if path is None:
                    continue
                mode = path.stat().st_mode
                if stat.S_ISDIR(mode):
                    waiting.append((path, relative + "/", (*above, path)))
                elif stat.S_ISREG(mode):
                    self.files[relative] = path
                else:
                    self._refused.append(f"{relative} is no plain file")

    def _inside(self, link: Path, relative: str, above: tuple[Path, ...]) -> Path | None:
        try:
            target = link.resolve(strict=True)
        except (OSError, RuntimeError):  # Python before 3.13 raises RuntimeError for a loop
            self._refused.append(f"{relative} is a link to nothing")
            return None
        if not target.is_relative_to(self.root):
            self._refused.append(f"{relative} is a link to {target}, which is outside")
        elif target in above:
            self._refused.append(f"{relative} is a link to a folder that it lies in")
        else:
            return target
        return None


def private_copy(stored: Path) -> Path:
    """Give a private, writable copy of a stored file or folder, `<a new temporary folder>/<its name>`, gone when the process ends."""
    place = _temporary()
    listing = stored / FOLDERS
    if listing.exists():
        for relative in json.loads(listing.read_bytes()):
            empty = (place / relative).resolve()
            if not empty.is_relative_to(place.resolve()):
                raise MaterializerError(f"{FOLDERS} of a stored folder names {relative!r}, which is outside; it was not loaded")
            empty.mkdir(parents=True, exist_ok=True)
    content = Content(stored)
    content.files.pop(FOLDERS, None)
    content.copy(place)
    [copy] = place.iterdir()
    return copy


_roots: dict[int, Path] = {}  # by process: a forked child must not remove what its parent made


def _temporary() -> Path:
    """Give a new private folder that is removed when the process ends."""
    pid = os.getpid()
    root = _roots.get(pid)
    if root is None or not root.is_dir():  # what cleans the system's temporary folder may have been here
        root = _roots[pid] = Path(tempfile.mkdtemp(prefix="lineal-"))
        atexit.register(_remove, root, pid)
    return Path(tempfile.mkdtemp(dir=root))


def _remove(root: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(root, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy the content of a file into a new one with usual permissions, sharing the blocks on disk where the file system can."""
    with source.open("rb") as reading, target.open("xb") as writing:
        if not _clone(reading.fileno(), writing.fileno()):
            shutil.copyfileobj(reading, writing, 1 << 20)


if sys.platform == "linux":
    import fcntl

    _FICLONE = 0x40049409
    _NO_COPY = {errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EBADF, errno.ENOTTY}

    def _clone(source: int, target: int) -> bool:
        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            return _copy_in_kernel(source, target)
        return True

    def _copy_in_kernel(source: int, target: int) -> bool:
        copied = 0
        try:
            while count := os.copy_file_range(source, target, 1 << 30):
                copied += count
        except OSError as error:
            if copied or error.errno not in _NO_COPY:
                raise
            return False
        return copied == os.fstat(source).st_size  # some file systems, such as /proc, say nothing and copy nothing

else:

    def _clone(source: int, target: int) -> bool:
        return False


def _source(value: Path) -> tuple[Path, str]:
    try:
        source = value.resolve(strict=True)
        mode = source.stat().st_mode
    except (OSError, RuntimeError) as error:
        raise MaterializerError(f"{value} was returned as a file or folder to keep, and cannot be read: {error}") from error
    name = value.name if value.name not in ("", "..") else source.name
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise MaterializerError(f"{value} is neither a plain file nor a folder; copy its content to a file first")
    if name in ("", FOLDERS):
        raise MaterializerError(f"{value} cannot be kept under its name; copy it to a path with another name first")
    return source, name
