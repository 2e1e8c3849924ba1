"""What a commit costs, and what only the database itself can be asked about."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineal.errors import Conflict, NotFound
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.metadata_store.statements import SQL
from lineal.model.naming import new_id
from lineal.model.records import CodeRecord, InputEdge, RunRecord, SameOutput, StepCommit
from lineal.model.states import FOLLOWS, Status
from lineal.testing.records import a_run, a_step_run, an_output


@pytest.fixture
def store(tmp_path: Path) -> SqliteMetadataStore:
    """Give a new store that has its connection."""
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
    store.identity()
    return store


@pytest.fixture
def run(store: SqliteMetadataStore) -> RunRecord:
    """Give a run that is under way."""
    return store.begin_run(a_run())


@pytest.fixture
def raw(store: SqliteMetadataStore) -> Iterator[sqlite3.Connection]:
    """Give a connection of one's own to the store's file."""
    db = sqlite3.connect(store.path, isolation_level=None)
    yield db
    db.close()


@pytest.fixture
def traced(store: SqliteMetadataStore) -> list[str]:
    """Give the list that each statement of the store's one connection is added to."""
    found: list[str] = []
    [db] = store._db._free
    db.set_trace_callback(found.append)
    return found


def test_a_step_with_one_output_and_one_input_takes_seven_statements(store: SqliteMetadataStore, run: RunRecord, traced: list[str]) -> None:
    """BEGIN, step run, object, number, version, edges, COMMIT; its code is one more, once."""
    [first] = store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))
    code = CodeRecord("c" * 64, {}, "")
    for limit in (8, 7, 7):
        commit = StepCommit(a_step_run(run, cache_key="key"), (InputEdge("x", first.id),), (an_output(),), code)
        traced.clear()
        store.finish_step(commit)
        assert len(traced) <= limit, traced
        assert (traced[0], traced[-1]) == ("BEGIN IMMEDIATE", "COMMIT")


def test_a_cached_step_takes_one_statement_to_find_and_two_to_record(store: SqliteMetadataStore, run: RunRecord, traced: list[str]) -> None:
    """Hits in a row share a transaction, so that each costs two statements in it."""
    store.finish_step(StepCommit(a_step_run(run, cache_key="key"), outputs=(an_output(),)))
    traced.clear()
    found = store.find_cached("key").get("key")
    assert len(traced) == 1
    assert found is not None
    version = found.outputs["output"]
    hit = (InputEdge("x", version.id),), (SameOutput("output", version),)
    traced.clear()
    store.finish_steps([StepCommit(a_step_run(run, status=Status.CACHED), *hit) for _ in range(10)])
    assert len(traced) == 2 + 10 * 2


def test_reads_by_name_or_id_are_one_statement(store: SqliteMetadataStore, run: RunRecord, traced: list[str]) -> None:
    """Whatever way a version is asked for."""
    [version] = store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))
    for arguments in (("model",), ("model", "1"), (version.id,), (version.id[:30],)):
        traced.clear()
        assert store.get_version(*arguments).id == version.id
        assert len(traced) == 1


HOT = [
    "find_cached", "latest_version", "latest_version_or_id", "version_by_number", "version_by_id", "versions_by_id", "step_edges",
    "outputs_of_step_run", "previous_step_runs", "previous_calls", "step_runs_before", "versions_by_name", "earlier_step_runs", "step_runs_of_run", "run_by_id_or_name", "runs_by_prefix", "consumers", "upstream",
    "downstream", "finish_step_run", "upsert_object", "next_number", "insert_version", "edge_insert", "crash_run", "crash_step_runs",
    "artifact_names_near", "run_names_near", "recent_calls",
]  # fmt: skip
SMALL = (
    "SCAN hit",
    "SCAN c",
    "SCAN p",
    "SCAN reach",
    "SCAN json_each",
    "SCAN n VIRTUAL",  # the json_each of a named list
    "SCAN named",
    "SCAN ranged",
    "SCAN newest",
    "SCAN found",
    "SCAN CONSTANT",
    "SCAN 2 CONSTANT",
    "SCAN first",  # of `find_cached`: one row
    "SCAN (subquery",
)


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_use_indexes(raw: sqlite3.Connection, store: SqliteMetadataStore, name: str) -> None:
    """No table is read from one end to the other; what is scanned is a handful of rows that were searched before."""
    sql = f"{SQL['insert_edges']} {SQL['edge']}, {SQL['live_edge']}" if name == "edge_insert" else SQL[name]
    plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))]
    backwards = {"artifact_names_near": "SCAN artifacts", "run_names_near": "SCAN runs", "recent_calls": "SCAN r"}  # to a LIMIT
    assert [step for step in plan if step.startswith("SCAN") and not step.startswith((*SMALL, backwards.get(name, "-")))] == []


def test_a_hit_is_found_without_sorting(raw: sqlite3.Connection, store: SqliteMetadataStore) -> None:
    """The newest step run with a key is the last entry of the index, however many there are."""
    plan = " ".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {SQL['find_cached']}", ["x", 8]))
    assert "step_runs_by_key" in plan
    assert "TEMP B-TREE" not in plan


def test_a_step_run_may_still_end_exactly_when_the_states_say_so() -> None:
    """The statement spells out what the table of states says."""
    still_open = sorted(status.value for status, following in FOLLOWS.items() if following)
    listed = SQL["finish_step_run"].rpartition("IN (")[2].strip(")").split(", ")
    assert sorted(each.strip("'") for each in listed) == still_open


def test_numbers_of_deleted_versions_never_come_back(store: SqliteMetadataStore, raw: sqlite3.Connection) -> None:
    """Neither by counting nor by asking for one."""
    ids = [store.save_version(an_output(), None).id for _ in range(3)]
    raw.execute("DELETE FROM versions WHERE uid = ?", (ids[2],))
    assert store.save_version(an_output(), None).version == "4"
    with pytest.raises(Conflict, match=r"'3' of 'model' was deleted"):
        store.save_version(an_output(version="3"), None)


def test_a_pruned_or_deleted_output_is_a_miss(store: SqliteMetadataStore, run: RunRecord, raw: sqlite3.Connection) -> None:
    """An older step run with the same key whose outputs are all there counts; what was found and is gone now cannot be reused."""
    old, new = (store.finish_step(StepCommit(a_step_run(run, cache_key="key"), outputs=(an_output(),)))[0] for _ in range(2))
    raw.execute("UPDATE versions SET state = 'pruned' WHERE uid = ?", (new.id,))
    found = store.find_cached("key").get("key")
    assert found is not None
    assert found.outputs == {"output": old}
    assert store.get_version("model") == old
    reuse = StepCommit(a_step_run(run, status=Status.CACHED), outputs=(SameOutput("output", new),))
    with pytest.raises(NotFound, match=r"model@2 \(pruned\)"):
        store.finish_step(reuse)
    raw.execute("UPDATE step_runs SET expired = 1")
    assert store.find_cached("key").get("key") is None


def test_an_explicit_version_whose_data_was_pruned_lives_again(store: SqliteMetadataStore, raw: sqlite3.Connection) -> None:
    """The same bytes were saved again, so they are there."""
    gold = store.save_version(an_output(version="gold"), None)
    raw.execute("UPDATE versions SET state = 'pruned'")
    with pytest.raises(NotFound, match=r"no live version.*'gold'"):
        store.get_version("model")
    assert store.save_version(an_output(version="gold"), None) == gold


def test_an_id_that_is_taken_is_refused(store: SqliteMetadataStore, run: RunRecord) -> None:
    """Two versions cannot share an id, whoever made it up."""
    taken = new_id()
    store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(id=taken),)))
    with pytest.raises(Conflict, match="new_id"):
        store.finish_step(StepCommit(a_step_run(run), outputs=(an_output("other", id=taken),)))


def test_a_version_with_an_edge_cannot_be_deleted_by_mistake(store: SqliteMetadataStore, run: RunRecord) -> None:
    """The database itself refuses to break lineage, or to lose an object that a version needs."""
    [version] = store.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))
    for statement in ("DELETE FROM versions", "DELETE FROM objects"):
        with pytest.raises(sqlite3.IntegrityError):
            store._db.write(lambda cursor, sql: cursor.execute(sql), statement)
    assert store.get_version(version.id) == version


def test_a_store_that_did_not_begin_the_run_knows_its_pipeline(store: SqliteMetadataStore, run: RunRecord) -> None:
    """A run may be carried on by another process."""
    other = SqliteMetadataStore(store.path, durability="off")
    [version] = other.finish_step(StepCommit(a_step_run(run), outputs=(an_output(),)))
    assert version == store.get_version("model")
    assert version.pipeline == run.pipeline
    other.close()
