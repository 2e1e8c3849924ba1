"""The attacks that a server must withstand, each tried. docs/attacks.md has the list, with the tests of single parts that try more."""

import contextlib
import json
import os
import re
import socket
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lineal import Client, pipeline, register_artifact, save_artifact, step
from lineal.errors import MaterializerError, SignInRefused, UsageError
from lineal.model.accounts import Act, Role
from lineal.server.access import COOKIE, Principal, Source
from lineal.server.app import create_app
from lineal.server.people import People
from lineal.server.serve import listen
from lineal.server.team import TeamAccess, new_token
from lineal.types import CSVString, JSONString, MarkdownString
from lineal.workspace import open_workspace

API = "/api/v1"
PASSWORD = "the engine weaves"
NOWHERE = "00000000-0000-0000-0000-000000000000"
ROLES = {"vera": Role.VIEWER, "eddy": Role.EDITOR, "ada": Role.ADMIN}


@step
def count(n: int) -> list[int]:
    return list(range(n))


@pipeline
def counting(n: int = 3000) -> None:
    count(n)


class Team:
    """A server with a viewer, an editor and an admin."""

    def __init__(self) -> None:
        self.accounts = open_workspace().accounts
        self.access = TeamAccess(self.accounts)
        self.app = create_app(open_workspace(), self.access, ["testserver"])
        self.people = People(self.accounts, Principal("test", Role.ADMIN), Source())
        for name, role in ROLES.items():
            self.people.add_user(name, role, PASSWORD)

    def program(self, name: str) -> TestClient:
        """A program with a token of a user."""
        token, text = new_token(self.accounts.get_user(name), "test", ROLES[name], None, 1)
        self.accounts.add_token(token, Act("test", "token created"))
        return TestClient(self.app, headers={"authorization": f"Bearer {text}"}, raise_server_exceptions=False)

    def browser(self, name: str | None = None) -> TestClient:
        """A browser in which a user is signed in."""
        client = TestClient(self.app, raise_server_exceptions=False, follow_redirects=False)
        if name is not None:
            assert client.post(f"{API}/session", json={"name": name, "password": PASSWORD}).status_code == 204
        return client

    def routes(self) -> Iterator[tuple[str, str, Role | None]]:
        """Every route of the app with its method and the role that its guard asks for."""
        for route in self.app._app.routes:
            guards = [each.call.role for each in route.dependant.dependencies if hasattr(each.call, "role")]
            for method in route.methods:
                yield method, route.path, guards[0] if guards else None


@pytest.fixture
def team(lineal_home: Path) -> Team:
    return Team()


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "..%2f..%2fetc", "%2e%2e%2fetc", "%252e%252e%252fetc", "....//etc", "..\\etc", "x%00", "\u2215etc", "/etc/passwd"]
)  # fmt: skip
@pytest.mark.parametrize("before", ["/api/v1/versions/", "/api/v1/runs/", "/assets/", f"/api/v1/versions/{NOWHERE}/files/"])
def test_a01_no_path_of_the_storage_can_be_asked_for(team: Team, before: str, path: str) -> None:
    answer = team.program("ada").get(before + path)
    assert 400 <= answer.status_code < 500
    assert "root:" not in answer.text


def test_a03_a_neighbour_whose_name_begins_alike_is_outside(lineal_home: Path, tmp_path: Path) -> None:
    """Paths are compared part by part, and not as text."""
    folder, neighbour = tmp_path / "data", tmp_path / "data-evil"
    for each in (folder, neighbour):
        each.mkdir()
        (each / "file.txt").write_text("x")
    for target in ("../data-evil/file.txt", str(neighbour / "file.txt"), "../data/../data-evil"):
        link = folder / "link"
        link.symlink_to(target)
        with pytest.raises(UsageError, match="link"):
            register_artifact(str(folder), "data")
        link.unlink()
    assert register_artifact(str(folder), "data").version == "1"


def test_a04_a_link_in_place_of_a_file_is_not_followed(team: Team, tmp_path: Path) -> None:
    """A03, A05: nor is a FIFO waited for."""
    run = counting(20_000)
    secret = tmp_path / "secret"
    secret.write_text("root:x")
    path = run.steps["count"].output.path
    path.parent.chmod(0o755)
    for make in (lambda: path.symlink_to(secret), lambda: os.mkfifo(path)):
        path.unlink()
        make()
        answer = team.program("vera").get(f"{API}/versions/{run.steps['count'].output.id}/files/0")
        assert answer.status_code >= 400
        assert "root:x" not in answer.text


def test_a07_a_name_leaves_neither_the_header_nor_the_folder_of_downloads(team: Team, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / 'a"; filename=evil.html').write_text("x" * 20_000)
    version = save_artifact(folder, "data")
    answer = team.program("vera").get(f"{API}/versions/{version.id}/files/0")
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="a')
    assert disposition.count('"') == 2


def test_a12_nothing_that_a_row_names_is_imported(team: Team) -> None:
    """Whoever writes the database says which materializer and which class: they are names to look up, and no paths to import."""
    version = save_artifact([1, 2], "numbers")
    with contextlib.closing(sqlite3.connect(open_workspace().database)) as rows, rows:
        rows.execute("UPDATE versions SET materializer = 'this/1', type = 'this.Zen', data_type = 'this.Zen', save_type = 'this.Zen'")
    found = team.program("vera").get(f"{API}/versions/{version.id}")
    assert (found.status_code, found.json()["materializer"]) == (200, "this/1")
    with pytest.raises(MaterializerError, match="this/1"):
        Client().get_artifact_version("numbers").load()
    assert "this" not in sys.modules


def test_a16_what_is_shown_has_a_fixed_type(team: Team) -> None:
    """No browser takes text of a user's for a page: the type comes from the kind, is not guessed, and files are saved, not opened."""
    page = "<html><script>alert(1)</script>"
    for value in (MarkdownString(page), CSVString(page), JSONString('"<script>"')):
        version = save_artifact(value, "shown")
        shown = team.program("vera").get(f"{API}/versions/{version.id}/visualizations/0")
        assert shown.headers["content-type"].partition(";")[0] in ("text/plain", "application/json")
        file = team.program("vera").get(f"{API}/versions/{version.id}/files/0")
        assert file.headers["content-type"] == "application/octet-stream"
        assert file.headers["content-disposition"].startswith("attachment")
        assert {answer.headers["x-content-type-options"] for answer in (shown, file)} == {"nosniff"}


def test_a18_nothing_of_a_request_is_shown_as_a_page(team: Team) -> None:
    for path in ("/<script>alert(1)</script>", f"{API}/runs?sort=<script>", "/open?code=<script>"):
        answer = team.browser("vera").get(path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a19_another_site_changes_nothing_and_signs_nobody_in(team: Team) -> None:
    victim = team.browser("ada")
    for headers in ({"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"content-type": "text/plain"}):
        assert victim.post(f"{API}/users", content=b'{"name": "eve"}', headers=headers).status_code in (403, 415)
        body = json.dumps({"name": "vera", "password": PASSWORD}).encode()
        assert victim.post(f"{API}/session", content=body, headers=headers).status_code in (403, 415), "nobody is signed in as another"
    assert victim.get(f"{API}/me").json()["name"] == "ada"
    changing = [route for route in team.routes() if route[0] not in ("POST", "DELETE", "GET")]
    assert changing == [], "GET changes nothing, and there are no other methods"


@pytest.mark.parametrize("host", ["evil.test", "testserver.evil.test", "testserver:81", "127.0.0.1", "", "testserver, evil.test"])
@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/assets/x", "/nothing", "/api/v1/session"])
def test_a20_another_host_is_no_host_of_this_server(team: Team, host: str, path: str) -> None:
    assert team.browser().get(path, headers={"host": host}).status_code == 421


def test_a22_it_listens_on_this_machine_only() -> None:
    """tests/unit/server/test_team_up.py has what is refused when another address is asked for."""
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        with socket.socket() as other, pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", listener.getsockname()[1]))


def test_a23_of_many_who_set_up_at_the_same_moment_one_is_the_admin(lineal_home: Path) -> None:
    access = TeamAccess(open_workspace().accounts)
    token, made = access.new_setup_token(), []
    barrier = threading.Barrier(4)

    def set_up(place: int) -> None:
        barrier.wait()
        with contextlib.suppress(SignInRefused):
            made.append(access.set_up(token, f"user{place}", PASSWORD, Source(f"192.0.2.{place}")))

    threads = [threading.Thread(target=set_up, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(open_workspace().accounts.list_users())) == (1, 1)


def test_a24_guessing_is_slowed_down_whatever_headers_say(team: Team) -> None:
    answers = []
    for place in range(8):
        headers = {"x-forwarded-for": f"192.0.2.{place}", "forwarded": f"for=192.0.2.{place}", "x-real-ip": f"192.0.2.{place}"}
        answers.append(team.browser().post(f"{API}/session", json={"name": "ada", "password": "wrong"}, headers=headers).status_code)
    assert answers == [403] * 5 + [429] * 3


def test_a25_nobody_learns_whether_there_is_a_user(team: Team) -> None:
    said, took = set(), []
    for name in ("ada", "nobody"):
        begun = time.perf_counter()
        answer = team.browser().post(f"{API}/session", json={"name": name, "password": "wrong"})
        took.append(time.perf_counter() - begun)
        said.add((answer.status_code, answer.text))
    assert len(said) == 1
    assert min(took) > max(took) / 10


def test_a27_who_takes_the_database_away_signs_in_nowhere(team: Team, lineal_home: Path) -> None:
    browser, program = team.browser("ada"), team.program("ada")
    secrets = [PASSWORD, browser.cookies[COOKIE], program.headers["authorization"].rpartition("_")[2]]
    kept = b"".join(path.read_bytes() for path in lineal_home.glob("lineal.db*"))
    for secret in secrets:
        assert secret.encode() not in kept
    db = sqlite3.connect(lineal_home / "lineal.db")
    for found in (each[0] for each in db.execute("SELECT digest FROM sessions UNION SELECT digest FROM tokens")):
        assert team.access.of_session(found) is None
        assert team.access.of_token(found) is None
    db.close()


@pytest.mark.parametrize("change", [{"role": "admin"}, {"active": False}, {"password": "another engine"}, None])
def test_a29_a_session_ends_at_once_with_each_change_of_its_user(team: Team, change: dict[str, Any] | None) -> None:
    victim, admin = team.browser("vera"), team.browser("ada")
    assert victim.get(f"{API}/me").status_code == 200
    path = f"{API}/users/vera" if change else f"{API}/users/vera/delete"
    assert admin.post(path, json=change or {}).status_code in (200, 204)
    assert victim.get(f"{API}/me").status_code == 401


def test_a31_every_route_refuses_who_is_not_signed_in(team: Team) -> None:
    """A21: and tells nothing, whether what is asked for exists or not."""
    open_to_all = {
        "/",
        "/assets/{name}",
        "/open",
        *(API + each for each in ("/health", "/session", "/setup", "/device", "/device/token", "/device/login")),
    }
    seen = set()
    for method, path, role in team.routes():
        assert (role is None) == (path in open_to_all), path
        if role is not None:
            answer = team.browser().request(method, _filled(path), json={} if method == "POST" else None)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
        seen.add(path)
    assert open_to_all < seen


def test_a32_what_the_server_owns_cannot_be_given(team: Team) -> None:
    run = counting()
    version = f"{API}/versions/{run.steps['count'].output.id}"
    for path, body in (
        (f"{version}/tags", {"add": ["x"], "uri": "file:///etc"}),
        (f"{version}/pin", {"pinned": True, "digest": "0" * 64}),
        (f"{API}/users", {"name": "eve", "active": True}),
        (f"{API}/tokens", {"name": "x", "owner_id": 1}),
    ):
        assert team.program("ada").post(path, json=body).status_code == 422, path


@pytest.mark.parametrize("name", ROLES)
def test_a33_each_role_may_what_it_may_on_every_route_and_no_more(team: Team, name: str) -> None:
    """The matrix of roles and routes; those that are allowed fail for what they ask for, not for who asks."""
    wrong = []
    for method, path, role in team.routes():
        if role is None or path.endswith(("/session/end", "/events")):
            continue
        answer = team.program(name).request(method, _filled(path), json={} if method == "POST" else None)
        is_refused = answer.status_code == 403 and answer.json()["title"] == "Not allowed"
        if is_refused != (ROLES[name] < role):
            wrong.append(f"{method} {path} takes {role.name.lower()}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize(
    "query", ["sort=name;DROP TABLE runs", "name=' OR 1=1 --", "metadata=a = 1) OR (1=1", "status=completed' --", "limit=1 OFFSET 0", "tags=x' OR '1'='1"]
)  # fmt: skip
def test_a36_no_filter_becomes_part_of_a_statement(team: Team, query: str) -> None:
    counting()
    answer = team.program("vera").get(f"{API}/runs?{query}")
    assert answer.status_code < 500
    assert answer.status_code >= 400 or answer.json()["total"] == 0
    assert team.program("vera").get(f"{API}/runs").json()["total"] == 1


@pytest.mark.parametrize("name", ["{0.__class__}", "%(password)s", "${HOME}", "{{7*7}}"])
def test_a37_no_name_is_a_template(team: Team, name: str) -> None:
    body = {"name": "x", "user": name}
    answer = team.program("ada").post(f"{API}/tokens", json=body)
    assert answer.status_code == 400
    assert "49" not in answer.text
    assert "__class__" not in answer.text or name in answer.text


def test_a39_what_is_too_large_is_refused_and_the_server_goes_on(team: Team) -> None:
    program = team.program("ada")
    deep = b'{"add":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    headers = {"content-type": "application/json"}
    for path, content in ((f"{API}/versions/{NOWHERE}/tags", deep), (f"{API}/users", b'{"name":"' + b"x" * 2_000_000 + b'"}')):
        assert 400 <= program.post(path, content=content, headers=headers).status_code < 500
    for query in ("limit=1000000000", "offset=-1", f"name={'x' * 60_000}"):
        assert 400 <= program.get(f"{API}/runs?{query}").status_code < 500
    assert program.get(f"{API}/health").status_code == 200


def test_a41_others_of_the_machine_can_read_nothing_of_it(team: Team, lineal_home: Path) -> None:
    for path in lineal_home.glob("lineal.db*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a44_the_audit_cannot_be_changed_unseen(team: Team, lineal_home: Path) -> None:
    team.browser("vera")
    assert team.accounts.verify_audit()[2] is None
    db = sqlite3.connect(lineal_home / "lineal.db", isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        db.execute("DELETE FROM audit WHERE what = 'login'")
    db.execute("DROP TRIGGER audit_is_not_changed")
    db.execute("UPDATE audit SET who = 'eve' WHERE what = 'login'")
    db.close()
    assert team.accounts.verify_audit()[2] is not None


def test_a46_no_page_is_framed_and_no_address_is_passed_on(team: Team) -> None:
    for path in ("/", f"{API}/health", "/nothing"):
        headers = team.browser().get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-frame-options"], headers["referrer-policy"]) == ("DENY", "no-referrer")


def _filled(path: str) -> str:
    filled = {"name": "nobody", "token_id": "0" * 16, "place": "0"}
    return re.sub(r"\{(\w+)\}", lambda found: filled.get(found[1], NOWHERE), path)
