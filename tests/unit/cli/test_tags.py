"""`artifact tag`, `untag`, `pin`, `unpin`, and lists that ask for metadata."""

from pathlib import Path
from typing import Any

import pytest

from lineal import Client, log_metadata


@pytest.fixture
def trained(lineal: Any, train_file: Path) -> Any:
    """Give the command line after two runs."""
    for rows in (3, 4):
        assert lineal("run", f"{train_file.name}:training", "--param", f"rows={rows}").code == 0
    return lineal


def test_tags_come_and_go(trained: Any) -> None:
    assert trained("artifact", "tag", "model", "gold", "eu").out == "model@2: not pinned, tags: gold, eu\n"
    assert trained("artifact", "tag", "model@1", "gold", "--exclusive").out == "model@1: not pinned, tags: gold\n"
    assert trained("artifact", "show", "model@2", "--json").json["tags"] == ["eu"]
    assert trained("artifact", "untag", "model@2", "eu", "--json").json["tags"] == []
    assert [each["version"] for each in trained("artifact", "versions", "--tag", "gold", "--json").json["items"]] == ["1"]
    assert trained("artifact", "tag", "model", " gold").code == 2


def test_an_artifact_has_tags_of_its_own(trained: Any) -> None:
    assert trained("artifact", "tag", "model", "team-a", "eu", "--artifact").out == "model: tags: team-a, eu\n"
    assert trained("artifact", "list", "--tag", "eu", "--json").json["items"][0]["tags"] == ["team-a", "eu"]
    assert trained("artifact", "untag", "model", "eu", "--artifact", "--json").json["tags"] == ["team-a"]
    assert trained("artifact", "untag", "model", "team-a", "--artifact").out == "model: no tags\n"
    assert trained("artifact", "show", "model", "--json").json["tags"] == []


@pytest.mark.parametrize(("arguments", "said"), [(("model@1", "x"), "write model without"), (("model", "x", "--exclusive"), "leave out")])
def test_tags_of_an_artifact_are_no_tags_of_a_version(trained: Any, arguments: tuple[str, ...], said: str) -> None:
    result = trained("artifact", "tag", *arguments, "--artifact")
    assert result.code == 2
    assert said in result.err


def test_a_pinned_version_is_shown_as_such(trained: Any) -> None:
    assert trained("artifact", "pin", "model").out == "model@2: pinned, no tags\n"
    assert "pinned" in trained("artifact", "show", "model").out
    assert trained("artifact", "unpin", "model", "--json").json["pinned"] is False


def test_lists_ask_for_metadata(trained: Any) -> None:
    log_metadata({"accuracy": 0.9}, artifact_name="model", artifact_version=1)
    log_metadata({"team": "a"}, run=Client().get_pipeline_run("latest").name)
    found = trained("artifact", "versions", "--metadata", "accuracy > 0.5", "--metadata", "accuracy exists", "--json").json["items"]
    assert [(each["name"], each["version"]) for each in found] == [("model", "1")]
    assert trained("runs", "list", "--metadata", "team == 'a'", "--json").json["total"] == 1
    result = trained("artifact", "versions", "--metadata", "accuracy = 1")
    assert result.code == 2
    assert "accuracy  --> = 1" in result.err
