"""A version is made again from its lineage: the same comes out, or it is said where it parts and why; nothing is recorded."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineal import Client, load_artifact, log_metadata, pipeline, register_artifact, save_artifact, step
from lineal.errors import ArtifactMissing, CodeNotFound, UsageError
from lineal.views import VersionView

OFFSET = 1


def note(name: str) -> None:
    with Path("calls.txt").open("a") as file:
        file.write(f"{name}\n")


def calls() -> list[str]:
    """Give the steps that ran since this was asked last."""
    path = Path("calls.txt")
    found = path.read_text().split() if path.is_file() else []
    path.unlink(missing_ok=True)
    return found


@step
def load(rows: int) -> np.ndarray:
    note("load")
    return np.arange(float(rows)).repeat(500)


@step
def scale(data: np.ndarray, by: float) -> np.ndarray:
    note("scale")
    return data * by + OFFSET


@step
def gather(parts: list[Any], named: dict[str, Any], pair: tuple[Any, Any], note: str = "x") -> float:
    return float(sum(part.sum() for part in parts[:2]) + parts[2] + named["a"].sum() + pair[1]) + len(note)


@pipeline
def making(rows: int = 3, by: float = 2.0) -> None:
    data = load(rows)
    scaled = scale(data, by)
    gather([data, scaled, 7], {"a": scaled}, (data, 0.5))


@pytest.fixture
def made() -> VersionView:
    run = making()
    calls()
    return run.steps["gather"].output


def facts() -> tuple[int, int, list[Path]]:
    client = Client()
    files = sorted(path for path in Path(os.environ["LINEAL_HOME"], "store").rglob("*") if "staging" not in path.parts)
    return client.list_pipeline_runs().total, client.list_artifact_versions().total, files


def test_the_same_bytes_come_out_and_nothing_is_recorded(made: VersionView) -> None:
    before = facts()
    found = made.reproduce()
    assert found.same
    assert found.parted is None
    assert found.digest == found.new_digest == made.digest
    assert [each.step for each in found.steps] == ["load", "scale", "gather"]
    assert calls() == ["load", "scale"]
    assert str(found) == f"{made.name}@1: the same bytes (3 steps ran again)"
    assert facts() == before


def test_the_first_step_that_parts_is_named_with_what_differs(made: VersionView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "OFFSET", 2)
    found = made.reproduce()
    assert not found.same
    assert found.parted is not None
    assert found.parted.step == "scale"
    assert found.parted.because == ("constant `OFFSET` in `tests/unit/views/test_reproduction.py` changed 1 -> 2",)
    assert [each.same for each in found.steps] == [True, False, False]
    assert "parts at step scale" in str(found)
    assert found.to_json()["parted"]["step"] == "scale"


def test_chance_is_named_where_nothing_else_differs() -> None:
    @step
    def draw() -> str:
        return uuid.uuid4().hex

    @pipeline
    def drawing() -> None:
        draw()

    found = drawing().steps["draw"].output.reproduce()
    assert found.parted is not None
    assert "it depends on chance" in found.parted.because[-1]


def test_a_step_that_fails_now_is_a_difference() -> None:
    fail = []

    @step
    def brittle() -> int:
        if fail:
            raise RuntimeError("no more")
        return 1

    @pipeline
    def flow() -> None:
        brittle()

    version = flow().steps["brittle"].output
    fail.append(1)
    found = version.reproduce()
    assert (found.same, found.new_digest) == (False, None)
    assert found.parted is not None
    assert found.parted.because[0] == "it failed now: RuntimeError: no more"


def test_lineage_across_pipelines_is_made_again_or_taken_from_the_store() -> None:
    @pipeline
    def using() -> None:
        scale(Client().get_artifact_version("making::load::output"), 3.0)

    making()
    version = using().steps["scale"].output
    calls()
    assert version.reproduce().same
    assert calls() == ["load", "scale"]
    calls()
    found = version.reproduce(across_pipelines=False)
    assert (found.same, found.given, calls()) == (True, ("making::load::output@1",), ["scale"])


def test_registered_data_and_what_a_step_loads_by_itself_come_from_the_store() -> None:
    Path("data.txt").write_text("5")
    raw = register_artifact("data.txt", "raw")
    save_artifact(4, "factor")

    @step
    def use(data: Path) -> int:
        factor: int = load_artifact("factor")
        save_artifact(factor, "seen")
        log_metadata({"factor": factor})
        return int(data.read_text()) * factor

    @pipeline
    def flow() -> None:
        use(raw)

    version = flow().steps["use"].output
    save_artifact(9, "factor")  # a newer one does not matter
    before = facts()
    found = version.reproduce()
    assert (found.same, set(found.given)) == (True, {"raw@1", "factor@1"})
    assert facts() == before


def test_what_cannot_be_made_again_is_refused_before_anything_runs(made: VersionView, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no step made, what needs data that is gone, and a step that is not there any more."""
    with pytest.raises(UsageError, match="made by no step"):
        save_artifact(1, "plain").reproduce()

    @step
    def hidden(data: np.ndarray) -> float:
        return float(data[0])

    @pipeline
    def using() -> None:
        hidden(Client().get_artifact_version("making::load::output"))

    version = using().steps["hidden"].output
    folder = Client().get_artifact_version("making::load::output").path.parent
    folder.chmod(0o755)
    shutil.rmtree(folder)
    with pytest.raises(ArtifactMissing):
        version.reproduce(across_pipelines=False)
    assert version.reproduce().same
    assert calls() == ["load"]
    monkeypatch.setattr("lineal.engine.recall.known_steps", list)
    with pytest.raises(CodeNotFound, match="was it renamed or moved"):
        version.reproduce()
    assert calls() == []


SCRIPT = """
from lineal import pipeline, step

@step
def load(rows: int) -> list[int]:
    return list(range(rows))

@step
def train(data: list[int], rate: float) -> float:
    print("training")
    return sum(data) * rate

@pipeline
def training(rows: int = 3, rate: float = 0.5) -> None:
    train(load(rows), rate)

training()
"""


def test_the_command_finds_the_code_of_a_script() -> None:
    """From a folder inside the project too; a script that runs its pipeline when it is imported records nothing more."""
    Path("again_script.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "again_script.py"], check=True, capture_output=True)
    before = facts()
    Path("inside").mkdir()
    run = [sys.executable, "-c", "from lineal.cli.app import main; main()"]
    name = "training::train::output"
    done = subprocess.run([*run, "artifact", "reproduce", name, "--json"], cwd="inside", capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["same"]) == (0, True), done.stderr
    Path("again_script.py").write_text(SCRIPT.replace("sum(data) * rate", "sum(data) * rate + 1"))
    done = subprocess.run([*run, "artifact", "reproduce", name], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "step `train` in `again_script.py` changed" in done.stdout
    done = subprocess.run([*run, "runs", "replay", "latest", "train", "--json"], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["outputs"] == {"output": 2.5}, done.stderr
    Path("again_script.py").unlink()
    done = subprocess.run([*run, "artifact", "reproduce", name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "cannot be imported" in done.stderr
    assert facts() == before
