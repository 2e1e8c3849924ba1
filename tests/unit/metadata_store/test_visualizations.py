"""Visualizations as facts: recorded with a version, found in one statement, gone with it."""

import sqlite3
from pathlib import Path

import pytest

from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import Companion, CompanionFile, ObjectRecord
from lineal.testing.records import an_object, an_output


@pytest.fixture
def store(tmp_path: Path) -> SqliteMetadataStore:
    return SqliteMetadataStore(tmp_path / "lineal.db", durability="off")


def a_companion(content: bytes = b"<p>hello</p>", object: ObjectRecord | None = None) -> Companion:
    files = (CompanionFile("html", "Sample", "0.html"), CompanionFile("image", "", "1.png"))
    return Companion(object or an_object(content), files)


def test_visualizations_come_back_in_order_with_their_object(store: SqliteMetadataStore) -> None:
    """What was recorded with a version is what is found, also when the bytes live in the row."""
    companion = a_companion()
    version = store.save_version(an_output(companion=companion), None)
    assert store.visualizations(version.id) == companion


def test_a_version_without_visualizations_has_none(store: SqliteMetadataStore) -> None:
    """None, and no error, also for an id that is not there."""
    assert store.visualizations(store.save_version(an_output(), None).id) is None
    assert store.visualizations("no such id") is None


def test_an_explicit_version_that_exists_keeps_its_visualizations(store: SqliteMetadataStore) -> None:
    """Saved again with the same bytes nothing changes; one that had none gains them."""
    store.save_version(an_output(version="v1", companion=a_companion()), None)
    again = store.save_version(an_output(version="v1", companion=a_companion(b"other")), None)
    assert store.visualizations(again.id) == a_companion()
    bare = store.save_version(an_output(version="v2"), None)
    store.save_version(an_output(version="v2", companion=a_companion()), None)
    assert store.visualizations(bare.id) == a_companion()


def test_visualizations_go_with_their_version_and_hold_their_object(store: SqliteMetadataStore, tmp_path: Path) -> None:
    """The database refuses to drop an object that a visualization needs, and drops the visualizations of a version with it."""
    version = store.save_version(an_output(companion=a_companion()), None)
    store.close()
    db = sqlite3.connect(tmp_path / "lineal.db")
    db.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.execute("DELETE FROM objects WHERE digest = ?", (a_companion().object.digest,))
    db.execute("DELETE FROM versions WHERE uid = ?", (version.id,))
    assert db.execute("SELECT count(*) FROM visualizations").fetchone() == (0,)
    db.execute("DELETE FROM objects WHERE digest = ?", (a_companion().object.digest,))
    db.rollback()
    db.close()
