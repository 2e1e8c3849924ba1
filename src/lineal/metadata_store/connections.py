"""Connections to one SQLite file: opening, transactions, waiting, forking, and the log's checkpoints.

A read takes a connection from a stack and puts it back, or waits while there are as many as there may be. A write holds the process's
write lock besides, so that threads queue on a lock instead of polling the file. Other processes are waited for in SQLite's own busy
handler.

Two hazards of SQLite are kept out here:

- A connection must never cross a fork, not even unused, because SQLite keeps its file locks in process memory: all connections
  are closed before a fork and opened again on either side.
- Releases before 3.51.3 can corrupt the write-ahead log when it is reset by a writer while another connection checkpoints. So
  SQLite's automatic checkpoints are off, and ours run while the write lock is held, when no writer can reset the log. (The
  checkpoint of the last connection that closes is safe: it holds the whole file.)
"""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lineal import filesystems
from lineal.errors import FULL, StorageFull, StoreBusy, StoreError, UsageError, typed
from lineal.files import make_folders
from lineal.metadata_store.migrate import is_current, migrate

T = TypeVar("T")
SYNCHRONOUS = {"step": "FULL", "run": "NORMAL", "off": "NORMAL"}
"""What SQLite syncs. Not OFF for "off": a commit costs the same under NORMAL, whose only syncs are at checkpoints, and without those a
power cut can leave indexes that do not fit their tables, which nobody notices."""
OLDEST_SQLITE = (3, 35, 0)  # the first with RETURNING

NETWORK_REMEDY = "put it on a local disk: LINEAL_METADATA_STORE=sqlite:////folder/lineal.db (the artifact store may stay where it is), or use a Lineal server"

LOG_LIMIT = 4 << 20
"""Bytes of write-ahead log from which it is copied into the database file."""

MOST = 8
"""Connections of a process to one store: each keeps up to 8 MB of it in memory. A thread that finds all taken waits for one; of those that hold
one, only a writer may want another, so with two or more there is always one that comes back."""

PATIENCE = 5.0
"""Seconds after which a thread that waits for a connection looks by itself: one may have been closed instead of given back."""

_LOOK_EVERY = 63  # commits between two looks at the log's size; one less than a power of two


def has_reset_bug(version: tuple[int, ...]) -> bool:
    """Tell whether that SQLite can damage a log that is reset during a checkpoint. Fixed in 3.51.3, and before it in 3.44.6 and 3.50.7."""
    major, minor, patch = version[:3]
    fixed = {(3, 44): 6, (3, 50): 7, (3, 51): 3}.get((major, minor))
    return (3, 7) <= (major, minor) < (3, 52) and (fixed is None or patch < fixed)


class Connections:
    """The connections of this process to one store. Safe to use from threads and across forks; opens and reopens by itself."""

    def __init__(self, path: Path, durability: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout
        self._synchronous = SYNCHRONOUS[durability]
        self._has_barriers = durability == "run"
        self._log = f"{path}-wal"
        self._commits = 0
        self._looked = False
        self._free: list[sqlite3.Connection] = []
        self._reset()
        _pools.add(self)
        weakref.finalize(self, _close_all, self._free)  # also when the process ends

    def _reset(self) -> None:
        self._opened = 0
        self._waiting = 0
        self._gate = threading.Lock()  # held while connections are opened or closed, and across a fork
        self._given_back = threading.Condition()
        self._writing = threading.Lock()

    def read(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Give all rows of one query. All: an open cursor would hold back the log."""
        deadline = 0.0
        while True:
            db = self._take()
            try:
                return db.execute(statement, parameters).fetchall()
            except sqlite3.Error as error:
                deadline = deadline or time.monotonic() + self.timeout
                if not self._may_retry(error, deadline):
                    raise self._explained(error) from error
            except UnicodeEncodeError as error:
                raise _not_text(error) from error
            finally:
                self._give_back(db)

    def write(self, work: Callable[..., T], *arguments: Any, durable: bool = False) -> T:
        """Run `work(cursor, *arguments)` in one transaction and give what it gives, once that is committed.

        When the file is busy beyond SQLite's own waiting, the transaction is tried again as a whole until the timeout. `durable` makes
        the commit, with all earlier ones, survive a power cut also under durability "run".
        """
        if not self._writing.acquire(timeout=self.timeout):
            raise self._busy("another thread of this process")
        try:
            deadline = time.monotonic() + self.timeout
            while True:
                db = self._take()
                try:
                    if durable and self._has_barriers:
                        db.execute("PRAGMA synchronous = FULL")
                    cursor = db.cursor()
                    cursor.execute("BEGIN IMMEDIATE")
                    result = work(cursor, *arguments)
                    cursor.execute("COMMIT")
                    break
                except sqlite3.Error as error:
                    _roll_back(db)
                    if not self._may_retry(error, deadline):
                        raise self._explained(error) from error
                except BaseException as error:
                    _roll_back(db)
                    if isinstance(error, UnicodeEncodeError):
                        raise _not_text(error) from error
                    raise
                finally:
                    if durable and self._has_barriers:
                        db.execute("PRAGMA synchronous = NORMAL")
                    self._give_back(db)
            self._commits += 1
            if not self._commits & _LOOK_EVERY:
                self._checkpoint_if_due()
            return result
        finally:
            self._writing.release()

    def integrity(self, *, thorough: bool) -> list[str]:
        """Give what SQLite finds wrong in the file, and references to rows that are not there, in words."""
        said = [row[0] for row in self.read(f"PRAGMA {'integrity' if thorough else 'quick'}_check")]
        found = [] if said == ["ok"] else said
        rows = self.read("PRAGMA foreign_key_check")
        return found + [f"row {row_id} of {table} refers to a row of {parent} that is not there" for table, row_id, parent, _ in rows]

    def close(self) -> None:
        """Close the connections that nobody is using at this moment."""
        with self._gate:
            self._close_free()

    def _take(self) -> sqlite3.Connection:
        while True:
            try:
                return self._free.pop()
            except IndexError:
                with self._gate:
                    if self._opened < MOST:
                        db = self._open()
                        self._opened += 1
                        return db
                self._wait()

    def _give_back(self, db: sqlite3.Connection) -> None:
        self._free.append(db)
        if self._waiting:
            with self._given_back:
                self._given_back.notify()

    def _wait(self) -> None:
        with self._given_back:
            self._waiting += 1  # before the look: whoever gives one back later sees it
            if not self._free:
                self._given_back.wait(PATIENCE)
            self._waiting -= 1

    def _open(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old: Lineal needs 3.35 or newer; use a newer Python or system library"
            )
        if not self._looked:
            _refuse_network(self.path)
            self._looked = True
        try:
            _create(self.path)
            db = sqlite3.connect(self.path, timeout=self.timeout, isolation_level=None, check_same_thread=False, cached_statements=256)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise typed(error, str(self.path)) from error
            raise StoreError(f"the metadata store {self.path} cannot be opened: {error}; check the path and its permissions") from error
        try:
            for pragma in _PRAGMAS:
                db.execute(pragma)
            db.execute(f"PRAGMA synchronous = {self._synchronous}")
            if not is_current(db):
                migrate(db, self.path, self.timeout)
        except sqlite3.Error as error:
            db.close()
            raise self._explained(error) from error
        except BaseException:
            db.close()
            raise
        return db

    def _close_free(self) -> None:
        while self._free:
            self._free.pop().close()
            self._opened -= 1

    def _checkpoint_if_due(self) -> None:
        """Copy the log into the database file when it has grown; the caller holds the process's write lock."""
        try:
            if os.stat(self._log).st_size < LOG_LIMIT:  # noqa: PTH116 - a Path would cost more than the call
                return
        except OSError:
            return
        taken: list[sqlite3.Connection] = []
        try:
            # Two connections: SQLite does not checkpoint inside a transaction, and the first one keeps every writer out. The next
            # writer finds the log copied and starts it anew.
            taken.append(self._take())
            taken.append(self._take())
            taken[0].execute("BEGIN IMMEDIATE")
            taken[1].execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (sqlite3.Error, StoreError):
            return  # what was to be committed is committed; the next look tries again
        finally:
            for db in taken:
                _roll_back(db)
                self._give_back(db)

    def _may_retry(self, error: sqlite3.Error, deadline: float) -> bool:
        if _code(error) not in _BUSY or time.monotonic() > deadline:
            return False
        time.sleep(0.005)
        return True

    def _busy(self, holder: str) -> StoreBusy:
        return StoreBusy(
            f"{self.path}: {holder} has held the write lock for more than {self.timeout:g} s; nothing of this was written. "
            "End or resume the process that holds it (a debugger, a suspended one, an open transaction in a database tool) and try again"
        )

    def _explained(self, error: sqlite3.Error) -> Exception:
        code = _code(error)
        if code in _BUSY:
            return self._busy("another process")
        if code == sqlite3.SQLITE_FULL:
            return StorageFull(f"no space left to write {self.path}: {error}; nothing of this was written. Free space and try again")
        reason = _REASONS.get(code)
        return error if reason is None else StoreError(f"the metadata store {self.path} {reason} ({error})")

    # -- forks

    def before_fork(self) -> None:
        """Close every connection and let none be opened until the fork is done."""
        self._gate.acquire()
        patience = time.monotonic() + 10.0
        while True:
            self._close_free()
            if not self._opened or time.monotonic() > patience:
                return
            time.sleep(0.001)  # another thread is in the middle of a statement

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._gate.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: locks may have been held by threads that do not exist here."""
        self._free.clear()
        self._reset()


_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA case_sensitive_like = ON",  # as in PostgreSQL; names differ by case
    "PRAGMA wal_autocheckpoint = 0",
    f"PRAGMA journal_size_limit = {LOG_LIMIT}",
    "PRAGMA secure_delete = OFF",
    "PRAGMA cache_size = -8000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA fullfsync = ON",  # macOS: a plain fsync stays in the drive's cache; elsewhere without effect
    "PRAGMA checkpoint_fullfsync = ON",
)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REASONS = {
    sqlite3.SQLITE_READONLY: "is read-only; check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the path, its permissions, and that the disk has free space",
    # SQLite says no more than that when a quota is reached, or when a full disk has no room for its shared memory.
    sqlite3.SQLITE_IOERR: "met an error of the disk or file system; nothing of this was written. Free space if the disk or a quota is "
    "full, check the disk if not, and try again",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore a backup, and check the disk",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database, or its beginning is damaged; name another file, or restore a backup",
}


def _code(error: sqlite3.Error) -> int:
    # Errors that Python's own module raises carry no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _not_text(error: UnicodeEncodeError) -> UsageError:
    return UsageError(f"{error.object!a} holds a lone surrogate, which no database takes as text; names and ids must be valid Unicode")


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")


def _close_all(free: list[sqlite3.Connection]) -> None:
    while free:
        free.pop().close()


def _refuse_network(path: Path) -> None:
    kind = filesystems.type_of(path)
    if filesystems.is_network(kind):
        raise StoreError(
            f"{path} lies on {kind}, a file system of the network, where SQLite cannot rely on locks and shared memory, and the database could "
            f"be damaged; {NETWORK_REMEDY}"
        )


def _create(path: Path) -> None:
    """Make an empty file that only its owner may read, in a folder of the same kind, unless they are there."""
    if path.exists():
        return
    make_folders(path.parent, 0o700)
    try:
        # Exclusive: closing a second descriptor of an open database would drop this process's locks on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


_pools: "weakref.WeakSet[Connections]" = weakref.WeakSet()


_forking: list[Connections] = []


def _before_fork() -> None:
    _forking[:] = _pools
    for pool in _forking:
        pool.before_fork()


def _after_fork_in_parent() -> None:
    for pool in _forking:
        pool.after_fork_in_parent()
    _forking.clear()


def _after_fork_in_child() -> None:
    for pool in _forking:
        pool.after_fork_in_child()
    _forking.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
