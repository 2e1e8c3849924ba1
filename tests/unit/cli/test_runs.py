"""`lineal runs` and `lineal why`."""

from pathlib import Path

import pytest


def test_a_list_of_runs_is_newest_first_with_paging(lineal, trained: list[str]) -> None:
    page = lineal("runs", "list", "--json").json
    assert (page["total"], page["offset"]) == (2, 0)
    assert [run["name"] for run in page["items"]] == trained[::-1]
    first = lineal("runs", "list", "--limit", 1)
    assert first.out.splitlines()[1].split()[:3] == [trained[1], "training", "completed"]
    assert first.err == "1 of 2 runs; --limit and --offset show others\n"
    assert [run["name"] for run in lineal("runs", "list", "--limit", 1, "--offset", 1, "--json").json["items"]] == trained[:1]
    assert [run["name"] for run in lineal("runs", "list", "--sort", "started", "--json").json["items"]] == trained


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--pipeline", "training"], 2),
        (["--pipeline", "other"], 0),
        (["--name", "training-*"], 2),
        (["--status", "completed"], 2),
        (["--status", "failed"], 0),
        (["--tag", "daily"], 0),
        (["--since", "1h"], 2),
        (["--since", "2001-01-01", "--until", "2001-02-01T12:30"], 0),
        (["--until", "1h"], 0),
    ],
)
def test_runs_are_filtered(lineal, trained: list[str], arguments: list[str], count: int) -> None:
    assert lineal("runs", "list", "--json", *arguments).json["total"] == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sort", "colour"], "runs cannot be sorted by 'colour'"),
        (["--since", "yesterday"], "'yesterday' is not a time; write it as 2026-06-01"),
        (["--limit", "0"], "limit must be"),
        (["--offset", "-1"], "offset must be"),
    ],
)
def test_a_wrong_filter_is_one_line(lineal, arguments: list[str], message: str) -> None:
    result = lineal("runs", "list", *arguments)
    assert result.code == 2
    assert result.err.startswith(f"error: {message}")
    assert result.err.count("\n") == 1


def test_a_run_is_shown_with_its_steps(lineal, trained: list[str]) -> None:
    lines = lineal("runs", "show", trained[1]).out.splitlines()
    assert lines[0] == trained[1]
    assert "  parameters  note='', rate=0.7, rows=3" in lines
    assert lines[-2].split() == ["load", "cached", "numbers@1"]
    assert lines[-1].split()[0] == "train"
    assert lines[-1].split()[-1] == "model@2"
    shown = lineal("runs", "show", trained[1], "--json").json
    assert [step["status"] for step in shown["steps"]] == ["cached", "completed"]
    assert lineal("runs", "show", shown["id"][:-1], "--json").json == shown


def test_a_failed_run_shows_its_error_and_what_it_skipped(lineal, train_file: Path) -> None:
    lineal("run", f"{train_file}:broken")
    run = lineal("runs", "list", "--status", "failed", "--json").json["items"][0]
    out = lineal("runs", "show", run["name"]).out
    assert "  error     ValueError: no luck at all\n" in out
    assert out.splitlines()[-1].split()[:2] == ["fail", "failed"]
    assert out.splitlines()[-1].endswith("ValueError: no luck at all")


def test_logs_are_printed_by_step(lineal, trained: list[str]) -> None:
    assert lineal("runs", "logs", trained[0]).out == "== load ==\nloading 3\n"
    assert lineal("runs", "logs", trained[0], "load").out == "loading 3\n"
    assert lineal("runs", "logs", trained[0], "--json").json == {
        "run": trained[0], "steps": [{"name": "load", "log": "loading 3\n"}, {"name": "train", "log": ""}],
    }  # fmt: skip
    quiet = lineal("runs", "logs", trained[0], "train")
    assert (quiet.out, quiet.err) == ("", "nothing was printed or logged by step train\n")


def test_a_missing_run_or_step_names_what_there_is(lineal, trained: list[str]) -> None:
    result = lineal("runs", "show", trained[0][:-1] + "x")
    assert result.code == 3
    assert "did you mean" in result.err
    result = lineal("runs", "logs", trained[0], "lode")
    assert (result.code, result.err.count("\n")) == (3, 1)
    assert "'lode' does not exist; did you mean 'load'?" in result.err


def test_why_says_what_changed(lineal, trained: list[str]) -> None:
    first = lineal("why", trained[0], "--json").json
    assert first["run"] == trained[0]
    assert all(step["why"] == ["ran: first time"] for step in first["steps"])
    lines = lineal("why", trained[1]).out.splitlines()
    assert lines[0] == "load (cached)"
    assert trained[0] in lines[1]
    assert lines[2] == "train (completed)"
    assert lines[3] == "  ran: parameter `rate` 0.5 -> 0.7"
    assert lineal("why", trained[1], "train").out.splitlines() == lines[2:]


def test_why_names_the_helper_that_changed(lineal, train_file: Path) -> None:
    helper = Path("helper_module.py")
    helper.write_text("def rate():\n    return 1\n")
    text = train_file.read_text().replace("return list(range(rows))", "return [helper_module.rate()] * rows")
    train_file.write_text(f"import helper_module\n{text}")
    lineal("run", f"{train_file}:training")
    helper.write_text("def rate():\n    return 22\n")
    run = lineal("run", f"{train_file}:training", "--json").json["name"]
    sentence, compared = lineal("why", run, "load", "--json").json["steps"][0]["why"]
    assert compared.startswith("compared with run training-")
    assert "helper `rate`" in sentence
    assert "helper_module.py" in sentence
    assert "\n-    return 1\n+    return 22\n" in lineal("why", run, "load", "--diff").out
    assert "+    return 22" in lineal("why", run, "load", "--diff", "--json").json["steps"][0]["diff"]


def test_runs_are_compared(lineal, trained: list[str]) -> None:
    """Only what differs, unless all is asked for."""
    lines = [line.split() for line in lineal("runs", "compare", *trained).out.splitlines()]
    assert lines[:3] == [["parameters"], trained, ["rate", "0.5", "0.7"]]
    assert ["train", "model@1", "model@2"] in lines
    assert not any(line[:1] == ["rows"] for line in lines)
    assert ["rows", "3", "3"] in [line.split() for line in lineal("runs", "compare", *trained, "--all").out.splitlines()]
    found = lineal("runs", "compare", *trained, "--json").json
    assert [run["name"] for run in found["runs"]] == trained
    assert lineal("runs", "compare", trained[0]).code == 2


def test_the_diff_of_code_is_shown_on_request(lineal, trained: list[str], train_file: Path) -> None:
    train_file.write_text(train_file.read_text().replace("return list(range(rows))", "return list(range(rows, 2 * rows))"))
    run = lineal("run", f"{train_file}:training", "--json").json["name"]
    assert "+    return list(range(rows, 2 * rows))" in lineal("runs", "compare", trained[0], run, "--diff").out.splitlines()
    assert "+    return" not in lineal("runs", "compare", trained[0], run).out
