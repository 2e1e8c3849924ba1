"""Turns to write: in the order of coming, dropped with their process, with a limit to waiting."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from lineal.errors import LinealWarning, StoreBusy
from lineal.metadata_store import connections, turns
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.metadata_store.turns import Turns, holder
from lineal.testing.records import a_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="this system has no such locks: writers wait in SQLite alone")

HOLD = """
import sys, time
from pathlib import Path
from lineal.metadata_store.turns import Turns
turns = Turns(Path(sys.argv[1]))
print("here", flush=True)
print(turns.take(60.0, lambda: None), flush=True)
if len(sys.argv) > 2:  # how long it works
    time.sleep(float(sys.argv[2]))
    print(time.monotonic(), flush=True)
    turns.leave()
else:
    time.sleep(60)
"""


def start(path: Path, *arguments: object) -> "subprocess.Popen[str]":
    """Start a process that takes a turn."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, path, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def has_turn(process: "subprocess.Popen[str]") -> bool:
    """Wait until it has its turn."""
    assert process.stdout is not None
    return process.stdout.readline() == "True\n"


def end(*processes: "subprocess.Popen[str]") -> None:
    """Kill them, and forget them."""
    for process in processes:
        process.kill()
        process.communicate()


def fail() -> None:
    """Be called where nobody is to be told anything."""
    pytest.fail("nothing is to be told")


def test_who_came_first_is_served_first(tmp_path: Path) -> None:
    """Six processes in a line, each begun while those before it stand in it."""
    path = tmp_path / "db"
    mine = Turns(path)
    assert mine.take(1.0, fail)
    processes = []
    for _ in range(6):
        processes.append(start(path, 0.02))
        time.sleep(0.2)  # from there to the line
    mine.leave()
    ended = [float(process.communicate()[0].split()[1]) for process in processes]
    assert ended == sorted(ended)


def test_a_turn_ends_with_its_process(tmp_path: Path) -> None:
    """Nobody waits for who was killed, whether it had its turn or stood in the line."""
    path = tmp_path / "db"
    first = start(path)
    assert has_turn(first)
    second = start(path)
    time.sleep(0.5)
    end(second, first)
    assert Turns(path).take(5.0, fail)


def test_waiting_has_an_end_and_leaves_nothing(tmp_path: Path) -> None:
    """Who gave up does not get a turn later; nor does a process that was stopped keep the line waiting for ever."""
    path = tmp_path / "db"
    other = start(path)
    assert has_turn(other)
    os.kill(other.pid, signal.SIGSTOP)
    mine, began = Turns(path), time.monotonic()
    assert not mine.take(0.2, fail)
    assert 0.2 <= time.monotonic() - began < 5
    end(other)
    deadline = time.monotonic() + 10
    while any(thread.name == "lineal-turn" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    third = start(path, 0)
    assert has_turn(third), "the turn that came too late was let go"
    third.communicate()


def test_a_fork_does_not_take_the_turn_along(tmp_path: Path) -> None:
    """A child has none, keeps none alive, and drops none of its parent's."""
    path = tmp_path / "db"
    turns = Turns(path)
    assert turns.take(1.0, fail)
    child = os.fork()
    if not child:
        theirs = Turns(path)
        os._exit(theirs.take(0.1, lambda: None))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    child = os.fork()
    if not child:
        time.sleep(60)
    turns.leave()
    third = start(path, 0)
    assert has_turn(third)
    third.communicate()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.parametrize("how", ["folder", "locks"])
def test_without_a_file_or_locks_all_goes_on(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is for fairness: what keeps writers apart is SQLite's lock."""
    import fcntl

    def none(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    if how == "locks":
        monkeypatch.setattr(fcntl, "lockf", none)
    mine = Turns(tmp_path / ("missing/db" if how == "folder" else "db"))
    assert mine.take(0.1, fail)
    mine.leave()


def test_the_file_is_closed_with_the_last_use(tmp_path: Path) -> None:
    """A program may open many stores."""
    mine = Turns(tmp_path / "db")
    assert mine.take(0.1, fail)
    file, gone = mine._file, weakref.ref(mine)
    assert file is not None
    os.fstat(file)
    del mine
    assert gone() is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a list of locks")
def test_the_holder_of_the_write_lock_is_known(tmp_path: Path) -> None:
    """Whatever program it is."""
    store = SqliteMetadataStore(tmp_path / "db")
    store.begin_run(a_run())
    assert holder(tmp_path / "db") is None
    assert holder(tmp_path / "none") is None
    other = sqlite3.connect(tmp_path / "db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert holder(tmp_path / "db") == os.getpid()
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.parametrize("stands_in_line", [True, False])
def test_who_waits_is_told_for_whom(stands_in_line: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, and in the error at the end; another of Lineal's processes, or a program that knows of no line."""
    monkeypatch.setattr(turns, "PATIENCE", 0.4)
    monkeypatch.setattr(connections, "PATIENCE", 0.4)
    store = SqliteMetadataStore(tmp_path / "db", busy_timeout=1.0)
    store.begin_run(a_run())
    code = "import sqlite3, sys, time; db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute('BEGIN IMMEDIATE'); print('True', flush=True); time.sleep(60)"  # fmt: skip
    line = start(tmp_path / "db") if stands_in_line else None
    assert line is None or has_turn(line)
    writer = subprocess.Popen([sys.executable, "-c", code, tmp_path / "db"], stdout=subprocess.PIPE, text=True)
    assert has_turn(writer)
    with (
        pytest.warns(LinealWarning, match=f"waiting for process {writer.pid}, which holds the write lock of "),
        pytest.raises(StoreBusy, match=rf"process {writer.pid} has held the write lock for more than 1 s"),
    ):
        store.begin_run(a_run())
    end(writer, *([line] if line else []))
    store.begin_run(a_run())
