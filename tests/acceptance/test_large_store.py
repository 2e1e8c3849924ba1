"""The large store that `bench` makes is one that runs could have left, and its lists are what a plain statement gives."""

import hashlib
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.large import COLUMNS, make

from lineal import Client, pipeline, step
from lineal.cli import main
from lineal.metadata_store.filters import SORTS, order, where
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.metadata_store.statements import SQL

RUNS = 600

# What the faster statements must agree with: everything joined, then filtered, then sorted.
PLAIN = {
    "runs": "SELECT r.uid FROM runs r {where} ORDER BY {order}",
    "step_runs": "SELECT s.uid FROM step_runs s JOIN runs r ON r.id = s.run_id {where} ORDER BY {order}",
    "versions": "SELECT v.uid FROM versions v JOIN artifacts a ON a.id = v.artifact_id JOIN objects o ON o.id = v.object_id {where} ORDER BY {order}",
}
FILTERS: dict[str, list[dict[str, Any]]] = {
    "runs": [
        {}, {"pipeline": "training_03"}, {"status": "failed"}, {"tag": "nightly"}, {"tag": ["nightly", "release"]}, {"name": "*00?*"},
        {"tag": "nightly", "pipeline": "training_00"}, {"metadata": "note == 'x'"}, {"metadata": "not note == 'x'"}, {"tag": "none"},
    ],
    "step_runs": [{}, {"pipeline": "training_03"}, {"step": "train", "status": "failed"}, {"run": "training_00-0000000"}],
    "versions": [
        {}, {"artifact": "training_03_model"}, {"name": "*model*"}, {"tag": "best"}, {"tag": ["best", "checked"]}, {"step": "train"},
        {"pipeline": "training_03", "type": "float"}, {"metadata": "accuracy > 0.9"}, {"run": "training_00-0000000"},
    ],
}  # fmt: skip
PRUNABLE = """
SELECT v.uid, (SELECT count(*) FROM versions w WHERE w.object_id = v.object_id AND w.state = 'live')
FROM versions v JOIN artifacts a ON a.id = v.artifact_id
LEFT JOIN (
    SELECT n.id, row_number() OVER (PARTITION BY n.artifact_id ORDER BY n.id DESC) AS place FROM versions n WHERE n.state = 'live'
) newest ON newest.id = v.id
WHERE v.pinned = 0 AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.version_id = v.id) AND v.created < :before
    AND (newest.place IS NULL OR newest.place > :keep) AND (:name IS NULL OR a.name = :name) ORDER BY v.id
"""

SPACE = """
SELECT a.name, v.type, count(*), sum(o.size), sum(CASE WHEN v.id = (
    SELECT min(w.id) FROM versions w WHERE w.object_id = v.object_id AND w.state = 'live' AND w.external IS NULL
) THEN o.size ELSE 0 END)
FROM versions v JOIN objects o ON o.id = v.object_id JOIN artifacts a ON a.id = v.artifact_id
WHERE v.state = 'live' AND v.external IS NULL GROUP BY a.name, v.type
"""


@pytest.fixture
def store(lineal_home: Path) -> Iterator[SqliteMetadataStore]:
    make(lineal_home, RUNS)
    found = SqliteMetadataStore(lineal_home / "lineal.db")
    yield found
    found.close()


def rows(store: SqliteMetadataStore, statement: str, parameters: Any = ()) -> list[Any]:
    """Ask the file without the store."""
    db = sqlite3.connect(store.path)
    db.execute("PRAGMA case_sensitive_like = ON")
    found = db.execute(statement, parameters).fetchall()
    db.close()
    return found


def test_it_passes_verify_and_is_the_same_each_time(store: SqliteMetadataStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes fit their digests, keys their rows, counts their numbers."""
    assert store.integrity(thorough=True) == []
    with pytest.raises(SystemExit) as ended:
        main(["verify", "--read-data"])
    assert ended.value.code == 0, capsys.readouterr()
    totals = store.totals()
    assert (totals.runs, totals.versions) == (RUNS, 10 * RUNS)
    [(next_, newest)] = rows(
        store, "SELECT a.next, max(v.number) FROM artifacts a JOIN versions v ON v.artifact_id = a.id WHERE a.name = 'note_0'"
    )
    assert next_ == newest + 1
    make(tmp_path / "again", RUNS)
    again = SqliteMetadataStore(tmp_path / "again" / "lineal.db")
    digests = [
        hashlib.sha256(repr([rows(each, f"SELECT * FROM {table}") for table in COLUMNS]).encode()).digest() for each in (store, again)
    ]
    again.close()
    assert digests[0] == digests[1]


def test_it_has_every_column_that_runs_write(store: SqliteMetadataStore) -> None:
    """A migration that adds a column which a run fills makes this fail, and the generator is told."""

    @step(tags=["best"])
    def number() -> int:
        return 1

    @pipeline(tags=["nightly"])
    def real() -> None:
        number()

    real()
    for table, columns in COLUMNS.items():
        known = [row[1] for row in rows(store, f"PRAGMA table_info({table})")]
        assert set(columns) <= set(known)
        others = [name for name in known if name not in columns]
        newest = rows(store, f"SELECT {', '.join(others) or '1'} FROM {table} ORDER BY {known[0]} DESC LIMIT 1")
        made = rows(store, f"SELECT {', '.join(others) or '1'} FROM {table} LIMIT 1")
        assert newest == made, f"{table}: what a run writes to {others} differs from what the generator leaves there"


def test_what_it_holds_can_be_asked_for(store: SqliteMetadataStore) -> None:
    """Runs, their steps, versions and lineage, through the client."""
    client = Client()
    run = client.list_pipeline_runs(pipeline="training_03", limit=1)[0]
    assert [each.name for each in run.steps.values()] == ["load", "clean", "features", "train", "predict", "evaluate", "publish"]
    model = client.get_artifact_version("training_03_model")
    assert model.load()["value"] >= 0
    assert len(model.lineage().versions) > 30


@pytest.mark.parametrize("listed", PLAIN)
def test_pages_and_counts_are_what_a_plain_statement_gives(store: SqliteMetadataStore, listed: str) -> None:
    """Every sort with every filter, from several places on."""
    first = rows(store, "SELECT uid FROM runs WHERE id = 7")[0][0]
    store.update_run(first, metadata={"note": "x"})
    find = {"runs": store.list_runs, "step_runs": store.find_step_runs, "versions": store.list_versions}[listed]
    for filters, (field, sign) in itertools.product(FILTERS[listed], itertools.product(SORTS[listed], ("", "-"))):
        clause, parameters = where(listed, filters)
        plain = PLAIN[listed].replace("{where}", clause).replace("{order}", order(listed, f"{sign}{field}"))
        wanted = [row[0] for row in rows(store, plain, parameters)]
        for offset in (0, 37):
            page = find(filters, f"{sign}{field}", 20, offset)
            assert [each.id for each in page.items] == wanted[offset : offset + 20], (filters, field, sign)
            assert page.total == len(wanted), (filters, field, sign)


def test_prunable_is_what_a_plain_statement_gives(store: SqliteMetadataStore) -> None:
    """With names, ages, and how many of each artifact to keep, among live and pruned ones."""
    store.prune([each.id for each in store.prunable()][::7], "artifact", 1)
    middle = rows(store, "SELECT created FROM versions ORDER BY id LIMIT 1 OFFSET 5800")[0][0]
    found = 0
    for keep, before, name in itertools.product((0, 1, 3, 1000), (None, middle), (None, "note_1", "training_03_dataset")):
        wanted = rows(store, PRUNABLE, {"before": before or 1 << 62, "keep": keep, "name": name})
        given = store.prunable(names=[name] if name else None, created_before=before, keep_last=keep)
        assert [(each.id, each.shared) for each in given] == wanted
        found += len(wanted)
    assert found > 500


def test_space_is_what_a_plain_statement_gives(store: SqliteMetadataStore) -> None:
    """By artifact and type; what several versions share counts for the earliest that is live."""
    store.prune([each.id for each in store.prunable()][::3], "artifact", 1)
    wanted = rows(store, SPACE)
    assert sorted(map(tuple, store.space())) == sorted(wanted)
    assert sum(row[4] for row in wanted) < sum(row[3] for row in wanted)


def test_lineage_reads_no_farther_than_it_is_asked_for(store: SqliteMetadataStore) -> None:
    """What is one step away may be used by hundreds of steps, which are two away."""
    model = store.get_version("training_03_model", "1").id
    for statement, upstream in (("upstream", True), ("downstream", False)):
        near = {edge.step_run_id for edge in store.lineage(model, upstream=upstream, depth=1)}
        assert {row[0] for row in rows(store, SQL[statement], (model, 1, 1, 1))} == near
        assert near < {edge.step_run_id for edge in store.lineage(model, upstream=upstream, depth=2)}


def test_statements_of_first_pages_sort_no_long_rows(store: SqliteMetadataStore) -> None:
    """The newest of everything are found by walking an index from its end; what is sorted is one page."""
    for listed in PLAIN:
        statement = SQL[f"list_{listed}"].replace("{where}", "").replace("{order}", order(listed, "-created"))
        plan = [row[3] for row in rows(store, f"EXPLAIN QUERY PLAN {statement}", (50, 0))]
        page, _, rest = "\n".join(plan).partition("SCAN page")
        assert "TEMP B-TREE" not in page, plan
        assert "AUTOMATIC" not in rest, plan
