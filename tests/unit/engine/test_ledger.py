"""When a run is recorded: whole, when all is cached; from its first step on, when one runs; in between, when it takes a while."""

import os
import signal
import threading
import time
from typing import Any, cast

import pytest

from lineal import Client, pipeline, step
from lineal.artifact_store.local import LocalArtifactStore
from lineal.engine import ledger, pulse
from lineal.engine.ledger import Ledger
from lineal.errors import StorageFull, StoreError, UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.connections import Connections
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import FileEntry, ObjectRecord, SameOutput, StepCommit, VersionRecord
from lineal.testing.records import a_run, a_step_run


@step(undeclared="off")
def one(n: int) -> int:
    return n


@step(undeclared="off")
def names(value: int) -> list[str]:
    return [run.name for run in Client().list_pipeline_runs(status="running")]


@pipeline
def flow(count: int = 3) -> None:
    for n in range(count):
        one(n)


@pipeline
def looking() -> None:
    names(one(0))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give what each transaction did."""
    done: list[str] = []
    write = Connections.write

    def noted(self: Connections, work: Any, *arguments: Any, durable: bool = False) -> Any:
        done.append(getattr(work, "__name__", "other"))
        return write(self, work, *arguments, durable=durable)

    monkeypatch.setattr(Connections, "write", noted)
    return done


def test_a_cached_run_is_one_transaction(written: list[str]) -> None:
    """Where steps run there is one for the beginning, one for the hits before a step, one for each step and one for the end."""
    flow(1)
    written.clear()
    flow(4)  # of which one is cached
    assert len(written) == 6
    written.clear()
    run = flow(3)
    assert len(written) == 1
    again = Client().get_pipeline_run(run.name)
    assert (again.status, [each.status for each in again.steps.values()]) == ("completed", ["cached"] * 3)
    assert [each["name"] for each in again.record.plan or ()] == ["one", "one_2", "one_3"]


def test_very_many_hits_are_recorded_in_parts(written: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction holds up others for long, and what is pruned meanwhile is still made again."""
    flow(50)
    monkeypatch.setattr(ledger, "MOST", 32_000)
    written.clear()
    assert [each.status for each in flow(50).steps.values()] == ["cached"] * 50
    assert len(written) == 1 + 3 + 1  # the beginning, each 15 hits with an output, and the end
    find = SqliteMetadataStore.find_cached

    def pruned(self: SqliteMetadataStore, *given: Any) -> Any:
        found = find(self, *given)
        self._db.write(lambda cursor: cursor.execute("UPDATE versions SET state = 'pruned' WHERE output IS NOT NULL AND id IN (3, 45)"))
        return found

    monkeypatch.setattr(SqliteMetadataStore, "find_cached", pruned)
    steps = list(flow(50).steps.values())
    assert [each.name for each in steps if each.status == "completed"] == ["one_3", "one_45"]
    assert [each.output.load() for each in steps] == list(range(50))


def test_a_run_is_there_when_its_first_step_runs() -> None:
    """Also when hits came before."""
    flow(1)
    run = looking()
    assert run.steps["names"].output.load() == [run.name]


def test_a_run_that_looks_for_a_while_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its heartbeat records it."""
    flow()
    monkeypatch.setattr(pulse, "TICK", 0.02)
    find = SqliteMetadataStore.find_cached
    seen: list[str] = []

    def slow(self: SqliteMetadataStore, *given: Any) -> Any:
        end = time.monotonic() + 20
        while not seen and time.monotonic() < end:
            seen.extend(run.name for run in Client().list_pipeline_runs(status="running"))
        return find(self, *given)

    monkeypatch.setattr(SqliteMetadataStore, "find_cached", slow)
    run = flow()
    assert seen == [run.name]
    assert [each.status for each in run.steps.values()] == ["cached"] * 3
    assert Client().get_pipeline_run(run.name).status == "completed"


def test_an_end_that_cannot_be_recorded_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of the steps is recorded, and taken from the cache by the next run."""
    finish = SqliteMetadataStore.finish_run
    tried: list[int] = []

    def full(self: SqliteMetadataStore, *given: Any, **named: Any) -> None:
        tried.append(1)
        raise StorageFull("no space")

    monkeypatch.setattr(SqliteMetadataStore, "finish_run", full)
    with pytest.raises(StorageFull, match="no space") as said:
        flow()
    assert (len(tried), getattr(said.value, "__notes__", [])) == (1, [])
    monkeypatch.setattr(SqliteMetadataStore, "finish_run", finish)
    assert [each.status for each in flow().steps.values()] == ["cached"] * 3


def test_large_values_in_rows_are_not_gathered() -> None:
    """What waits is weighed by what it has as text, and not by its number."""
    book = Ledger(cast("MetadataStore", None), a_run())
    content = b"x" * 16_000
    version = VersionRecord(
        "id", "a", "1", 1, ObjectRecord("d", len(content), (FileEntry("f", 1, "d"),), content), "m", "t", "d", "step", 0
    )
    count = 0
    while not book.is_full:
        book.add(StepCommit(a_step_run(a_run()), (), (SameOutput("output", version),)))
        count += 1
    assert 500 < count < 1000
    book.take_back()
    assert not book.is_full


def test_an_end_that_is_refused_ends_the_run_without_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be running for as long as the process lives, and could not even be deleted."""
    flow()
    finish = SqliteMetadataStore.finish_run

    def refused(self: SqliteMetadataStore, run: Any, commits: Any = (), **named: Any) -> None:
        if commits:
            raise UsageError("too much at once")
        finish(self, run, commits, **named)

    monkeypatch.setattr(SqliteMetadataStore, "finish_run", refused)
    with pytest.raises(UsageError, match="too much"):
        flow()
    run = Client().get_pipeline_run("latest")
    assert (run.status, run.error) == ("failed", "UsageError: too much at once")
    Client().delete_pipeline_run(run)


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_ctrl_c_while_the_end_of_a_run_that_failed_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes after that."""

    @pipeline
    def failing() -> None:
        one(1).load()
        raise ValueError("the body fails")

    finish = SqliteMetadataStore.finish_run

    def interrupted(self: SqliteMetadataStore, *given: Any, **named: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        finish(self, *given, **named)

    monkeypatch.setattr(SqliteMetadataStore, "finish_run", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            failing()
    finally:
        signal.signal(signal.SIGINT, before)
    assert Client().get_pipeline_run("latest").status == "failed"


def test_an_end_whose_bytes_cannot_be_synced_is_recorded_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why, and what was not synced stays marked."""
    monkeypatch.setenv("LINEAL_DURABILITY", "run")

    @step(undeclared="off")
    def large() -> bytes:
        return bytes(100_000)

    @pipeline
    def saving() -> None:
        large()

    def refused(*_: Any) -> None:
        raise StoreError("the disk does not answer")

    monkeypatch.setattr(LocalArtifactStore, "sync", refused)
    with pytest.raises(StoreError, match="does not answer"):
        saving()
    run = Client().get_pipeline_run("latest")
    assert (run.status, run.error) == ("failed", "StoreError: the disk does not answer")
    assert run.steps["large"].output.record.object.boot is not None
