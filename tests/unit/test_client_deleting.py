"""What the client deletes and prunes, each promise of the page on deleting, through real runs."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest

from lineal import ArtifactConfig, Client, log_metadata, pipeline, save_artifact, step
from lineal.errors import ArtifactMissing, InUse, NotFound, StoreMismatch, UsageError
from lineal.host import alone
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import RunRecord
from lineal.model.states import Status
from lineal.settings import Settings
from lineal.views import RunView
from lineal.workspace import open_workspace


@step
def load(rows: int) -> Annotated[list[int], "numbers"]:
    print("loading")
    return list(range(rows))


@step
def train(data: list[int]) -> Annotated[int, ArtifactConfig(name="model", run_metadata={"kind": "sum"})]:
    log_metadata({"accuracy": len(data) / 10, "at": datetime(2026, 6, len(data), tzinfo=UTC)}, infer_artifact=True)
    return sum(data)


@pipeline
def training(rows: int) -> None:
    train(load(rows))


@pipeline
def loading(rows: int) -> None:
    load(rows)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def run() -> RunView:
    return training(20_000 // 10_000)


def test_a_version_that_a_run_made_or_used_cannot_be_deleted_by_itself(client: Client, run: RunView) -> None:
    with pytest.raises(InUse, match=rf"numbers@1 cannot be deleted: run '{run.name}' made it \(step 'load'\)"):
        client.delete_artifact_version("numbers", 1)
    with pytest.raises(InUse, match="made it"):
        client.delete_artifact("numbers")


def test_deleting_a_run_frees_what_only_it_refers_to(client: Client, run: RunView) -> None:
    """And its steps and logs are gone."""
    logs = client.workspace.log_folder(str(run.id))
    assert logs.is_dir()
    assert client.delete_pipeline_run(run) == 2
    assert not logs.exists()
    with pytest.raises(NotFound):
        client.get_pipeline_run(run.name)
    version = client.get_artifact_version("numbers")
    assert (version.run, version.step, version.load()) == (None, None, [0, 1])
    client.delete_artifact_version(version)
    assert client.delete_artifact("model") == 1
    assert client.list_artifacts().total == 0


def test_version_numbers_are_never_used_again(client: Client, run: RunView) -> None:
    client.delete_pipeline_run(run)
    client.prune_artifacts()
    assert [each.output.version for each in training(3).steps.values()] == ["2", "2"]


def test_the_cache_of_what_others_still_use_survives(client: Client, run: RunView) -> None:
    other = loading(2)
    assert other.steps["load"].status == "cached"
    client.delete_pipeline_run(run)
    assert client.prune_artifacts().names == ("model@1",)
    third = loading(2)
    assert third.steps["load"].status == "cached"
    assert third.steps["load"].output.load() == [0, 1]
    assert any("earlier" in line or "same" in line or "cached" in line for line in other.steps["load"].why)


def test_a_run_that_goes_on_cannot_be_deleted(client: Client) -> None:
    name = f"run-{Path.cwd().name}"
    metadata: MetadataStore = client.workspace.metadata
    token = client.workspace.life.token()
    run = metadata.begin_run(RunRecord("0193-7000-8000-0001", name, "p", Status.RUNNING, 1, process=token, heartbeat=1))
    with pytest.raises(InUse, match="running"):
        client.delete_pipeline_run(name)
    metadata.crash_run(run.id, "gone", 2)
    assert client.delete_pipeline_run(name) == 0


def test_a_pinned_version_is_neither_deleted_nor_pruned(client: Client, run: RunView) -> None:
    model = client.get_artifact_version("model").pin()
    assert client.delete_pipeline_run(run) == 1
    assert client.prune_artifacts().names == ("numbers@1",)
    with pytest.raises(InUse, match="pinned"):
        client.delete_artifact_version(model)
    client.delete_artifact_version(model.unpin())


def test_a_name_alone_is_not_enough_to_delete_a_version(client: Client, run: RunView) -> None:
    client.delete_pipeline_run(run)
    with pytest.raises(UsageError, match=r"the newest is '1'.*delete_artifact\(\)"):
        client.delete_artifact_version("model")
    model = client.get_artifact_version("model")
    client.delete_artifact_version(model.id)
    client.delete_artifact_version("numbers", "latest")
    for missing in (lambda: client.delete_artifact("modle"), lambda: client.delete_artifact_version("model", 1)):
        with pytest.raises(NotFound):
            missing()


def test_prune_is_refused_with_both_flags(client: Client) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        client.prune_artifacts(only_artifact=True, only_metadata=True)


def test_dry_run_changes_nothing_and_names_what_would_go(client: Client, run: RunView) -> None:
    client.delete_pipeline_run(run)
    plan = client.prune_artifacts(["num*"], dry_run=True)
    assert (plan.names, plan.versions, plan.artifacts, plan.dry_run) == (("numbers@1",), 1, 1, True)
    assert plan.freed == plan.bytes > 0
    assert client.get_artifact_version("numbers").load() == [0, 1]
    assert client.prune_artifacts("num*").names == plan.names


def test_only_artifact_leaves_a_tombstone_and_load_says_when(client: Client, run: RunView) -> None:
    client.delete_pipeline_run(run)
    version = client.get_artifact_version("model")
    before = datetime.now(UTC)
    client.prune_artifacts(only_artifact=True)
    tomb = client.get_artifact_version(version.id)
    assert tomb.pruned is not None
    assert before - timedelta(seconds=1) < tomb.pruned < datetime.now(UTC) + timedelta(seconds=1)
    assert version.pruned is None
    for use in (tomb.load, lambda: tomb.download("copy")):
        with pytest.raises(ArtifactMissing, match=rf"model@1 was pruned on {tomb.pruned:%Y-%m-%d %H:%M:%S} UTC"):
            use()
    with pytest.raises(NotFound, match=rf"'1', was pruned on {tomb.pruned:%Y-%m-%d}"):
        client.get_artifact_version("model")
    assert training(2).steps["train"].output.version == "2"


def test_a_version_in_hand_says_that_it_was_pruned_since(client: Client) -> None:
    """Its record was read before; the bytes are looked for in vain, and then what became of them is asked."""
    version = save_artifact("x" * 100_000, "note")
    client.prune_artifacts("note", only_artifact=True)
    for use in (version.load, lambda: version.download("copy"), lambda: version.path):
        with pytest.raises(ArtifactMissing, match="the data of note@1 was pruned on "):
            use()
    gone = save_artifact("y" * 100_000, "other")
    client.prune_artifacts("other")
    with pytest.raises(ArtifactMissing, match="other@1 was deleted since it was looked up"):
        gone.load()


def test_bytes_of_a_version_in_hand_that_are_lost_are_missing_as_ever(client: Client) -> None:
    version = save_artifact("x" * 100_000, "note")
    client.workspace.artifact_store.delete(version.digest)
    with pytest.raises(ArtifactMissing, match="is not in "):
        version.load()


def test_data_already_gone_is_no_obstacle(client: Client) -> None:
    run = loading(20_000)
    version = run.steps["load"].output
    client.workspace.artifact_store.delete(version.digest)
    client.delete_pipeline_run(run)
    report = client.prune_artifacts()
    assert (report.versions, report.freed, report.errors) == (1, 0, ())


def test_facts_and_another_artifact_store_are_refused(run: RunView, tmp_path: Path) -> None:
    """Reading, running and pruning: nothing is written or removed."""
    other = Client(open_workspace(Settings.load(artifact_store=str(tmp_path / "elsewhere"))))
    assert other.get_artifact_version("numbers").version == "1"
    for use in (lambda: other.get_artifact_version("numbers").load(), other.prune_artifacts):
        with pytest.raises(StoreMismatch, match="belong to the artifact store"):
            use()
    assert Client().get_artifact_version("numbers").load() == [0, 1]


def test_lists_take_questions_about_metadata_and_spans_of_time(client: Client, run: RunView) -> None:
    training(5)
    training(8)
    log_metadata({"team": "a"}, run=run.name)

    def found(**given: object) -> list[str]:
        return [each.version for each in client.list_artifact_versions("model", sort="created", **given)]  # type: ignore[arg-type]

    assert found(metadata="accuracy > 0.3 and kind == 'sum'") == ["2", "3"]
    assert found(metadata=["accuracy > 0.3", "at < 2026-06-07"]) == ["2"]
    assert found(metadata="at == 2026-06-02") == ["1"]
    today = datetime.now(UTC).date()
    assert found(created=f"{today - timedelta(days=1)}..{today + timedelta(days=1)}") == ["1", "2", "3"]
    assert (
        found(created=f">{today + timedelta(days=1)}") == found(created=f">={today - timedelta(days=9)}", created_before="2020-01-01") == []
    )
    assert [each.name for each in client.list_pipeline_runs(metadata="team exists")] == [run.name]
    assert client.list_pipeline_runs(created=f"<={today + timedelta(days=1)}").total == 3
    assert client.get_artifact_version("model", 1).metadata["at"] == datetime(2026, 6, 2, tzinfo=UTC)
    with pytest.raises(UsageError, match=r"character 4: expected ==.*Here: no  --> question"):
        client.list_artifact_versions(metadata="no question")
    with pytest.raises(UsageError, match="'meta' is not a filter"):
        client.list_artifact_versions(meta="x")


def test_one_holder_of_a_lock_at_a_time(tmp_path: Path) -> None:
    """In this process too; afterwards it is free."""
    path = tmp_path / "new" / "lock"
    with alone(path) as first, alone(path) as second:
        assert (first, second) == (True, False)
    with alone(path) as again:
        assert again


def test_who_holds_a_lock_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """A deletion must not make a backup that begins at that moment fail."""
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with alone(tmp_path / "lock") as mine:
            assert mine
            held.set()
            released.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    threading.Timer(0.2, released.set).start()
    with alone(tmp_path / "lock", patience=20) as mine:
        assert mine
        assert released.is_set()
    thread.join()
