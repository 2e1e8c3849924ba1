"""Verifying against real stores: each kind of damage is found, said, and dealt with, and looking changes nothing."""

import os
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from lineal import Client, load_artifact, pipeline, register_artifact, save_artifact, step
from lineal.errors import ArtifactMissing, StoreMismatch, UsageError
from lineal.testing.records import an_output
from lineal.verifying import VerifyReport
from lineal.views import VersionView

NOW = timedelta(0)
BIG = 5000  # numbers whose JSON does not fit in a row


@step
def load(rows: int) -> Annotated[list[int], "numbers"]:
    """Give something that has a file of its own."""
    return list(range(rows))


@step
def total(numbers: list[int]) -> Annotated[int, "total"]:
    """Give something that fits in a row."""
    return sum(numbers)


@pipeline
def counting(rows: int = BIG) -> None:
    """Make both."""
    total(load(rows))


@pytest.fixture
def client() -> Client:
    """Run the pipeline once, and give a client."""
    counting()
    return Client()


def verify(client: Client, **given: Any) -> VerifyReport:
    return client.verify(older_than=NOW, **given)


def place_of(view: VersionView) -> Path:
    return Path(view.uri)


def rows(client: Client, statement: str, *parameters: Any) -> list[Any]:
    """Ask or change the database behind the client's back."""
    db = sqlite3.connect(client.workspace.settings.home / "lineal.db", isolation_level=None)
    try:
        return db.execute(statement, parameters).fetchall()
    finally:
        db.close()


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def remove(file: Path) -> None:
    file.unlink()


def truncate(file: Path) -> None:
    file.chmod(0o644)
    os.truncate(file, 10)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def test_what_is_whole_is_said_to_be_whole_and_left_alone(client: Client) -> None:
    """Looking and repairing change nothing where nothing is wrong."""
    store = client.workspace.settings.home / "store"
    before = tree(store)
    for given in ({}, {"read_data": True}, {"repair": True}):
        report = verify(client, **given)
        assert (report.ok, report.objects, report.unrecorded, report.strays, report.stale) == (True, 2, [], [], [])
        assert report.bytes == sum(each.size for each in client.list_artifact_versions())
    assert tree(store) == before


@pytest.mark.parametrize(
    ("damage", "kind"), [(remove, "missing"), (truncate, "damaged"), (flip, "damaged"), (a_folder, "damaged"), (a_pipe, "damaged")]
)
def test_damage_is_found_marked_and_made_again(client: Client, damage: Callable[[Path], None], kind: str) -> None:
    """The way of a lost version: found, put aside, refused to loads and the cache, made again by the command that was said, found again."""
    version = client.get_artifact_version("numbers")
    damage(place_of(version) / "data.json")
    report = verify(client, read_data=True)
    [problem] = report.problems
    assert (problem.kind, problem.versions, problem.digest, problem.repaired) == (kind, ("numbers@1",), version.digest, "")
    assert problem.made_by == (f"step load of run {client.get_pipeline_run('latest').name}",)
    assert "lineal run" in problem.remedy
    assert problem.remedy.endswith(f"test_verifying.py:counting --param rows={BIG}")

    repaired = verify(client, read_data=True, repair=True)
    assert [each.repaired for each in repaired.problems] == ["marked as lost: 1 version"]
    assert verify(client, read_data=True).ok
    assert verify(client).lost == ["numbers@1"]
    with pytest.raises(ArtifactMissing, match=r"numbers@1 is lost, as lineal verify found on .*Run its step again"):
        load_artifact("numbers")
    assert client.get_artifact_version("numbers").record.state == "lost"

    counting()
    assert load_artifact("numbers") == list(range(BIG))
    assert verify(client).found == ["numbers@1"]
    assert verify(client, repair=True).found == ["numbers@1"]
    assert load_artifact("numbers", version="1") == list(range(BIG))
    assert verify(client, read_data=True).lost == []


def test_a_flipped_bit_is_seen_only_by_reading(client: Client) -> None:
    """The quick look compares sizes; it says so by its option, and must not say that it read."""
    flip(place_of(client.get_artifact_version("numbers")) / "data.json")
    assert verify(client).ok
    assert not verify(client, read_data=True).ok


def test_what_was_read_before_is_read_again(client: Client) -> None:
    """A disk that rots changes no file's times, so nothing that was verified before may count."""
    file = place_of(client.get_artifact_version("numbers")) / "data.json"
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns - 10**10))
    assert load_artifact("numbers")
    assert verify(client, read_data=True).ok
    before = file.stat()
    flip(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not verify(client, read_data=True).ok


def test_bytes_in_a_row_are_verified_too(client: Client) -> None:
    """A small value has no file; its damaged bytes must not be taken for the value that is made again."""
    rows(client, "UPDATE objects SET inline = x'31' WHERE inline IS NOT NULL")
    [problem] = verify(client, repair=True).problems
    assert (problem.kind, problem.versions) == ("damaged", ("total@1",))
    counting()
    assert load_artifact("total") == sum(range(BIG))
    assert verify(client, read_data=True).ok


def test_a_changed_listing_is_found(client: Client) -> None:
    """The listing says what to compare with: it must give the object's name."""
    rows(client, "UPDATE objects SET files = replace(files, 'data.json', 'date.json')")
    assert {each.kind for each in verify(client).problems} == {"damaged"}


def test_lost_visualizations_are_forgotten(client: Client) -> None:
    """They are no value: their version stays live."""
    save_artifact(np.arange(100_000), "array")
    [(shown, inline)] = rows(client, "SELECT DISTINCT o.digest, o.inline FROM visualizations c JOIN objects o ON o.id = c.object_id")
    if inline is None:
        client.workspace.artifact_store.delete(shown)
    rows(client, "UPDATE objects SET inline = x'00' WHERE digest = ? AND inline IS NOT NULL", shown)
    [problem] = verify(client, repair=True).problems
    assert problem.versions == ("array@1 (visualizations)",)
    assert verify(client).ok
    assert load_artifact("array").shape == (100_000,)


def test_registered_data_that_changed_is_said_and_never_touched(client: Client, tmp_path: Path) -> None:
    """Its bytes are not ours: neither moved nor marked, so that bringing them back is enough."""
    data = tmp_path / "data.csv"
    data.write_text("1,2")
    register_artifact(data, name="data")
    assert verify(client, read_data=True).ok
    data.write_text("1,3")
    [problem] = verify(client, read_data=True, repair=True).problems
    assert (problem.kind, problem.versions, problem.repaired) == ("changed", ("data@1",), "")
    assert str(data) in problem.remedy
    assert problem.made_by[0].startswith("registered on "), "no run made it, and none was deleted"
    data.write_text("1,2")
    assert verify(client, read_data=True).ok
    data.unlink()
    assert [each.kind for each in verify(client).problems] == ["changed"]


def test_what_killed_runs_left_is_no_problem_and_can_be_put_aside(client: Client) -> None:
    """Objects without a record, strays, unfinished writes: harmless, listed, and out of the way after a repair, with nothing deleted."""
    store = client.workspace.artifact_store
    left = store.seal_bytes("data.bin", b"never recorded")
    objects = client.workspace.settings.home / "store" / "objects"
    extra = place_of(client.get_artifact_version("numbers")) / "notes.txt"
    extra.write_text("mine")
    (objects / "readme").write_text("mine too")
    staged = store.stage()
    report = verify(client)
    assert (report.ok, report.unrecorded, report.stale) == (True, [left.digest], [staged.name])
    assert report.strays == [str(extra.relative_to(objects)), "readme"]
    assert left.digest in store.digests()
    repaired = verify(client, repair=True)
    assert len(repaired.quarantined) == 3
    assert [(each.unrecorded, each.strays, each.stale) for each in [verify(client)]] == [([], [], [])]
    kept = {path.name: path.read_text() for path in (objects.parent / "quarantine").rglob("*") if path.is_file()}
    assert kept == {"data.bin": "never recorded", "notes.txt": "mine", "readme": "mine too"}
    assert load_artifact("numbers") == list(range(BIG))


def test_what_a_run_is_writing_is_left_alone(client: Client) -> None:
    """An object that was sealed a moment ago is about to be recorded."""
    left = client.workspace.artifact_store.seal_bytes("data.bin", b"about to be recorded")
    assert client.verify(repair=True).quarantined == []
    assert left.digest in client.workspace.artifact_store.digests()


def test_an_object_that_is_recorded_meanwhile_is_not_put_aside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look that counts is under the write lock, where no commit can come between."""
    store = client.workspace.artifact_store
    record = store.seal_bytes("data.bin", b"late")
    real = client.workspace.metadata.unless_recorded

    def late(digest: str, work: Callable[[], object]) -> bool:
        client.workspace.metadata.save_version(an_output("late", object=record), None)
        return real(digest, work)

    monkeypatch.setattr(client.workspace.metadata, "unless_recorded", late)
    assert verify(client, repair=True).quarantined == []
    assert store.holds(record, verify=True)


def test_an_object_that_is_made_again_meanwhile_is_not_lost(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the repair a run may have put a whole object in the place of the damaged one."""
    version = client.get_artifact_version("numbers")
    file = place_of(version) / "data.json"
    whole = file.read_bytes()
    flip(file)
    store = client.workspace.artifact_store
    real = store.quarantine

    def late(path: str, older_than: float = 0) -> Path | None:
        store.seal_bytes("data.json", whole)
        return real(path, older_than)

    monkeypatch.setattr(store, "quarantine", late)
    [problem] = verify(client, read_data=True, repair=True).problems
    assert problem.repaired == "it was whole in the quarantine, and put back"
    assert load_artifact("numbers") == list(range(BIG))


def test_a_prune_between_the_question_and_the_look_is_no_loss(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that nothing needs any more are not missed."""
    save_artifact("x" * 100_000, "loose")
    real = client.workspace.artifact_store.inspect

    def late(record: Any, *, read_data: bool = False) -> list[str]:
        client.prune_artifacts("loose")
        return real(record, read_data=read_data)

    monkeypatch.setattr(client.workspace.artifact_store, "inspect", late)
    assert verify(client).ok


def test_records_that_contradict_themselves_are_mended(client: Client) -> None:
    """A tombstone without a time, a live version with one, and an object that is there although its row says that it is gone."""
    rows(client, "UPDATE versions SET pruned = 1 WHERE state = 'live' AND output = 'numbers'")
    rows(client, "UPDATE objects SET removed = 1 WHERE inline IS NULL")
    save_artifact("y" * 100_000, "loose")
    client.prune_artifacts("loose", only_artifact=True)
    rows(client, "UPDATE versions SET pruned = NULL WHERE state = 'pruned'")
    problems = verify(client).problems
    assert [each.kind for each in problems] == ["tombstone"] * 3
    assert all(each.repaired for each in verify(client, repair=True).problems)
    assert verify(client).problems == []
    assert load_artifact("numbers") == list(range(BIG))


def test_a_row_that_refers_to_nothing_is_found(client: Client) -> None:
    """What SQLite itself finds wrong is said, with the remedy."""
    rows(client, "DELETE FROM artifacts WHERE name = 'total'")
    report = verify(client)
    assert [each.kind for each in report.problems] == ["database"]
    assert "versions refers to a row of artifacts" in report.problems[0].what


def test_a_store_that_is_not_there_is_not_called_lost(client: Client) -> None:
    """An unmounted volume looks like a folder in which nothing is."""
    store = client.workspace.settings.home / "store"
    store.rename(store.with_name("elsewhere"))
    store.mkdir()
    with pytest.raises(StoreMismatch):
        verify(client, repair=True)
    assert client.get_artifact_version("numbers").record.state == "live"


def test_a_repair_that_is_killed_is_finished_by_the_next(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the move and the mark nothing is forgotten: the object is missing then, and its version is marked by the next repair."""
    flip(place_of(client.get_artifact_version("numbers")) / "data.json")

    def killed(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client.workspace.metadata, "mark_lost", killed)
        with pytest.raises(KeyboardInterrupt):
            verify(client, read_data=True, repair=True)
    assert [each.kind for each in verify(client, repair=True).problems] == ["missing"]
    assert verify(client, read_data=True).lost == ["numbers@1"]


def test_prune_never_takes_what_may_be_found_again(client: Client) -> None:
    """A lost version's object is still needed; when its bytes turn up, they must not be pruned before they are noticed."""
    save_artifact("z" * 100_000, "loose")
    place = place_of(client.get_artifact_version("loose"))
    away = place.rename(client.workspace.settings.home / "away")
    assert verify(client, repair=True).problems
    away.rename(place)
    save_artifact("z", "other")
    client.prune_artifacts("other")
    assert place.is_dir()
    assert verify(client, repair=True).found == ["loose@1"]
    assert load_artifact("loose") == "z" * 100_000


def test_who_saved_it_is_said_without_a_run(client: Client) -> None:
    """No command makes a value again that somebody saved by hand."""
    save_artifact("w" * 100_000, "note")
    remove(place_of(client.get_artifact_version("note")) / "data.json")
    [problem] = verify(client).problems
    assert problem.made_by[0].startswith("saved by save_artifact on 20")
    assert problem.remedy == "save note@1 again; no run made it"


def test_who_registered_it_is_said_and_who_made_it_once(client: Client, tmp_path: Path) -> None:
    """What was never of a run is not called what a deleted run made; of that it is known when it was made."""
    (tmp_path / "notes.txt").write_text("monday")
    register_artifact(tmp_path / "notes.txt", "notes")
    (tmp_path / "notes.txt").unlink()
    [problem] = verify(client).problems
    assert problem.made_by[0].startswith("registered on 20")
    (tmp_path / "notes.txt").write_text("monday")
    version = client.get_artifact_version("numbers")
    client.delete_pipeline_run(client.list_pipeline_runs()[0])
    remove(place_of(version) / "data.json")
    [problem] = verify(client).problems
    assert re.fullmatch(r"made on 20[-0-9: ]+ UTC by a run that was deleted since", problem.made_by[0])


def test_many_objects_are_asked_for_in_parts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts meet at their edges: each object is looked at once."""
    for number in range(7):
        save_artifact(number, f"n{number}")
    monkeypatch.setattr("lineal.verifying._ROWS", 2)
    monkeypatch.setattr("lineal.verifying._DIGESTS", 1)
    assert verify(client).objects == 9


def test_a_wrong_grace_is_refused(client: Client) -> None:
    """Before anything is looked at."""
    with pytest.raises(UsageError, match="timedelta"):
        client.verify(older_than=3)  # type: ignore[arg-type]


def test_an_object_that_came_back_through_an_older_copy_is_put_back(client: Client) -> None:
    """Two copies in the quarantine: the damaged one is passed over."""
    version = client.get_artifact_version("numbers")
    store = client.workspace.artifact_store
    whole = (place_of(version) / "data.json").read_bytes()
    store.quarantine(version.digest)
    store.seal_bytes("data.json", whole)
    flip(place_of(version) / "data.json")
    assert verify(client, read_data=True, repair=True).problems[0].repaired.startswith("it was whole")
    assert verify(client, read_data=True).ok
