"""Copies of a SQLite file while it is in use, through SQLite's own backup: a plain copy of the file could miss its log, or catch half of it."""

import os
import sqlite3
from pathlib import Path

from lineal.errors import StorageFull, StoreError


def copy_database(source: Path, target: Path) -> None:
    """Copy what is committed at one moment into a new file that only its owner may read; what was at its place goes.

    Raises StorageFull or StoreError; then there is no copy.
    """
    for leftover in (target, *beside(target)):
        leftover.unlink(missing_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    _copy(source, target)


def publish(copy: Path, final: Path) -> None:
    """Put a finished copy in its place: by a rename, or by SQLite itself where a file is that somebody may have open. All or nothing."""
    if final.exists():
        _copy(copy, final)
        copy.unlink()
    else:
        copy.replace(final)
    for leftover in beside(copy):
        leftover.unlink(missing_ok=True)


def beside(path: Path) -> list[Path]:
    """Give the files that SQLite keeps beside a database while it is open."""
    return [path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm", "-journal")]


def _copy(source: Path, target: Path) -> None:
    reading, writing = sqlite3.connect(source, timeout=60), sqlite3.connect(target, timeout=60)
    try:
        for db in (reading, writing):
            db.execute("PRAGMA wal_autocheckpoint = 0")  # not beside writers: connections.py says why
        reading.backup(writing)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind = StorageFull if code == sqlite3.SQLITE_FULL else StoreError
        raise kind(
            f"{source} could not be copied to {target}: {error}; nothing was changed. Free space, or choose another place"
        ) from error
    finally:
        writing.close()
        reading.close()
