"""Who may ask for what, and what is answered."""

import inspect
import json
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.routing import Route
from starlette.testclient import TestClient

from lineal import Client, get_step_context, pipeline, save_artifact, step
from lineal.server.access import COOKIE, Principal, Role
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.server.reading import ArtifactQuery, RunQuery, VersionQuery
from lineal.server.routes import PREFIX
from lineal.views import RunView
from lineal.workspace import open_workspace

PUBLIC = {
    "/",
    "/assets/{name}",
    "/open",
    "/api/v1/health",
    "/api/v1/session",
    "/api/v1/setup",
    "/api/v1/device",
    "/api/v1/device/token",
    "/api/v1/device/login",
}
"""Paths that answer anybody. A new one is a decision: it tells nothing about what is stored."""


def routes(server: TestClient) -> list[Route]:
    return list(server.app._app.routes)  # type: ignore[attr-defined]


def test_every_route_has_a_policy(server: TestClient) -> None:
    """A31: denied by default. Walks the router of the app, not the table that it was made from."""
    seen = set()
    for route in routes(server):
        roles = [each.call.role for each in route.dependant.dependencies if hasattr(each.call, "role")]  # type: ignore[attr-defined]
        assert len(roles) == (0 if route.path in PUBLIC else 1), route.path
        seen.add(route.path)
    assert seen > PUBLIC


def test_the_description_names_the_role_that_each_route_asks_for(server: TestClient) -> None:
    """Both are made of the table; a route that is in one and not in the other would be a second way in."""
    described = server.get(f"{PREFIX}/openapi.json").json()["paths"]
    for route in routes(server):
        roles = [each.call.role.name.lower() for each in route.dependant.dependencies]  # type: ignore[attr-defined]
        for method in route.methods or ():
            if route.path.startswith(PREFIX):
                assert described[route.path][method.lower()].get("x-role") == (roles[0] if roles else None), route.path
    assert {route.path for route in routes(server) if route.path.startswith(PREFIX)} == set(described)


@pytest.mark.parametrize(
    ("query", "method"),
    [(RunQuery, Client.list_pipeline_runs), (ArtifactQuery, Client.list_artifacts), (VersionQuery, Client.list_artifact_versions)],
)
def test_lists_take_what_the_client_takes(query: type[BaseModel], method: Any) -> None:
    """With the same defaults; `created` is the short form of the two that say from and to."""
    parameters = inspect.signature(method).parameters
    assert set(query.model_fields) == set(parameters) - {"self", "unknown", "created"}
    for name in ("sort", "limit", "offset"):
        assert query.model_fields[name].default == parameters[name].default


def test_without_a_session_nothing_is_told(browser: TestClient, run: RunView) -> None:
    """A21: other people of the same machine reach the port. Every path that is not public answers 401, also for what does not exist."""
    ids = {
        "{run_id}": str(run.id),
        "{version_id}": str(run.steps["count"].output.id),
        "{step_run_id}": str(run.steps["count"].id),
        "{place}": "0",
    }
    for route in routes(browser):
        if route.path in PUBLIC:
            continue
        path = route.path
        for name, value in ids.items():
            path = path.replace(name, value)
        for method in route.methods or ():
            answer = browser.request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
            assert "counting" not in answer.text


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic dDp0", "bearer", f"Bearer {'t' * 42}"])
def test_another_token_is_none(browser: TestClient, header: str) -> None:
    assert browser.get("/api/v1/runs", headers={"authorization": header}).status_code == 401


def test_a_link_opens_the_dashboard_once(browser: TestClient, access: OwnerAccess) -> None:
    """The cookie is out of reach of scripts and of other sites; the link is not asked for twice."""
    link = f"/open?code={access.new_link()}"
    answer = browser.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert browser.get("/api/v1/runs").status_code == 200
    assert browser.get(link).status_code == 403
    assert browser.post("/api/v1/session/end", json={}).status_code == 204
    browser.cookies.clear()
    browser.cookies.set(COOKIE, cookie.partition("=")[2].partition(";")[0])
    assert browser.get("/api/v1/runs").status_code == 401, "the session is over, not only its cookie"


def test_two_servers_of_a_machine_do_not_end_each_others_sessions(access: OwnerAccess) -> None:
    """Browsers give the cookies of one port to all ports of a host."""
    app = create_app(open_workspace(), access, ["localhost:8237", "localhost:8238"])
    names = set()
    for port in (8237, 8238):
        with TestClient(app, base_url=f"http://localhost:{port}", follow_redirects=False) as client:
            names.add(client.get(f"/open?code={access.new_link()}").headers["set-cookie"].partition("=")[0])
            assert client.get("/api/v1/runs").status_code == 200
    assert len(names) == 2


def test_the_token_opens_a_session_but_never_in_an_address(browser: TestClient) -> None:
    """A26."""
    assert browser.get(f"/open?code={'t' * 43}").status_code == 403
    assert browser.post("/api/v1/session", json={"token": "wrong"}).status_code == 403
    assert browser.post("/api/v1/session", json={"token": "t" * 43}).status_code == 204
    assert browser.get("/api/v1/runs").status_code == 200


def test_a_viewer_changes_nothing(run: RunView) -> None:
    """A33: each route says which role it takes; the error says which one there is."""

    class Looking(OwnerAccess):
        def of_token(self, token: str) -> Principal | None:
            return Principal("guest", Role.VIEWER)

    app = create_app(open_workspace(), Looking("t" * 40), ["testserver"])
    with TestClient(app, headers={"authorization": "Bearer x"}) as server:
        version = run.steps["count"].output
        assert server.get("/api/v1/runs").status_code == 200
        answer = server.post(f"/api/v1/versions/{version.id}/tags", json={"add": ["x"]})
        assert (answer.status_code, answer.json()["detail"]) == (403, "this takes the role editor; yours is viewer")
        assert Client().get_artifact_version(version.id).tags == []


def test_runs_are_listed_with_their_steps(server: TestClient, run: RunView) -> None:
    page = server.get("/api/v1/runs", params={"pipeline": "counting", "limit": 1}).json()
    assert (page["total"], page["offset"]) == (1, 0)
    [found] = page["items"]
    assert (found["id"], found["steps"], found["seconds_saved"]) == (str(run.id), {"completed": 2}, 0)
    assert server.get("/api/v1/runs?status=failed").json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/runs?nope=1", "query.nope"),
        ("/runs?limit=100000", "query.limit"),
        ("/runs?offset=-1", "query.offset"),
        ("/runs/../../etc", "nothing at this path"),
        ("/runs/latest", "path.run_id"),
        ("/versions/model", "path.version_id"),
        ("/versions?sort=;drop", "cannot be sorted"),
        ("/versions?metadata=1 OR 1", "metadata"),
        ("/runs?status=' OR 1=1 --", "is not a state"),
    ],
)
def test_what_is_not_known_is_refused_with_its_name(server: TestClient, path: str, says: str) -> None:
    """A36, A39: an unknown filter, field or path is an error, never ignored and never part of a statement."""
    answer = server.get(PREFIX + path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def test_a_run_tells_its_steps_edges_and_plan(server: TestClient, run: RunView) -> None:
    found = server.get(f"/api/v1/runs/{run.id}").json()
    first, second = found["steps"]
    assert [each["name"] for each in found["plan"]] == ["count", "page"]
    assert [(each["port"], each["id"]) for each in first["outputs"]] == [("output", str(run.steps["count"].output.id))]
    assert second["inputs"][0]["id"] == first["outputs"][0]["id"]
    detail = server.get(f"/api/v1/step-runs/{first['id']}").json()
    assert "def count" in detail["source"]
    assert detail["why"]
    assert server.get("/api/v1/runs/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_run_that_goes_on_tells_what_is_to_come(server: TestClient) -> None:
    """From its begin, when no step has ended yet."""
    found = {}

    @step
    def early() -> int:
        found.update(server.get(f"/api/v1/runs/{get_step_context().run_id}").json())
        return 1

    @step
    def late(n: int) -> int:
        return n

    @pipeline
    def going() -> None:
        late(early())

    going()
    assert (found["status"], found["ended"]) == ("running", None)
    assert [(each["name"], each["upstream"]) for each in found["plan"]] == [("early", []), ("late", ["early"])]


def test_a_log_is_read_in_parts(server: TestClient, run: RunView) -> None:
    path = f"/api/v1/step-runs/{run.steps['count'].id}/log"
    first = server.get(path).json()
    assert first == {"text": "counting\n", "next": 9}
    assert server.get(path, params={"offset": 9}).json() == {"text": "", "next": 9}
    assert server.get(f"/api/v1/step-runs/{run.steps['page'].id}/log").json() == {"text": "", "next": 0}


def test_a_version_tells_who_uses_it(server: TestClient, run: RunView) -> None:
    version = run.steps["count"].output
    found = server.get(f"/api/v1/versions/{version.id}").json()
    assert (found["name"], found["run"]) == ("counting::count::output", run.name)
    assert [(each["step"], each["run"]) for each in found["consumers"]] == [("page", run.name)]
    lineage = server.get(f"/api/v1/versions/{version.id}/lineage?depth=1").json()
    assert {each["name"] for each in lineage["versions"]} == {"counting::count::output", "counting::page::output"}
    assert lineage["runs"] == [{"id": str(run.id), "name": run.name, "pipeline": "counting"}]
    assert [(each["name"], each["status"], each["run_id"]) for each in lineage["step_runs"]] == [
        ("count", "completed", str(run.id)),
        ("page", "completed", str(run.id)),
    ]
    assert set(lineage["step_runs"][0]) == {"id", "run_id", "name", "step", "status"}, "no facts that no page shows: there may be thousands"


def test_tags_and_pins_are_changed_in_place(server: TestClient, run: RunView) -> None:
    version = run.steps["count"].output
    path = f"/api/v1/versions/{version.id}"
    assert server.post(f"{path}/tags", json={"add": ["production", "old"], "exclusive": True}).json()["tags"] == ["production", "old"]
    assert server.post(f"{path}/tags", json={"remove": ["old"]}).json()["tags"] == ["production"]
    assert server.post(f"{path}/pin", json={"pinned": True}).json()["pinned"] is True
    assert server.post(f"/api/v1/runs/{run.id}/tags", json={"add": ["keep"]}).json()["tags"] == ["keep"]
    assert Client().get_artifact_version(version.id).pinned


@pytest.mark.parametrize("body", [{"pinned": True, "digest": "0"}, {"pinned": "yes"}, {}, [], {"pinned": True, "uri": "/etc"}])
def test_what_is_not_to_be_changed_is_refused(server: TestClient, run: RunView, body: Any) -> None:
    """A32: a body names what it may change, and nothing else."""
    version = run.steps["count"].output
    assert server.post(f"/api/v1/versions/{version.id}/pin", json=body).status_code == 422
    assert not Client().get_artifact_version(version.id).pinned


def test_overviews_count_what_is_stored(server: TestClient, run: RunView) -> None:
    home = server.get("/api/v1/home").json()
    assert (home["totals"]["runs"], home["totals"]["versions"], len(home["runs"]), home["problems"]) == (1, 2, 1, [])
    [pipeline] = server.get("/api/v1/pipelines").json()
    assert (pipeline["name"], pipeline["runs"], len(pipeline["durations"])) == ("counting", 1, 1)
    assert server.get("/api/v1/storage").json()["artifacts"][0]["name"] == "counting::count::output"


def test_what_is_known_is_not_sent_again(server: TestClient, run: RunView) -> None:
    """An ETag for every JSON answer; large ones are compressed."""
    first = server.get("/api/v1/runs")
    again = server.get("/api/v1/runs", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    described = server.get("/api/v1/openapi.json")
    assert described.headers["content-encoding"] == "gzip"
    assert "/api/v1/runs/{run_id}" in described.json()["paths"]


def test_what_is_not_finite_is_text(server: TestClient) -> None:
    """Browsers read standard JSON, which has no form for nan."""
    version = save_artifact(1.5, "odd", user_metadata={"loss": float("nan")})
    answer = server.get(f"/api/v1/versions/{version.id}")
    assert json.loads(answer.text, parse_constant=lambda name: pytest.fail(name))["metadata"] is not None


def test_an_error_of_ours_is_told_without_a_traceback(
    access: OwnerAccess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A18: the page says under which name the log has it, and nothing else."""
    app = create_app(open_workspace(), access, ["testserver"])
    monkeypatch.setattr(Client, "list_artifacts", lambda *_, **__: 1 / 0)
    with TestClient(app, headers={"authorization": f"Bearer {'t' * 43}"}, raise_server_exceptions=False) as server:
        answer = server.get("/api/v1/artifacts")
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert answer.json()["request"] in caplog.text


def test_the_dashboard_is_served_and_its_files_are_looked_up_by_name(browser: TestClient) -> None:
    index = browser.get("/")
    assert index.headers["content-type"].startswith("text/html")
    name = index.text.partition('src="./assets/')[2].partition('"')[0]
    script = browser.get(f"/assets/{name}")
    assert (script.status_code, script.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert browser.get("/assets/passwd").status_code == 404
