"""What a run and `why` say of a step that ran, from what is stored: each form, on real runs."""

import sys
from collections.abc import Callable, Iterator
from importlib import reload
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lineal import pipeline, step
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.views import RunView

MODULE = """
from lineal import pipeline, step

RATE = 2

def clean(values):
    return [each * RATE for each in values]

@step
def load(rows: int) -> list[int]:
    return list(range(rows))

@step
def train(data: list[int], lr: float) -> float:
    return sum(clean(data)) * lr

@pipeline
def training(rows: int = 3, lr: float = 0.01) -> None:
    train(load(rows), lr)
"""


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], ModuleType]]:
    """Give a function that replaces text in the module and loads it again."""
    path = Path("why_module.py")
    path.write_text(MODULE)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(old: str = "", new: str = "") -> ModuleType:
        path.write_text(path.read_text().replace(old, new) if old else MODULE)
        import why_module

        return reload(why_module)

    yield load  # type: ignore[misc]
    sys.modules.pop("why_module", None)


def test_each_form_is_said_by_the_run_and_by_why(edit: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    """First time, a parameter, an input that grew, a constant, a helper, a cached step."""

    def line(step_name: str, run: RunView) -> str:
        [found] = [each for each in capsys.readouterr().err.splitlines() if each.split()[:1] == [step_name]]
        assert run.steps[step_name].why[0] in found
        return run.steps[step_name].why[0]

    module = edit()
    first = module.training()
    assert line("train", first) == "ran: first time"
    assert line("train", module.training(lr=0.02)) == "ran: parameter `lr` 0.01 -> 0.02"
    assert line("train", module.training(rows=15)) == "ran: input `data` changed (v1 -> v2: 12 items more)"
    changed = edit("RATE = 2", "RATE = 3").training()
    assert line("train", changed) == "ran: constant `RATE` in `why_module.py` changed 2 -> 3"
    changed = edit("    return [each", "    values = values or []\n    return [each").training()
    assert line("train", changed) == "ran: helper `clean` in `why_module.py` changed (lines 6-8)"
    assert changed.steps["train"].code_diff.splitlines()[2:] == [
        "@@ -1,2 +1,3 @@", " def clean(values):", "+    values = values or []", "     return [each * RATE for each in values]"
    ]  # fmt: skip
    changed = edit("sum(clean(data))", "max(clean(data))").training()
    assert line("train", changed) == "ran: step `train` in `why_module.py` changed (lines 14-16)"
    assert changed.steps["load"].why == [f"cached from run {first.name} of {changed.steps['load'].why[0].rpartition(' of ')[2]}"]
    assert changed.steps["load"].code_diff == ""


def test_the_nearest_of_the_earlier_calls_is_named() -> None:
    """After a sweep the call with the same parameters is the one to compare with, not the newest."""

    @step
    def fit(lr: float, seed: int) -> float:
        return lr + seed

    @pipeline
    def sweep(lr: float, seed: int = 0) -> None:
        fit(lr, seed)

    first = sweep(0.1)
    sweep(0.2)
    found = sweep(0.1, seed=1).steps["fit"].why
    assert found[0] == "ran: parameter `seed` 0 -> 1"
    assert first.name in found[1]


def test_a_call_whose_number_is_new_is_compared_with_the_others_of_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    @step
    def fit(lr: float) -> float:
        return lr

    @pipeline
    def sweep(rates: list[float]) -> None:
        for rate in rates:
            fit(rate)

    sweep([0.1])
    capsys.readouterr()
    run = sweep([0.1, 0.3])
    assert run.steps["fit_2"].why[0] == "ran: parameter `lr` 0.1 -> 0.3"
    assert "ran: parameter `lr` 0.1 -> 0.3" in capsys.readouterr().err


def test_an_input_that_is_not_there_any_more_is_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    @step
    def load(rows: int) -> list[int]:
        return list(range(rows))

    @step
    def count(data: list[int]) -> int:
        return len(data)

    @pipeline
    def counting(rows: int) -> None:
        count(load(rows))

    counting(1)
    run = counting(2)
    monkeypatch.setattr(SqliteMetadataStore, "versions_by_name", lambda *_: [])
    assert run.steps["count"].why[0] == "ran: input `data` changed (v1 -> v2)"
