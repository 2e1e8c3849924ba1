"""Notes, and what is deleted."""

from starlette.testclient import TestClient

from lineal import Client, save_artifact
from lineal.views import RunView

from .conftest import Team


def test_a_note_is_a_key_of_the_metadata(server: TestClient) -> None:
    """So that it can be asked for as all metadata can; other keys stay."""
    version = save_artifact([1], "numbers", user_metadata={"score": 1})
    found = server.post(f"/api/v1/versions/{version.id}/note", json={"note": "  the good one <b>\n"}).json()
    assert (found["metadata"]["score"], found["metadata"]["note"]) == (1, "the good one <b>")
    assert Client().list_artifact_versions(metadata="note == 'the good one <b>'").total == 1
    assert server.post(f"/api/v1/versions/{version.id}/note", json={"note": "x" * 10_001}).status_code == 422


def test_a_version_that_a_run_made_is_not_deleted_and_the_refusal_names_the_run(server: TestClient, run: RunView) -> None:
    made = run.steps["count"].output
    answer = server.delete(f"/api/v1/versions/{made.id}")
    assert (answer.status_code, answer.json()["title"]) == (409, "InUse")
    assert run.name in answer.json()["detail"]
    loose = save_artifact([1], "loose")
    assert server.delete(f"/api/v1/versions/{loose.id}").status_code == 204
    assert server.get(f"/api/v1/versions/{loose.id}").status_code == 404


def test_what_only_a_run_refers_to_is_told_before_it_is_deleted(server: TestClient, run: RunView) -> None:
    size = sum(step.output.size for step in run.steps.values())
    assert server.get(f"/api/v1/runs/{run.id}/unshared").json() == {"versions": 2, "bytes": size}
    run.steps["count"].output.pin()
    assert server.get(f"/api/v1/runs/{run.id}/unshared").json() == {"versions": 1, "bytes": run.steps["page"].output.size}


def test_a_deleted_run_says_what_nothing_refers_to_any_more(server: TestClient, run: RunView) -> None:
    assert server.delete(f"/api/v1/runs/{run.id}").json() == {"unreferenced": 2}
    assert server.get(f"/api/v1/runs/{run.id}").status_code == 404


def test_deleting_a_run_takes_the_role_of_an_editor_and_enters_the_audit(team: Team, run: RunView) -> None:
    path = f"/api/v1/runs/{run.id}"
    assert team.program("vera").delete(path).status_code == 403
    assert team.program("eddy").delete(path).json() == {"unreferenced": 2}
    found = team.program("ada").get("/api/v1/audit", params={"what": "delete run"}).json()["items"]
    assert [(each["who"], each["object"]) for each in found] == [("eddy", str(run.id))]


def test_a_run_has_a_note_too(server: TestClient, run: RunView) -> None:
    found = server.post(f"/api/v1/runs/{run.id}/note", json={"note": " baseline\n"}).json()
    assert (found["id"], found["metadata"]) == (str(run.id), {"note": "baseline"})
    assert server.get(f"/api/v1/runs/{run.id}").json()["metadata"] == {"note": "baseline"}
