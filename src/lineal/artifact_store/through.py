"""A local store over another one: what is written stays in its own folder, and what is not there is read from below."""

from pathlib import Path

from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.local import LocalArtifactStore
from lineal.model.records import ObjectRecord


class ReadThrough(LocalArtifactStore):
    """A local store whose objects are also those of another store, which is only read.

    Args:
        folder: Its own folder.
        below: The other store.
    """

    def __init__(self, folder: Path, below: ArtifactStore) -> None:
        super().__init__(folder)
        self._below = below

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        """Give the folder that holds the object's files: its own if it has the object, else that of the store below."""
        return super().fetch(record, verify=verify) if super().has(record.digest) else self._below.fetch(record, verify=verify)

    def holds(self, record: ObjectRecord, *, verify: bool = False) -> bool:
        """Tell whether `fetch` would give the object."""
        return super().holds(record, verify=verify) if super().has(record.digest) else self._below.holds(record, verify=verify)

    def has(self, digest: str) -> bool:
        """Tell whether an object is in place, here or below."""
        return super().has(digest) or self._below.has(digest)
