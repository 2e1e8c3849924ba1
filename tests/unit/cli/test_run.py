"""`lineal run`: finding the file, the pipeline and its parameters."""

import subprocess
import sysconfig
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from lineal import Client
from lineal.cli.run import read_value
from lineal.graph.step import MISSING

LINEAL = str(Path(sysconfig.get_path("scripts"), "lineal"))


def test_a_run_shows_its_steps_on_standard_error_and_nothing_else(lineal, train_file: Path) -> None:
    result = lineal("run", f"{train_file}:training")
    assert (result.code, result.out) == (0, "loading 3\n")
    lines = result.err.splitlines()
    assert lines[0].endswith("started (2 steps)")
    assert [line.split()[:2] for line in lines[1:3]] == [["load", "completed"], ["train", "completed"]]
    assert "completed in" in lines[3]


def test_quiet_shows_nothing_at_all(lineal, train_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lineal("run", f"{train_file}:training")
    monkeypatch.setenv("LINEAL_QUIET", "1")
    assert lineal("run", f"{train_file}:training") == (0, "", "")


def test_json_describes_the_run_with_inputs_and_outputs_of_its_steps(lineal, train_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_QUIET", "1")
    lineal("run", f"{train_file}:training")
    run = lineal("run", f"{train_file}:training", "--json").json
    assert (run["pipeline"], run["status"], run["parameters"]) == ("training", "completed", {"rows": 3, "rate": 0.5, "note": ""})
    assert [(step["name"], step["status"], step["inputs"], step["outputs"]) for step in run["steps"]] == [
        ("load", "cached", {}, {"numbers": "numbers@1"}),
        ("train", "cached", {"data": "numbers@1"}, {"model": "model@1"}),
    ]


def test_a_dry_run_shows_the_plan_and_runs_nothing(lineal, train_file: Path) -> None:
    result = lineal("run", f"{train_file}:training", "--dry-run")
    assert (result.code, result.err) == (0, "")
    lines = [line.split() for line in result.out.splitlines()]
    assert [line[:2] for line in lines[:3]] == [["step", "plan"], ["load", "runs"], ["train", "runs"]]
    assert result.out.splitlines()[-1] == "training: 2 of 2 steps would run, time and bytes unknown"
    assert Client().list_pipeline_runs().total == 0


def test_a_dry_run_gives_json_and_knows_what_is_cached(lineal, train_file: Path) -> None:
    lineal("run", f"{train_file}:training")
    told = lineal("run", f"{train_file}:training", "--dry-run", "--json", "--param", "rate=2").json
    assert [(each["name"], each["state"]) for each in told["steps"]] == [("load", "cached"), ("train", "runs")]
    assert told["steps"][1]["why"][0].startswith("parameter `rate` 0.5 -> 2.0")
    assert told["forecast"]["runs"] == 1
    assert Client().list_pipeline_runs().total == 1


def test_parameters_take_the_types_of_the_annotations(lineal, train_file: Path) -> None:
    result = lineal("run", f"{train_file}:training", "--param", "rows=5", "--param", "rate=2", "--param", "note=7")
    assert result.code == 0
    assert Client().list_pipeline_runs()[0].parameters == {"rows": 5, "rate": 2.0, "note": "7"}


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("5", int, 5),
        ("5", str, "5"),
        ("abc", str, "abc"),
        ("null", str, "null"),
        ("null", str | None, None),
        ('"5"', str, "5"),
        ("true", bool, True),
        ("[1, 2]", list[int], [1, 2]),
        ("1", Literal["1", "2"], "1"),
        ("2026-06-01", date, "2026-06-01"),
        ("5", MISSING, 5),
        ("abc", MISSING, "abc"),
        ("5", Any, 5),
        ("5", Path, "5"),
        ("", str, ""),
    ],
)
def test_a_value_is_json_where_that_fits_and_text_elsewhere(text: str, annotation: Any, value: Any) -> None:
    read = read_value(text, annotation)
    assert (type(read), read) == (type(value), value)


def test_a_pipeline_is_found_by_its_own_name_or_that_of_its_function(lineal, train_file: Path) -> None:
    for name in ("broken", "broken_training"):
        assert lineal("run", f"{train_file}:{name}").code == 6


def test_the_only_pipeline_needs_no_name(lineal) -> None:
    Path("one.py").write_text(
        "from lineal import pipeline, step\n@step\ndef a() -> int:\n    return 1\n@pipeline\ndef p():\n    a()\nalias = p\n"
    )
    assert lineal("run", "one.py").code == 0


def test_a_file_finds_its_neighbours(lineal) -> None:
    Path("sub").mkdir()
    Path("sub/neighbour.py").write_text("VALUE = 41\n")
    Path("sub/main_file.py").write_text(
        "import neighbour\nfrom lineal import pipeline, step\n@step\ndef a() -> int:\n    return neighbour.VALUE\n@pipeline\ndef p():\n    a()\n"
    )
    assert lineal("run", "sub/main_file.py").code == 0


def test_a_failing_step_is_one_line_with_step_and_run_and_exit_code_6(lineal, train_file: Path) -> None:
    result = lineal("run", f"{train_file}:broken")
    assert result.code == 6
    last = result.err.splitlines()[-1]
    assert last.startswith("error: ValueError: no luck at all (in step 'fail' of pipeline 'broken', run 'broken-")
    assert last.endswith("; --debug shows the traceback")
    debug = lineal("run", f"{train_file}:broken", "--debug")
    assert 'raise ValueError("no luck' in debug.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "nowhere.py is not a file"),
        ([""], " is not a file"),
        (["train_file.py"], "has several pipelines: training, broken_training; name one, such as train_file.py:training"),
        (["train_file.py:nope"], "has no pipeline 'nope'; there are: training, broken_training"),
        (["train_file.py:training", "--param", "rows"], "--param 'rows' must be NAME=VALUE"),
        (["train_file.py:training", "--param", "rows=1", "--param", "rows=2"], "--param rows is given twice"),
        (["train_file.py:training", "--param", "nope=1"], "'nope'"),
        (["train_file.py:training", "--param", "rows=many"], "'rows' must be int"),
        (["empty.py"], "has no pipeline; put @pipeline above a function"),
        (["wrong.py"], "cannot be loaded: ZeroDivisionError: division by zero (line 2)"),
        (["syntax.py"], "cannot be loaded: SyntaxError"),
        (["exits.py"], "cannot be loaded: SystemExit: 3 (line 1)"),
        (["text.txt"], "is not a Python file; its name must end in .py"),
        (["json.py"], "has the name of a module that is loaded already, json; rename the file"),
    ],
)
def test_what_cannot_run_is_said_in_one_line_and_records_nothing(lineal, train_file: Path, arguments: list[str], message: str) -> None:
    for name, text in {"empty": "", "wrong": "\n1 / 0\n", "syntax": "def\n", "exits": "raise SystemExit(3)\n", "json": ""}.items():
        Path(f"{name}.py").write_text(text)
    Path("text.txt").write_text("")
    result = lineal("run", *arguments)
    assert (result.code, result.out) == (3 if "is not a file" in message else 2, "")
    assert message in result.err
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert Client().list_pipeline_runs().total == 0


def test_steps_run_in_worker_processes(train_file: Path) -> None:
    """Workers must find the file's module by its name."""
    import os

    done = subprocess.run(
        [LINEAL, "run", f"{train_file}:training"],
        env={**os.environ, "LINEAL_ORCHESTRATOR": "processes"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "completed in" in done.stderr
