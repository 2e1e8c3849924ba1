"""A stored step run is called again with what went into it, under a debugger if wanted, and nothing is recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineal import Client, load_artifact, log_metadata, pipeline, save_artifact, step
from lineal.errors import CodeNotFound, UsageError
from lineal.views import RunView

SEEN: list[Any] = []


@step
def load(rows: int) -> np.ndarray:
    return np.arange(float(rows))


@step
def split(data: np.ndarray, at: int, parts: list[Any]) -> tuple[np.ndarray, int]:
    factor: int = load_artifact("factor")
    save_artifact(factor, "side")
    log_metadata({"at": at})
    SEEN.append(data.tolist())
    data += 1
    return data[:at], len(parts) * factor


@pipeline
def splitting(rows: int) -> None:
    data = load(rows)
    split(data, 2, [data, 1])


@pytest.fixture
def run() -> RunView:
    save_artifact(3, "factor")
    found = splitting(4)
    SEEN.clear()
    return found


def test_the_function_is_called_with_its_stored_inputs_and_nothing_is_recorded(run: RunView) -> None:
    client = Client()
    before = client.list_pipeline_runs().total, client.list_artifact_versions().total, run.steps["split"].metadata
    save_artifact(99, "factor")
    outputs = run.steps["split"].replay()
    assert (outputs["output_0"].tolist(), outputs["output_1"]) == ([1.0, 2.0], 6)
    assert SEEN == [[0.0, 1.0, 2.0, 3.0]]
    assert run.steps["load"].output.load().tolist() == [0.0, 1.0, 2.0, 3.0]  # what the function changes is its own copy
    again = client.get_pipeline_run(run.name)
    assert (client.list_pipeline_runs().total, client.list_artifact_versions().total - 1, again.steps["split"].metadata) == before


def test_a_debugger_is_a_name_or_what_is_called_instead(run: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []

    def runcall(function: Any, **arguments: Any) -> Any:
        called.append((function.__name__, sorted(arguments)))
        return function(**arguments)

    assert run.steps["load"].replay(debugger=runcall)["output"].tolist() == [0.0, 1.0, 2.0, 3.0]
    monkeypatch.setattr("pdb.runcall", runcall)
    run.steps["load"].replay(debugger="pdb")
    assert called == [("load", ["rows"])] * 2
    for name in ("no_such_debugger", "json"):
        with pytest.raises(UsageError, match="runcall"):
            run.steps["load"].replay(debugger=name)


def test_breakpoint_in_the_code_stops_as_python_is_told(run: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[int] = []

    @step
    def stop() -> int:
        breakpoint()  # noqa: T100
        return 1

    @pipeline
    def flow() -> None:
        stop()

    monkeypatch.setattr("sys.breakpointhook", lambda: stopped.append(1))
    found = flow()
    stopped.clear()
    assert found.steps["stop"].replay() == {"output": 1}
    assert stopped == [1]


def test_what_the_function_raises_comes_out_and_the_scratch_folder_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fail = []

    @step
    def work() -> int:
        if fail:
            raise RuntimeError("again")
        return 1

    @pipeline
    def flow() -> None:
        work()

    found = flow()
    fail.append(1)
    with pytest.raises(RuntimeError, match="again"):
        found.steps["work"].replay()
    assert list(tmp_path.glob("lineal-scratch*")) == []


def test_a_step_that_never_began_has_nothing_to_call() -> None:
    @step
    def bad() -> int:
        raise RuntimeError

    @step
    def after(n: int) -> int:
        return n

    @pipeline
    def flow() -> None:
        after(bad())

    with pytest.raises(RuntimeError):
        flow()
    run = Client().get_pipeline_run("latest")
    with pytest.raises(CodeNotFound, match="never began"):
        run.steps["after"].replay()
    with pytest.raises(RuntimeError):
        run.steps["bad"].replay()
