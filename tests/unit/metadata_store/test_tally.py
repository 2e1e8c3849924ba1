"""What is summed up says at every moment what counting says."""

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineal.errors import LinealError
from lineal.metadata_store import tally
from lineal.metadata_store.migrate import MIGRATIONS, migrate
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import NewOutput, ObjectRecord, SameOutput, StepCommit, VersionRecord
from lineal.model.states import Status
from lineal.testing.records import a_run, a_step_run, an_output

LIVE = "SELECT count(*) FROM versions WHERE state = 'live'"
MEANT = "SELECT coalesce(sum(o.size), 0) FROM versions v JOIN objects o ON o.id = v.object_id WHERE v.state = 'live' AND v.external IS NULL"
SPACE = """
SELECT a.name, v.type, count(*), sum(o.size), sum(CASE WHEN v.id = (
    SELECT min(w.id) FROM versions w WHERE w.object_id = v.object_id AND w.state = 'live' AND w.external IS NULL
) THEN o.size ELSE 0 END)
FROM versions v JOIN objects o ON o.id = v.object_id JOIN artifacts a ON a.id = v.artifact_id
WHERE v.state = 'live' AND v.external IS NULL GROUP BY a.name, v.type ORDER BY 1, 2
"""
LISTED = (
    "SELECT a.name, count(*) FROM artifacts a JOIN versions v ON v.artifact_id = a.id WHERE v.state = 'live' GROUP BY a.name ORDER BY 1"
)
TAGGED = """
SELECT t.tag, a.name FROM (
    SELECT tag, artifact_id FROM artifact_tags UNION SELECT t.tag, v.artifact_id FROM version_tags t JOIN versions v ON v.id = t.version_id
) t JOIN artifacts a ON a.id = t.artifact_id
WHERE EXISTS (SELECT 1 FROM versions v WHERE v.artifact_id = a.id AND v.state = 'live') ORDER BY 1, 2
"""
TAGS = ("good", "best", "odd")
TABLES = ("tally_space", "tally_firsts", "tally_tags")


def rows(store: SqliteMetadataStore, statement: str) -> list[Any]:
    """Ask the file without the store."""
    with contextlib.closing(sqlite3.connect(store.path)) as db:
        return db.execute(statement).fetchall()


def check(store: SqliteMetadataStore) -> None:
    """Compare all that is told from sums with what counting gives."""
    totals = store.totals()
    assert [(totals.versions,), (totals.bytes_meant,)] == [*rows(store, LIVE), *rows(store, MEANT)]
    assert sorted(map(tuple, store.space())) == rows(store, SPACE)
    assert [(each.name, each.versions) for each in store.list_artifacts({}, "name", 50, 0).items] == rows(store, LISTED)
    tagged = [(tag, each.name) for tag in sorted(TAGS) for each in store.list_artifacts({"tag": tag}, "name", 50, 0).items]
    assert tagged == rows(store, TAGGED)
    counts = {tag: sum(each == tag for each, _ in tagged) for tag in TAGS}
    facets = {each.value: each.artifacts for each in store.artifact_facets() if each.field == "tag"}
    assert facets == {tag: number for tag, number in counts.items() if number}


class Changes:
    """Everything that can happen to versions, by chance. Few names, contents and tags, so that much is shared."""

    def __init__(self, store: SqliteMetadataStore, chance: random.Random) -> None:
        self.store = store
        self.chance = chance
        self.objects: list[ObjectRecord] = []
        self.known: list[VersionRecord] = []
        self.runs: list[str] = []

    def _output(self, **given: Any) -> NewOutput:
        chosen = self.chance.choice
        made = an_output(f"name_{chosen('abc')}", b"x" * self.chance.randrange(6), type=chosen(["int", "str"]), **given)
        self.objects.append(made.object)
        return made

    def _tags(self) -> tuple[str, ...]:
        return tuple(tag for tag in TAGS if self.chance.random() < 0.4)

    def save(self) -> None:
        self.known.append(self.store.save_version(self._output(tags=self._tags()), None))

    def save_as(self) -> None:
        """A version by name: it may exist, live or pruned."""
        number = self.chance.randrange(4)
        output = an_output("name_d", b"y" * number, version=f"v{number}", tags=self._tags())
        self.known.append(self.store.save_version(output, None))

    def register(self) -> None:
        output = self._output()
        held = replace(output.object, inline=None, external="/somewhere")
        self.known.append(self.store.save_version(replace(output, object=held), None))

    def run(self) -> None:
        run = self.store.begin_run(a_run())
        commits = [StepCommit(a_step_run(run, name=f"made_{place}"), (), (self._output(tags=self._tags()),)) for place in range(2)]
        live = {each.id: each for each in self.known if each.id in self._live()}
        if live:
            commits.append(StepCommit(a_step_run(run, name="again"), (), (SameOutput("output", self.chance.choice(list(live.values()))),)))
        for versions in self.store.finish_steps(commits):
            self.known += versions
        self.store.heartbeat(run.id, 5)
        self.store.finish_run(replace(run, status=Status.COMPLETED, ended=9, duration=1))
        self.runs.append(run.id)

    def _live(self) -> set[str]:
        return {uid for (uid,) in rows(self.store, "SELECT uid FROM versions WHERE state = 'live'")}

    def delete_run(self) -> None:
        if self.runs:
            self.store.delete_run(self.runs.pop(self.chance.randrange(len(self.runs))))

    def prune(self) -> None:
        chosen = [each.id for each in self.chance.sample(self.known, min(4, len(self.known)))]
        self.store.prune(chosen, self.chance.choice(["all", "artifact", "metadata"]), 5)

    def release(self) -> None:
        self.store.release([digest for digest, _ in self.store.condemned()], lambda digest: None)

    def lose(self) -> None:
        if self.objects:
            self.store.mark_lost(self.chance.choice(self.objects), 7, lambda: True)

    def find(self) -> None:
        if self.objects:
            self.store.mark_found(self.chance.choice(self.objects).digest)

    def delete(self) -> None:
        found = [each.id for each in self.store.prunable()]
        self.store.delete_versions(self.chance.choice([found[:1], found[-2:]]))

    def tag(self) -> None:
        found = rows(self.store, "SELECT uid FROM versions")
        if found:
            exclusive = self.chance.random() < 0.5
            self.store.update_version(self.chance.choice(found)[0], add_tags=self._tags(), remove_tags=self._tags(), exclusive=exclusive)

    def tag_artifact(self) -> None:
        found = rows(self.store, "SELECT DISTINCT a.name FROM artifacts a JOIN versions v ON v.artifact_id = a.id")
        if found:
            self.store.update_artifact(self.chance.choice(found)[0], add_tags=self._tags(), remove_tags=self._tags())

    def count_in(self) -> None:
        self.store._db.write(tally.advance)


def test_the_sums_are_right_whatever_happens(tmp_path: Path, seeded: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving, registering, sharing, pruning of every kind, losing, finding, deleting, tagging, in any order; counted in now and then."""
    monkeypatch.setattr(tally, "DUE", 7)
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
    assert store.identity()
    changes = Changes(store, seeded)
    moves: list[Callable[[], None]] = [
        changes.save,
        changes.save_as,
        changes.register,
        changes.run,
        changes.find,
        changes.tag,
        changes.tag_artifact,
        changes.count_in,
    ]
    moves += [changes.prune, changes.release, changes.lose, changes.delete, changes.delete_run]
    for _ in range(300):
        seeded.choice(moves)()
        check(store)
    changes.count_in()
    assert all(rows(store, f"SELECT 1 FROM {table} LIMIT 1") for table in TABLES)
    kept = [rows(store, f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES]
    with store._db._open() as db:  # what counting everything anew gives
        db.execute("BEGIN")
        db.execute("UPDATE tally SET until = 0, versions = 0, bytes_meant = 0")
        for table in TABLES:
            db.execute(f"DELETE FROM {table}")
        tally.advance(db.cursor())
        anew = [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES]
        db.execute("ROLLBACK")
    db.close()
    assert [row for row in kept[0] if row[2]] == anew[0]
    assert kept[1:] == anew[1:]
    store.close()


def test_the_sums_are_right_after_killed_processes_that_wrote_at_once(
    tmp_path: Path, seeded: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They change in the transaction that changes the rows, or not at all; a copy has them as they are."""
    monkeypatch.setattr(tally, "DUE", 5)
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
    assert store.identity()
    store.close()
    children: list[int] = []
    for number in range(3):
        chance = random.Random(seeded.random())
        child = os.fork()
        if child == 0:
            work_for_ever(store, chance, number)
        children.append(child)
    time.sleep(1.5)
    for child in children:
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, "it had ended by itself"
    assert row_of(store) > 0, "nothing was counted in"
    check(store)
    copy = store.backup(tmp_path / "copy.db")
    check(copy)
    assert copy.space() == store.space()
    copy.close()
    store.close()


def work_for_ever(store: SqliteMetadataStore, chance: random.Random, number: int) -> None:
    """Change things in a child until it is killed; what another one has deleted is an error that is passed over."""
    try:
        signal.alarm(30)
        changes = Changes(store, chance)
        moves = [changes.run, changes.save, changes.save_as, changes.register, changes.tag]
        moves += [changes.prune, changes.release, changes.lose, changes.find, changes.delete, changes.count_in]
        while True:
            with contextlib.suppress(LinealError):
                chance.choice(moves)()
    finally:
        os._exit(number + 1)


def test_versions_are_counted_in_when_enough_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a save, a heartbeat or the end of a run; a step that ends writes nothing. The last row's number, given again, is counted again."""
    monkeypatch.setattr(tally, "DUE", 3)
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
    for number, until in ((1, 0), (2, 0), (3, 3), (4, 3)):
        last = store.save_version(an_output("one", b"x" * number), None)
        assert (row_of(store), store.totals().versions) == (until, number)
    run = store.begin_run(a_run())

    def make(times: int) -> None:
        store.finish_steps([StepCommit(a_step_run(run), (), (an_output("two"),)) for _ in range(times)])

    make(1)
    store.heartbeat(run.id, 5)
    assert (row_of(store), store.totals().versions) == (3, 5)
    make(1)
    assert (row_of(store), store.totals().versions) == (3, 6)
    store.heartbeat(run.id, 6)
    assert row_of(store) == 6
    make(3)
    store.finish_run(replace(run, status=Status.COMPLETED, ended=9, duration=1))
    assert (row_of(store), store.totals().versions) == (9, 9)
    store.delete_run(run.id)
    store.delete_versions([each.id for each in store.list_versions({"artifact": "two"}, "created", 10, 0).items] + [last.id])
    assert row_of(store) == 3
    store.save_version(an_output("one", b"12345"), None)
    assert (row_of(store), store.totals().versions, store.totals().bytes_meant) == (3, 4, 11)
    store.delete_versions([each.id for each in store.list_versions({"artifact": "one"}, "created", 10, 2).items])
    store.save_version(an_output("one", b"123"), None)
    assert (row_of(store), store.totals().versions, store.totals().bytes_meant) == (2, 3, 6)
    store.close()


@pytest.mark.parametrize("schema", [7, 8])
@pytest.mark.parametrize("versions", [0, 7])
def test_an_older_store_is_counted_when_it_is_migrated(tmp_path: Path, schema: int, versions: int) -> None:
    """From the schemas before the tally and before its sums, with versions and without; what was not counted yet stays so."""
    path = tmp_path / "lineal.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        migrate(old, path, 10, MIGRATIONS[:schema])
        fill(old, versions)
        if schema == 8:
            old.execute("UPDATE tally SET until = ?, versions = ?, bytes_meant = ?", (versions // 2, versions // 2, 10 * (versions // 2)))
        fill(old, 2, versions)
        if schema == 7:
            migrate(old, path, 10, MIGRATIONS[:8])
    store = SqliteMetadataStore(path)
    assert store.totals().versions == versions + 2
    assert row_of(store) == (versions + 2 if schema == 7 else versions // 2)
    check(store)
    store.close()


def fill(db: sqlite3.Connection, versions: int, begin: int = 0) -> None:
    """Write versions as an older Lineal did: two share an object, every third has a tag."""
    for number in range(begin, begin + versions):
        db.execute(
            "INSERT INTO objects (id, digest, size, files) VALUES (?, ?, 10, '[]') ON CONFLICT DO NOTHING",
            (number // 2 + 1, str(number // 2)),
        )
        db.execute("INSERT INTO artifacts (id, name, next, created) VALUES (?, ?, 2, 0)", (number + 1, str(number)))
        db.execute(
            "INSERT INTO versions (id, uid, artifact_id, version, object_id, materializer, type, data_type, save_type, created, tags, metadata) "
            "VALUES (?, ?, ?, '1', ?, 'json/1', 'int', 'data', 'manual', 0, '[]', '{}')",
            (number + 1, str(number), number + 1, number // 2 + 1),
        )
        if number % 3 == 0:
            db.execute("INSERT INTO version_tags (tag, version_id) VALUES ('odd', ?)", (number + 1,))


def row_of(store: SqliteMetadataStore) -> int:
    """Give the row up to which versions are counted in."""
    return int(rows(store, "SELECT until FROM tally")[0][0])
