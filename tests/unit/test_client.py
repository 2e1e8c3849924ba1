"""Finding and listing what pipelines left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest

from lineal import ArtifactConfig, Client, pipeline, step
from lineal.errors import InvalidName, NotFound, UsageError
from lineal.model.states import Status
from lineal.workspace import open_workspace


@step
def number(n: int) -> Annotated[int, ArtifactConfig(name="number", tags=["odd", "small"])]:
    return n


@step
def text(n: int) -> Annotated[str, "text"]:
    return str(n)


@pipeline(tags=["daily"])
def counting(n: int = 1) -> None:
    number(n)


@pipeline
def writing(n: int = 1) -> None:
    text(n)


@pytest.fixture
def client() -> Client:
    for n in (1, 2, 3):
        counting(n)
    writing(1)
    return Client()


def test_a_version_is_found_by_name_number_id_and_prefix(client: Client) -> None:
    newest = client.get_artifact_version("number")
    assert newest.version == "3"
    assert newest == client.get_artifact_version("number", 3) == client.get_artifact_version("number", "latest")
    assert newest == client.get_artifact_version(newest.id) == client.get_artifact_version(str(newest.id)[:-1])
    assert client.get_artifact_version("number", "1").load() == 1


def test_what_is_not_there_is_a_key_error_with_the_closest_names(client: Client) -> None:
    with pytest.raises(NotFound, match="did you mean 'number'"):
        client.get_artifact_version("nubmer")
    with pytest.raises(KeyError, match="has no version '9'"):
        client.get_artifact_version("number", 9)
    with pytest.raises(NotFound, match="did you mean"):
        client.get_pipeline_run(client.list_pipeline_runs()[0].name[:-1] + "x")
    with pytest.raises(NotFound, match="did you mean 'number'"):
        client.get_artifact("nubmer")
    with pytest.raises(NotFound):
        client.get_step_run("00000000-0000-7000-8000-000000000000")


def test_no_run_at_all_is_said() -> None:
    with pytest.raises(NotFound, match="there is no run yet"):
        Client().get_pipeline_run("latest")


@pytest.mark.parametrize("version", [0, -1, True, 1.5, ""])
def test_a_version_that_cannot_be_is_refused(client: Client, version: object) -> None:
    with pytest.raises(InvalidName):
        client.get_artifact_version("number", version)  # type: ignore[arg-type]


def test_an_id_is_no_name_of_an_artifact(client: Client) -> None:
    id = client.get_artifact_version("number").id
    with pytest.raises(NotFound, match="that is the id of a version of 'number'"):
        client.get_artifact(str(id))
    with pytest.raises(NotFound):
        client.get_artifact("n*")


def test_runs_and_step_runs_are_found(client: Client) -> None:
    newest = client.list_pipeline_runs()[0]
    assert newest == client.get_pipeline_run(newest.name) == client.get_pipeline_run(newest.id)
    assert newest == client.get_pipeline_run("latest")
    assert client.get_step_run(newest.steps["text"].id) == newest.steps["text"]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 4),
        ({"name": "counting-*"}, 3),
        ({"pipeline": "writing"}, 1),
        ({"status": "completed"}, 4),
        ({"status": Status.FAILED}, 0),
        ({"tags": "daily"}, 3),
        ({"tags": ["daily", "weekly"]}, 0),
        ({"created_after": datetime.now(UTC) - timedelta(days=1)}, 4),
        ({"created_before": "2001-01-01"}, 0),
        ({"created_after": "2001-01-01T12:00:00+02:00"}, 4),
        ({"created_after": datetime(2001, 1, 1)}, 4),  # noqa: DTZ001 - what a user may give
    ],
)
def test_runs_are_filtered(client: Client, filters: dict[str, object], count: int) -> None:
    assert client.list_pipeline_runs(**filters).total == count  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["text@1", "number@3", "number@2", "number@1"]),
        ({"name": "num*"}, ["number@3", "number@2", "number@1"]),
        ({"artifact": "number", "version": 2}, ["number@2"]),
        ({"tags": ["odd", "small"], "limit": 1}, ["number@3"]),
        ({"type": "str"}, ["text@1"]),
        ({"data_type": "model"}, []),
        ({"pipeline": "counting", "sort": "created", "offset": 2}, ["number@3"]),
        ({"step": "text"}, ["text@1"]),
    ],
)
def test_versions_are_filtered(client: Client, filters: dict[str, object], found: list[str]) -> None:
    assert [f"{each.name}@{each.version}" for each in client.list_artifact_versions(**filters)] == found  # type: ignore[arg-type]


def test_versions_of_a_run_by_name_or_id(client: Client) -> None:
    run = client.list_pipeline_runs(pipeline="writing")[0]
    for given in (run.name, run.id):
        assert [each.name for each in client.list_artifact_versions(run=given)] == ["text"]


def test_artifacts_are_listed(client: Client) -> None:
    assert [each.name for each in client.list_artifacts()] == ["text", "number"]
    assert [each.name for each in client.list_artifacts(sort="name", limit=1)] == ["number"]
    assert [each.version_count for each in client.list_artifacts("num*", tags="odd", type="int", data_type="data")] == [3]


def test_a_page_knows_how_many_there_are(client: Client) -> None:
    page = client.list_artifact_versions(limit=2, offset=1)
    assert (len(page), page.total, page.offset) == (2, 4, 1)
    assert page == client.list_artifact_versions()[1:3]


def test_a_time_keeps_its_microseconds(client: Client) -> None:
    run = client.list_pipeline_runs(sort="started")[1]
    assert client.list_pipeline_runs(created_after=run.start_time).total == 3
    assert client.list_pipeline_runs(created_after=run.start_time + timedelta(microseconds=1)).total == 2


LISTS: list[Callable[[Client], Callable[..., object]]] = [
    lambda client: client.list_artifacts,
    lambda client: client.list_artifact_versions,
    lambda client: client.list_pipeline_runs,
]


@pytest.mark.parametrize("listed", LISTS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"colour": "red"}, "'colour' is not a filter of this list; there are: .*tags.*limit"),
        ({"sort": "colour"}, "cannot be sorted by 'colour'"),
        ({"limit": 0}, "limit must be"),
        ({"limit": True}, "limit must be"),
        ({"offset": -1}, "offset must be"),
    ],
)
def test_a_wrong_list_is_refused_with_what_there_is(
    listed: Callable[[Client], Callable[..., object]], arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        listed(Client())(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"status": "fine"}, "'fine' is not a state of a run; there are: pending, running"),
        ({"created_after": "soon"}, "'soon' is not a time"),
    ],
)
def test_a_wrong_value_of_a_filter_is_refused(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Client().list_pipeline_runs(**arguments)  # type: ignore[arg-type]


def test_the_stack_names_its_folder(client: Client, lineal_home: Path) -> None:
    stack = client.active_stack
    assert (stack.name, stack.orchestrator) == ("default", "local")
    assert Path(stack.artifact_store.path).is_dir()
    assert Path(stack.artifact_store.path).is_relative_to(lineal_home)


def test_a_client_can_be_given_a_workspace() -> None:
    workspace = open_workspace()
    assert Client(workspace).workspace is workspace
