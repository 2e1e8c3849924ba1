"""`artifact delete`, `artifact prune`, `runs delete`: shown first, asked for, then done."""

import re
from pathlib import Path
from typing import Any

import pytest

from lineal import Client


@pytest.fixture
def trained(lineal: Any, train_file: Path) -> Any:
    """Give the command line after one run."""
    assert lineal("run", train_file.name + ":training").code == 0
    return lineal


def test_what_a_run_made_is_refused_with_the_run(trained: Any) -> None:
    result = trained("artifact", "delete", "model@1", "-y")
    assert result.code == 4
    assert "run 'training-" in result.err
    assert "(step 'train')" in result.err


def test_deleting_a_run_leaves_versions_that_prune_takes(trained: Any) -> None:
    result = trained("runs", "delete", "latest", "-y")
    assert result.code == 0
    shown, done, left = result.out.splitlines()
    assert re.fullmatch("2 versions, [0-9]+ B of data, to which only this run refers", shown)
    assert done.startswith("deleted training-")
    assert left == "2 versions that nothing refers to any more: lineal artifact prune removes them"
    assert trained("runs", "list", "--json").json["total"] == 0
    plan = trained("artifact", "prune", "--dry-run")
    assert plan.out.splitlines()[:2] == ["  numbers@1", "  model@1"]
    assert plan.out.splitlines()[2].startswith("2 versions of 2 artifacts, ")
    done = trained("artifact", "prune", "-y")
    assert done.out.splitlines()[-1].startswith("pruned 2 versions of 2 artifacts, freed ")
    assert trained("artifact", "prune").out == "nothing to prune\n"


def test_a_name_alone_is_answered_with_a_version_that_there_is(trained: Any) -> None:
    result = trained("artifact", "delete", "model")
    assert result.code == 2
    assert "write model@1 to delete its newest version, or add --all" in result.err


def test_without_a_terminal_nothing_is_deleted_unasked(trained: Any) -> None:
    trained("runs", "delete", "latest", "-y")
    for command in (["artifact", "prune"], ["artifact", "delete", "model@1"], ["artifact", "delete", "model", "--all"]):
        result = trained(*command)
        assert result.code == 2
        assert "add -y" in result.err
    assert trained("artifact", "list", "--json").json["total"] == 2


@pytest.mark.parametrize(("answer", "left"), [(True, 1), (False, 2)])
def test_on_a_terminal_it_asks(trained: Any, monkeypatch: pytest.MonkeyPatch, answer: bool, left: int) -> None:
    trained("runs", "delete", "latest", "-y")
    asked: list[str] = []

    def confirm(question: str, **_: Any) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", confirm)
    result = trained("artifact", "delete", "model@1")
    assert (result.code, asked) == (0, ["delete model@1?"])
    assert trained("artifact", "list", "--json").json["total"] == left
    assert ("nothing was changed" in result.err) is not answer


def test_prune_takes_filters_and_prints_json(trained: Any) -> None:
    trained("runs", "delete", "latest", "-y")
    Client().get_artifact_version("numbers").pin()
    for keep in (["--older-than", "1h"], ["--keep-last", "1"], ["numbers"]):
        assert trained("artifact", "prune", "--json", "--dry-run", *keep).json["names"] == []
    report = trained("artifact", "prune", "mod*", "--only-artifact", "-y", "--json").json
    assert (report["names"], report["versions"], report["artifacts"], report["dry_run"], report["errors"]) == (["model@1"], 1, 1, False, [])
    assert report["freed"] == report["bytes"] > 0
    assert "pruned on" in trained("artifact", "show", "model@1").out
    assert trained("artifact", "show", "model@1", "--json").json["state"] == "pruned"


def test_contradictions_are_refused(trained: Any) -> None:
    for command, message in (
        (["prune", "--only-artifact", "--only-metadata"], "exclude each other"),
        (["prune", "--older-than", "soon"], "30d"),
        (["delete", "model"], "--all"),
        (["delete", "model@1", "--all"], "without it"),
    ):
        result = trained("artifact", *command)
        assert result.code == 2
        assert message in result.err


def test_a_whole_artifact_is_deleted(trained: Any) -> None:
    trained("runs", "delete", "latest", "-y")
    assert trained("artifact", "delete", "model", "--all", "-y").out == "deleted model@1\n"
    assert trained("artifact", "delete", "numbers@1", "-y", "--json").json == {"deleted": ["numbers@1"]}
    assert trained("artifact", "delete", "model", "--all", "-y").code == 3


def test_runs_are_deleted_as_json(trained: Any) -> None:
    name = Client().get_pipeline_run("latest").name
    assert trained("runs", "delete", "latest", name, "-y", "--json").json == {"deleted": [name], "unreferenced": 2}
