"""What an artifact store is: the protocol that the local folder and remote stores keep.

An object is written once, under the digest of its content, and never changes. Each method may be called from any thread and
process at the same time with the same arguments.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from lineal.model.records import ObjectRecord


class ArtifactStore(Protocol):
    """Where objects live."""

    @property
    def url(self) -> str:
        """Where this store is: a folder's path or a URL."""
        ...

    @property
    def identity(self) -> str:
        """The store's own id, which stays when the store is moved: it pairs the bytes with their facts."""
        ...

    def stage(self) -> Path:
        """Make a new, empty, private folder in which an object's files can be written."""
        ...

    def seal(self, folders: Sequence[Path], *, sync: bool = True) -> list[ObjectRecord]:
        """Turn staged folders into objects: digest, make durable, rename into place, make read-only. The folders are gone afterwards.

        With `sync` all files of all folders are synced, then renamed, then the parent folders are synced, so that when this returns
        the objects survive a power cut. Without it the records carry the machine's boot id. A folder with the content of an
        existing object gives that object. Raises StorageFull, ArtifactCorrupted (a file changed while it was read) or UsageError
        (something is not a regular file); then the staged folders are removed, and at most whole objects that nothing refers to stay.
        """
        ...

    def seal_bytes(self, name: str, data: bytes, *, sync: bool = True) -> ObjectRecord:
        """Store one file of that name with that content as an object, the same as `seal` of a folder that holds just it."""
        ...

    def sync(self, digests: Sequence[str]) -> None:
        """Make objects that were sealed without `sync` durable."""
        ...

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        """Give a local, read-only folder that holds the object's files.

        Checks that each file is there, is a regular file and has its size; with `verify`, or when the object was written without
        syncing before another boot, checks digests too. Raises ArtifactMissing or ArtifactCorrupted.
        """
        ...

    def holds(self, record: ObjectRecord, *, verify: bool = False) -> bool:
        """Tell whether `fetch` would give the object."""
        ...

    def has(self, digest: str) -> bool:
        """Tell whether an object is in place: one look, without checking what is in it. Raises StoreMismatch when the store is not there."""
        ...

    def discard(self, folder: Path) -> int:
        """Remove a staged folder with all that is in it and give the bytes freed; 0 when it is gone already."""
        ...

    def digests(self) -> Iterator[str]:
        """Walk over the digests of all objects that are in place."""
        ...

    def withdraw(self, digest: str) -> Path | None:
        """Take an object out of its place in one quick move, for `discard` to remove; None when it was not there."""
        ...

    def delete(self, digest: str) -> int:
        """Remove an object and give the bytes freed; 0 when it was not there."""
        ...

    def sweep(self, older_than: float) -> int:
        """Remove staged folders that have not been touched for that many seconds and withdrawn objects of any age; give their number."""
        ...

    def inspect(self, record: ObjectRecord, *, read_data: bool = False) -> list[str]:
        """Raise as `fetch` does when an object is not whole, and give the paths of what lies beside its files and is not of it.

        Reads all bytes with `read_data`, whatever was verified before. Nothing is changed.
        """
        ...

    def strays(self) -> Iterator[str]:
        """Walk over what lies among the objects and is none, as text that `quarantine` takes."""
        ...

    def quarantine(self, path: str, older_than: float = 0) -> Path | None:
        """Put an object (its digest) or a stray aside, where no object is looked for, and give where it is now.

        None when it was not there, or was put there less than `older_than` seconds ago. Nothing is deleted: `recover` finds it again.
        """
        ...

    def recover(self, record: ObjectRecord, *, really: bool = True) -> bool:
        """Put a missing object back from where `quarantine` put it, when it is whole there; tell whether it is. `really` False only looks."""
        ...

    def stale(self, older_than: float) -> list[tuple[str, int]]:
        """Give name and bytes of what `sweep` would remove."""
        ...

    def epoch(self) -> int:
        """Give the largest count of changes that `note_epoch` was told, 0 at first."""
        ...

    def note_epoch(self, epoch: int) -> None:
        """Note how often the facts of this store were changed, if that is more than is noted: facts with a smaller count are an older copy."""
        ...

    def twin(self, folder: Path) -> "ArtifactStore":
        """Give the copy of this store in a local folder, with the same identity and without its objects when it is new.

        Raises StoreMismatch when the folder holds something else.
        """
        ...
