"""What the command line takes away, trusts or marks is in the audit of the home."""

import json
from pathlib import Path
from typing import Any

import pytest

from lineal import save_artifact
from lineal.errors import StorageFull
from lineal.host import person
from lineal.metadata_store.accounts import SqliteAccounts
from lineal.workspace import open_workspace


class Odd:
    """Only pickle takes it."""

    def __init__(self, n: int) -> None:
        self.n = n


def noted() -> list[tuple[str, str, Any]]:
    """What is noted, the first first."""
    found = open_workspace().accounts.list_audit(limit=100).items
    assert {each.who for each in found} <= {f"command line ({person()})"}
    assert open_workspace().accounts.verify_audit()[2] is None
    return [(each.what, each.object, json.loads(each.details)) for each in reversed(found)]


@pytest.mark.filterwarnings("ignore")
def test_what_is_taken_away_trusted_or_marked_is_noted(lineal: Any, train_file: Path) -> None:
    """A44: who is the system's user; the chain is the one of the server."""
    assert lineal("run", train_file.name + ":training").code == 0
    for number in range(4):
        save_artifact([number], "loose")
    odd = save_artifact(Odd(1), "odd")
    run = lineal("runs", "show", "latest", "--json").json
    for command in (
        ["artifact", "tag", "loose@1", "best", "--exclusive"],
        ["artifact", "untag", "loose@1", "best"],
        ["artifact", "tag", "loose", "kept", "--artifact"],
        ["artifact", "untag", "loose", "kept", "--artifact"],
        ["artifact", "pin", "loose@1"],
        ["artifact", "unpin", "loose@1"],
        ["artifact", "trust", "odd"],
        ["artifact", "delete", "loose@1", "-y"],
        ["artifact", "prune", "loose", "--keep-last", "1", "-y"],
        ["artifact", "delete", "loose", "--all", "-y"],
        ["runs", "delete", "latest", "-y"],
        ["verify", "--repair"],
    ):
        assert lineal(*command).code == 0, command
    assert noted() == [
        ("tag version", "loose@1", {"add": ["best"], "exclusive": True}),
        ("tag version", "loose@1", {"remove": ["best"]}),
        ("tag artifact", "loose", {"add": ["kept"]}),
        ("tag artifact", "loose", {"remove": ["kept"]}),
        ("pin version", "loose@1", {"pinned": True}),
        ("pin version", "loose@1", {"pinned": False}),
        ("trust version", "odd@1", {"digest": odd.digest}),
        ("delete version", "loose@1", {}),
        ("prune", "loose", {"versions": 2, "keep_last": 1}),
        ("delete artifact", "loose", {}),
        ("delete run", run["id"], {"name": run["name"]}),
        ("repair", "", {}),
    ]


def test_what_is_refused_is_noted_and_what_only_looks_is_not(lineal: Any, train_file: Path) -> None:
    lineal("run", train_file.name + ":training")
    assert lineal("artifact", "delete", "model@1", "-y").code == 4
    for command in (["verify"], ["artifact", "prune", "--dry-run"], ["artifact", "list"], ["artifact", "delete", "model@1"]):
        lineal(*command)
    assert noted() == [("delete version", "model@1", {}), ("delete version refused", "model@1", {"why": "InUse"})]


def test_what_cannot_be_noted_is_not_done(lineal: Any, train_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes that nobody can be asked about."""
    save_artifact([1], "loose")

    def full(self: SqliteAccounts, act: Any) -> None:
        raise StorageFull("full")

    monkeypatch.setattr(SqliteAccounts, "append", full)
    assert lineal("artifact", "prune", "-y").code == 5
    assert lineal("artifact", "list", "--json").json["total"] == 1
