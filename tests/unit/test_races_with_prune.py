"""What goes between two looks: a prune that takes bytes while they are loaded, and a store that appears while it is opened."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineal import save_artifact
from lineal.artifact_store import tree
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import ArtifactMissing
from lineal.metadata_store import migrate
from lineal.metadata_store.sql import SqliteMetadataStore


@pytest.mark.parametrize("value", ["text " * 10_000, np.arange(10_000.0)])
def test_bytes_that_go_after_the_first_look_are_said_to_be_missing(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that the materializer failed: a caller who expects prunes waits for ArtifactMissing."""
    version = save_artifact(value, "value")
    fetch = LocalArtifactStore.fetch

    def fetch_and_lose(store: LocalArtifactStore, record: Any, **how: Any) -> Path:
        folder = fetch(store, record, **how)
        shutil.rmtree(folder)
        return folder

    monkeypatch.setattr(LocalArtifactStore, "fetch", fetch_and_lose)
    with pytest.raises(ArtifactMissing, match="run the step"):
        version.load()


def test_bytes_that_go_while_they_are_verified_are_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file was there when its size was looked at."""
    record = LocalArtifactStore(tmp_path / "store").seal_bytes("data.bin", b"content")
    store, digest_file = LocalArtifactStore(tmp_path / "store"), tree.digest_file

    def lose_and_digest(path: str) -> Any:
        Path(path).unlink()
        return digest_file(path)

    monkeypatch.setattr(tree, "digest_file", lose_and_digest)
    with pytest.raises(ArtifactMissing, match=r"data\.bin"):
        store.fetch(record, verify=True)


class Slow:
    """A connection that another process overtakes between two statements: it makes the store just before the tables are looked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path)

    def execute(self, statement: str) -> sqlite3.Cursor:
        if "sqlite_master" in statement:
            SqliteMetadataStore(self.path).identity()
        return self.db.execute(statement)


def test_a_store_that_appears_between_two_looks_is_not_taken_for_a_foreign_database(tmp_path: Path) -> None:
    """Seen with 64 processes that opened a new store at once: one of them refused it."""
    slow = Slow(tmp_path / "lineal.db")
    migrate.check(slow, tmp_path / "lineal.db", len(migrate.MIGRATIONS))  # type: ignore[arg-type]
    slow.db.close()
