"""Migrations."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from lineal.errors import SchemaTooNew, StoreMismatch
from lineal.metadata_store import migrate as module
from lineal.metadata_store.migrate import FOLDER, MIGRATIONS, is_current, migrate, numbered, statements
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.testing.records import a_run


def connect(path: Path) -> sqlite3.Connection:
    """Open a file as the store does, without its pragmas."""
    return sqlite3.connect(path, isolation_level=None, timeout=10)


def shape(db: sqlite3.Connection) -> dict[str, object]:
    """Give what a database holds: columns, indexes, references, triggers and views, however they came about."""
    found: dict[str, object] = {}
    for kind, name in db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall():
        if kind == "table":
            indexes = [row[1:] for row in db.execute(f"PRAGMA index_list({name})")]
            found[name] = (
                db.execute(f"PRAGMA table_xinfo({name})").fetchall(),
                sorted((*index, db.execute(f"PRAGMA index_xinfo({index[0]})").fetchall()) for index in indexes),
                db.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
            )
        elif kind in ("trigger", "view"):
            found[name] = db.execute("SELECT tbl_name, sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return found


def a_second(folder: Path, script: str = "ALTER TABLE runs ADD COLUMN colour TEXT;\n") -> list[tuple[int, Path]]:
    """Give the real migrations and one more."""
    second = folder / "0002_colour.sql"
    second.write_text(script, encoding="utf-8")
    return [*MIGRATIONS[:1], (2, second)]


def test_all_migrations_add_up_to_the_schema(tmp_path: Path) -> None:
    """schema.sql is what a reader is shown; it must be what a store has."""
    migrated, shown = connect(tmp_path / "a.db"), connect(tmp_path / "b.db")
    migrate(migrated, tmp_path / "a.db", 10)
    shown.executescript((FOLDER.parent / "schema.sql").read_text(encoding="utf-8"))
    assert shape(migrated) == shape(shown)
    assert len(shape(shown)) > 10
    assert [row[0] for row in migrated.execute("SELECT version FROM migrations")] == [number for number, _ in MIGRATIONS]
    migrated.close()
    shown.close()


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    """The message names both versions and what to do."""
    path = tmp_path / "lineal.db"
    store = SqliteMetadataStore(path)
    store.begin_run(a_run())
    store.close()
    db = connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match=rf"schema 99.*up to {len(MIGRATIONS)}.*pip install --upgrade"):
        SqliteMetadataStore(path).identity()
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [0, 1, len(MIGRATIONS)])
def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path, version: int) -> None:
    """A path that names somebody else's file must not gain our tables."""
    path = tmp_path / "other.db"
    db = connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreMismatch, match=r"other\.db"):
        SqliteMetadataStore(path).identity()
    assert path.read_bytes() == before


def test_an_upgrade_keeps_a_copy_and_a_failed_one_changes_nothing(tmp_path: Path) -> None:
    """A migration and its record are one transaction; the copy is there before it."""
    path = tmp_path / "lineal.db"
    db = connect(path)
    migrate(db, path, 10, MIGRATIONS[:1])
    before = shape(db)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, path, 10, a_second(tmp_path, "ALTER TABLE runs ADD COLUMN colour TEXT;\nINSERT INTO nowhere VALUES (1);\n"))
    assert shape(db) == before
    db.execute("INSERT INTO meta VALUES ('later', 'x')")
    migrate(db, path, 10, a_second(tmp_path))
    assert is_current(db, 2)
    assert "colour" in str(shape(db)["runs"])
    copy_path = path.with_name("lineal.db.schema-1.backup")
    assert copy_path.stat().st_mode & 0o777 == 0o600
    copy = connect(copy_path)
    assert shape(copy) == before
    assert copy.execute("SELECT count(*) FROM meta WHERE key = 'later'").fetchone() == (1,)
    copy.close()
    db.close()


MIGRATOR = """
import sqlite3, sys
from pathlib import Path
from lineal.metadata_store.migrate import migrate
path, second = Path(sys.argv[1]), Path(sys.argv[2])
sys.stdin.readline()
db = sqlite3.connect(path, isolation_level=None, timeout=30)
migrate(db, path, 30, [(1, Path(sys.argv[3])), (2, second)])
"""


def test_two_processes_migrate_at_once(tmp_path: Path) -> None:
    """Each looks again when it has the lock: the second finds nothing left to do."""
    path = tmp_path / "lineal.db"
    db = connect(path)
    migrate(db, path, 10, MIGRATIONS[:1])
    second = a_second(tmp_path)[1][1]
    command = [sys.executable, "-c", MIGRATOR, str(path), str(second), str(MIGRATIONS[0][1])]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    assert db.execute("SELECT version FROM migrations").fetchall() == [(1,), (2,)]
    db.close()


def test_statements_keep_a_trigger_whole() -> None:
    """A semicolon inside a trigger ends nothing."""
    script = "CREATE TABLE t (x);\nCREATE TRIGGER g AFTER INSERT ON t\nBEGIN\n  DELETE FROM t;\n  SELECT 1;\nEND;\nSELECT 2;\n"
    assert [each.split()[0:2] for each in statements(script)] == [["CREATE", "TABLE"], ["CREATE", "TRIGGER"], ["SELECT", "2;"]]


def test_numbers_have_no_gap(tmp_path: Path) -> None:
    """A gap would be a migration that some stores never had."""
    (tmp_path / "0002_b.sql").touch()
    with pytest.raises(ValueError, match="gap"):
        numbered(tmp_path)
    assert numbered(FOLDER) == module.MIGRATIONS


def killed_before(statement: int) -> type[sqlite3.Connection]:
    """Give a kind of connection whose process is killed before its n-th statement that may write, from 1."""
    left = statement

    class Doomed(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[override]
            nonlocal left
            if (not sql.startswith("SELECT") and " = " in sql) or not sql.startswith(("SELECT", "PRAGMA")):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return super().execute(sql, *parameters)

    return Doomed


def in_a_child_that_dies(path: Path, statement: int) -> bool:
    """Migrate in a process that is killed before its n-th statement, and tell whether it came that far."""
    child = os.fork()
    if child == 0:
        try:
            db = sqlite3.connect(path, isolation_level=None, timeout=10, factory=killed_before(statement))
            sqlite3.Connection.execute(db, "PRAGMA synchronous = OFF")  # a kill loses nothing that the system has
            migrate(db, path, 10)
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("begun", [0, 1])
def test_a_migration_killed_at_every_statement_is_finished_by_the_next(tmp_path: Path, begun: int) -> None:
    """A new store and one of the first schema: whoever comes next finds what was committed and completes it; what was there stays."""
    wanted = connect(tmp_path / "whole.db")
    migrate(wanted, tmp_path / "whole.db", 10)
    statement = 0
    while True:
        statement += 1
        path = tmp_path / f"{statement}.db"
        if begun:
            db = connect(path)
            db.execute("PRAGMA synchronous = OFF")
            migrate(db, path, 10, MIGRATIONS[:begun])
            db.execute("INSERT INTO meta VALUES ('mine', 'x')")
            db.close()
        came = in_a_child_that_dies(path, statement)
        db = connect(path)
        db.execute("PRAGMA synchronous = OFF")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        recorded = db.execute("SELECT max(version) FROM migrations").fetchone()[0] if version else 0
        assert version == recorded  # a migration and its record came together
        migrate(db, path, 10)
        assert shape(db) == shape(wanted)
        assert [row[0] for row in db.execute("SELECT version FROM migrations")] == [number for number, _ in MIGRATIONS]
        assert db.execute("SELECT count(*) FROM meta WHERE key = 'mine'").fetchone() == (begun,)
        db.close()
        if begun:
            copy = connect(path.with_name(f"{path.name}.schema-1.backup"))
            assert copy.execute("SELECT count(*) FROM meta WHERE key = 'mine'").fetchone() == (1,)
            copy.close()
        if not came:
            break
    wanted.close()
    assert statement > (20 if begun else 30)
