"""Totals say at every moment what counting says."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lineal.metadata_store.migrate import MIGRATIONS, migrate
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.metadata_store.statements import SQL
from lineal.model.records import ObjectRecord, StepCommit
from lineal.model.states import Status
from lineal.testing.records import a_run, a_step_run, an_output


def told_and_counted(store: SqliteMetadataStore) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give the live versions and their bytes as `totals` tells them, and counted."""
    db = sqlite3.connect(store.path)
    counted = db.execute(SQL["totals_counted"]).fetchone()
    db.close()
    told = store.totals()
    return (told.versions, told.bytes_meant), counted


def test_the_tally_is_right_whatever_happens(tmp_path: Path, seeded: random.Random) -> None:
    """Saving, registering, sharing, pruning of every kind, losing, finding, deleting, in any order."""
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
    assert store.identity()
    digests: list[ObjectRecord] = []
    ids: list[str] = []

    def save() -> None:
        given = an_output(f"name_{seeded.randrange(3)}", b"x" * seeded.randrange(20))
        digests.append(given.object)
        ids.append(store.save_version(given, None).id)

    def register() -> None:
        given = an_output(f"name_{seeded.randrange(3)}", b"x" * seeded.randrange(20))
        held = ObjectRecord(given.object.digest, given.object.size, given.object.files, external="/somewhere")
        ids.append(store.save_version(an_output(given.artifact, b"", object=held), None).id)

    def finish() -> None:
        run = store.begin_run(a_run())
        ids.extend(each.id for each in store.finish_step(StepCommit(a_step_run(run), (), (an_output("made", b"y" * seeded.randrange(9)),))))
        store.finish_run(replace(run, status=Status.COMPLETED, ended=9, duration=1))

    def prune() -> None:
        chosen = seeded.sample(ids, min(3, len(ids)))
        store.prune(chosen, seeded.choice(["all", "artifact", "metadata"]), 5)

    def release() -> None:
        store.release([digest for digest, _ in store.condemned()], lambda digest: None)

    def lose() -> None:
        if digests:
            store.mark_lost(seeded.choice(digests), 7, lambda: True)

    def find() -> None:
        if digests:
            store.mark_found(seeded.choice(digests).digest)

    def delete() -> None:
        gone = [each.id for each in store.prunable()][:1]
        store.delete_versions(gone)

    moves: list[Callable[[], None]] = [save, save, register, finish, prune, release, lose, find, delete]
    for _ in range(200):
        seeded.choice(moves)()
        told, counted = told_and_counted(store)
        assert told == counted
    store.close()


def test_the_end_of_a_run_moves_the_tally_on(tmp_path: Path) -> None:
    """So nobody counts more than what came since; the last row's number, given again, is counted again."""
    store = SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
    run = store.begin_run(a_run())
    for number in range(3):
        last = store.save_version(an_output("one", b"x" * number), None)
    assert (until(store), store.totals().versions) == (0, 3)
    store.finish_run(replace(run, status=Status.COMPLETED, ended=9, duration=1))
    assert (until(store), store.totals().versions) == (3, 3)
    store.delete_versions([last.id])
    store.save_version(an_output("one", b"12345"), None)
    assert (until(store), store.totals().versions, store.totals().bytes_meant) == (2, 3, 6)
    store.close()


def test_an_older_store_is_counted_when_it_is_migrated(tmp_path: Path) -> None:
    """From the schema before the tally, with versions and without."""
    for rows in (0, 7):
        path = tmp_path / f"{rows}.db"
        old = sqlite3.connect(path, isolation_level=None)
        migrate(old, path, 10, MIGRATIONS[:7])
        for number in range(rows):
            old.execute("INSERT INTO objects (id, digest, size, files) VALUES (?, ?, 10, '[]')", (number + 1, str(number)))
            old.execute("INSERT INTO artifacts (id, name, next, created) VALUES (?, ?, 2, 0)", (number + 1, str(number)))
            old.execute(
                "INSERT INTO versions (uid, artifact_id, version, object_id, materializer, type, data_type, save_type, created, tags, metadata) "
                "VALUES (?, ?, '1', ?, 'json/1', 'int', 'data', 'manual', 0, '[]', '{}')",
                (str(number), number + 1, number + 1),
            )
        old.close()
        store = SqliteMetadataStore(path)
        assert (store.totals().versions, store.totals().bytes_meant) == (rows, 10 * rows)
        assert until(store) == rows
        store.close()


def until(store: SqliteMetadataStore) -> int:
    """Give the row up to which the tally has counted."""
    db = sqlite3.connect(store.path)
    (found,) = db.execute("SELECT until FROM tally").fetchone()
    db.close()
    return int(found)
