"""The routes of the metadata store: who may use them, how much they take, and what they do more than a transaction."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lineal import save_artifact
from lineal.errors import UsageError
from lineal.metadata_store.operations import MOST_BYTES, operations
from lineal.model import digest
from lineal.model.records import FileEntry, ObjectRecord, StepCommit, Trust
from lineal.model.states import Status
from lineal.server.access import Principal, Role
from lineal.server.app import create_app
from lineal.server.gate import BODY_LIMIT
from lineal.server.owner import OwnerAccess
from lineal.settings import Settings
from lineal.testing.records import a_run, a_step_run, an_object, an_output
from lineal.views import RunView
from lineal.workspace import Workspace, open_workspace

STORE = "/api/v1/store"


def ask(server: TestClient, name: str, *given: Any, key: str = "", **named: Any) -> Any:
    """Call an operation as a client does."""
    headers = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
    return server.post(f"{STORE}/{name}", content=operations()[name].pack(*given, **named), headers=headers)


def test_each_operation_takes_the_role_of_its_kind(browser: TestClient, access: OwnerAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A33: reads are for all, writes for editors, and what decides for everybody for admins. Nothing is without a role."""
    browser.headers["authorization"] = "Bearer x"
    for role in Role:
        monkeypatch.setattr(access, "of_token", lambda token, role=role: Principal("somebody", role))
        for operation in operations().values():
            allowed = {"read": Role.VIEWER, "write": Role.EDITOR, "look after": Role.ADMIN}[operation.kind] <= role
            answer = browser.post(operation.full_path, content=b"[]", headers={"content-type": "application/json"})
            assert answer.status_code == (400 if allowed else 403), operation.call


def test_there_is_no_operation_that_calls_back(server: TestClient) -> None:
    """Nor one of the protocol's own machinery."""
    for name in ("release", "backup", "room", "close", "takes_bytes", "__init__", "nothing"):
        assert server.post(f"{STORE}/{name}", json={}).status_code in (404, 405), name


def test_a_commit_may_be_large_and_nothing_else(server: TestClient) -> None:
    """A39: the gate knows how much each path takes, before anything is read."""
    large = b'{"name_or_id": "' + b"x" * (2 * BODY_LIMIT) + b'"}'
    headers = {"content-type": "application/json"}
    assert server.post(f"{STORE}/get_run", content=large, headers=headers).status_code == 404
    assert server.post("/api/v1/session", content=large, headers=headers).status_code == 413
    assert server.post(f"{STORE}/get_run", content=b"", headers={**headers, "content-length": str(MOST_BYTES + 1)}).status_code == 413


def test_nobody_sends_a_body_before_saying_who_it_is(browser: TestClient) -> None:
    """A21: 64 MB of a stranger are not parsed."""
    assert browser.post(f"{STORE}/get_run", content=b"not json", headers={"content-type": "application/json"}).status_code == 401


def test_errors_are_problems_with_their_class(server: TestClient) -> None:
    answer = ask(server, "get_run", "nothing")
    assert (answer.status_code, answer.json()["title"]) == (404, "NotFound")
    answer = server.post(f"{STORE}/list_runs", json={"filters": {}, "sort": "; drop", "limit": 1, "offset": 0})
    assert (answer.status_code, answer.json()["title"]) == (400, "UsageError")
    answer = server.post(
        f"{STORE}/begin_run", json={"run": {"id": "../../x", "name": "n", "pipeline": "p", "status": "running", "started": 1}}
    )
    assert (answer.status_code, "UUID" in answer.json()["detail"]) == (400, True)


def test_a_lost_answer_is_given_again(server: TestClient, lineal_home: Any) -> None:
    """F65: what is deleted twice under one key was deleted once, and is no error; without a key it is gone."""
    with open_workspace().inside():
        version = save_artifact(1, "loose")
    wanted = str(version.id)
    for _ in range(2):
        assert ask(server, "delete_versions", [wanted], key="once").status_code == 200
    assert ask(server, "delete_versions", [wanted]).status_code == 404
    assert ask(server, "delete_versions", [wanted], key="other").status_code == 404
    assert ask(server, "totals", key="once").status_code == 200, "reads take no key"
    answer = ask(server, "settle", [], key="once")
    assert (answer.status_code, answer.json()["title"], "another request" in answer.json()["detail"]) == (422, "KeyReused", True)
    answer = ask(server, "settle", [], key="x" * 201)
    assert (answer.status_code, "at most 200 characters" in answer.json()["detail"]) == (400, True)


def test_what_is_asked_again_after_a_restart_is_there_once(server: TestClient, access: OwnerAccess) -> None:
    """F65: answers end with the process of the server; then it is the ids in a call that make what it makes be there once. What takes
    away finds nothing any more.
    """
    run, now = a_run(), 9
    step = a_step_run(run)
    commit = StepCommit(step, (), (an_output(object=an_object(b"1")),))
    again = StepCommit(a_step_run(run, "second"), (), (an_output(object=an_object(b"2")),))
    loose, loose_too = an_output("loose"), an_output("loose")
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("begin_run", (run,), {}),
        ("heartbeat", (run.id, now, []), {}),
        ("finish_step", (commit,), {}),
        ("finish_steps", ([again],), {}),
        ("save_version", (loose, None), {}),
        ("save_version", (loose_too, None), {}),
        ("settle", ([loose.object.digest],), {}),
        ("hold", (run.id, [loose.id]), {}),
        ("update_version", (loose.id,), {"add_tags": ["best"], "exclusive": True, "metadata": {"a": 1}}),
        ("update_artifact", ("loose",), {"add_tags": ["t"]}),
        ("update_run", (run.id,), {"metadata": {"a": 1}}),
        ("finish_run", (replace(run, status=Status.COMPLETED, ended=now),), {}),
        ("crash_run", (run.id, "gone", now), {}),
        ("add_trust", (Trust(loose.object.digest, loose.id, "somebody", now),), {}),
        ("mark_found", ("0" * 64,), {}),
    ]
    taking: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("delete_versions", ([loose_too.id],), {}),
        ("delete_run", (run.id,), {}),
    ]
    with TestClient(create_app(open_workspace(), access, ["testserver"]), headers=dict(server.headers)) as restarted:
        for name, given, named in calls:
            first, second = (ask(each, name, *given, key=name + str(id(given)), **named) for each in (server, restarted))
            assert (first.status_code, second.status_code) == (200, 200), (name, first.text, second.text)
            assert operations()[name].unpack_result(first.content) == operations()[name].unpack_result(second.content), name
        for name, given, named in taking:
            first, second = (ask(each, name, *given, key=name, **named) for each in (server, restarted))
            assert (first.status_code, second.status_code) == (200, 404), name
    found = open_workspace().metadata
    assert [each.version for each in found.list_versions({"artifact": "loose"}, "number", 9, 0).items] == ["1"]
    assert len(found.trust_in(loose.object.digest)) == 1
    looking_after = {"prune", "accept_epoch", "mend_tombstones"}  # these do what is still to do
    assert {name for name, _, _ in calls + taking} | looking_after == {each.call for each in operations().values() if each.takes_key}


def test_what_takes_away_enters_the_audit_and_what_runs_make_does_not(server: TestClient, access: OwnerAccess) -> None:
    """A44: who deleted what; a line for each heartbeat would only hide it."""
    run = a_run()
    ask(server, "begin_run", run)
    ask(server, "heartbeat", run.id, 5, [])
    ask(server, "delete_run", run.id)
    assert access.accounts is not None
    entries = [(each.what, json.loads(each.details)) for each in access.accounts.list_audit(limit=10, offset=0).items]
    assert entries == [
        ("store delete run refused", {"why": "InUse"}),
        ("store delete run", {"arguments": f'{{"run_id":"{run.id}"}}'}),
    ]


def test_a_path_of_the_server_cannot_be_read_by_recording_it(server: TestClient, tmp_path: Path) -> None:
    """A02: registered data may lie anywhere, and an editor may say that it lies where the server keeps its secrets. What comes back, whole or
    in part, is only what whoever recorded it had.
    """
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 600_000)
    ids = []
    for claimed in ("0" * 64, digest.of_bytes(secret.read_bytes())):
        files = (FileEntry("secret", 600_000, claimed),)
        record = ObjectRecord(digest.of_object(files), 600_000, files, external=str(secret))
        output = an_output("stolen", object=record, materializer="path/1")
        assert ask(server, "save_version", output, None).status_code == 200
        ids.append(output.id)
    for headers, status in (({}, 200), ({"range": "bytes=0-99"}, 206)):
        stolen, known = (server.get(f"/api/v1/versions/{uid}/files/0", headers=headers) for uid in ids)
        assert (stolen.status_code, b"sss" in stolen.content) == (410, False)
        assert (known.status_code, b"sss" in known.content) == (status, True)
    assert b"sss" not in server.get(f"/api/v1/versions/{ids[0]}/visualizations").content


def test_bytes_must_be_in_the_artifact_store_of_the_server(server: TestClient) -> None:
    """Invariant 1 holds against clients too: what the server does not have is not recorded."""
    run = a_run()
    assert ask(server, "begin_run", run).status_code == 200
    answer = ask(server, "save_version", an_output(object=an_object(b"elsewhere", inline=None)), None)
    assert (answer.status_code, answer.json()["title"]) == (410, "ArtifactMissing")
    assert ask(server, "heartbeat", run.id, 5, [a_step_run(run, status="running")]).status_code == 200


def test_answers_are_packed_when_asked(server: TestClient, run: RunView) -> None:
    """Lists travel; on one machine it would cost more than it saves, so clients there do not ask."""
    plain = ask(server, "list_step_runs", str(run.id))
    assert len(plain.json()) == 2
    assert plain.headers["cache-control"] == "no-store"
    server.headers["accept-encoding"] = "identity"
    assert "content-encoding" not in ask(server, "list_step_runs", str(run.id)).headers
    assert plain.headers["content-encoding"] == "gzip"


def test_a_server_has_facts_of_its_own(tmp_path: Any) -> None:
    """One that asked itself would never answer."""
    with pytest.raises(UsageError, match=r"metadata_store is the server https://lineal\.example: open that"):
        create_app(Workspace(Settings(home=tmp_path, metadata_store="https://lineal.example")), OwnerAccess("t" * 43), ["x"])
