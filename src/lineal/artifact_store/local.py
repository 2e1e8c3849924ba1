"""The artifact store in a local folder; `docs/store-format.md` describes what lies on disk.

An object is written in a folder of its own under `staging/`, made durable there, and appears under `objects/` by one rename, so
nobody ever sees half of one. Its name is the digest of its content: whoever finds the place taken compares, and adopts what is there.
"""

import contextlib
import errno
import os
import re
import secrets
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from lineal import host
from lineal.artifact_store import fsops, identity, quarantine, tree
from lineal.artifact_store.checks import REMEDY, Checks
from lineal.errors import ArtifactCorrupted, ArtifactMissing, InvalidName, LinealError, StoreError, UsageError, typed
from lineal.model import digest
from lineal.model.records import FileEntry, ObjectRecord

ATTEMPTS = 8
"""How often a sealed folder is offered a place that others keep taking or removing."""

Entry = tuple[str, int, str]

_WITHDRAWN = "withdrawn-"

_is_digest = re.compile(r"[0-9a-f]{64}\Z").match
_TAKEN = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR} | ({errno.EACCES} if sys.platform == "win32" else set()))


class LocalArtifactStore:
    """Keeps objects in a local folder, which is made when it is not there. Safe to use from any thread and process.

    Args:
        folder: The store's own folder.

    Raises SchemaTooNew when a newer Lineal made the store, StoreMismatch when the folder holds objects of an unknown store,
    StoreError when it cannot be made or read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder).expanduser().absolute()
        self._folder = str(self.path)
        self._objects = f"{self._folder}/objects"
        self._staging = f"{self._folder}/staging"
        # Fan-out folders whose own entry this process knows to be on disk.
        self._durable: set[str] = set()
        # Objects with a file whose sync failed here: the system may call the next sync of it a success, so they are never adopted.
        self._void: set[str] = set()
        self._checks = Checks(self._folder)
        try:
            self._id = identity.open_store(self._folder)
        except OSError as error:
            _fail(error, self._folder)

    @property
    def url(self) -> str:
        """The store's folder as text."""
        return self._folder

    @property
    def identity(self) -> str:
        """The id in the store's identity file; it stays the same when the folder is moved."""
        return self._id

    def stage(self) -> Path:
        """Make a new, empty, private folder in which an object's files can be written. Raises StoreError or StorageFull."""
        return Path(self._stage())

    def seal(self, folders: Sequence[Path], *, sync: bool = True) -> list[ObjectRecord]:
        """Turn staged folders into objects, in one barrier when `sync`; the folders are gone afterwards.

        Raises UsageError for what is not a regular file, ArtifactCorrupted when a file changes meanwhile, StorageFull, or StoreError
        when the disk refuses. Then the staged folders are removed; an object that was already in place stays, whole.
        """
        places = [str(folder) for folder in folders]
        self._check_staged(places)
        try:
            return self._settle([(place, *tree.take(place, sync=sync)) for place in places], sync)
        except BaseException as error:
            self._drop(places, error)
            if isinstance(error, OSError):
                _fail(error, self._folder)
            raise

    def seal_bytes(self, name: str, data: bytes, *, sync: bool = True) -> ObjectRecord:
        """Store one file of that name with that content as an object, the same as `seal` of a folder that holds just it."""
        if not name or "/" in name or name in (".", ".."):
            raise InvalidName(f"{name!r} cannot be the name of an object's file; give a plain file name such as data.bin")
        entry = (tree.check_path(name), len(data), digest.of_bytes(data))
        place = self._stage()
        try:
            fsops.write_new(f"{place}/{name}", data)
            [record] = self._settle([(place, [entry], [])], sync)
        except BaseException as error:
            self._drop([place], error)
            if isinstance(error, OSError):
                _fail(error, f"{place}/{name}", len(data))
            raise
        return record

    def sync(self, digests: Sequence[str]) -> None:
        """Make objects that were sealed without `sync` durable, in one barrier.

        Raises ArtifactMissing for one that is not there, StoreError when the disk refuses; what was refused is not tried again.
        """
        wanted = {name: self._at(name) for name in digests}
        void = self._void.intersection(wanted)
        if void:
            raise StoreError(f"object {min(void)[:12]} could not be made durable before, so its bytes cannot be trusted; {REMEDY}")
        trees = {name: self._tree(name, place) for name, place in wanted.items()}
        try:
            fsops.start_writeback([f"{wanted[name]}/{path}" for name, (files, _) in trees.items() for path in files])
            for name, (files, folders) in trees.items():
                self._sync_object(name, wanted[name], files, folders)
            self._sync_parents(wanted)
        except OSError as error:
            _fail(error, self._objects)

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        """Give the folder that holds the object's files; other files that lie there mean nothing.

        Checks that each file is there, is a regular file and has its size; with `verify`, or when the object was written without
        syncing before another boot, digests too. Raises ArtifactMissing, ArtifactCorrupted, or StoreMismatch when the store is gone.
        """
        place = self._at(record.digest)
        if not verify and record.boot is not None:
            verify = record.boot != host.boot_id()
        try:
            self._checks.check(place, record.digest, record.files, verify=verify)
        except ArtifactMissing:
            identity.check(self._folder, self._id)  # an unmounted volume is not a lost object
            raise
        except OSError as error:
            _fail(error, place)
        return Path(place)

    def holds(self, record: ObjectRecord, *, verify: bool = False) -> bool:
        """Tell whether `fetch` would give the object. Raises StoreMismatch when the store itself is not there."""
        try:
            self.fetch(record, verify=verify)
        except (ArtifactMissing, ArtifactCorrupted):
            return False
        return True

    def has(self, digest: str) -> bool:
        """Tell whether an object is in place, without checking what is in it. Raises StoreMismatch when the store itself is not there."""
        if os.path.isdir(self._at(digest)):
            return True
        identity.check(self._folder, self._id)
        return False

    def discard(self, folder: Path) -> int:
        """Remove a staged folder with all that is in it and give the bytes freed; one that is gone already is fine."""
        place = str(folder)
        self._check_staged([place])
        try:
            return tree.remove(place)
        except OSError as error:
            _fail(error, place)

    def digests(self) -> Iterator[str]:
        """Walk over the digests of all objects that are in place, in order."""
        identity.check(self._folder, self._id)
        for fanout in _names(self._objects):
            for name in _names(f"{self._objects}/{fanout}"):
                if _is_digest(name) and name.startswith(fanout):
                    yield name

    def withdraw(self, digest: str) -> Path | None:
        """Take an object out of its place by one rename, for `discard` to remove; None when it was not there.

        What a killed process left of it, `sweep` removes at once. Raises StoreMismatch when the store is not there.
        """
        place = self._at(digest)
        identity.check(self._folder, self._id)
        try:
            grave = self._withdraw(place)
        except OSError as error:
            _fail(error, place)
        return None if grave is None else Path(grave)

    def delete(self, digest: str) -> int:
        """Remove an object and give the bytes freed; 0 when it was not there. Raises StoreMismatch when the store is not there."""
        grave = self.withdraw(digest)
        return 0 if grave is None else self.discard(grave)

    def sweep(self, older_than: float) -> int:
        """Remove what lies under `staging/` and was not touched for that many seconds, and give the number of folders removed.

        Withdrawn objects go at any age: nobody writes to them.
        """
        removed = 0
        for name, _ in self.stale(older_than):
            place = f"{self._staging}/{name}"
            try:
                tree.remove(place)
            except OSError as error:
                _fail(error, place)
            removed += 1
        return removed

    # -- looking after it

    def epoch(self) -> int:
        """Give the largest count of changes that the facts of this store have had."""
        return identity.read_epoch(self._folder)

    def note_epoch(self, epoch: int) -> None:
        """Note a count of changes, if it is larger. What cannot be noted does no harm: only an older copy would be noticed later."""
        with contextlib.suppress(OSError):
            if epoch > identity.read_epoch(self._folder):
                identity.write_epoch(self._folder, epoch)

    def twin(self, folder: Path) -> "LocalArtifactStore":
        """Open the copy of this store in a folder, made without objects when the folder is empty or not there."""
        identity.check(self._folder, self._id)
        try:
            identity.copy(self._folder, str(folder))
        except OSError as error:
            _fail(error, str(folder))
        return LocalArtifactStore(folder)

    def inspect(self, record: ObjectRecord, *, read_data: bool = False) -> list[str]:
        """Raise as `fetch` does when an object is not whole, and give the paths of what lies in its folder and is not of it.

        Nothing that was verified before counts: with `read_data` all bytes are read.
        """
        place = self._at(record.digest)
        try:
            Checks(self._folder).check(place, record.digest, record.files, verify=read_data)
            return quarantine.extras(place, {entry.path for entry in record.files})
        except ArtifactMissing:
            identity.check(self._folder, self._id)
            raise
        except OSError as error:
            _fail(error, place)

    def strays(self) -> Iterator[str]:
        """Walk over the paths of what lies under `objects/` and is no object."""
        identity.check(self._folder, self._id)
        return quarantine.strays(self._objects)

    def quarantine(self, path: str, older_than: float = 0) -> Path | None:
        """Move an object, given by its digest, or what `strays` gave, into the store's folder `quarantine`, and give its place there.

        None when it was not there, or was put there less than `older_than` seconds ago.
        """
        identity.check(self._folder, self._id)
        inner = f"{path[:2]}/{path}" if _is_digest(path) else path
        try:
            aside = quarantine.put_aside(self._folder, inner, older_than)
        except OSError as error:
            _fail(error, f"{self._objects}/{inner}")
        return None if aside is None else Path(aside)

    def recover(self, record: ObjectRecord, *, really: bool = True) -> bool:
        """Put an object that is missing back from the quarantine, if it is whole there bit by bit; tell whether it is (`really` False: was)."""
        place = self._at(record.digest)
        for aside in quarantine.kept_aside(self._folder, record.digest):
            try:
                Checks(self._folder).check(aside, record.digest, record.files, verify=True)
                if really:
                    os.makedirs(os.path.dirname(place), exist_ok=True)
                    fsops.rename(aside, place)
                    fsops.sync_folder(os.path.dirname(place))
            except OSError:
                continue
            return True
        return False

    def stale(self, older_than: float) -> list[tuple[str, int]]:
        """Give what `sweep` would remove: name and bytes of each."""
        identity.check(self._folder, self._id)
        found = []
        for name in _names(self._staging):
            place = f"{self._staging}/{name}"
            try:
                if name.startswith(_WITHDRAWN) or time.time() - tree.newest(place) >= older_than:
                    found.append((name, tree.size(place)))
            except FileNotFoundError:
                continue  # its owner sealed or removed it just now
            except OSError as error:
                _fail(error, place)
        return found

    # -- staging

    def _stage(self) -> str:
        place = self._new_place()
        try:
            self._make(place)
        except OSError as error:
            _fail(error, place)
        return place

    def _new_place(self) -> str:
        # Random, because threads, forked children and other machines all stage here.
        return f"{self._staging}/{secrets.token_hex(8)}"

    def _make(self, place: str) -> None:
        try:
            fsops.make_folder(place)
        except FileNotFoundError:
            identity.check(self._folder, self._id)  # never begin a new store where a volume should be mounted
            os.makedirs(os.path.dirname(place), exist_ok=True)
            fsops.sync_folder(self._folder)
            fsops.make_folder(place)

    def _check_staged(self, places: Sequence[str]) -> None:
        for place in places:
            if os.path.dirname(place) != self._staging:
                raise UsageError(f"{place} was not staged by this store: write into a folder that stage() gives")
        if len(set(places)) != len(places):
            raise UsageError("the same staged folder was given twice; each becomes one object")

    def _drop(self, places: Iterable[str], error: BaseException) -> None:
        for place in places:
            try:
                tree.remove(place)
            except OSError as second:
                error.add_note(f"{place} could not be removed ({second}); it goes with the next sweep")

    # -- objects

    def _at(self, name: str) -> str:
        if not _is_digest(name):  # it may come from a request: it must not lead out of the store
            raise UsageError(f"{name!r} is not a digest: 64 lower-case hexadecimal digits were expected")
        return f"{self._objects}/{name[:2]}/{name}"

    def _settle(self, taken: Sequence[tuple[str, list[Entry], list[str]]], sync: bool) -> list[ObjectRecord]:
        boot = None if sync else host.boot_id()
        if sync:
            fsops.start_writeback([f"{place}/{entry[0]}" for place, entries, _ in taken for entry in entries])
            for place, entries, folders in taken:
                tree.sync(place, [entry[0] for entry in entries], folders)
        records = []
        for place, entries, folders in taken:
            name = digest.of_object(entries)
            self._put(place, name, entries, folders if sync else None)
            size = sum(entry[1] for entry in entries)
            records.append(ObjectRecord(name, size, tuple(FileEntry(*entry) for entry in entries), boot=boot))
        if sync:
            self._sync_parents([record.digest for record in records])
        return records

    def _put(self, staged: str, name: str, entries: Sequence[Entry], folders: Sequence[str] | None) -> None:
        """Rename a staged folder to its place, or adopt the object that is there; `folders` None leaves that one unsynced."""
        place = self._at(name)
        for _ in range(ATTEMPTS):
            try:
                fsops.rename(staged, place)
            except FileNotFoundError:
                self._make_fanout(name[:2], staged)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                if self._adopts(place, name, entries, folders):
                    tree.remove(staged)
                    return
                self._remove_damaged(place)
            else:
                self._void.discard(name)
                return
        raise StoreError(
            f"object {name[:12]} could not be put at {place} in {ATTEMPTS} attempts: something else keeps taking or removing it"
        )

    def _make_fanout(self, fanout: str, staged: str) -> None:
        if not os.path.isdir(staged):
            raise StoreError(f"the staged folder {staged} is gone before it was sealed: it was swept or removed")
        try:
            self._make(f"{self._objects}/{fanout}")
        except FileExistsError:
            return
        self._durable.discard(fanout)

    def _adopts(self, place: str, name: str, entries: Sequence[Entry], folders: Sequence[str] | None) -> bool:
        """Tell whether the object in place can stand for a fresh copy: whole, bit by bit, and durable when that is wanted.

        Sizes would not do: after a power cut, what was never synced may have its size and hold zeros.
        """
        if name in self._void:
            return False
        try:
            self._checks.check(place, name, entries, verify=True)
            if folders is not None:
                tree.sync(place, [entry[0] for entry in entries], folders)
        except OSError:  # missing, corrupted, unreadable or void: the fresh copy takes its place
            return False
        return True

    def _withdraw(self, place: str) -> str | None:
        # By rename first, so that a crash leaves no half object in place.
        grave = f"{self._staging}/{_WITHDRAWN}{secrets.token_hex(8)}"
        try:
            fsops.rename(place, grave)
        except FileNotFoundError:
            return None
        return grave

    def _remove_damaged(self, place: str) -> None:
        grave = self._withdraw(place)
        if grave is not None:
            tree.remove(grave)

    # -- durability

    def _tree(self, name: str, place: str) -> tuple[list[str], list[str]]:
        try:
            return tree.listing(place)
        except (FileNotFoundError, NotADirectoryError):
            identity.check(self._folder, self._id)
            raise ArtifactMissing(f"object {name[:12]} is not in {self._folder}; {REMEDY}") from None
        except UsageError as error:
            raise ArtifactCorrupted(f"object {name[:12]} is not what was saved: {error}") from error
        except OSError as error:
            _fail(error, place)

    def _sync_object(self, name: str, place: str, files: Sequence[str], folders: Sequence[str]) -> None:
        try:
            tree.sync(place, files, folders)
        except OSError:
            self._void.add(name)
            raise

    def _sync_parents(self, names: Iterable[str]) -> None:
        fanouts = {name[:2] for name in names}
        try:
            for fanout in sorted(fanouts):
                fsops.sync_folder(f"{self._objects}/{fanout}")
            if not fanouts <= self._durable:
                fsops.sync_folder(self._objects)
        except OSError:
            self._void.update(names)
            raise
        self._durable |= fanouts


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        _fail(error, folder)


def _fail(error: OSError, path: str, needed: int | None = None) -> NoReturn:
    """Raise what a system's error means for the store; an error of Lineal, which may be an OSError too, is raised as it is."""
    if isinstance(error, LinealError):
        raise error
    raise typed(error, path, needed) from error
