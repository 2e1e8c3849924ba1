"""A plan as text that fits the terminal, in a notebook, and as JSON."""

import io
import json
import os
import shutil
import sys

import pytest

from lineal import pipeline, step
from lineal.errors import NotFound


@step
def load(rows: int) -> list[int]:
    return list(range(rows))


@step
def train(data: list[int], rate: float, note: str = "") -> float:
    return sum(data) * rate


@pipeline
def training(rows: int = 3, rate: float = 0.5, note: str = "") -> None:
    train(load(rows), rate, note)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_text_is_a_table_and_the_forecast() -> None:
    training()
    lines = str(training.plan(rate=1.0)).splitlines()
    assert lines[0].split() == ["step", "plan", "time", "size", "why"]
    assert lines[1].split()[:4] == ["load", "cached", "from", "run"]
    assert lines[2].split()[:2] == ["train", "runs"]
    assert "parameter `rate` 0.5 -> 1.0" in lines[2]
    assert lines[3] == ""
    assert lines[4].startswith("training: 1 of 2 steps would run, about ")


def test_on_a_terminal_reasons_are_wrapped_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    training()
    plan = training.plan(rate=1.0)
    plain = str(plan)
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_: os.terminal_size((72, 24)))
    table, _, forecast = str(plan).partition("\n\n")
    assert max(map(len, table.splitlines())) <= 72
    assert forecast.startswith("training: 1 of 2")
    assert table.split() == plain.partition("\n\n")[0].split()


def test_in_a_notebook_it_is_a_table_and_names_stay_text() -> None:
    training()
    html = training.plan(note="<b>")._repr_html_()
    assert "&#x27;&lt;b&gt;&#x27;" in html
    assert "<b>" not in html
    assert "1 of 2 steps would run" in html


def test_its_repr_is_one_line() -> None:
    assert repr(training.plan()) == "<plan of training: 2 of 2 steps would run, time and bytes unknown>"


def test_json_has_all_of_it() -> None:
    run = training()
    told = json.loads(json.dumps(training.plan(rows=4).to_json()))
    assert (told["pipeline"], told["parameters"], told["stopped_at"]) == ("training", {"rows": 4, "rate": 0.5, "note": ""}, None)
    assert [(each["name"], each["state"], each["depends_on"]) for each in told["steps"]] == [
        ("load", "runs", []),
        ("train", "depends", ["load"]),
    ]
    assert told["forecast"]["text"].startswith("1 of 2 steps would run, 1 more may, ")
    assert json.loads(json.dumps(training.plan().to_json()))["steps"][0]["cached_from"] == run.name


def test_a_name_that_is_not_there_is_an_error_that_helps() -> None:
    with pytest.raises(NotFound, match="did you mean 'load'"):
        training.plan().steps["laod"]
