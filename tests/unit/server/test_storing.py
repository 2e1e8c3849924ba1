"""What takes space, what may go, and whether everything is there."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from lineal import Client, save_artifact
from lineal.server.access import Principal, Role
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.views import RunView
from lineal.workspace import open_workspace

PRUNE = "/api/v1/storage/prune"


def verified(server: TestClient) -> Any:
    for _ in range(500):
        found = server.get("/api/v1/storage/verify").json()
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
    done = server.post(PRUNE, json={"keep_last": 1, "name": "scr*", "versions": 3}).json()
    assert (done["versions"], done["freed"] >= 240_000, done["dry_run"]) == (3, True, False)
    assert Client().get_artifact("scratch").version_count == 1
    assert run.steps["count"].output.load().shape == (5000,)


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
