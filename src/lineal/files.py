"""Files and folders of this machine: what is in them, how they are laid out as an object, copies, and folders that last.

A file, or a folder with everything in it, becomes an object under its own name: `report.html`, `model/weights.bin`. Folders without
files, which an object of files cannot show, are listed in `.lineal-folders`, written only when there are any. Links inside a folder
are followed, so what they lead to is there under both names; those that lead outside are not.
"""

import errno
import io
import json
import os
import re
import shutil
import stat
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lineal.errors import FULL, MaterializerError, NoMaterializer, StoreError

FOLDERS = ".lineal-folders"
"""The name of the file that lists empty folders."""

UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
"""What a filesystem answers that has no such operation; then there is nothing to do."""

MOST_VISITS = 50
"""How often links may lead into the same folder: a few links that lead to each other's parents can spell a million paths."""

_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISREG, "a file"),
)


def kind(status: os.stat_result) -> str:
    """Say what kind of file something is."""
    return next((name for test, name in _KINDS if test(status.st_mode)), "a device")


# -- what is in a folder


@dataclass(slots=True)
class Content:
    """What a folder holds, by relative path in POSIX form.

    Attributes:
        files: The real path of each file.
        empty: Folders without anything in them; `.` is the folder itself.
        folders: Real path of every folder that was looked into, and when its list of entries last changed (nanoseconds since 1970).
        refused: What cannot be kept, each with the reason.
    """

    files: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    folders: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def content_of(root: str) -> Content:
    """Give what a folder holds. No recursion, and nothing is opened: a folder may be deep, and hold pipes."""
    return _Walk(os.path.realpath(root)).walk()


class _Walk:
    def __init__(self, root: str) -> None:
        self._root = root
        self._found = Content()
        self._visits: Counter[str] = Counter()
        # The last are the folders that this one lies in, as real paths.
        self._waiting: list[tuple[str, str, tuple[str, ...]]] = [(root, "", (root,))]

    def walk(self) -> Content:
        found = self._found
        while self._waiting:
            folder, prefix, above = self._waiting.pop()
            try:
                found.folders[folder] = os.stat(folder).st_mtime_ns
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                found.refused.append(f"{prefix.rstrip('/') or '.'} cannot be read: {error.strerror}")
                continue
            if not entries:
                found.empty.append(prefix.rstrip("/") or ".")
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    found.files[prefix + entry.name] = entry.path
                elif entry.is_dir(follow_symlinks=False):
                    self._waiting.append((entry.path, f"{prefix}{entry.name}/", (*above, entry.path)))
                else:
                    self._special(entry, prefix + entry.name, above)
        found.empty.sort()
        found.refused.sort()
        return found

    def _special(self, entry: os.DirEntry[str], relative: str, above: tuple[str, ...]) -> None:
        refused = self._found.refused
        if not entry.is_symlink():
            refused.append(f"{relative} is no plain file but {kind(entry.stat(follow_symlinks=False))}")
            return
        try:
            target = os.path.realpath(entry.path, strict=True)
            status = os.stat(target)
        except OSError:
            refused.append(f"{relative} is a link to nothing")
            return
        if not is_inside(target, self._root):
            refused.append(f"{relative} is a link to {target}, which is outside")
        elif stat.S_ISREG(status.st_mode):
            self._found.files[relative] = target
        elif not stat.S_ISDIR(status.st_mode):
            refused.append(f"{relative} is a link to what is no plain file but {kind(status)}")
        elif target in above:
            refused.append(f"{relative} is a link to a folder that it lies in")
        elif self._visits[target] >= MOST_VISITS:
            refused.append(f"{relative} is one of more than {MOST_VISITS} ways into {target}")
        else:
            self._visits[target] += 1
            self._waiting.append((target, relative + "/", (*above, target)))


def is_inside(path: str, root: str) -> bool:
    """Tell whether a real path is the real path `root` or lies below it; `/store-evil` does not lie below `/store`."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def some(what: Sequence[str], most: int = 20) -> str:
    """Give a list for a message: the first ones, and how many more there are."""
    return "; ".join(what[:most]) + (f"; and {len(what) - most} more" if len(what) > most else "")


# -- empty folders of an object


def pack_folders(name: str, empty: Sequence[str]) -> bytes:
    """Give the content of `.lineal-folders` for a folder of that name."""
    return json.dumps([f"{name}/{relative}" for relative in empty]).encode("ascii")


def restore(place: Path) -> Path:
    """Make the empty folders of an object whose copy lies in `place`, and give the file or folder that it is."""
    make_empty_folders(place)
    [copy] = place.iterdir()
    return copy


def make_empty_folders(place: Path) -> None:
    """Make the empty folders that the copy of an object in `place` lists, and remove the list.

    Raises MaterializerError for a list that leads outside: it may have been forged.
    """
    listing = place / FOLDERS
    if not listing.exists():
        return
    for relative in json.loads(listing.read_bytes()):
        empty = (place / relative).resolve()
        if not empty.is_relative_to(place.resolve()):
            raise MaterializerError(f"{FOLDERS} of a stored folder names {relative!r}, which is outside; it was not loaded")
        empty.mkdir(parents=True, exist_ok=True)
    listing.unlink()


# -- folders that last


def make_folders(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and its parents, and wait until those that were not there would survive a power cut."""
    changed = []
    above = folder
    while not above.is_dir():
        above = above.parent
        changed.append(above)
    folder.mkdir(mode, parents=True, exist_ok=True)
    for each in changed:
        sync_folder(str(each))


def sync_folder(path: str) -> None:
    """Wait until the entries of a folder are on the disk, where the filesystem has such an operation."""
    if sys.platform != "win32":  # folders cannot be opened there; NTFS keeps its metadata in order by itself
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
        finally:
            os.close(descriptor)


# -- copies


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy the content of a file into a new one with usual permissions, sharing the blocks on disk where the file system can."""
    with open(source, "rb") as reading:
        copy_open(reading.fileno(), target)


def copy_open(source: int, target: str | Path) -> None:
    """Copy the content of an open file, from its position on, as `copy_file` does."""
    if _clone_whole(source, os.fspath(target)):
        return
    with open(target, "xb") as writing:
        if not _clone(source, writing.fileno()):
            shutil.copyfileobj(io.FileIO(source, closefd=False), writing, 1 << 20)


def make_parents(target: str, made: set[str]) -> None:
    """Make the folders that a file will lie in; `made` remembers those that are there."""
    parent = os.path.dirname(target)
    if parent not in made:
        os.makedirs(parent, exist_ok=True)
        made.add(parent)


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


if sys.platform == "darwin":

    def _clone_whole(source: int, target: str) -> bool:
        import ctypes  # late: only copies need it

        clone = ctypes.CDLL(None).fclonefileat
        clone.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        if clone(source, -2, os.fsencode(target), 0) != 0:  # -2: relative to the working directory
            return False
        os.chmod(target, 0o644)  # a clone of a stored file is read-only like it
        return True

else:

    def _clone_whole(source: int, target: str) -> bool:
        return False


def full_disk(folder: Path, error: BaseException) -> OSError | None:
    """Give the system's error when the disk takes nothing more, found by writing: NumPy and others do not tell why they could not write."""
    if not isinstance(error, Exception) or isinstance(error, StoreError | NoMaterializer):
        return None
    if isinstance(error, OSError) and error.errno in FULL:
        return error
    if isinstance(error, OSError) and error.errno is None and _SHORT.search(str(error)):
        return OSError(errno.ENOSPC, f"the disk took only a part of what was written ({error})", str(folder))
    files = [path for path in folder.rglob("*") if path.is_file()] or [folder / "probe"]
    try:
        with max(files, key=lambda path: path.stat().st_size if path.exists() else 0).open("ab") as file:
            file.write(bytes(_PROBE))
    except OSError as found:
        return found if found.errno in FULL else None
    return None


_SHORT = re.compile(r"\d+ requested and \d+ written")  # how NumPy says that a write was cut short, without the system's reason
_PROBE = 1 << 20  # bytes
