"""Registered data: files that lie elsewhere, are listed and digested where they lie, and never moved, changed or deleted.

Their object is laid out as if they were stored (`lineal.files`), so the same content has the same digest either way. Whatever is
read from the place later is compared with the listing: what has changed since is noticed, and never taken for what was registered.
"""

import errno
import os
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Protocol

from blake3 import blake3

from lineal.artifact_store import fsops, tree
from lineal.artifact_store.hashes import SIZE, Hashes, Stamp, stamp_of
from lineal.errors import ArtifactCorrupted, ArtifactMissing, DataChanged, InvalidName, UsageError
from lineal.files import FOLDERS, Content, content_of, copy_open, is_inside, kind, make_parents, pack_folders, some
from lineal.model import digest
from lineal.model.records import FileEntry, ObjectRecord

READERS = min(16, 4 * (os.cpu_count() or 1))
"""How many files are read at once: a slow disk or network answers several questions in the time of one."""

MOST_FILES, MOST_BYTES = 64, 16 << 20
"""Files, and bytes, that one reader takes at a time."""

_REMEDY = "bring back what was registered, or register what is there now as a new version"


class Progress(Protocol):
    """Is told how far the reading of files is, from any thread."""

    def begin(self, files: int, size: int) -> None:
        """Say how many files and bytes are to be read."""
        ...

    def advance(self, files: int, size: int) -> None:
        """Say that so many more files and bytes were read."""
        ...


class External:
    """Looks after registered data.

    Args:
        hashes: Folder in which digests of files are remembered; None to read everything each time.
    """

    def __init__(self, hashes: Path | None = None) -> None:
        self._hashes = hashes

    def scan(self, place: str, name: str, progress: Progress) -> ObjectRecord:
        """Give the object that a file or folder is now, under the name `name`, with everything in it. Its bytes stay where they are.

        Files that have not changed since an earlier scan are not read again. What is given is what all files held at one moment: none
        changed between its reading and the end, otherwise the whole is looked at once more.

        Raises UsageError with a list of what cannot be registered, DataChanged when files change meanwhile.
        """
        known = Hashes(self._hashes, place)
        for _ in range(2):
            began = time.time_ns()
            look = _Look(place, name, known)
            changed = look.read(progress) or look.changes()
            if look.has_read:
                known.learn(look.found(), began, forget=not changed)
            if not changed:
                return look.record()
        raise DataChanged(
            f"{place} changed while it was read, so it was not registered: {some(changed)}. Register it when nothing writes to it any more, or "
            "a copy of it"
        )

    def check(self, record: ObjectRecord, *, verify: bool = False) -> None:
        """Raise unless all registered files are there with their sizes; with `verify` with their bytes too.

        Raises ArtifactMissing or ArtifactCorrupted that lists the files. Files that came later mean nothing.
        """
        place = _Place(record)
        known = Hashes(self._hashes, place.path) if verify else None
        missing, changed = [], []
        for entry, path in place.files():
            name = _inner(entry) or place.path
            try:
                status = os.stat(place.real(path), follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                missing.append(f"{name} is gone")
                continue
            if not stat.S_ISREG(status.st_mode):
                changed.append(f"{name} is {kind(status)} now")
            elif status.st_size != entry.size:
                changed.append(f"{name} had {entry.size:,} bytes and has {status.st_size:,}")
            elif known is not None:
                found = known.get(_inner(entry), stamp_of(status)) or tree.digest_file(place.real(path))[1]
                if found != entry.digest:
                    changed.append(f"{name} holds other bytes")
        if changed:
            raise place.changed(some(changed + missing))
        if missing:
            raise ArtifactMissing(f"{place.path}, which was registered where it lies, is not whole: {some(missing)}; {_REMEDY}")
        place.packed_folders()

    def holds(self, record: ObjectRecord) -> bool:
        """Tell whether all registered files are there with their sizes."""
        try:
            self.check(record)
        except (ArtifactMissing, ArtifactCorrupted):
            return False
        return True

    def file(self, record: ObjectRecord, path: str) -> Path:
        """Give the real path of one registered file. Raises ArtifactCorrupted when it leads out of its place."""
        place = _Place(record)
        return Path(place.real(next(full for entry, full in place.files() if entry.path == path)))

    def copy(self, record: ObjectRecord, target: Path) -> None:
        """Write the files of registered data below `target`, laid out as an object. The copy is exactly what was registered.

        Raises as `check` does; what was written by then stays in `target`.
        """
        self.check(record)
        place = _Place(record)
        known = Hashes(self._hashes, place.path)
        began = time.time_ns()
        read: dict[str, tuple[Stamp, str]] = {}
        made: set[str] = set()
        for entry, path in place.files():
            copy = f"{target}/{entry.path}"
            make_parents(copy, made)
            descriptor = place.open(path)
            try:
                stamp = stamp_of(os.fstat(descriptor))
                copy_open(descriptor, copy)
                still = stamp == stamp_of(os.fstat(descriptor))
            finally:
                os.close(descriptor)
            found = known.get(_inner(entry), stamp) if still else None
            if found is None:
                found = tree.digest_file(copy)[1]  # of the copy: nobody else can change it any more
                if still:
                    read[_inner(entry)] = stamp, found
            if found != entry.digest:
                raise place.changed(f"{_inner(entry) or place.path} holds other bytes")
        folders = place.packed_folders()
        if folders is not None:
            (target / FOLDERS).write_bytes(folders)
        if read:
            known.learn(read, began, forget=False)


class _Place:
    """Where registered data lies. Links in it may lead to elsewhere in it, not out of it."""

    def __init__(self, record: ObjectRecord) -> None:
        assert record.external is not None
        self.path = record.external
        self._record = record
        self._root = os.path.realpath(self.path)
        self._folders: dict[str, str] = {}

    def changed(self, what: str) -> ArtifactCorrupted:
        return ArtifactCorrupted(f"{self.path} changed since it was registered: {what}; {_REMEDY}")

    def files(self) -> Iterator[tuple[FileEntry, str]]:
        """Give each registered file and its path."""
        for entry in self._record.files:
            if entry.path == FOLDERS:
                continue
            if "\0" in entry.path or any(part in ("", ".", "..") for part in entry.path.split("/")):
                raise ArtifactCorrupted(f"the recorded file name {entry.path!r} leads out of {self.path}; nothing was read")
            inner = _inner(entry)
            yield entry, f"{self.path}/{inner}" if inner else self.path

    def real(self, path: str) -> str:
        """Give the real path of a file. Raises ArtifactCorrupted when it is outside."""
        if path == self.path:
            return self._root
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = self._checked(os.path.realpath(folder), folder)
        real = f"{self._folders[folder]}/{name}"
        return self._checked(os.path.realpath(real), path) if os.path.islink(real) else real

    def _checked(self, real: str, path: str) -> str:
        if not is_inside(real, self._root):
            raise self.changed(f"{path} leads out of it through a link")
        return real

    def open(self, path: str) -> int:
        """Open a file for reading."""
        try:
            return fsops.open_regular(self.real(path))[0]
        except ArtifactCorrupted:
            raise
        except OSError as error:
            raise ArtifactCorrupted(f"{path}, which was registered where it lies, cannot be read: {error.strerror}; {_REMEDY}") from error

    def packed_folders(self) -> bytes | None:
        """Give the list of empty folders, None when there are none. Raises ArtifactCorrupted when they are others now."""
        listed = next((entry for entry in self._record.files if entry.path == FOLDERS), None)
        if listed is None:
            return None
        name = next(entry.path.partition("/")[0] for entry in self._record.files if entry.path != FOLDERS)
        packed = pack_folders(name, content_of(self.path).empty)
        if digest.of_bytes(packed) != listed.digest:
            raise self.changed("other folders in it are empty than were")
        return packed


def _inner(entry: FileEntry) -> str:
    """Give an entry's path below its place: empty for a file that was registered by itself."""
    return entry.path.partition("/")[2]


# -- a look at a place


class _Look:
    """What a place holds at one time."""

    def __init__(self, place: str, name: str, known: Hashes) -> None:
        self._place = place
        self._name = name
        self._content = _content(place)
        self._paths = list(self._content.files)
        self._stamps = [_stamp(path) for path in self._content.files.values()]
        self._digests = [known.get(path, stamp) for path, stamp in zip(self._paths, self._stamps, strict=True)]
        self._stop = threading.Event()
        self.has_read = False

    def read(self, progress: Progress) -> list[str]:
        """Digest what is not known; give the files that changed meanwhile."""
        todo = [place for place, found in enumerate(self._digests) if found is None]
        progress.begin(len(todo), sum(self._stamps[place][SIZE] for place in todo))
        self.has_read = bool(todo)
        if not todo:
            return []
        changed: list[str] = []
        with ThreadPoolExecutor(READERS, thread_name_prefix="lineal-reader") as readers:
            futures = [readers.submit(self._read_some, some_, progress) for some_ in self._portions(todo)]
            try:
                for future in as_completed(futures):
                    changed += future.result()
            except BaseException:  # an interrupt above all: nobody waits for the rest
                self._stop.set()
                readers.shutdown(wait=False, cancel_futures=True)
                raise
        return changed

    def _portions(self, todo: Sequence[int]) -> Iterator[list[int]]:
        portion: list[int] = []
        size = 0
        for place in todo:
            portion.append(place)
            size += self._stamps[place][SIZE]
            if len(portion) >= MOST_FILES or size >= MOST_BYTES:
                yield portion
                portion, size = [], 0
        if portion:
            yield portion

    def _read_some(self, places: Sequence[int], progress: Progress) -> list[str]:
        changed = []
        small = 0
        for place in places:
            if self._stop.is_set():
                break
            path = self._content.files[self._paths[place]]
            found = self._digest(path, self._stamps[place], progress)
            if found is None:
                changed.append(self._paths[place] or path)
            self._digests[place] = found
            size = self._stamps[place][SIZE]
            small += size if size <= digest.CHUNK else 0
        progress.advance(len(places), small)
        return changed

    def _digest(self, path: str, stamp: Stamp, progress: Progress) -> str | None:
        """Give the digest of a file, None when it is not the same before and after."""
        try:
            descriptor, before = fsops.open_regular(path)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.ENOTDIR):  # gone, or something else by now
                return None
            raise UsageError(f"{path} cannot be read, so {self._place} was not registered: {error.strerror}") from error
        try:
            if stamp_of(before) != stamp:
                return None
            if stamp[SIZE] <= digest.CHUNK:
                found = digest.of_bytes(os.read(descriptor, stamp[SIZE] + 1))
            else:
                found = self._digest_large(descriptor, progress)
            return found if stamp_of(os.fstat(descriptor)) == stamp else None
        finally:
            os.close(descriptor)

    def _digest_large(self, descriptor: int, progress: Progress) -> str:
        hasher = blake3(max_threads=blake3.AUTO)
        while not self._stop.is_set() and (data := os.read(descriptor, tree.BLOCK)):
            hasher.update(data)
            progress.advance(0, len(data))
        return hasher.hexdigest()

    def changes(self) -> list[str]:
        """Give what has changed since this look began.

        Files of which none had to be read need no second look: each was then, as it was remembered, until the first of them was looked at.
        """
        changed = []
        for path, stamp in zip(self._paths, self._stamps, strict=True) if self.has_read else ():
            if _stamp(self._content.files[path]) != stamp:
                changed.append(path or self._place)
        for folder, modified in self._content.folders.items():
            try:
                same = os.stat(folder).st_mtime_ns == modified
            except OSError:
                same = False
            if not same:
                changed.append(f"what is in {folder}")
        return changed

    def found(self) -> dict[str, tuple[Stamp, str]]:
        """Give what is known of each file by now."""
        known = zip(self._paths, self._stamps, self._digests, strict=True)
        return {path: (stamp, found) for path, stamp, found in known if found is not None}

    def record(self) -> ObjectRecord:
        """Give the object. `read` has digested everything."""
        entries = [
            FileEntry(f"{self._name}/{path}" if path else self._name, stamp[SIZE], found)
            for path, stamp, found in zip(self._paths, self._stamps, self._digests, strict=True)
            if found is not None
        ]
        if self._content.empty:
            packed = pack_folders(self._name, self._content.empty)
            entries.append(FileEntry(FOLDERS, len(packed), digest.of_bytes(packed)))
        entries.sort()
        return ObjectRecord(digest.of_object(entries), sum(entry.size for entry in entries), tuple(entries), external=self._place)


_GONE: Stamp = (-1, 0, 0, 0)


def _stamp(path: str) -> Stamp:
    try:
        return stamp_of(os.stat(path, follow_symlinks=False))
    except OSError:
        return _GONE


def _content(place: str) -> Content:
    """Give what is at a place. Raises UsageError with a list of what cannot be registered."""
    status = os.stat(place)
    if stat.S_ISREG(status.st_mode):
        return Content(files={"": place})
    if not stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{place} is {kind(status)}; register a file or a folder")
    content = content_of(place)
    if not content.files and not content.refused:
        raise UsageError(f"{place} holds no file, so there is nothing to register")
    refused = list(content.refused)
    for path in sorted(content.files):
        try:
            tree.check_path(path)
        except InvalidName as error:
            refused.append(str(error))
    if refused:
        raise UsageError(
            f"{place} was not registered, because of {len(refused)} things in it: {some(refused)}. Remove them, or register a copy without "
            "them (cp -rL follows links)"
        )
    return content
