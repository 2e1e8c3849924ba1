"""Users, tokens and the audit over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from lineal.model.accounts import Role
from lineal.server.access import COOKIE
from lineal.server.app import create_app
from lineal.server.team import CONFIRMED_SECONDS, TeamAccess
from lineal.views import RunView
from lineal.workspace import open_workspace

PASSWORD = "the engine weaves"
API = "/api/v1"


def test_everybody_is_told_who_they_are(team: Any, server: TestClient) -> None:
    assert team.browser("vera").get(f"{API}/me").json() == {
        "name": "vera", "role": "viewer", "kind": "person", "team": True, "confirmed": True,
    }  # fmt: skip
    assert team.program("ada", Role.VIEWER).get(f"{API}/me").json()["role"] == "viewer"
    assert server.get(f"{API}/me").json() == {"name": "owner", "role": "admin", "kind": "owner", "team": False, "confirmed": True}


def test_anybody_is_told_how_one_signs_in(team: Any, browser: TestClient) -> None:
    assert team.browser().get(f"{API}/health").json().items() >= {"status": "ok", "team": True, "needs_setup": False}.items()
    assert browser.get(f"{API}/health").json().items() >= {"status": "ok", "team": False, "needs_setup": False}.items()


def test_the_first_admin_is_made_in_the_browser(lineal_home: object) -> None:
    access = TeamAccess(open_workspace().accounts)
    token = access.new_setup_token()
    with TestClient(create_app(open_workspace(), access, ["testserver"])) as browser:
        assert browser.get(f"{API}/health").json()["needs_setup"] is True
        wrong = browser.post(f"{API}/setup", json={"token": "guessed", "name": "eve", "password": PASSWORD})
        assert wrong.status_code == 403
        weak = browser.post(f"{API}/setup", json={"token": token, "name": "ada", "password": "password12"})
        assert (weak.status_code, "first that are guessed" in weak.json()["detail"]) == (400, True)
        assert browser.post(f"{API}/setup", json={"token": token, "name": "ada", "password": PASSWORD}).status_code == 204
        assert browser.get(f"{API}/me").json()["name"] == "ada"
        assert browser.post(f"{API}/setup", json={"token": token, "name": "eve", "password": PASSWORD}).status_code == 403


def test_users_are_added_changed_and_deleted(team: Any) -> None:
    admin, vera = team.browser("ada"), team.browser("vera")
    added = admin.post(f"{API}/users", json={"name": "Rob.O", "role": "editor"})
    assert (added.status_code, added.json()["name"], added.json()["kind"]) == (200, "rob.o", "service")
    assert admin.post(f"{API}/users", json={"name": "rob.o"}).status_code == 409
    assert admin.post(f"{API}/users/vera", json={"role": "editor"}).json()["role"] == "editor"
    assert vera.get(f"{API}/me").status_code == 401, "a change of role ends the session"
    assert team.browser("vera").get(f"{API}/me").json()["role"] == "editor"
    assert admin.post(f"{API}/users/rob.o/delete", json={}).status_code == 204
    assert [each["name"] for each in admin.get(f"{API}/users").json()] == ["ada", "eddy", "vera"]
    assert "argon2" not in admin.get(f"{API}/users").text
    assert admin.post(f"{API}/users/ada/delete", json={}).status_code == 409


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users", {"name": "eve", "is_admin": True}),
        ("/users", {"name": "eve", "role": "owner"}),
        ("/users/vera", {"kind": "service"}),
        ("/users/vera", {"created": 1}),
        ("/tokens", {"name": "x", "digest": "0" * 64}),
        ("/tokens", {"name": "x", "days": 10_000}),
        ("/session", {"name": "ada", "password": PASSWORD, "role": "admin"}),
        ("/session", {"name": "ada"}),
        ("/session", {}),
    ],
)
def test_what_a_body_may_not_hold_is_refused(team: Any, path: str, body: dict[str, object]) -> None:
    """A32."""
    assert team.browser("ada").post(API + path, json=body).status_code == 422


def test_a_change_of_accounts_takes_a_password_given_lately(team: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A29: a browser that was left open cannot be used to stay for ever."""
    admin = team.browser("ada")
    now = team.access._clock()
    monkeypatch.setattr(team.access, "_clock", lambda: now + CONFIRMED_SECONDS * 1_000_000)
    for path, body in (("/users", {"name": "x"}), ("/users/vera", {"role": "admin"}), ("/tokens", {"name": "x"})):
        refused = admin.post(API + path, json=body)
        assert (refused.status_code, refused.json()["confirm"]) == (403, True), path
    assert admin.post(f"{API}/session/confirm", json={"password": "wrong"}).status_code == 403
    assert admin.post(f"{API}/session/confirm", json={"password": PASSWORD}).status_code == 204
    assert admin.post(f"{API}/tokens", json={"name": "x"}).status_code == 200


def test_a_password_is_changed_with_the_one_so_far(team: Any) -> None:
    """A29: all other sessions of the user end; the one in which it was changed goes on as another one."""
    one, other = team.browser("vera"), team.browser("vera")
    before = one.cookies[COOKIE]
    change = {"current": PASSWORD, "password": "another engine"}
    assert one.post(f"{API}/me/password", json={**change, "current": "wrong"}).status_code == 403
    assert one.post(f"{API}/me/password", json={**change, "password": "short"}).status_code == 400
    assert one.post(f"{API}/me/password", json=change).status_code == 204
    assert (one.get(f"{API}/me").status_code, other.get(f"{API}/me").status_code) == (200, 401)
    assert one.cookies[COOKIE] != before
    assert team.program("vera").post(f"{API}/me/password", json=change).status_code == 403, "a token is no password"
    assert team.browser().post(f"{API}/session", json={"name": "vera", "password": PASSWORD}).status_code == 403


def test_a_token_is_shown_once_and_revoked_at_once(team: Any) -> None:
    editor = team.browser("eddy")
    made = editor.post(f"{API}/tokens", json={"name": "ci", "role": "viewer", "days": 30})
    assert made.headers["cache-control"] == "no-store"
    token = made.json()
    assert token["token"].startswith(f"lineal_{token['id']}_")
    [listed] = editor.get(f"{API}/tokens").json()
    assert (listed["name"], listed["role"], "token" in listed) == ("ci", "viewer", False)
    program = TestClient(team.app, headers={"authorization": f"Bearer {token['token']}"})
    assert program.get(f"{API}/me").json() == {"name": "eddy", "role": "viewer", "kind": "person", "team": True, "confirmed": True}
    assert editor.post(f"{API}/tokens/{token['id']}/revoke", json={}).status_code == 204
    assert program.get(f"{API}/me").status_code == 401
    assert editor.post(f"{API}/tokens/{token['id']}/revoke", json={}).status_code == 404


def test_nobody_gets_more_than_they_have(team: Any) -> None:
    """A33: not by a token for oneself, for others, or for a service, nor by those of others."""
    editor, admin = team.browser("eddy"), team.browser("ada")
    assert editor.post(f"{API}/tokens", json={"name": "x", "role": "admin"}).status_code == 403
    assert editor.post(f"{API}/tokens", json={"name": "x", "user": "ada"}).status_code == 403
    assert admin.post(f"{API}/tokens", json={"name": "x", "user": "eddy"}).status_code == 403, "an admin does not act as somebody else"
    admin.post(f"{API}/users", json={"name": "robot", "role": "editor"})
    assert admin.post(f"{API}/tokens", json={"name": "x", "user": "robot", "role": "admin"}).status_code == 403
    robot = admin.post(f"{API}/tokens", json={"name": "x", "user": "robot"}).json()
    assert (robot["user"], robot["role"]) == ("robot", "editor")
    weak = team.program("ada", Role.VIEWER)
    assert weak.post(f"{API}/tokens", json={"name": "x", "role": "editor"}).status_code == 403, "a token makes none that may more"
    assert weak.post(f"{API}/tokens", json={"name": "x"}).json()["role"] == "viewer"
    mine = admin.post(f"{API}/tokens", json={"name": "mine"}).json()["id"]
    assert editor.post(f"{API}/tokens/{mine}/revoke", json={}).status_code == 404, "as if it were not there"
    assert mine not in editor.get(f"{API}/tokens").text
    assert editor.get(f"{API}/tokens?everybody=true").status_code == 403
    assert mine in admin.get(f"{API}/tokens?everybody=true").text


def test_too_many_logins_are_told_when_to_come_back(team: Any) -> None:
    """A24: and a forwarded address that anybody can write changes nothing."""
    for place in range(5):
        wrong = {"name": "ada", "password": "wrong"}
        assert team.browser().post(f"{API}/session", json=wrong, headers={"x-forwarded-for": f"192.0.2.{place}"}).status_code == 403
    answer = team.browser().post(f"{API}/session", json={"name": "ada", "password": PASSWORD}, headers={"x-forwarded-for": "192.0.2.9"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_what_is_done_is_recorded(team: Any, run: RunView) -> None:
    """A44: who, what, on which object, with which request, from where."""
    editor, admin = team.browser("eddy"), team.browser("ada")
    version = str(run.steps["count"].output.id)
    assert editor.post(f"{API}/versions/{version}/tags", json={"add": ["good\r\n"]}).status_code in (200, 400)
    assert editor.post(f"{API}/versions/{version}/pin", json={"pinned": True}).status_code == 200
    editor.post(f"{API}/session/end", json={})
    page = admin.get(f"{API}/audit", params={"who": "eddy"}).json()
    whats = [each["what"] for each in page["items"]]
    assert whats[:2] == ["logout", "pin version"]
    assert whats[-1] == "login"
    pin = page["items"][1]
    assert (pin["object"], pin["details"], pin["peer"]) == (version, '{"change":{"pinned":true}}', "testclient")
    assert len(pin["request"]) == 16
    assert admin.get(f"{API}/audit", params={"what": "tag version"}).json()["total"] == 1
    check = admin.get(f"{API}/audit/check").json()
    assert (check["wrong"], check["entries"]) == (None, admin.get(f"{API}/audit").json()["total"])
    assert team.browser("vera").get(f"{API}/audit").status_code == 403


def test_what_was_refused_is_recorded_too(team: Any) -> None:
    nowhere = "00000000-0000-0000-0000-000000000000"
    assert team.browser("eddy").post(f"{API}/versions/{nowhere}/pin", json={"pinned": True}).status_code == 404
    entries = team.accounts.list_audit(object=nowhere).items
    assert [each.what for each in entries] == ["pin version refused", "pin version"]
    assert entries[0].details == '{"why":"NotFound"}'


def test_no_secret_is_recorded(team: Any) -> None:
    """A26."""
    admin = team.browser("ada")
    admin.post(f"{API}/users", json={"name": "bob", "password": "bobs own engine"})
    admin.post(f"{API}/users/bob", json={"password": "bobs next engine"})
    token = admin.post(f"{API}/tokens", json={"name": "ci"}).json()["token"]
    text = admin.get(f"{API}/audit").text
    for secret in (PASSWORD, "bobs own engine", "bobs next engine", token.rpartition("_")[2], admin.cookies[COOKIE]):
        assert secret not in text
