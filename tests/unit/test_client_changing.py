"""The client's forms for pipelines, step runs and changes: get, list, update and delete."""

from typing import Annotated

import pytest

from lineal import Client, log_metadata, pipeline, step
from lineal.errors import InUse, InvalidName, NotFound, UsageError
from lineal.model.naming import new_id
from lineal.model.states import Status
from lineal.testing.records import a_run


@step
def make(n: int) -> Annotated[int, "number"]:
    log_metadata({"n": n})
    return n


@step
def fail() -> int:
    raise ValueError("no")


@pipeline
def counting(n: int = 1) -> None:
    make(n)
    make(n + 10)


@pipeline
def failing() -> None:
    fail()


@pytest.fixture
def client() -> Client:
    """Give a client after three runs of two pipelines."""
    counting(1)
    counting(2)
    with pytest.raises(ValueError, match="no"):
        failing()
    return Client()


def test_step_runs_are_listed_across_runs(client: Client) -> None:
    """Filters are what a step run and its run are; an unknown one is an error."""
    assert [each.name for each in client.list_step_runs()] == ["fail", "make_2", "make", "make_2", "make"]
    newest = client.list_pipeline_runs(pipeline="counting")[0]
    assert [each.name for each in client.list_step_runs(run=newest.id, sort="name")] == ["make", "make_2"]
    assert client.list_step_runs("make*", limit=1).total == client.list_step_runs(step="make").total == 4
    assert [each.error is not None for each in client.list_step_runs(status=Status.FAILED)] == [True]
    assert client.list_step_runs(pipeline="failing").total == 1
    assert client.list_step_runs(created="<2020-01-01").total == 0
    assert client.get_step_run(client.list_step_runs()[0].id).name == "fail"
    for wrong in ({"stpe": "make"}, {"status": "flying"}, {"sort": "colour"}):
        with pytest.raises(UsageError, match=r"there are:|fields are:"):
            client.list_step_runs(**wrong)  # type: ignore[arg-type]


def test_pipelines_are_found_by_what_ran(client: Client) -> None:
    """The one that ran last comes first; a mistyped name is an error with the closest one."""
    assert [each.name for each in client.list_pipelines()] == ["failing", "counting"]
    found = client.get_pipeline("counting")
    assert (found.run_count, found.last_run) == (2, client.list_pipeline_runs(pipeline="counting")[0])
    assert found.to_json()["last_run"]["name"] == found.last_run.name
    assert repr(found).startswith("<pipeline counting: 2 runs, last ")
    assert "counting" in found._repr_html_()
    with pytest.raises(NotFound, match="did you mean 'counting'"):
        client.get_pipeline("countign")


def test_deleting_a_pipeline_deletes_its_runs(client: Client) -> None:
    """Versions stay until they are pruned; while one of the runs goes on, nothing is deleted."""
    going = client.workspace.metadata.begin_run(a_run(pipeline="counting", process=client.workspace.life.token(), id=new_id()))
    with pytest.raises(InUse, match="while 1 of its runs go on"):
        client.delete_pipeline("counting")
    assert client.get_pipeline("counting").run_count == 3
    client.workspace.metadata.crash_run(going.id, "ended", 5)
    assert client.delete_pipeline("counting") == 4
    assert [each.name for each in client.list_pipelines()] == ["failing"]
    assert client.list_artifact_versions("number").total == 4
    with pytest.raises(NotFound, match="pipeline 'counting' does not exist"):
        client.delete_pipeline("counting")


def test_versions_and_runs_are_changed_in_one_go(client: Client) -> None:
    """Tags come and go, metadata is added to, a pin is set or left as it is."""
    version = client.update_artifact_version("number", 1, add_tags=["a", "b"], metadata={"by": "hand"}, pinned=True)
    assert (version.tags, version.metadata["by"], version.pinned) == (["a", "b"], "hand", True)
    version = client.update_artifact_version(version.id, remove_tags="a")
    assert (version.tags, version.metadata["by"], version.pinned) == (["b"], "hand", True)
    assert client.update_artifact_version("number").version == "4", "the newest by default"
    run = client.update_pipeline_run("latest", add_tags="x", metadata={"note": "y"})
    assert (run.tags, run.metadata, run.pipeline) == (["x"], {"note": "y"}, "failing")
    assert client.update_pipeline_run(run.name, remove_tags=["x"]).tags == []


def test_a_change_that_cannot_be_is_refused(client: Client) -> None:
    """Before anything is changed."""
    with pytest.raises(InvalidName, match="tag"):
        client.update_artifact_version("number", add_tags=["ok", " no"], pinned=True)
    with pytest.raises(UsageError, match="metadata of number@4"):
        client.update_artifact_version("number", add_tags="ok", metadata={"x": object()})
    with pytest.raises(UsageError, match="metadata of run"):
        client.update_pipeline_run("latest", add_tags="ok", metadata={"x": object()})
    newest = client.get_artifact_version("number")
    assert (newest.tags, newest.pinned, client.get_pipeline_run("latest").tags) == ([], False, [])
    with pytest.raises(NotFound, match="did you mean 'number'"):
        client.update_artifact("nubmer", add_tags="x")
