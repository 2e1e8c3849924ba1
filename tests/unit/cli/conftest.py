"""The command line in process, and a file with pipelines to run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lineal.cli import main

PIPELINES = """
from typing import Annotated

from lineal import pipeline, step


@step
def load(rows: int) -> Annotated[list[int], "numbers"]:
    print("loading", rows)
    return list(range(rows))


@step
def train(data: list[int], rate: float) -> Annotated[dict[str, float], "model"]:
    return {"weight": sum(data) * rate}


@step
def fail(model: dict[str, float]) -> int:
    raise ValueError("no luck\\nat all")


@pipeline
def training(rows: int = 3, rate: float = 0.5, note: str = "") -> None:
    train(load(rows), rate)


@pipeline(name="broken")
def broken_training() -> None:
    fail(train(load(3), 0.5))
"""


class Result(NamedTuple):
    """What one call of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Result]


@pytest.fixture
def lineal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Give a function that runs `lineal` with arguments. Modules and paths that it adds are gone after the test."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*arguments: object) -> Result:
        loaded = set(sys.modules)
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        # A file is run once in a process of its own; here the next test has one of the same name.
        for name in set(sys.modules) - loaded:
            if str(Path.cwd()) in str(getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]
        assert isinstance(exit_.value.code, int)
        return Result(exit_.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def train_file() -> Path:
    """Give a file with two pipelines in the working directory."""
    path = Path("train_file.py").absolute()
    path.write_text(PIPELINES)
    return path


@pytest.fixture
def trained(lineal: Cli, train_file: Path) -> list[str]:
    """Run the training twice, the second time at another rate, and give the names of the runs."""
    names = []
    for rate in ("0.5", "0.7"):
        result = lineal("run", f"{train_file}:training", "--param", f"rate={rate}", "--json")
        assert result.code == 0, result.err
        names.append(result.json["name"])
    return names
