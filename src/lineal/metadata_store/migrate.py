"""Brings a SQLite file to the newest schema: numbered SQL files, each in one transaction with the row that records it; all at once in
a new file.

Any number of processes may do this to the same file at the same moment, and any of them may be killed: SQLite's own write lock
orders them, each looks again once it has the lock, and what was not committed is rolled back by whoever opens the file next.
"""

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from lineal.errors import SchemaTooNew, StoreBusy, StoreError, StoreMismatch
from lineal.metadata_store.copying import copy_database
from lineal.model.naming import new_id

APPLICATION_ID = 0x4C6E6C31  # "Lnl1" in the file's header: tells a Lineal store from any other SQLite file
FOLDER = Path(__file__).with_name("migrations")
_NUMBERED = re.compile(r"(\d{4})_\w+\.sql")


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """Give the migrations of a folder in order: their number and file."""
    found = [(int(match[1]), path) for path in sorted(folder.iterdir()) if (match := _NUMBERED.fullmatch(path.name))]
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations in {folder} must be numbered 0001, 0002, … without a gap")
    return found


MIGRATIONS = numbered(FOLDER)


def is_current(db: sqlite3.Connection, latest: int | None = None) -> bool:
    """Tell whether a file has the newest schema: what is asked each time a store is opened."""
    wanted = len(MIGRATIONS) if latest is None else latest
    return _pragma(db, "user_version") == wanted and _pragma(db, "application_id") == APPLICATION_ID


def migrate(db: sqlite3.Connection, path: Path, timeout: float, migrations: list[tuple[int, Path]] | None = None) -> None:
    """Bring the file behind `db` to the newest schema, after a copy beside it when it holds a store already.

    Raises SchemaTooNew, or StoreMismatch for a database that is not a store of Lineal; nothing was changed then.
    """
    migrations = MIGRATIONS if migrations is None else migrations
    check(db, path, len(migrations))
    _switch_to_wal(db, path, timeout)
    backed_up = False
    due = migrations
    while due:
        db.execute("BEGIN IMMEDIATE")
        try:
            check(db, path, len(migrations))  # another process may have been here meanwhile
            found = _pragma(db, "user_version")
            due = migrations[found:]
            if found and due and not backed_up:
                _back_up(path, found)
                backed_up = True
            # A new store appears whole, so that nobody meets half of it and thinks it worth a backup.
            for number, file in due[:1] if found else due:
                _apply(db, number, file)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        due = due[1:] if found else []


def check(db: sqlite3.Connection, path: Path, latest: int) -> None:
    """Raise SchemaTooNew or StoreMismatch when this Lineal must not touch the file."""
    found, used = _pragma(db, "user_version"), db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    # Last: another process may make the store between two looks, and what is not empty any more has its id by now.
    if (found or used) and _pragma(db, "application_id") != APPLICATION_ID:
        raise StoreMismatch(f"{path} is a SQLite database but not a metadata store of Lineal; name another file, nothing was changed")
    if found > latest:
        raise SchemaTooNew(
            f"{path} has schema {found}, this Lineal knows schemas up to {latest}: a newer Lineal wrote it. "
            "Install that version (`pip install --upgrade lineal`) or use another store; nothing was changed"
        )


def statements(script: str) -> Iterator[str]:
    """Cut a script into statements; a trigger's body stays whole. Not `executescript`, which commits before it begins."""
    buffer = ""
    for line in script.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""


def _apply(db: sqlite3.Connection, number: int, file: Path) -> None:
    for statement in statements(file.read_text(encoding="utf-8")):
        db.execute(statement)
    if number == 1:
        db.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", [("store_id", new_id()), ("epoch", "1")])
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("INSERT INTO migrations (version, name, applied) VALUES (?, ?, ?)", (number, file.stem, time.time_ns() // 1000))
    db.execute(f"PRAGMA user_version = {number}")  # in the file's header, and part of the transaction


def _switch_to_wal(db: sqlite3.Connection, path: Path, timeout: float) -> None:
    # Kept in the file from then on. SQLite does not wait for other processes here, so this waits itself.
    deadline = time.monotonic() + timeout
    while True:
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise StoreBusy(f"{path} is held by another process for more than {timeout:g} s; end that process and try again") from error
            time.sleep(0.005)
            continue
        if mode != "wal":
            raise StoreError(f"{path} lies on a file system without shared memory, which SQLite needs; use a local disk or a Lineal server")
        return


def _back_up(path: Path, schema: int) -> None:
    # Its own connection reads what is committed while the caller holds the write lock, so nothing can slip in between.
    final = path.with_name(f"{path.name}.schema-{schema}.backup")
    unfinished = final.with_name(final.name + ".part")
    copy_database(path, unfinished)
    unfinished.replace(final)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
