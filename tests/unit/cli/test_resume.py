"""`lineal runs resume`: from another folder, after a crash, and what is said when it cannot be."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

LINEAL = str(Path(sysconfig.get_path("scripts"), "lineal"))
SCRIPT = """
import os
from pathlib import Path

from lineal import pipeline, step


@step(enable_cache=False)
def load(rows: int) -> list[int]:
    print("loading", rows)
    return list(range(rows))


@step
def train(data: list[int]) -> int:
    wish = Path("wish.txt").read_text()
    if wish == "die":
        os._exit(9)
    if wish == "fail":
        raise ValueError("no luck")
    return sum(data)


@pipeline
def training(rows: int = 3) -> None:
    train(load(rows))


if __name__ == "__main__":
    training(4)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "resumed_script.py").write_text(SCRIPT, encoding="utf-8")
    return folder / "resumed_script.py"


def start(script: Path, wish: str) -> None:
    (script.parent / "wish.txt").write_text(wish, encoding="utf-8")
    done = subprocess.run([sys.executable, script.name], cwd=script.parent, capture_output=True, text=True, check=False)
    assert done.returncode != 0, done.stderr


def resume(tmp_path: Path, *options: str) -> Any:
    return subprocess.run(
        [LINEAL, "runs", "resume", "latest", *options], cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ
    )


@pytest.mark.parametrize("wish", ["fail", "die"])
def test_a_script_that_failed_or_died_goes_on_from_another_folder(script: Path, tmp_path: Path, wish: str) -> None:
    """In the folder where it ran, with its parameters; the step that had completed is not run again, though it is never cached."""
    start(script, wish)
    (script.parent / "wish.txt").write_text("go on", encoding="utf-8")
    done = resume(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(each["name"], each["status"]) for each in told["steps"]] == [("load", "cached"), ("train", "completed")]
    assert told["parameters"] == {"rows": 4}
    assert "loading" not in done.stderr


def test_what_fails_again_is_an_error_of_the_step(lineal, train_file: Path) -> None:
    lineal("run", f"{train_file}:broken")
    result = lineal("runs", "resume", "latest")
    assert (result.code, "error: ValueError: no luck" in result.err) == (6, True)
    assert [line.split()[:2] for line in result.err.splitlines()[1:4]] == [["load", "cached"], ["train", "cached"], ["fail", "failed"]]


def test_a_pipeline_whose_file_is_gone_is_not_found(lineal, train_file: Path) -> None:
    lineal("run", f"{train_file}:broken")
    train_file.unlink()
    result = lineal("runs", "resume", "latest")
    assert result.code == 3
    assert "where the pipeline 'broken' of run broken-" in result.err
    assert "is not there any more; call the pipeline yourself" in result.err


def test_what_has_completed_is_not_resumed(lineal, train_file: Path) -> None:
    lineal("run", f"{train_file}:training")
    result = lineal("runs", "resume", "latest")
    assert (result.code, "has completed, so there is nothing to resume" in result.err) == (2, True)
