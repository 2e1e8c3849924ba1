"""How a machine without a browser gets a token."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from lineal.metadata_store import accounts as store
from lineal.server import devices

API = "/api/v1"
PASSWORD = "the engine weaves"


def test_a_machine_gets_a_token_when_somebody_types_its_code(team: Any) -> None:
    machine, eddy = team.browser(), team.browser("eddy")
    begun = machine.post(f"{API}/device", json={"name": "laptop"}).json()
    asking = {"device": begun["device"]}
    assert machine.post(f"{API}/device/token", json=asking).status_code == 202
    assert eddy.post(f"{API}/device/approve", json={"code": "BBBB-BBBB"}).status_code == 403
    assert eddy.post(f"{API}/device/approve", json={"code": begun["code"].lower()}).json() == {"name": "laptop"}
    assert team.browser("vera").post(f"{API}/device/approve", json={"code": begun["code"]}).status_code == 403, "a code is good once"
    token = machine.post(f"{API}/device/token", json=asking).json()
    assert (token["user"], token["role"]) == ("eddy", "editor")
    program = TestClient(team.app, headers={"authorization": f"Bearer {token['token']}"})
    assert program.get(f"{API}/me").json()["name"] == "eddy"
    assert machine.post(f"{API}/device/token", json=asking).status_code == 403, "a token is given once"
    whats = [each.what for each in team.accounts.list_audit(who="eddy").items]
    assert whats[:2] == ["token created", "device approved"]


def test_codes_are_short_lived(team: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = team.browser().post(f"{API}/device", json={}).json()
    now = store.now_micros()
    monkeypatch.setattr(devices, "now_micros", lambda: now + devices.SECONDS * 1_000_001)
    assert team.browser("eddy").post(f"{API}/device/approve", json={"code": begun["code"]}).status_code == 403
    assert team.browser().post(f"{API}/device/token", json={"device": begun["device"]}).status_code == 403


def test_codes_cannot_be_guessed(team: Any) -> None:
    """A24."""
    eddy = team.browser("eddy")
    answers = [eddy.post(f"{API}/device/approve", json={"code": f"BBBB-BBB{each}"}).status_code for each in "BCDFGHJK"]
    assert answers == [403] * 5 + [429] * 3


def test_machines_that_wait_are_bounded(team: Any) -> None:
    """A39."""
    answers = [team.browser().post(f"{API}/device", json={}).status_code for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2


def test_no_token_approves_a_machine(team: Any) -> None:
    """A33: a token makes no other one that way."""
    begun = team.browser().post(f"{API}/device", json={}).json()
    assert team.program("eddy").post(f"{API}/device/approve", json={"code": begun["code"]}).status_code == 403


def test_a_server_with_one_user_has_no_machines(server: TestClient) -> None:
    assert server.post(f"{API}/device", json={}).status_code == 409
    assert server.post(f"{API}/device/login", json={"user": "a", "password": "b"}).status_code == 409


def test_a_machine_gets_a_token_for_name_and_password(team: Any) -> None:
    """A24, A25: guessed as slowly as anywhere, told as little, and given to nobody without a password."""
    machine = team.browser()
    made = machine.post(f"{API}/device/login", json={"user": "Eddy", "password": PASSWORD, "name": "laptop"})
    assert (made.status_code, made.json()["user"], made.json()["role"], made.json()["name"]) == (200, "eddy", "editor", "laptop")
    assert made.headers["cache-control"] == "no-store"
    assert "set-cookie" not in made.headers, "it is no session"
    program = TestClient(team.app, headers={"authorization": f"Bearer {made.json()['token']}"})
    assert program.get(f"{API}/me").json()["name"] == "eddy"
    wrong = [machine.post(f"{API}/device/login", json={"user": name, "password": "x"}).json()["detail"] for name in ("eddy", "nobody")]
    assert wrong[0] == wrong[1]
    guessed = [machine.post(f"{API}/device/login", json={"user": "vera", "password": "x"}).status_code for _ in range(6)]
    assert guessed[-1] == 429
    assert PASSWORD not in str(team.accounts.list_audit().items)
