"""`lineal artifact` and `lineal lineage`."""

import json
from pathlib import Path

import pytest


def test_artifacts_are_listed_with_their_newest_version(lineal, trained: list[str]) -> None:
    page = lineal("artifact", "list", "--json", "--sort", "name").json
    assert [(each["name"], each["versions"], each["latest"], each["type"]) for each in page["items"]] == [
        ("model", 2, "2", "dict"),
        ("numbers", 1, "1", "list"),
    ]
    lines = lineal("artifact", "list", "--sort", "name").out.splitlines()
    assert lines[1].split()[:4] == ["model", "2", "2", "dict"]
    assert lineal("artifact", "list", "--limit", 1).err == "1 of 2 artifacts; --limit and --offset show others\n"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], ["model@2", "model@1", "numbers@1"]),
        (["model"], ["model@2", "model@1"]),
        (["num*"], ["numbers@1"]),
        (["--type", "list"], ["numbers@1"]),
        (["--step", "train", "--sort", "created"], ["model@1", "model@2"]),
        (["--pipeline", "other"], []),
        (["--tag", "daily"], []),
        (["--data-type", "model"], []),
        (["--since", "1h", "--limit", "1"], ["model@2"]),
        (["--until", "1h"], []),
    ],
)
def test_versions_are_listed_and_filtered(lineal, trained: list[str], arguments: list[str], found: list[str]) -> None:
    items = lineal("artifact", "versions", "--json", *arguments).json["items"]
    assert [f"{each['name']}@{each['version']}" for each in items] == found
    assert [line.split()[0] for line in lineal("artifact", "versions", *arguments).out.splitlines()[1:]] == found


def test_versions_of_a_run(lineal, trained: list[str]) -> None:
    items = lineal("artifact", "versions", "--run", trained[1], "--json").json["items"]
    assert [f"{each['name']}@{each['version']}" for each in items] == ["model@2"]


def test_one_version_is_shown_with_maker_and_users(lineal, trained: list[str]) -> None:
    out = lineal("artifact", "show", "numbers").out
    assert out.startswith("numbers@1\n")
    assert f"made by       load in run {trained[0]}" in out
    assert f"used by       train in run {trained[0]}, train in run {trained[1]}" in out
    shown = lineal("artifact", "show", "numbers@1", "--json").json
    assert shown["consumers"] == [{"step": "train", "run": run} for run in trained]
    assert lineal("artifact", "show", shown["id"], "--json").json == shown


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("modle", 3, "did you mean 'model'?"),
        ("model@9", 3, "artifact 'model' has no version '9'"),
        ("model@", 2, "'model@' has no version after the @"),
        ("model@1@2", 2, "is not allowed"),
    ],
)
def test_what_does_not_exist_is_one_line(lineal, trained: list[str], name: str, code: int, message: str) -> None:
    result = lineal("artifact", "show", name)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_lineage_is_a_tree_up_to_the_data(lineal, trained: list[str]) -> None:
    lines = lineal("lineage", "model").out.splitlines()
    assert lines[0].startswith("model@2 (dict, ")
    assert lines[0].endswith(f"from train in run {trained[1]}")
    assert lines[1] == f"└─ data: numbers@1 (list, 7 B) from load in run {trained[0]}"
    shown = lineal("lineage", "model@2", "--json").json
    assert {each["name"] for each in shown["versions"]} == {"model", "numbers"}
    assert {"version", "versions", "step_runs", "runs", "edges"} == set(shown)


def test_lineage_as_a_picture_and_as_events(lineal, trained: list[str]) -> None:
    """A file that is there is not replaced unasked; events come one a line."""
    assert lineal("lineage", "model", "--svg", "model.svg").out == "model.svg\n"
    assert Path("model.svg").read_text(encoding="utf-8").startswith("<svg ")
    refused = lineal("lineage", "model", "--svg", "model.svg")
    assert (refused.code, "--overwrite" in refused.err) == (2, True)
    assert lineal("lineage", "model", "--svg", "model.svg", "--overwrite").code == 0
    events = [json.loads(line) for line in lineal("lineage", "model", "--openlineage").out.splitlines()]
    assert {event["eventType"] for event in events} == {"START", "COMPLETE"}
    assert lineal("lineage", "model", "--openlineage", "--json").code == 2


def test_lineage_goes_down_to_what_was_made(lineal, trained: list[str]) -> None:
    lines = lineal("lineage", "numbers").out.splitlines()
    assert lines[1] == "used by"
    assert lines[2] == "├─ train"
    assert lines[3].startswith("│  └─ model: model@1 (dict, ")
    assert lines[4] == f"└─ train in run {trained[1]}"
    assert lines[5].startswith("   └─ model: model@2 (dict, ")
