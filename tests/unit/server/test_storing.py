"""What takes space, what may go, and whether everything is there."""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from lineal import Client, pruning, save_artifact
from lineal.cli.app import State, cli
from lineal.metadata_store.accounts import SqliteAccounts
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.accounts import Act
from lineal.server.access import Principal, Role
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.verifying import remembered
from lineal.views import RunView
from lineal.workspace import open_workspace

PRUNE = "/api/v1/storage/prune"


def verified(server: TestClient) -> Any:
    return ended(server, "/api/v1/storage/verify")


def ended(server: TestClient, path: str) -> Any:
    """What a job has come to."""
    for _ in range(500):
        found = server.get(path).json()
        if found["state"] != "running":
            return found
        time.sleep(0.01)
    raise AssertionError("it does not end")


def test_what_takes_space_is_told_by_artifact_and_by_type(server: TestClient) -> None:
    """Equal content counts once: for the artifact that had it first."""
    for name in ("first", "second"):
        save_artifact(np.arange(10_000), name)
    save_artifact("x" * 100, "text")
    found = server.get("/api/v1/storage").json()
    first, text, second = found["artifacts"]
    assert (first["name"], first["kept"] == first["meant"], first["versions"]) == ("first", True, 1)
    assert (second["name"], second["kept"], second["meant"]) == ("second", 0, first["meant"])
    assert text["name"] == "text"
    assert [(each["name"], each["versions"]) for each in found["types"]] == [("numpy.ndarray", 2), ("str", 1)]
    assert found["totals"]["versions"] == 3


def test_a_prune_takes_what_its_preview_has_shown(server: TestClient, run: RunView) -> None:
    """Names and bytes first; then the same goes, and nothing that a run refers to."""
    for number in range(4):
        save_artifact(np.arange(10_000 + number), "scratch")
    plan = server.get(PRUNE, params={"keep_last": 1, "name": "scr*"}).json()
    assert (plan["versions"], plan["names"], plan["dry_run"]) == (3, ["scratch@1", "scratch@2", "scratch@3"], True)
    assert plan["command"] == "lineal artifact prune 'scr*' --keep-last 1"
    assert Client().get_artifact("scratch").version_count == 4
    assert server.get(f"{PRUNE}/job").json() == {"state": None}
    assert server.post(PRUNE, json={"keep_last": 1, "name": "scr*", "versions": 3}).json()["state"] in ("running", "completed")
    job = ended(server, f"{PRUNE}/job")
    done = job["result"]
    assert (job["state"], done["versions"], done["freed"] >= 240_000, done["dry_run"]) == ("completed", 3, True, False)
    told = job["progress"]
    assert (told["all"], told["done"], told["done_bytes"]) == (3, 3, done["freed"])
    assert 240_000 <= told["all_bytes"] <= done["freed"], "what shows them goes too"
    assert Client().get_artifact("scratch").version_count == 1
    assert run.steps["count"].output.load().shape == (5000,)


def test_a_prune_goes_on_when_nobody_waits_for_it_and_there_is_one_at_a_time(server: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request that begins it answers at once; whoever comes later sees how far it is, and what stopped it."""
    go, whole = threading.Event(), pruning.prune

    def slow(*given: Any, **named: Any) -> Any:
        assert go.wait(30)
        return whole(*given, **named)

    monkeypatch.setattr(pruning, "prune", slow)
    save_artifact([1], "scratch")
    assert server.post(PRUNE, json={"versions": 1}).json()["state"] == "running"
    assert server.get(f"{PRUNE}/job").json()["state"] == "running"
    second = server.post(PRUNE, json={"versions": 1})
    assert (second.status_code, "being done already" in second.json()["detail"]) == (409, True)
    go.set()
    assert ended(server, f"{PRUNE}/job")["result"]["versions"] == 1
    assert server.get("/api/v1/artifacts").json()["total"] == 0

    save_artifact([2], "scratch")
    monkeypatch.setattr(pruning, "prune", lambda *_, **__: 1 / 0)
    server.post(PRUNE, json={"versions": 1})
    failed = ended(server, f"{PRUNE}/job")
    assert (failed["state"], failed["error"]) == ("failed", "ZeroDivisionError: division by zero")


def test_a_prune_that_would_take_more_than_was_shown_takes_nothing(server: TestClient) -> None:
    save_artifact([1], "scratch")
    answer = server.post(PRUNE, json={"versions": 0})
    assert (answer.status_code, "look again" in answer.json()["detail"]) == (409, True)
    assert Client().get_artifact("scratch").version_count == 1


@pytest.mark.parametrize("query", [{"older_than": "soon"}, {"keep_last": -1}, {"nope": 1}])
def test_a_selection_that_is_none_is_refused(server: TestClient, query: dict[str, Any]) -> None:
    assert server.get(PRUNE, params=query).status_code in (400, 422)
    assert server.get(PRUNE, params={"older_than": "30d"}).json()["versions"] == 0


def test_who_may_edit_may_not_prune(lineal_home: Path) -> None:
    """A33."""

    class Editing(OwnerAccess):
        def of_token(self, token: str) -> Principal | None:
            return Principal("editor", Role.EDITOR)

    save_artifact([1], "scratch")
    with TestClient(create_app(open_workspace(), Editing("t" * 40), ["testserver"]), headers={"authorization": "Bearer x"}) as server:
        assert server.get(PRUNE).json()["versions"] == 1
        assert server.post(PRUNE, json={"versions": 1}).status_code == 403
    assert Client().get_artifact("scratch").version_count == 1


def test_the_last_verifying_is_remembered_whoever_did_it(server: TestClient, run: RunView, lineal_home: Path) -> None:
    """The command line, or a server before this one; but of these facts, and as long as it can be read."""
    path = "/api/v1/storage/verify"
    assert CliRunner().invoke(cli, ["verify"], obj=State()).exit_code == 0
    told = server.get(path).json()
    assert (told["state"], told["result"]["ok"], told["result"]["read_data"], told["error"]) == ("completed", True, False, None)
    assert told["progress"]["done"] == told["progress"]["all"] == told["result"]["objects"] > 0
    server.post(path, json={"read_data": True})
    assert verified(server)["result"]["read_data"] is True
    Client().verify()
    assert server.get(path).json()["result"]["read_data"] is False
    with TestClient(server.app, headers=server.headers) as again:
        assert again.get(path).json() == server.get(path).json()
    kept = lineal_home / "verified.json"
    for text in (kept.read_text().replace('"facts": "', '"facts": "other'), "{", "[]", "{}"):
        kept.write_text(text)
        assert remembered(lineal_home, open_workspace().metadata.identity()[0]) is None


def test_a_home_that_cannot_be_written_is_verified_all_the_same(run: RunView, lineal_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert Client().verify().ok
    assert [each.name for each in lineal_home.iterdir() if each.name.startswith("verified")] == []


def test_verifying_says_what_is_lost_and_how_it_comes_back(server: TestClient, run: RunView) -> None:
    """Begun, polled, and the last result kept."""
    assert server.get("/api/v1/storage/verify").json() == {"state": None}
    assert server.post("/api/v1/storage/verify", json={"read_data": True}).json()["state"] in ("running", "completed")
    well = verified(server)
    assert (well["state"], well["result"]["ok"], well["result"]["read_data"]) == ("completed", True, True)
    assert well["progress"]["done_bytes"] == well["result"]["bytes"] > 0
    folder = run.steps["count"].output.path.parent
    folder.chmod(0o755)
    shutil.rmtree(folder)
    server.post("/api/v1/storage/verify", json={})
    found = verified(server)["result"]
    [problem] = found["problems"]
    assert (found["ok"], problem["kind"], problem["versions"]) == (False, "missing", ["counting::count::output@1"])
    assert problem["made_by"]
    assert problem["remedy"]


def test_on_a_full_disk_the_audit_keeps_nobody_from_making_room(
    server: TestClient, access: OwnerAccess, run: RunView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F14: what deletes is noted in the space that is kept for deleting; nothing else takes it."""
    held, whole = [0], SqliteMetadataStore.room

    @contextlib.contextmanager
    def room(self: SqliteMetadataStore) -> Iterator[bool]:
        held[0] += 1
        with whole(self) as tight:
            yield tight
        held[0] -= 1

    def append(self: SqliteAccounts, act: Act) -> None:
        noted.append((act.what, bool(held[0])))

    noted: list[tuple[str, bool]] = []
    monkeypatch.setattr(SqliteMetadataStore, "room", room)
    monkeypatch.setattr(SqliteAccounts, "append", append)
    loose, more = (save_artifact([each], "loose") for each in (1, 2))
    server = TestClient(create_app(open_workspace(), access, ["testserver"]), headers=dict(server.headers))
    server.post(f"/api/v1/versions/{loose.id}/pin", json={"pinned": False})
    server.delete(f"/api/v1/versions/{loose.id}")
    server.post("/api/v1/store/delete_versions", json={"version_ids": [str(more.id)]})
    server.delete(f"/api/v1/runs/{run.id}")
    server.post(PRUNE, json={"versions": 2})
    ended(server, f"{PRUNE}/job")
    assert noted == [
        ("pin version", False), ("delete version", True), ("store delete versions", True), ("delete run", True), ("prune", True),
    ]  # fmt: skip
