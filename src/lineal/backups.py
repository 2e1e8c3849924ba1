"""Backing up: a copy of facts and bytes as they were at one moment, made while runs go on.

1. Nothing is removed meanwhile: prunes are kept out by their lock, and what is deleted leaves its bytes for the next prune.
2. The facts are copied as they are at one moment, beside their place in the backup.
3. Every object that these facts need is there by then, and none changes: they are copied, read back and compared with their digests.
4. The copied facts take their place, last and at once. A kill before leaves the backup that was there before, and whole objects.

The copy is a home of its own: what can be done with a home, `lineal verify` above all, can be done with it.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lineal import host
from lineal.artifact_store.base import ArtifactStore
from lineal.errors import ArtifactCorrupted, ArtifactMissing, Conflict, StoreError, UsageError
from lineal.files import copy_file, is_inside
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.copying import publish
from lineal.model.records import ObjectRecord

DATABASE, STORE, LOGS = "lineal.db", "store", "logs"
"""What the parts of a home are called."""

_ROWS = 500
_TOGETHER = 64  # objects that are made durable in one go
_BYTES = 256 << 20


class Progress(Protocol):
    """Is told how far the copying is."""

    def begin(self, files: int, size: int) -> None:
        """Say how many objects and bytes there are."""
        ...

    def advance(self, files: int, size: int) -> None:
        """Say that so many more were copied or found to be there."""
        ...


@dataclass(slots=True)
class BackupReport:
    """What a backup holds.

    Attributes:
        path: Where it is.
        objects: Objects in it, and `bytes` their size; those that are small enough to be in the database are counted too.
        copied: Objects that were copied, because they were not there from an earlier backup, and `copied_bytes` their size.
        external: How many registered files and folders were not copied, because their bytes are not ours.
        problems: Objects that could not be copied because they are missing or damaged here; everything else is there.
    """

    path: str
    objects: int = 0
    bytes: int = 0
    copied: int = 0
    copied_bytes: int = 0
    external: int = 0
    problems: list[str] = field(default_factory=list)


def back_up(
    metadata: MetadataStore, store: ArtifactStore, logs: Sequence[Path], lock: Path, target: Path, progress: Progress
) -> BackupReport:
    """Make or renew the backup in a folder.

    Args:
        metadata: The facts.
        store: The bytes.
        logs: Folders of the steps' logs; some may not exist.
        lock: The file that prunes lock.
        target: A folder that is new, empty, or holds an earlier backup of these stores.
        progress: Is told how far it is.

    Raises UsageError or StoreMismatch for another folder, Conflict beside another backup or a prune, StorageFull, StoreError.
    """
    target = target.absolute()
    _check_target(target, store)
    metadata.pair(store.identity)
    with host.alone(lock, patience=host.MOMENT) as mine:
        if not mine:
            raise Conflict(f"a prune or another backup is at work here (it holds {lock}); wait for its end")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target / f"{DATABASE}.part"
        facts = metadata.backup(part)
        try:
            twin = store.twin(target / STORE)
            report = _Copy(facts, store, twin, progress, BackupReport(str(target))).all()
            epoch = facts.epoch()
        finally:
            facts.close()
        for folder in logs:
            if folder.is_dir():
                shutil.copytree(folder, target / LOGS, dirs_exist_ok=True, symlinks=True)
        publish(part, target / DATABASE)
        twin.note_epoch(epoch)  # not before: the facts of an earlier backup would be taken for an older copy
    return report


def _check_target(target: Path, store: ArtifactStore) -> None:
    real, own = os.path.realpath(target), os.path.realpath(store.url)
    if is_inside(real, own) or is_inside(own, real):
        raise UsageError(f"{target} lies in, or holds, the artifact store {own}: name a folder elsewhere, best on another disk")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is no folder; name a new one, or one with an earlier backup")
    if target.is_dir() and any(target.iterdir()) and not (target / STORE).is_dir():
        raise UsageError(f"{target} holds something that is no backup; name a new folder, or one with an earlier backup")


@dataclass(slots=True)
class _Copy:
    facts: MetadataStore
    store: ArtifactStore
    twin: ArtifactStore
    progress: Progress
    report: BackupReport
    staged: list[tuple[ObjectRecord, Path]] = field(default_factory=list)

    def all(self) -> BackupReport:
        try:
            for record in self._needed():
                self._object(record)
            self._seal()
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"the backup in {self.report.path} could not be written: {error}") from error
        finally:
            for _, folder in self.staged:
                self.twin.discard(folder)
        return self.report

    def _needed(self) -> Iterator[ObjectRecord]:
        last, size = self.facts.last_object()
        self.progress.begin(last, size)
        for after in range(0, last, _ROWS):
            for needed in self.facts.needed_objects(after, after + _ROWS):
                if needed.object.external is not None:
                    self.report.external += 1
                elif needed.live:
                    self.report.objects += 1
                    self.report.bytes += needed.object.size
                    if needed.object.inline is None:
                        yield needed.object
                self.progress.advance(0, needed.object.size)
            self.progress.advance(min(_ROWS, last - after), 0)

    def _object(self, record: ObjectRecord) -> None:
        if self.twin.holds(record):
            return
        try:
            source = self.store.fetch(record)
        except (ArtifactMissing, ArtifactCorrupted) as error:
            self.report.problems.append(str(error))
            return
        folder = self.twin.stage()
        self.staged.append((record, folder))
        for entry in record.files:
            copy = folder / entry.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy_file(source / entry.path, copy)
        if len(self.staged) >= _TOGETHER or sum(each.size for each, _ in self.staged) >= _BYTES:
            self._seal()

    def _seal(self) -> None:
        """Make durable what was copied; its digest is that of the copy, so a wrong one shows."""
        staged, self.staged = self.staged, []
        sealed = self.twin.seal([folder for _, folder in staged])
        for (record, _), found in zip(staged, sealed, strict=True):
            if found.digest == record.digest:
                self.report.copied += 1
                self.report.copied_bytes += record.size
            else:
                self.twin.delete(found.digest)
                self.report.problems.append(f"object {record.digest[:12]} is damaged here: its bytes are not those that were saved")
