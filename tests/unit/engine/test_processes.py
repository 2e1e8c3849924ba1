"""Steps in worker processes: the same results, at the same time, and nothing hangs when one dies."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineal import Client, log_metadata, pipeline, step
from lineal.errors import OutputError, StepCrashed
from lineal.materializers.registry import registry


@pytest.fixture(autouse=True)
def in_processes(monkeypatch):
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")


@step
def wait(seconds: float, name: str) -> dict[str, Any]:
    start = time.time()
    time.sleep(seconds)
    return {"start": start, "end": time.time(), "pid": os.getpid(), "name": name}


@step
def meet(folder: str, own: str, other: str) -> dict[str, Any]:
    """Wait until the other step runs too."""
    (Path(folder) / own).touch()
    patience = time.monotonic() + 60
    while not (Path(folder) / other).exists():
        assert time.monotonic() < patience, "the other step did not run at the same time"
        time.sleep(0.01)
    return {"pid": os.getpid()}


@step
def gather(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return parts


def test_independent_steps_run_at_the_same_time_in_other_processes():
    @pipeline
    def meeting():
        here = str(Path.cwd())
        gather([meet(here, "a", "b"), meet(here, "b", "a")])

    first, second = meeting().steps["gather"].output.load()
    assert os.getpid() not in {first["pid"], second["pid"]}
    assert first["pid"] != second["pid"]


def test_results_logs_and_metadata_come_back(capsys):
    @step
    def talk(n: int) -> np.ndarray:
        print("from the worker")
        log_metadata({"n": n})
        log_metadata({"kind": "array"}, infer_artifact=True)
        return np.arange(n)

    @pipeline
    def talking():
        talk(100_000)

    run = talking()
    version = run.steps["talk"].output
    assert version.load().sum() == sum(range(100_000))
    assert run.steps["talk"].logs == "from the worker\n"
    assert run.steps["talk"].metadata["n"] == 100_000
    assert version.metadata["kind"] == "array"
    assert "from the worker" in capsys.readouterr().out
    assert talking().steps["talk"].status == "cached"


REGISTERED = """
from lineal.materializers import BytesMaterializer

class Thing:
    pass

class ThingMaterializer(BytesMaterializer):
    id = "test.elsewhere/1"
    types = (Thing,)

    def dumps(self, value):
        return b""

    def loads(self, data, type_):
        return Thing()
"""


def test_a_registered_materializer_whose_module_the_workers_do_not_find_goes_along(monkeypatch):
    """As in a notebook that changed its folder: its modules are here, and not where the workers look for them."""
    Path("elsewhere.py").write_text(REGISTERED)
    with monkeypatch.context() as context:
        context.syspath_prepend(Path.cwd())
        elsewhere = __import__("elsewhere")
    monkeypatch.setattr(registry, "given", [])
    registry.register(elsewhere.ThingMaterializer)
    Path("elsewhere.py").unlink()

    @step
    def count(n: int) -> int:
        return n + 1

    @pipeline
    def counting():
        count(1)

    try:
        assert counting().steps["count"].output.load() == 2
    finally:
        del sys.modules["elsewhere"]


class Odd(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")
        self.handle = (each for each in [a, b])  # cannot be pickled


def test_errors_of_steps_come_back_with_the_workers_traceback():
    @step
    def boom(kind: str) -> int:
        if kind == "value":
            raise ValueError("no luck")
        if kind == "odd":
            raise Odd(1, 2)
        return "text"  # type: ignore[return-value]

    @pipeline
    def booming(kind: str):
        boom(kind)

    with pytest.raises(ValueError, match="no luck") as caught:
        booming("value")
    notes = "\n".join(caught.value.__notes__)
    assert "in boom" in notes
    assert "'booming'" in notes
    with pytest.raises(StepCrashed, match="Odd: 1 and 2"):
        booming("odd")
    with pytest.raises(OutputError, match="boom"):
        booming("output")


def test_a_killed_worker_fails_its_step_and_the_siblings_go_on():
    @step
    def die() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 1

    @pipeline
    def dying():
        die()
        wait(0.3, "sibling")

    with pytest.raises(StepCrashed, match="die"):
        dying()
    run = Client().list_pipeline_runs()[0]
    assert {name: each.status for name, each in run.steps.items()} == {"die": "failed", "wait": "completed"}
    assert "killed" in run.steps["die"].error

    @pipeline
    def living():
        wait(0.0, "after")

    assert living().status == "completed"


FACTOR = {"value": 1}


def test_what_runs_is_what_the_key_says_also_after_a_global_was_changed():
    @step
    def scaled(n: int) -> int:
        return n * FACTOR["value"]

    @pipeline
    def scaling(n: int):
        scaled(n)

    assert scaling(2).steps["scaled"].output.load() == 2
    FACTOR["value"] = 10
    try:
        assert scaling(2).steps["scaled"].output.load() == 20
    finally:
        FACTOR["value"] = 1


def test_a_module_that_changed_since_the_worker_imported_it_runs_as_it_is_now(tmp_path):
    (tmp_path / "helper.py").write_text("FACTOR = 1\n\ndef scale(n):\n    return n * FACTOR\n")
    (tmp_path / "steps.py").write_text(
        textwrap.dedent(
            """
            from lineal import pipeline, step
            import helper

            @step
            def scaled(n: int) -> int:
                return helper.scale(n)

            @pipeline
            def scaling(n: int):
                scaled(n)
            """
        )
    )
    (tmp_path / "main.py").write_text(
        textwrap.dedent(
            """
            import helper, steps
            print(steps.scaling(2).steps["scaled"].output.load())
            helper.FACTOR = 10
            print(steps.scaling(2).steps["scaled"].output.load())
            helper.scale = lambda n: n + 100
            print(steps.scaling(2).steps["scaled"].output.load())
            """
        )
    )
    done = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["2", "20", "102"], done.stderr


def test_scripts_need_no_main_guard(tmp_path):
    (tmp_path / "script.py").write_text(
        textwrap.dedent(
            """
            from lineal import pipeline, step
            print("once")

            def helper(n):
                return n + 1

            @step
            def one(n: int) -> int:
                return helper(n)

            @pipeline
            def counting():
                one(one(1))

            print(counting().steps["one_2"].output.load())
            """
        )
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["once", "3"], done.stderr


def test_steps_see_the_working_directory_of_the_run(tmp_path, monkeypatch):
    @step(enable_cache=False)
    def here() -> str:
        return str(Path.cwd())

    @pipeline
    def looking():
        here()

    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert Path(looking().steps["here"].output.load()).name == name
