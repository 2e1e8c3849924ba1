"""What differs between two versions, as the server tells it."""

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from lineal import save_artifact
from lineal.server import comparing
from lineal.views import RunView

from .conftest import counting


class Odd:
    """Pickled, as nothing else keeps it."""

    def __init__(self, number: int) -> None:
        self.number = number


def test_two_tables_are_compared_as_the_client_does_it(server: TestClient) -> None:
    """Parts for people, the same as data for programs, and the command."""
    one = save_artifact(pd.DataFrame({"a": [1, 2, 3]}), "frame", user_metadata={"score": 1})
    other = save_artifact(pd.DataFrame({"a": [1, 2, 9], "b": ["x", "y", "z"]}), "frame", user_metadata={"score": 2})
    found = server.get("/api/v1/compare/versions", params={"a": str(one.id), "b": str(other.id)}).json()
    assert found["summary"] == one.diff(other).summary
    assert [part["title"] for part in found["parts"]] == [part.title for part in one.diff(other).parts()]
    assert (found["values"]["kind"], found["values"]["changed_cells"]) == ("table", 1)
    assert {each["path"]: each["after"] for each in found["metadata"]}["metadata['score']"] == "2"
    assert found["command"] == "lineal artifact diff frame@1 frame@2"
    keyed = server.get("/api/v1/compare/versions", params={"a": str(one.id), "b": str(other.id), "key": "a"}).json()
    assert keyed["values"]["matched_by"] == "key a"
    assert server.get("/api/v1/compare/versions", params={"a": str(one.id), "b": str(other.id), "key": "no"}).status_code == 400


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_what_can_run_code_is_not_loaded_and_the_rest_is_told(server: TestClient) -> None:
    """A01: no value is unpickled, and the answer says so, with the facts, and the command that may."""
    one, other = (save_artifact(Odd(number), "odd", user_metadata={"n": number}) for number in (1, 2))
    found = server.get("/api/v1/compare/versions", params={"a": str(one.id), "b": str(other.id)}).json()
    assert found["values"] is None
    assert "can run code" in found["not_compared"]
    assert any(part["title"] == "facts" for part in found["parts"])
    assert found["command"] == "lineal artifact diff odd@1 odd@2"


def test_large_values_are_not_loaded(server: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LARGEST", 1000)
    one, other = (save_artifact(np.arange(1000 + place), "array") for place in (0, 1))
    found = server.get("/api/v1/compare/versions", params={"a": str(one.id), "b": str(other.id)}).json()
    assert (found["values"], "the server loads up to 1.0 kB" in found["not_compared"]) == (None, True)
    same = server.get("/api/v1/compare/versions", params={"a": str(one.id), "b": str(one.id)}).json()
    assert same["same"] is True


def test_only_ids_are_compared(server: TestClient) -> None:
    assert server.get("/api/v1/compare/versions", params={"a": "model@1", "b": "latest"}).status_code == 422


def test_runs_stand_side_by_side(server: TestClient, run: RunView) -> None:
    """In the order that was asked for, with the command that shows the same."""
    other = counting(n=7)
    found = server.get("/api/v1/compare/runs", params={"run": [str(other.id), str(run.id)]}).json()
    assert [each["name"] for each in found["runs"]] == [other.name, run.name]
    assert found["command"] == f"lineal runs compare {other.name} {run.name}"
    parameters = next(each for each in found["sections"] if each["title"] == "parameters")
    assert parameters["rows"] == [{"name": "n", "values": ["7", "5000"], "same": False}]
    for wrong in ([str(run.id)], [str(run.id), "latest"], [str(run.id)] * 11):
        assert server.get("/api/v1/compare/runs", params={"run": wrong}).status_code == 422
    assert server.get("/api/v1/compare/runs", params={"run": [str(run.id)] * 2}).status_code == 400
