"""Pruning: what nothing refers to goes, rows first and bytes after them, in an order that any crash and any run may interrupt.

1. Rows go, or become tombstones, in transactions that look again whether something refers to them. Their objects are condemned.
2. Objects that are still condemned leave their place while the facts are locked for writing, so that no step can come to need one
   between the look and the move (`MetadataStore.release`).
3. Their files are removed, without any lock.

A kill between these leaves condemned rows or withdrawn folders, which every later prune finishes first.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from lineal import host
from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.external import Progress
from lineal.errors import Conflict, LinealError, StoreMismatch, UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import Prunable
from lineal.model.text import size_text

What = Literal["all", "artifact", "metadata"]

PRUNE = "artifact prune"
"""The command that prunes."""

ABANDONED = 24 * 3600.0
"""Seconds after which what somebody staged and never touched again is removed too."""

LARGE = 1 << 30
"""Bytes from which a prune that would free more than half of everything must be forced."""

_ROWS = 500  # versions in one transaction
_FEW_ROWS = 50  # the same on a disk that is nearly full
_OBJECTS = 100  # objects that are moved while the facts are locked


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What a prune took, or with `dry_run` would take.

    Attributes:
        versions: Number of versions.
        artifacts: Number of artifacts that they belong to.
        bytes: Size of their data: what was saved under their names.
        freed: Bytes that this freed. Data that other versions share is not freed, and registered data is never touched.
        names: The versions as `name@version`, oldest first.
        errors: What could not be removed; with `ignore_errors` only, else the first one is raised.
        dry_run: Whether nothing was changed.
    """

    versions: int
    artifacts: int
    bytes: int
    freed: int
    names: tuple[str, ...]
    errors: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the versions that nothing refers to shall go, and what of them.

    Attributes:
        what: "all", "artifact" (the data; the record stays and says when) or "metadata" (the record; the data stays where it is).
        names: Artifact names, in which `*` stands for anything; all by default.
        older_than: Only versions made longer ago than that.
        keep_last: The newest so many versions of each artifact stay.
    """

    what: What = "all"
    names: tuple[str, ...] | None = None
    older_than: timedelta | None = None
    keep_last: int = 0


def select(metadata: MetadataStore, selection: Selection) -> list[Prunable]:
    """Give the versions that a selection takes, oldest first. Raises UsageError for an age or a number that is none."""
    keep = selection.keep_last
    if type(keep) is not int or keep < 0:
        raise UsageError(f"keep_last must be an int of 0 or more, got {keep!r}")
    before = None if selection.older_than is None else time.time_ns() // 1000 - _micros(selection.older_than)
    found = metadata.prunable(names=selection.names, created_before=before, keep_last=keep)
    if selection.what == "artifact":  # there is data, and it is ours
        return [each for each in found if each.state == "live" and each.external is None]
    return found


def _micros(age: object) -> int:
    if not isinstance(age, timedelta) or age < timedelta(0):
        raise UsageError(f"older_than must be a timedelta of 0 or more, such as timedelta(days=30); got {age!r}")
    return age // timedelta(microseconds=1)


def preview(metadata: MetadataStore, selection: Selection) -> PruneReport:
    """Say what a prune would take, and free with what an earlier one left."""
    found = select(metadata, selection)
    left = sum(size for _, size in metadata.condemned())
    return _report(found, left + (0 if selection.what == "metadata" else _would_free(found)), dry_run=True)


def prune(
    metadata: MetadataStore, store: ArtifactStore, lock: Path, selection: Selection, *, ignore_errors: bool = False, force: bool = False,
    progress: Progress | None = None,
) -> PruneReport:  # fmt: skip
    """Prune, and say what went. `lock` is a file that all prunes of these facts lock; `progress` is told of versions, and of bytes freed.

    Raises Conflict while another prune is at work, and, unless `force`, when more than half of everything and more than 1 GiB would go;
    StoreMismatch when the store is not there or not the one of these facts, or when these are an older copy; StoreError for what could
    not be removed.
    """
    check_stores(metadata, store)
    with metadata.room() as tight, host.alone(lock, patience=host.MOMENT) as mine:
        if not mine:
            raise Conflict(f"another prune is at work here (it holds {lock}); wait for its end")
        store.sweep(ABANDONED)
        freed, errors = collect(metadata, store, ignore_errors=ignore_errors)  # first what a killed prune left: it may make room
        found = select(metadata, selection)
        size = 0 if selection.what == "metadata" else _would_free(found)
        if not force:
            _refuse_much(size, metadata.bytes_kept())
        if progress is not None:
            progress.begin(len(found), size)
        now = time.time_ns() // 1000
        gone: set[str] = set()
        for batch in _batches([each.id for each in found], _FEW_ROWS if tight else _ROWS):
            gone.update(metadata.prune(batch, selection.what, now))
            if progress is not None:
                progress.advance(len(batch), 0)
            if tight:  # each part makes room for the next
                part_freed, part_errors = collect(metadata, store, ignore_errors=ignore_errors, progress=progress)
                freed, errors = freed + part_freed, [*errors, *part_errors]
        more_freed, more_errors = collect(metadata, store, ignore_errors=ignore_errors, progress=progress)
    return _report([each for each in found if each.id in gone], freed + more_freed, (*errors, *more_errors))


def delete_versions(metadata: MetadataStore, store: ArtifactStore, lock: Path, ids: Sequence[str]) -> None:
    """Delete all of these versions with the bytes that only they need, or none.

    Raises as `MetadataStore.delete_versions` and `check_stores` do, and StoreError for bytes that cannot be removed: the next prune does.
    """
    check_stores(metadata, store)
    with metadata.room(), host.alone(lock) as mine:
        metadata.delete_versions(ids)
        # Else a prune takes the bytes, or the next one does after a backup, which may have copied the record just now.
        if mine and metadata.takes_bytes:
            collect(metadata, store)


def check_here(metadata: MetadataStore, what: str) -> None:
    """Raise UsageError when bytes cannot be taken away or copied from here, as the facts are behind a server. `what` is a command."""
    if not metadata.takes_bytes:
        page = ", or prune on the storage page of its dashboard" if what == PRUNE else ""
        raise UsageError(
            f"the facts are behind the server {metadata.place}: run `lineal {what}` on its machine, with the settings that it runs with{page}"
        )


def check_stores(metadata: MetadataStore, store: ArtifactStore) -> None:
    """Raise StoreMismatch unless these facts and these bytes belong together, are there, and the facts are the newest that there were."""
    metadata.pair(store.identity)
    store.has("0" * 64)  # raises when the store is not mounted: everything would look as if it were gone already
    noted, known = store.epoch(), metadata.epoch()
    if known < noted:
        raise StoreMismatch(
            f"the metadata store is older than the artifact store {store.url}: it has seen {known:,} changes, and {noted:,} were made. It was "
            "put back from an older copy, and what newer facts need would be deleted. Put the newer one back, or accept this one: "
            "lineal verify --repair"
        )


def collect(
    metadata: MetadataStore, store: ArtifactStore, *, ignore_errors: bool = False, progress: Progress | None = None
) -> tuple[int, list[str]]:
    """Remove the bytes of all condemned objects; give the bytes freed, and the errors that were ignored."""
    freed, errors = 0, list[str]()
    for batch in _batches([digest for digest, _ in metadata.condemned()], _OBJECTS):
        for part in [batch] if not ignore_errors else [[digest] for digest in batch]:
            try:
                released = _release(metadata, store, part)
                freed += released
                if progress is not None:
                    progress.advance(0, released)
            except LinealError as error:
                if not ignore_errors:
                    raise
                errors.append(str(error))
    return freed, errors


def _release(metadata: MetadataStore, store: ArtifactStore, digests: Sequence[str]) -> int:
    graves: list[Path] = []

    def withdraw(digest: str) -> None:
        grave = store.withdraw(digest)
        if grave is not None:
            graves.append(grave)

    freed = metadata.release(digests, withdraw)
    return freed + sum(store.discard(grave) for grave in graves)


def _batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _would_free(found: Sequence[Prunable]) -> int:
    taken = Counter(each.digest for each in found if each.state == "live")
    sizes = {each.digest: each.size for each in found if each.external is None and taken[each.digest] == each.shared > 0}
    return sum(sizes.values())


def _refuse_much(freed: int, kept: int) -> None:
    if freed > LARGE and freed * 2 > kept:
        raise Conflict(
            f"this prune would free {size_text(freed)} of {size_text(kept)}, more than half; if that is what you want, force it "
            "(force=True, --force), else keep some: older_than, keep_last, or pin what must stay"
        )


def _report(found: Sequence[Prunable], freed: int, errors: Sequence[str] = (), *, dry_run: bool = False) -> PruneReport:
    data = sum(each.size for each in found if each.state == "live" and each.external is None)
    names = tuple(f"{each.artifact}@{each.version}" for each in found)
    return PruneReport(len(found), len({each.artifact for each in found}), data, freed, names, tuple(errors), dry_run)
