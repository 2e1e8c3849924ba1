"""The files of one object while they lie in a folder: list them, digest them, make them durable, remove them.

Nothing here recurses, so a tree may be as deep as the system's paths allow.
"""

import contextlib
import io
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence

from blake3 import blake3

from lineal.artifact_store import fsops
from lineal.errors import ArtifactCorrupted, InvalidName, UsageError
from lineal.files import kind
from lineal.model import digest

BLOCK = 4 << 20
"""Bytes read at a time from a big file; large enough for BLAKE3 to use every core."""

BESIDE = 8 << 20
"""Bytes from which a file is written to the disk while it is digested: the one waits, the other computes."""

_plain = re.compile(r"[\w.\-+=@,()\[\]{} /]+\Z", re.ASCII).match


def listing(folder: str) -> tuple[list[str], list[str]]:
    """Give the paths of all files and of all sub-folders below a folder, relative to it and in POSIX form; parents before children.

    Raises UsageError for anything that is neither a regular file nor a folder, InvalidName for a name that not every store can keep.
    """
    files: list[str] = []
    folders: list[str] = []
    pending = [""]
    for inner in pending:  # grows while we walk
        with os.scandir(folder + "/" + inner) as entries:
            for entry in entries:
                path = inner + entry.name
                if entry.is_file(follow_symlinks=False):
                    files.append(check_path(path))
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                    pending.append(path + "/")
                else:
                    raise UsageError(
                        f"{path} in {folder} is {kind(entry.stat(follow_symlinks=False))}; an object holds regular files only: "
                        "let the materializer write a copy of the data"
                    )
    return files, folders


def check_path(path: str) -> str:
    """Give back a file's path relative to its object, or raise InvalidName when some store or system could not keep it."""
    if _plain(path):
        return path
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidName(f"the file name {path!a} is not valid UTF-8; an object's files need names that every system can keep") from None
    for character in path:
        if character < " " or character in "\\\x7f":
            raise InvalidName(f"the file name {path!a} contains {character!r}, which not every system can keep; use another name")
    return path


def take(folder: str, *, sync: bool = False) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Digest a staged folder and make its files read-only: (path, size, digest) of each file in order of path, and its sub-folders.

    An object is a set of files, so sub-folders without any file are removed. `sync` says that the files will be synced, so that the
    disk may begin with the big ones. Raises UsageError for what is not a regular file of its own, ArtifactCorrupted when a file
    changes meanwhile, OSError when the disk refuses one.
    """
    files, folders = listing(folder)
    entries = []
    for path in sorted(files):
        full = f"{folder}/{path}"
        big = sync and os.lstat(full).st_size >= BESIDE
        with _synced_meanwhile(full) if big else contextlib.nullcontext():
            entries.append((path, *digest_file(full, freeze=True)))
    if folders:
        used = _ancestors(files)
        for empty in [path for path in reversed(folders) if path not in used]:
            fsops.remove_folder(f"{folder}/{empty}")
        folders = [path for path in folders if path in used]
    return entries, folders


@contextlib.contextmanager
def _synced_meanwhile(path: str) -> Iterator[None]:
    """Sync a file in a thread. It replaces no sync afterwards, which then has nothing left to wait for."""
    failed: list[OSError] = []

    def sync() -> None:
        try:
            fsops.sync_file(path)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=sync, name="lineal-sync")
    with contextlib.suppress(RuntimeError):  # no thread to be had, as while the interpreter ends
        thread.start()
    try:
        yield
    finally:
        if thread.ident is not None:
            thread.join()
    if failed:
        raise failed[0]  # the system tells of it once: the next sync would report success


def _ancestors(files: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in files:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def digest_file(path: str, *, freeze: bool = False) -> tuple[int, str]:
    """Give the size and the digest of a regular file; with `freeze` make it read-only too.

    Raises ArtifactCorrupted when it changes meanwhile, UsageError when it is to be frozen and has a second name outside.
    """
    descriptor, before = fsops.open_regular(path)
    try:
        if freeze and before.st_nlink > 1:
            raise UsageError(
                f"{path} is a hard link to a file that has another name, through which the object could be changed; write a copy"
            )
        found = _digest(descriptor, before.st_size)
        after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise ArtifactCorrupted(
                f"{path} changed while it was read: close every file, and stop what still writes to it, before it is stored"
            )
        if freeze:
            fsops.make_read_only(descriptor, path)
    finally:
        os.close(descriptor)
    return before.st_size, found


def _digest(descriptor: int, size: int) -> str:
    if size <= digest.CHUNK:
        data = os.read(descriptor, size)
        if len(data) == size:
            return digest.of_bytes(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
    # Read, not mapped: a file that shrinks, or a bad sector, is an error here; under a mapping it would kill the process.
    hasher = blake3(max_threads=blake3.AUTO)
    buffer = memoryview(bytearray(BLOCK))
    with io.FileIO(descriptor, closefd=False) as file:
        while count := file.readinto(buffer):
            hasher.update(buffer[:count])
    return hasher.hexdigest()


def sync(folder: str, files: Sequence[str], folders: Sequence[str]) -> None:
    """Wait until these files, and the folders that list them, are on the disk."""
    for path in files:
        fsops.sync_file(f"{folder}/{path}")
    for path in reversed(folders):
        fsops.sync_folder(f"{folder}/{path}")
    fsops.sync_folder(folder)


def remove(path: str) -> int:
    """Remove a folder with all that is in it, or a file, and give the bytes of its files. Links are removed, never followed.

    What is gone already is fine: somebody else may be removing the same folder.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return 0
    if not stat.S_ISDIR(status.st_mode):
        fsops.remove_file(path)
        return status.st_size
    freed = 0
    pending = [path]
    for folder in pending:
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                freed += _size(entry)
                fsops.remove_file(entry.path)
    for folder in reversed(pending):
        fsops.remove_folder(folder)
    return freed


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            os.chmod(folder, stat.S_IRWXU)  # the saver of some framework left its folder read-only
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def newest(folder: str) -> float:
    """Give the time, in seconds since 1970, at which a file, or anything in a folder, was last changed."""
    status = os.lstat(folder)
    latest = status.st_mtime
    pending = [folder] if stat.S_ISDIR(status.st_mode) else []
    for inner in pending:
        with os.scandir(inner) as entries:
            for entry in entries:
                latest = max(latest, entry.stat(follow_symlinks=False).st_mtime)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
    return latest


def size(path: str) -> int:
    """Give the bytes of a file, or of all files in a folder; links are not followed. Raises FileNotFoundError when it is gone."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size
    total = 0
    pending = [path]
    for inner in pending:
        for entry in _entries(inner):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                total += _size(entry)
    return total
