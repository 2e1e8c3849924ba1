"""Visualizations as facts of the SQLite store: the database itself keeps them and their object together."""

import sqlite3
from pathlib import Path

import pytest

from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.testing.records import an_output
from lineal.testing.visualizations import a_companion


def test_visualizations_go_with_their_version_and_hold_their_object(tmp_path: Path) -> None:
    """The database refuses to drop an object that a visualization needs, and drops the visualizations of a version with it."""
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
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
