"""What a server runs on."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.settings import Settings, shown
from lineal.workspace import Workspace


def test_the_settings_in_force_are_told_without_secrets(lineal_home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A26."""
    monkeypatch.setenv("LINEAL_TOKEN", "lineal_0_secret")
    workspace = Workspace(Settings.load())
    app = create_app(workspace, OwnerAccess("t" * 40), ["testserver"])
    with TestClient(app, headers={"authorization": f"Bearer {'t' * 40}"}) as server:
        answer = server.get("/api/v1/settings")
    found = answer.json()
    settings = {each["name"]: each for each in found["settings"]}
    assert (settings["token"]["value"], settings["token"]["source"]) == ("(set, not shown)", "environment")
    assert "secret" not in answer.text
    assert found["stores"]["metadata"] == f"sqlite:///{workspace.database}"
    assert found["stores"]["metadata_id"] == workspace.metadata.identity()[0]
    assert found["versions"]["lineal"]


def test_a_password_in_a_url_is_never_shown() -> None:
    assert shown("metadata_store", "postgresql://me:pa:ss@host/db") == "postgresql://me:***@host/db"
    assert shown("quiet", True) is True
    assert shown("artifact_store", "") is None


def test_only_an_admin_is_told(team: Any) -> None:
    assert team.browser("eddy").get("/api/v1/settings").status_code == 403
    assert team.browser("ada").get("/api/v1/settings").status_code == 200
