"""Pruning against real stores: what goes, what it frees, what a crash leaves, and what a run that goes on meets."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineal import Client, ExternalArtifact, load_artifact, pipeline, save_artifact, step
from lineal.artifact_store.local import LocalArtifactStore
from lineal.artifacts import Item
from lineal.errors import Conflict, InUse, NotFound, StoreError, StoreMismatch, UsageError
from lineal.host import alone
from lineal.metadata_store import deleting
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.naming import new_id
from lineal.model.records import NewOutput, ObjectRecord, VersionRecord
from lineal.pruning import PruneReport, Selection, collect, preview, prune
from lineal.testing.records import a_run, an_object, an_output


class Stores:
    """Facts and bytes that belong to each other."""

    def __init__(self, folder: Path) -> None:
        self.lock = folder / "prune.lock"
        self.store = LocalArtifactStore(folder / "store")
        self.metadata = SqliteMetadataStore(folder / "lineal.db", durability="off", sealed=self.store.has)
        self.metadata.pair(self.store.identity)

    def seal(self, content: bytes) -> ObjectRecord:
        return self.store.seal_bytes("data.bin", content)

    def save(self, artifact: str = "a", content: bytes = b"1", **given: Any) -> VersionRecord:
        return self.metadata.save_version(an_output(artifact, object=self.seal(content), **given), None)

    def prune(self, selection: Selection | None = None, **given: Any) -> PruneReport:
        return prune(self.metadata, self.store, self.lock, selection or Selection(), **given)

    def check(self) -> None:
        """Every live version's bytes are there, and nothing lies in staging."""
        live = self.metadata.list_versions({}, "created", 1000, 0).items
        assert [each for each in live if each.state == "live" and not self.store.holds(each.object, verify=True)] == []
        assert list((self.store.path / "staging").iterdir()) == []


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    made = Stores(tmp_path / "here")
    yield made
    made.metadata.close()


# -- what goes


def test_prune_says_names_counts_and_bytes_and_frees_them(stores: Stores) -> None:
    """The preview says the same before, and changes nothing."""
    for artifact, content in (("a", b"12345"), ("a", b"12345"), ("b", b"123")):
        stores.save(artifact, content)
    report = PruneReport(3, 2, 13, 8, ("a@1", "a@2", "b@1"))  # two versions share one object
    assert preview(stores.metadata, Selection()) == replace(report, dry_run=True)
    assert len(list(stores.store.digests())) == 2
    assert stores.prune() == report
    assert list(stores.store.digests()) == []
    assert stores.prune() == PruneReport(0, 0, 0, 0, ())
    stores.check()


def test_an_object_that_a_kept_version_shares_frees_nothing(stores: Stores) -> None:
    """Its bytes stay for the one that is kept."""
    kept = stores.save("kept")
    stores.metadata.update_version(kept.id, pinned=True)
    stores.save("gone")
    assert preview(stores.metadata, Selection()).freed == 0
    report = stores.prune()
    assert (report.versions, report.bytes, report.freed) == (1, 1, 0)
    stores.check()


def test_prune_keeps_the_young_and_the_last(stores: Stores) -> None:
    """older_than and keep_last, and names with stars."""
    for content in (b"1", b"2", b"3"):
        stores.save("a", content)
    stores.save("b")
    assert stores.prune(Selection(older_than=timedelta(days=1))).versions == 0
    assert stores.prune(Selection(names=("b*",))).names == ("b@1",)
    assert stores.prune(Selection(keep_last=2)).names == ("a@1",)
    assert stores.prune(Selection(older_than=timedelta(0))).names == ("a@2", "a@3")
    for wrong in (Selection(older_than=timedelta(-1)), Selection(older_than=30), Selection(keep_last=-1), Selection(keep_last=True)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="of 0 or more"):
            stores.prune(wrong)


def test_registered_bytes_are_never_deleted(stores: Stores, tmp_path: Path) -> None:
    """The row goes, the file stays; with only_artifact there is nothing to take."""
    path = tmp_path / "mine.bin"
    path.write_bytes(b"mine")
    stores.metadata.save_version(an_output(object=an_object(b"mine", inline=None, external=str(path))), None)
    assert stores.prune(Selection("artifact")).versions == 0
    report = stores.prune()
    assert (report.versions, report.bytes, report.freed) == (1, 0, 0)
    assert path.read_bytes() == b"mine"


def test_data_that_is_gone_already_is_no_obstacle(stores: Stores) -> None:
    """Whoever removed it, the rest goes."""
    first, second = stores.save("a", b"1"), stores.save("a", b"22")
    stores.store.delete(first.object.digest)
    report = stores.prune()
    assert (report.versions, report.freed, report.errors) == (2, 2, ())
    assert not stores.store.has(second.object.digest)


def test_only_metadata_leaves_the_bytes_where_they_are(stores: Stores) -> None:
    """The row goes; the object is one that nothing refers to."""
    version = stores.save()
    report = stores.prune(Selection("metadata"))
    assert (report.versions, report.freed) == (1, 0)
    assert list(stores.store.digests()) == [version.object.digest]
    assert stores.metadata.version_ids("a") == []


def test_what_cannot_be_removed_is_an_error_or_listed(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ignore_errors the rest goes; the next prune takes what was left."""
    bad, good = stores.save("a", b"1"), stores.save("a", b"22")
    withdraw = stores.store.withdraw

    def refuse(digest: str) -> Path | None:
        if digest == bad.object.digest:
            raise StoreError("read-only file system")
        return withdraw(digest)

    monkeypatch.setattr(stores.store, "withdraw", refuse)
    with pytest.raises(StoreError, match="read-only"):
        stores.prune()
    stores.save("b", b"333")
    report = stores.prune(ignore_errors=True)
    assert (report.names, report.freed, report.errors) == (("b@1",), 5, ("read-only file system",) * 2)
    assert list(stores.store.digests()) == [bad.object.digest]
    assert not stores.store.has(good.object.digest)
    monkeypatch.undo()
    assert stores.prune().freed == 1
    stores.check()


def test_a_prune_of_more_than_half_must_be_forced_when_it_is_large(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes before that."""
    monkeypatch.setattr("lineal.pruning.LARGE", 10)
    kept = stores.save("kept", bytes(10))
    stores.metadata.update_version(kept.id, pinned=True)
    stores.save("gone", bytes(20))
    with pytest.raises(Conflict, match=r"20 B of 30 B.*force"):
        stores.prune()
    assert stores.prune(Selection(names=("kept",))).versions == 0
    assert stores.prune(force=True).freed == 20


def test_prune_refuses_a_store_that_is_not_the_one_of_these_facts(stores: Stores, tmp_path: Path) -> None:
    """Another store, or an empty folder where a volume should be mounted: everything would look as if it were gone."""
    version = stores.save()
    other = LocalArtifactStore(tmp_path / "other")
    with pytest.raises(StoreMismatch):
        prune(stores.metadata, other, stores.lock, Selection())
    away = stores.store.path.rename(tmp_path / "away")
    stores.store.path.mkdir()
    with pytest.raises(StoreMismatch):
        stores.prune()
    assert (away / "objects").is_dir()
    assert stores.metadata.version_ids("a") == [version.id]


# -- one at a time, and crashes


def test_one_prune_at_a_time_and_a_killed_one_blocks_nobody(stores: Stores) -> None:
    """A second one is refused, also in the same process; the lock of a dead process is free."""
    code = "import sys, time; from pathlib import Path; from lineal.host import alone\nwith alone(Path(sys.argv[1])) as mine: print(mine, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(stores.lock)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        with pytest.raises(Conflict, match="another prune"):
            stores.prune()
        other.kill()
        other.wait()
    with alone(stores.lock) as mine:
        assert mine
        with pytest.raises(Conflict):
            stores.prune()
    assert stores.prune().versions == 0


class Killed(BaseException):
    """The process ends here."""


def crash_before(owner: Any, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def arm(patch: pytest.MonkeyPatch) -> None:
        def killed(*_: Any, **__: Any) -> Any:
            raise Killed

        patch.setattr(owner, name, killed)

    return arm


def crash_after(owner: Any, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def arm(patch: pytest.MonkeyPatch) -> None:
        real = getattr(owner, name)

        def killed(*given: Any, **named: Any) -> Any:
            real(*given, **named)
            raise Killed

        patch.setattr(owner, name, killed)

    return arm


POINTS = {
    "before the rows go": crash_before(SqliteMetadataStore, "prune"),
    "inside the transaction of the rows": crash_after(deleting, "prune"),
    "after the rows went": crash_after(SqliteMetadataStore, "prune"),
    "before an object moves": crash_before(LocalArtifactStore, "withdraw"),
    "after the first object moved, before that is recorded": crash_after(LocalArtifactStore, "withdraw"),
    "inside the transaction of the moves": crash_after(deleting, "release"),
    "after all moved": crash_after(SqliteMetadataStore, "release"),
    "before files are removed": crash_before(LocalArtifactStore, "discard"),
    "after the first object's files are removed": crash_after(LocalArtifactStore, "discard"),
}


@pytest.mark.parametrize("what", ["all", "artifact"])
@pytest.mark.parametrize("point", POINTS)
def test_a_prune_that_was_killed_anywhere_loses_nothing_and_is_finished_by_the_next(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, point: str, what: Any
) -> None:
    """No live version is without its bytes; then nothing is left over, whatever the second one finds."""
    kept = stores.save("kept", b"kept")
    stores.metadata.update_version(kept.id, pinned=True)
    for content in (b"1", b"22", b"kept"):
        stores.save("a", content)
    with monkeypatch.context() as patch:
        POINTS[point](patch)
        with pytest.raises(Killed):
            stores.prune(Selection(what))
    live = stores.metadata.list_versions({}, "created", 100, 0).items
    assert all(stores.store.holds(each.object) for each in live if each.state == "live")
    # Whoever saves the same content meanwhile has it, whole.
    again = stores.save("again", b"22")
    assert stores.store.holds(again.object, verify=True)
    stores.metadata.update_version(again.id, pinned=True)
    stores.prune(Selection(what))
    stores.prune()
    stores.check()
    assert sorted(stores.store.digests()) == sorted([kept.object.digest, again.object.digest])
    assert stores.metadata.condemned() == []


# -- beside runs


def test_a_prune_between_seal_and_commit_is_noticed_in_the_commit(stores: Stores) -> None:
    """What was adopted a moment ago is gone: nothing is recorded, and sealing again makes it whole."""
    stores.save("old", b"same")
    adopted = stores.seal(b"same")  # the store has that content and keeps the copy it has
    assert stores.prune().versions == 1
    with pytest.raises(StoreError, match="save the value again"):
        stores.metadata.save_version(an_output("new", object=adopted), None)
    assert stores.metadata.version_ids("new") == []
    version = stores.metadata.save_version(an_output("new", object=stores.seal(b"same")), None)
    assert stores.store.holds(version.object, verify=True)


def test_a_commit_that_waits_for_the_lock_sees_what_the_prune_did(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """A barrier holds the prune after its look, inside its transaction; the commit comes after it and is refused, not left without bytes."""
    old = stores.save("old", b"same")
    stores.metadata.prune([old.id], "all", 1)
    looked, go = threading.Event(), threading.Event()
    withdraw = stores.store.withdraw

    def slow(digest: str) -> Path | None:
        looked.set()
        assert go.wait(10)
        return withdraw(digest)

    monkeypatch.setattr(stores.store, "withdraw", slow)
    pruner = threading.Thread(target=collect, args=(stores.metadata, stores.store))
    pruner.start()
    assert looked.wait(10)
    adopted = stores.seal(b"same")
    assert stores.store.has(adopted.digest)
    outcome: list[BaseException | VersionRecord] = []

    def commit() -> None:
        try:
            outcome.append(stores.metadata.save_version(an_output("new", object=adopted), None))
        except StoreError as error:
            outcome.append(error)

    committer = threading.Thread(target=commit)
    committer.start()
    time.sleep(0.05)
    assert outcome == []  # it waits
    go.set()
    committer.join(10)
    pruner.join(10)
    assert isinstance(outcome[0], StoreError)
    assert stores.metadata.version_ids("new") == []


def test_savers_and_a_prune_that_never_stops_leave_no_version_without_bytes(stores: Stores) -> None:
    """Threads save the same few contents while another prunes: whoever was told that a version is recorded finds its bytes or no version."""
    stop = threading.Event()
    failures: list[str] = []

    def saver(name: str) -> None:
        for round_ in range(60):
            # Taken between seal and commit, or after the commit and before the pin: both are told.
            with contextlib.suppress(StoreError, NotFound):
                version = stores.save(name, b"%d" % (round_ % 3))
                stores.metadata.update_version(version.id, pinned=True)
                if not stores.store.holds(version.object, verify=True):
                    failures.append(f"{name} {round_}")
                stores.metadata.update_version(version.id, pinned=False)

    def pruner() -> None:
        while not stop.is_set():
            stores.prune()

    pruning = threading.Thread(target=pruner)
    pruning.start()
    savers = [threading.Thread(target=saver, args=(name,)) for name in "abc"]
    for thread in savers:
        thread.start()
    for thread in savers:
        thread.join(60)
    stop.set()
    pruning.join(60)
    assert failures == []
    stores.prune()
    stores.check()


def note(text: str) -> None:
    """Leave a trace that does not enter the fingerprint of a step."""
    with Path("noted.txt").open("a", encoding="utf-8") as file:
        print(text, file=file)


def noted() -> list[str]:
    return Path("noted.txt").read_text(encoding="utf-8").split() if Path("noted.txt").exists() else []


@step
def numbers() -> list[int]:
    note("numbers")
    return list(range(20_000))


@step
def total(data: list[int]) -> int:
    note("total")
    return sum(data)


@step(enable_cache=False)
def fresh(data: list[int]) -> int:
    note("fresh")
    return len(data)


@pipeline
def hits() -> None:
    total(numbers())


@pipeline
def hits_then_fresh() -> None:
    data = numbers()
    total(data)
    fresh(data)


def prune_once(monkeypatch: pytest.MonkeyPatch, owner: Any, names: str, action: Callable[[], object]) -> None:
    """Let something happen just before the first call of one of some methods."""
    done: list[int] = []

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*given: Any, **named: Any) -> Any:
            if not done:
                done.append(1)
                action()
            return real(*given, **named)

        return wrapped

    for name in names.split():
        monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))


@pytest.mark.parametrize("pipe", [hits, hits_then_fresh], ids=["hits only", "before a step that runs"])
def test_a_hit_whose_version_is_pruned_before_it_is_recorded_is_run(monkeypatch: pytest.MonkeyPatch, pipe: Any) -> None:
    """The run gets a valid artifact; never a row to bytes that are deleted."""
    first = pipe()
    before = noted()

    def vanish() -> None:
        Client().delete_pipeline_run(first.id)
        assert Client().prune_artifacts().versions >= 2

    prune_once(monkeypatch, SqliteMetadataStore, "finish_steps finish_run", vanish)
    second = pipe()
    assert second.status == "completed"
    assert noted()[len(before) :][:2] == ["numbers", "total"]
    assert [each.status for each in second.steps.values()] == ["completed"] * len(second.steps)
    assert second.steps["total"].output.load() == sum(range(20_000))
    assert second.steps["numbers"].output.load() == list(range(20_000))
    assert second.steps["numbers"].output.version == "2"
    assert [each.status for each in pipe().steps.values()][:2] == ["cached", "cached"]


def test_only_the_hit_that_is_gone_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others that waited to be recorded with it are asked for again and are hits."""

    @pipeline
    def two() -> None:
        numbers()
        total([1, 2])

    two()
    gone = Client().get_artifact_version("two::total::output")

    def vanish() -> None:
        metadata = Client().workspace.metadata
        monkeypatch.setitem(deleting.SQL, "unreferenced", "1 = 1")
        monkeypatch.setitem(deleting.SQL, "still_prunable", deleting.SQL["still_prunable"].split("AND")[0])
        assert metadata.prune([gone.record.id], "artifact", 1) == [gone.record.id]

    prune_once(monkeypatch, SqliteMetadataStore, "finish_steps finish_run", vanish)
    run = two()
    assert {name: str(each.status) for name, each in run.steps.items()} == {"numbers": "cached", "total": "completed"}
    assert run.steps["total"].output.load() == 3
    assert noted() == ["numbers", "total", "total"]


def test_a_step_whose_adopted_bytes_are_pruned_before_its_commit_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value had the content of a version that went at that moment."""
    client = Client()
    workspace = client.workspace
    [saved] = workspace.artifacts.save([Item("a value", list(range(20_000)))])
    loose = NewOutput(new_id(), "", "loose", None, saved.object, saved.materializer, saved.type, saved.data_type)
    workspace.metadata.save_version(loose, None)
    prune_once(monkeypatch, SqliteMetadataStore, "finish_steps", lambda: client.prune_artifacts("loose"))
    run = hits()
    assert run.status == "completed"
    assert noted() == ["numbers", "numbers", "total"]
    assert run.steps["numbers"].output.load() == list(range(20_000))
    assert [each.name for each in run.steps.values()] == ["numbers", "total"]


def test_bytes_that_vanish_each_time_end_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step fails in the end, and says why."""
    monkeypatch.setattr(LocalArtifactStore, "has", lambda *_: False)
    with pytest.raises(StoreError, match="save the value again"):
        hits()
    assert noted() == ["numbers"] * 4
    assert Client().get_pipeline_run("latest").status == "failed"


def test_prune_never_takes_what_a_running_run_refers_to() -> None:
    """While a later step goes on, what earlier steps made or reused is referred to."""

    @step(enable_cache=False)
    def prunes(data: list[int]) -> int:
        return Client().prune_artifacts().versions

    @pipeline
    def living() -> None:
        data = numbers()
        prunes(data)
        fresh(data)

    living()
    run = living()
    assert run.steps["prunes"].output.load() == 0
    assert run.steps["numbers"].output.load() == list(range(20_000))
    with pytest.raises(InUse, match="made it"):
        Client().delete_artifact_version(run.steps["numbers"].output)


def test_what_a_run_was_given_is_not_pruned_before_it_is_used() -> None:
    """Neither while an earlier step goes on, nor while a step works with what it loaded; afterwards the edges keep it."""

    @step(enable_cache=False)
    def prunes(name: str) -> tuple[str, ...]:
        if name:
            load_artifact(name)
        return Client().prune_artifacts().names

    @step(enable_cache=False)
    def uses(data: Any) -> int:
        return len(data)

    @pipeline
    def living() -> None:
        given = Client().get_artifact_version("given")
        first = prunes("loaded")
        uses(given, after=first)
        uses(ExternalArtifact([1, 2, 3]), after=first)

    for name in ("given", "loaded", "other"):
        save_artifact([name], name)
    run = living()
    assert run.steps["prunes"].output.load() == ("other@1",)
    assert [run.steps[name].output.load() for name in ("uses", "uses_2")] == [1, 3]
    with pytest.raises(InUse, match="used it"):
        Client().delete_artifact_version("given", 1)
    Client().delete_pipeline_run(run)
    assert set(Client().prune_artifacts().names) >= {"given@1", "loaded@1"}


def test_a_run_that_is_given_what_is_gone_says_so_before_anything_runs() -> None:
    """The version went after the client gave it."""
    version = save_artifact(list(range(9)), "given")
    Client().prune_artifacts()

    @pipeline
    def late() -> None:
        total(numbers())
        fresh(version)  # type: ignore[arg-type]

    with pytest.raises(NotFound, match="given@1, which the pipeline was given"):
        late()
    assert noted() == []


def test_a_value_from_outside_that_is_pruned_at_that_moment_is_stored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After it was recorded, and before the run holds it."""

    @pipeline
    def outside() -> None:
        fresh(ExternalArtifact(list(range(20_000))))

    prune_once(monkeypatch, SqliteMetadataStore, "hold", lambda: Client().prune_artifacts())
    run = outside()
    assert run.steps["fresh"].output.load() == 20_000
    assert run.steps["fresh"].inputs["data"].version == "2"


def test_what_is_saved_while_its_content_is_pruned_is_stored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """save_artifact and register_artifact have the value at hand."""
    save_artifact(list(range(20_000)), "old")
    prune_once(monkeypatch, SqliteMetadataStore, "save_version", lambda: Client().prune_artifacts())
    assert save_artifact(list(range(20_000)), "new").load() == list(range(20_000))


def test_what_a_dead_run_was_given_is_free() -> None:
    """Its process is gone, so nothing will use it."""
    version = save_artifact(1, "given")
    workspace = Client().workspace
    run = workspace.metadata.begin_run(a_run(process="gone:1:ab", started=1, heartbeat=1))
    assert workspace.metadata.hold(run.id, [version.record.id, new_id()])[0] != version.record.id
    with pytest.raises(InUse, match="is going on and was given it"):
        workspace.metadata.delete_versions([version.record.id])
    assert Client().prune_artifacts().names == ("given@1",)
