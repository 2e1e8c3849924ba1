"""Connections: waiting, threads, forks, processes that are killed, and the log's checkpoints."""

import errno
import gc
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lineal.errors import SettingsError, StorageFull, StoreBusy, StoreError, UsageError
from lineal.metadata_store import connections
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import StepCommit
from lineal.testing.records import a_run, a_step_run, an_output


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a store in a folder that is not there yet."""
    return tmp_path / "home" / "lineal.db"


WRITER = """
import sys
from pathlib import Path
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import StepCommit
from lineal.testing.records import a_run, a_step_run, an_output
path, commits = Path(sys.argv[1]), int(sys.argv[2])
sys.stdin.readline()
store = SqliteMetadataStore(path, durability="off")
run = store.begin_run(a_run())
for number in range(commits):
    store.finish_step(StepCommit(a_step_run(run, f"step_{number}"), outputs=(an_output(content=str(number).encode()),)))
    print(number, flush=True)
"""


def start(path: Path, commits: int) -> "subprocess.Popen[bytes]":
    """Start a process that waits for a line and then commits steps, one version each, telling each number."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(commits)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_sixteen_processes_open_a_fresh_store_and_commit_at_once(path: Path) -> None:
    """No error, no version twice, none left out."""
    processes = [start(path, 20) for _ in range(16)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [(process.wait(timeout=100), len((process.stdout or sys.stdin.buffer).read().split())) for process in processes] == [
        (0, 20)
    ] * 16
    for process in processes:
        (process.stdout or sys.stdin.buffer).close()
    store = SqliteMetadataStore(path)
    page = store.list_versions({}, "number", 1000, 0)
    assert [version.number for version in page.items] == list(range(1, 321))
    assert store.list_runs({}, "created", 100, 0).total == 16


def test_a_killed_process_leaves_whole_commits_only(path: Path) -> None:
    """What it told is there, each step with its version, and the store goes on."""
    for _ in range(3):
        process = start(path, 100_000)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        told = [process.stdout.readline() for _ in range(25)]
        process.kill()
        told += process.stdout.readlines()
        process.wait(timeout=30)
        process.stdout.close()
        store = SqliteMetadataStore(path)
        run = store.list_runs({}, "-created", 1, 0).items[0]
        steps = store.list_step_runs(run.id)
        assert len([line for line in told if line.endswith(b"\n")]) <= len(steps)
        assert all(len(store.step_edges(step.id).outputs) == 1 for step in steps)
        assert store._db.read("PRAGMA integrity_check") == [("ok",)]
        assert store._db.read("PRAGMA foreign_key_check") == []
        store.close()
    versions = store.list_versions({}, "number", 10_000, 0)
    assert [version.number for version in versions.items] == list(range(1, versions.total + 1))


def test_files_belong_to_their_owner_alone(path: Path) -> None:
    """Facts tell what data there is; other users of the machine need not know."""
    store = SqliteMetadataStore(path)
    store.begin_run(a_run())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_threads_read_while_one_writes(path: Path) -> None:
    """A reader does not wait for a writer, and sees either nothing of a commit or all of it."""
    store = SqliteMetadataStore(path, durability="off")
    run = store.begin_run(a_run())
    stop = threading.Event()

    def read() -> int:
        reads = 0
        while not stop.is_set():
            page = store.list_versions({"artifact": "model"}, "number", 10_000, 0)
            assert [version.number for version in page.items] == list(range(1, len(page.items) + 1))
            reads += 1
        return reads

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for _ in range(100):
            store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))
        stop.set()
        assert min(reader.result() for reader in readers) > 0


def test_many_threads_share_few_connections(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps pages in memory. Also where a write reads on another connection, somebody always comes to an end."""
    monkeypatch.setattr(connections, "MOST", 2)
    store = SqliteMetadataStore(path, durability="off")
    run = store.begin_run(a_run())

    def read(_: int) -> str:
        return store.get_run(run.id).id

    def read_within(_: int) -> str:
        return store._db.write(lambda cursor: store.get_run(run.id).id)

    with ThreadPoolExecutor(16) as pool:
        found = [pool.submit(work, place) for place in range(200) for work in (read, read_within)]
        assert {each.result(timeout=30) for each in found} == {run.id}
    assert store._db._opened == len(store._db._free) == 2


def test_who_finds_all_connections_taken_goes_on_when_one_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not at the next look."""
    monkeypatch.setattr(connections, "MOST", 1)
    store = SqliteMetadataStore(path, durability="off")
    run = store.begin_run(a_run())
    taken = store._db._take()
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(store.get_run, run.id)
        while not store._db._waiting:
            time.sleep(0.001)
        assert not found.done()
        began = time.monotonic()
        store._db._give_back(taken)
        assert found.result(timeout=10) == run
    assert time.monotonic() - began < 0.9 * connections.PATIENCE


def in_child(work: Callable[[], object]) -> None:
    """Do something in a forked child and raise here when it failed there."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(30)
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # that is the point here
@pytest.mark.parametrize("locked", [False, True])
def test_a_fork_finds_no_connection_open(path: Path, locked: bool) -> None:
    """SQLite's locks are kept in process memory: a connection that crossed a fork would believe that it holds them."""
    store = SqliteMetadataStore(path)
    run = store.begin_run(a_run())
    holder = threading.Thread(target=store._db.write, args=(lambda _: time.sleep(0.3),)) if locked else None
    if holder is not None:
        holder.start()
        time.sleep(0.1)

    def work() -> None:
        assert store._db._free == []
        assert store._db._opened == 0
        for _ in range(5):
            store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))

    in_child(work)
    if holder is not None:
        holder.join()
    store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))
    assert store.get_version("model").version == "6"


def test_busy_file_ends_in_an_error_that_names_it(path: Path) -> None:
    """Who waits too long is told for what; nothing was written, and later it works."""
    store = SqliteMetadataStore(path, busy_timeout=0.2)
    run = a_run()
    store.identity()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match=r"lineal\.db: another process .* 0\.2 s"):
        store.begin_run(run)
    other.execute("ROLLBACK")
    other.close()
    assert store.begin_run(run).seq == 1


def test_busy_thread_ends_in_an_error_too(path: Path) -> None:
    """Within one process threads queue on a lock, which also has an end."""
    store = SqliteMetadataStore(path, busy_timeout=0.1)
    store.identity()
    entered = threading.Event()
    holder = threading.Thread(target=store._db.write, args=(lambda _: (entered.set(), time.sleep(0.5)),))
    holder.start()
    entered.wait()
    with pytest.raises(StoreBusy, match="another thread"):
        store.begin_run(a_run())
    holder.join()


def test_a_busy_moment_is_tried_again_with_the_same_ids(path: Path) -> None:
    """SQLite may say busy without waiting; the whole transaction is repeated then."""
    store = SqliteMetadataStore(path)
    tries = []

    def work(cursor: sqlite3.Cursor) -> int:
        tries.append(cursor.execute("SELECT count(*) FROM runs").fetchone()[0])
        cursor.execute("INSERT INTO meta VALUES ('tried', ?)", (len(tries),))
        if len(tries) < 3:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return len(tries)

    assert store._db.write(work) == 3
    assert store._db.read("SELECT value FROM meta WHERE key = 'tried'") == [("3",)]


def test_a_full_disk_rolls_back_and_says_so(path: Path) -> None:
    """Nothing half is kept, and reading goes on."""
    store = SqliteMetadataStore(path, durability="off")
    run = store.begin_run(a_run())
    pages = store._db.read("PRAGMA page_count")[0][0]
    store._db.read(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFull, match=r"lineal\.db"):
        for number in range(1000):
            store.save_version(an_output(content=bytes(10_000) + str(number).encode()), None)
    store._db.read("PRAGMA max_page_count = 1000000")
    before = store.list_versions({}, "number", 1, 0).total
    assert store.save_version(an_output(), None).number == before + 1
    assert store.get_run(run.id) == run


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is not there")
def test_a_file_that_may_not_grow_rolls_back_and_names_the_remedy(path: Path) -> None:
    """SQLite calls a quota or a limit an error of the disk, so that message says what to do about space too."""
    import resource

    store = SqliteMetadataStore(path, durability="off")
    before = store.save_version(an_output(), None).number
    assert before is not None
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("lineal.db-wal").stat().st_size, limits[1]))
    try:
        with pytest.raises(StoreError, match=r"lineal\.db .*nothing of this was written\. Free space"):
            store.save_version(an_output(content=bytes(10_000)), None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.save_version(an_output(), None).number == before + 1


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder, a text file, a place below a file: each with its path and a remedy."""
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to be read as one\n" * 100)
    for place in (tmp_path, text, text / "lineal.db"):
        with pytest.raises(StoreError, match=str(place)):
            SqliteMetadataStore(place).identity()
    with pytest.raises(SettingsError, match="step, run, off"):
        SqliteMetadataStore(tmp_path / "x.db", durability="sometimes")


def test_a_store_that_cannot_be_made_on_a_full_disk_names_the_remedy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(connections, "_create", full)
    with pytest.raises(StorageFull, match="Free some space"):
        SqliteMetadataStore(path).identity()


def test_an_old_sqlite_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better one sentence than a syntax error in the middle of a run."""
    monkeypatch.setattr(connections, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(StoreError, match="too old"):
        SqliteMetadataStore(path).identity()


@pytest.mark.parametrize(("durability", "expected"), [("step", 2), ("run", 1), ("off", 1)])
def test_durability_sets_when_the_log_is_synced(path: Path, durability: str, expected: int) -> None:
    """FULL, NORMAL, NORMAL: without syncs at checkpoints a power cut could leave indexes that miss rows, under "off" too.

    What ends a run is synced under "run" besides, and leaves the setting as it was.
    """
    store = SqliteMetadataStore(path, durability=durability)
    run = store.begin_run(a_run())
    during: list[int] = []
    store._db.write(lambda cursor: during.append(cursor.execute("PRAGMA synchronous").fetchone()[0]), durable=True)
    store.finish_run(run)
    assert during == [2 if durability == "run" else expected]
    assert store._db.read("PRAGMA synchronous") == [(expected,)]


def test_the_log_is_copied_before_it_grows_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own checkpoints are off because of its defect; ours bound the log all the same."""
    monkeypatch.setattr(connections, "LOG_LIMIT", 1 << 18)
    monkeypatch.setattr(connections, "_LOOK_EVERY", 7)
    store = SqliteMetadataStore(path, durability="off")
    run = store.begin_run(a_run())
    log = path.with_name(path.name + "-wal")
    sizes = []
    for _ in range(200):
        store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(content=bytes(3000)),)))
        sizes.append(log.stat().st_size)
    assert store._db.read("PRAGMA wal_autocheckpoint") == [(0,)]
    assert max(sizes) < 3 << 18
    assert path.stat().st_size > 100_000


def test_no_writer_can_come_between_while_the_log_is_copied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The defect needs a writer that resets the log during a checkpoint: the write lock is held for all of it."""
    monkeypatch.setattr(connections, "LOG_LIMIT", 0)
    store = SqliteMetadataStore(path, durability="off")
    store.begin_run(a_run())
    held: list[bool] = []
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    other.execute("SELECT count(*) FROM runs").fetchall()

    def observe(statement: str) -> None:
        if "wal_checkpoint" in statement:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            held.append(True)

    copier, writer = store._db._take(), store._db._take()
    copier.set_trace_callback(observe)
    store._db._free += (copier, writer)  # the last one is taken first: it writes
    store._db._checkpoint_if_due()
    other.close()
    assert held == [True]


def test_close_lets_the_store_be_used_again(path: Path) -> None:
    """The last connection to go leaves no log behind; the next call opens one."""
    store = SqliteMetadataStore(path)
    run = store.begin_run(a_run())
    store.release_thread()
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["lineal.db"]
    assert store.get_run(run.id) == run


def test_a_store_that_is_dropped_closes_its_connections(path: Path) -> None:
    """Nobody has to remember close(): no file stays open, and no log is left behind."""
    store = SqliteMetadataStore(path)
    store.begin_run(a_run())
    del store
    gc.collect()
    assert [file.name for file in path.parent.iterdir()] == ["lineal.db"]


def test_text_that_is_none_is_refused(path: Path) -> None:
    """A name from a file system can hold what no database takes; the message shows where."""
    store = SqliteMetadataStore(path)
    for use in (lambda: store.get_version("a\udcff"), lambda: store.begin_run(a_run(name="a\udcff"))):
        with pytest.raises(UsageError, match=r"a\\udcff"):
            use()
    assert store.list_runs({}, "created", 1, 0).total == 0
