"""Where runs, steps and versions lead."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lineal import Client
from lineal.errors import NotFound, UsageError
from lineal.host import host_name
from lineal.model.naming import new_id
from lineal.model.records import RunRecord
from lineal.model.states import Status
from lineal.model.text import when_text
from lineal.views import RunView, VersionView
from lineal.workspace import open_workspace

Training = Callable[..., RunView]


class Counting:
    """Counts the calls of a metadata store."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._store = open_workspace().metadata

    def __getattr__(self, name: str) -> object:
        self.calls.append(name)
        return getattr(self._store, name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    counting = Counting()
    monkeypatch.setattr("lineal.workspace.Workspace.metadata", counting)
    return counting.calls


def test_outputs_of_a_step_load_by_name(run: RunView) -> None:
    assert run.steps["load"].outputs["numbers"].load() == [0, 1, 2]
    assert run.steps["load"].output.data == [0, 1, 2]
    assert list(run.steps["evaluate"].outputs) == ["score", "note"]
    assert {name: version.name for name, version in run.steps["evaluate"].inputs.items()} == {"model": "model", "data": "numbers"}


def test_steps_stand_in_the_order_of_the_definition(run: RunView) -> None:
    assert list(run.steps) == ["load", "train", "evaluate"]


def test_a_name_that_is_not_there_is_answered_with_those_that_are(run: RunView) -> None:
    with pytest.raises(NotFound, match=r"step of run .* 'lode' does not exist; did you mean 'load'"):
        run.steps["lode"]
    with pytest.raises(KeyError, match="there are: score, note"):
        run.steps["evaluate"].outputs["x"]
    assert run.steps.get("lode") is None
    assert "lode" not in run.steps


def test_the_only_output_of_several_or_none_is_an_error(run: RunView, failed: RunView) -> None:
    with pytest.raises(UsageError, match=r"step 'evaluate' has the outputs score, note: use outputs\[name\]"):
        run.steps["evaluate"].output
    with pytest.raises(UsageError, match="has no output"):
        failed.steps["fail"].output


def test_a_run_tells_what_it_was(run: RunView) -> None:
    assert isinstance(run.id, uuid.UUID)
    assert run.name.startswith("training-")
    assert (run.pipeline, run.status, run.error) == ("training", Status.COMPLETED, None)
    assert run.parameters == {"rows": 3, "rate": 0.5}
    assert run.end_time is not None
    assert run.duration is not None
    assert timedelta(0) < run.duration < timedelta(minutes=1)
    assert abs(run.start_time + run.duration - run.end_time) < timedelta(milliseconds=1)
    assert datetime.now(UTC) - run.start_time < timedelta(minutes=1)
    assert (run.tags, run.metadata) == ([], {})


def test_a_step_run_tells_what_it_was(run: RunView) -> None:
    step = run.steps["train"]
    assert (step.name, step.status, step.error, step.metadata) == ("train", Status.COMPLETED, None, {})
    assert step.parameters == {"rate": 0.5}
    assert step.start_time is not None
    assert step.end_time is not None
    assert step.duration is not None
    assert step.cache_key is not None
    assert len(step.cache_key) == 64
    assert step.cached_from is None
    assert "def train(data" in (step.source or "")
    assert step.run is run
    assert run.steps["load"].logs == "loading 3 rows\n"
    assert step.logs == ""


def test_a_failed_run_tells_why(failed: RunView) -> None:
    assert failed.status is Status.FAILED
    assert "no luck" in (failed.error or "")
    assert 'raise ValueError("no luck' in (failed.steps["fail"].error or "")
    assert failed.steps["after"].status is Status.SKIPPED
    assert failed.steps["after"].why == ["skipped: step 'fail' did not succeed"]
    assert failed.steps["after"].source is None


def test_a_version_leads_to_its_step_run_and_consumers(client: Client, run: RunView) -> None:
    model = client.get_artifact_version("model")
    assert model.step == run.steps["train"]
    assert model.run == run
    assert [each.name for each in model.consumers] == ["evaluate", "predict"]
    assert [each.run.pipeline for each in model.consumers] == ["training", "inference"]
    assert run.steps["train"].output == model
    assert model != run
    assert len({model, run.steps["train"].output}) == 1


def test_ancestors_and_descendants_cross_pipelines_nearest_first(client: Client) -> None:
    prediction, numbers = client.get_artifact_version("prediction"), client.get_artifact_version("numbers")
    assert [each.name for each in prediction.upstream()] == ["model", "numbers"]
    assert [each.name for each in prediction.upstream(depth=1)] == ["model"]
    assert {each.name for each in numbers.downstream()} == {"model", "score", "note", "prediction"}
    assert [each.name for each in numbers.downstream()][-1] == "prediction"
    assert prediction.downstream() == []


def test_a_cached_step_names_the_one_whose_result_it_gives(run: RunView, training: Training) -> None:
    cached = training().steps["train"]
    assert cached.status is Status.CACHED
    assert cached.cached_from == run.steps["train"]
    assert run.name in cached.why[0]


def test_why_compares_with_the_run_before(run: RunView, training: Training) -> None:
    assert run.steps["train"].why == ["ran: first time"]
    steps = training(rate=0.7).steps
    assert steps["train"].why == [
        "ran: parameter `rate` 0.5 -> 0.7",
        f"compared with run {run.name} of {when_text(run.record.started, time.time_ns() // 1000)}",
    ]
    assert steps["evaluate"].why[0].startswith("ran: input `model` changed (v1 -> v2")


def test_a_version_in_hand_loads_without_a_query(run: RunView, calls: list[str]) -> None:
    version = run.steps["train"].output
    del calls[:]
    assert version.load() == version.data == {"weight": 1.5}
    assert calls == []


def test_each_question_is_asked_once(run: RunView, calls: list[str]) -> None:
    found = Client().get_pipeline_run(run.name)
    assert calls == ["get_run"]
    for _ in range(2):
        for step in found.steps.values():
            assert step.run is found
            assert step.outputs
            assert step.inputs is not None
    assert calls == ["get_run", "list_step_runs", *["step_edges"] * 3]


def test_refresh_asks_again(run: RunView) -> None:
    metadata = run.workspace.metadata
    steps = run.steps
    metadata.update_run(run.record.id, add_tags=["daily"])
    assert run.tags == []
    assert run.refresh() is run
    assert run.tags == ["daily"]
    assert run.steps is not steps


# -- a process that died


def running(process: str | None, heartbeat: int) -> RunView:
    workspace = open_workspace()
    record = RunRecord(new_id(), f"run-{heartbeat}", "training", Status.RUNNING, heartbeat, process=process, heartbeat=heartbeat)
    return RunView(workspace.metadata.begin_run(record), workspace)


def now(seconds_ago: float = 0) -> int:
    return int((time.time() - seconds_ago) * 1e6)


def test_a_run_whose_process_died_is_recorded_as_crashed_when_it_is_looked_at() -> None:
    run = running(f"{host_name()}:1:dead0000", now())
    assert run.status is Status.CRASHED
    assert "ended without finishing" in (Client().get_pipeline_run(run.name).error or "")


def test_a_dead_run_is_found_by_a_list_too() -> None:
    run = running(f"{host_name()}:1:dead0000", now())
    assert [each.record.status for each in Client().list_pipeline_runs()] == [Status.CRASHED]
    assert Client().list_pipeline_runs(status="crashed")[0] == run


def test_a_run_that_lives_stays_running() -> None:
    assert running(open_workspace().life.token(), now(600)).status is Status.RUNNING


@pytest.mark.parametrize(("seconds", "status"), [(5, Status.RUNNING), (61, Status.CRASHED)])
def test_a_run_on_another_machine_is_judged_by_its_heartbeat(seconds: float, status: Status) -> None:
    assert running("elsewhere:1:beef0000", now(seconds)).status is status
    assert running(None, now(seconds) + 1).status is status


# -- shown


def test_everything_reads_as_one_line(client: Client, run: RunView) -> None:
    model = client.get_artifact_version("model")
    assert repr(model) == "<version model@1: dict, 14 B, from train in training>"
    assert repr(client.get_artifact("model")) == "<artifact model: 1 versions, newest 1>"
    assert repr(run).startswith(f"<run {run.name}: completed, ")
    assert repr(run.steps["train"]).startswith("<step run train: completed, ")
    assert repr(model.lineage()).startswith("<lineage of model@1: ")


def test_everything_shows_itself_in_a_notebook(client: Client, run: RunView, failed: RunView) -> None:
    version = client.get_artifact_version("model")
    for view in (version, client.get_artifact("model"), run, run.steps["train"], version.lineage(), failed, failed.steps["fail"]):
        assert view._repr_html_().startswith(("<div", "<pre"))
    assert "ValueError: no luck at all" in failed._repr_html_()
    assert "numbers@1" in run.steps["train"]._repr_html_()


def test_a_hostile_record_does_no_harm_in_a_notebook_or_terminal(client: Client) -> None:
    version = client.get_artifact_version("model")
    evil = "<script>alert(1)</script>\x1b[2J"
    record = replace(version.record, artifact=evil, type=evil, tags=(evil,), metadata={evil: evil}, step=evil, pipeline=evil)
    view = VersionView(record, version.workspace)
    for text in (view._repr_html_(), view.lineage()._repr_html_(), repr(view)):
        assert "\x1b" not in text
    assert "<script" not in view._repr_html_() + view.lineage()._repr_html_()


def test_an_artifact_gives_its_versions(run: RunView, training: Training) -> None:
    training(rate=0.7)
    artifact = Client().get_artifact("model")
    assert (artifact.name, artifact.version_count, artifact.latest_version) == ("model", 2, "2")
    assert [each.version for each in artifact.versions] == ["2", "1"]
    assert artifact.latest == artifact.versions[0]


def test_all_pages_of_versions_are_given(run: RunView, training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    training(rate=0.7)
    monkeypatch.setattr("lineal.views.nouns.PAGE", 1)
    assert [each.version for each in Client().get_artifact("model").versions] == ["2", "1"]
