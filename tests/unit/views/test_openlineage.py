"""Lineage as OpenLineage events: the shape that version 2-0-2 of the specification asks for."""

import json
import uuid
from datetime import datetime
from typing import Annotated, Any

import pytest

from lineal import Client, pipeline, step


def check_facets(facets: dict[str, Any]) -> None:
    for name, facet in facets.items():
        assert name
        assert facet["_producer"].startswith("https://")
        assert facet["_schemaURL"].startswith("https://openlineage.io/spec/")


def check(event: dict[str, Any]) -> None:
    """Require what the specification requires of a run event."""
    assert event["eventType"] in {"START", "COMPLETE", "ABORT", "FAIL"}
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert event["producer"].startswith("https://")
    assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    assert str(uuid.UUID(event["run"]["runId"])) == event["run"]["runId"]
    check_facets(event["run"]["facets"])
    assert event["job"]["namespace"]
    assert event["job"]["name"]
    check_facets(event["job"]["facets"])
    for dataset in (*event["inputs"], *event["outputs"]):
        assert dataset["namespace"]
        assert dataset["name"]
        check_facets(dataset["facets"])
    parent = event["run"]["facets"]["parent"]
    assert uuid.UUID(parent["run"]["runId"])
    assert parent["job"]["name"]


def test_each_step_run_begins_and_ends(client: Client) -> None:
    """In the order of time, with what went in and came out, and the pipeline's run as its parent."""
    events = client.get_artifact_version("model").lineage().to_openlineage("team")
    json.dumps(events, allow_nan=False)
    for event in events:
        check(event)
    assert [event["eventTime"] for event in events] == sorted(event["eventTime"] for event in events)
    by_run: dict[str, list[str]] = {}
    for event in events:
        by_run.setdefault(event["run"]["runId"], []).append(event["eventType"])
    assert all(types == ["START", "COMPLETE"] for types in by_run.values())
    train = next(event for event in events if event["job"]["name"].endswith(".train") and event["eventType"] == "COMPLETE")
    assert [each["name"] for each in train["inputs"]] == ["numbers"]
    assert [each["name"] for each in train["outputs"]] == ["model"]
    [output] = train["outputs"]
    assert output["namespace"] == train["job"]["namespace"] == "team"
    version = client.get_artifact_version("model", output["facets"]["version"]["datasetVersion"])
    assert output["facets"]["lineal_artifact"]["digest"] == version.digest


def test_a_failed_consumer_fails_and_says_why() -> None:
    """With the error and its traceback; a table says its columns."""
    import pandas as pd

    @step
    def make() -> Annotated[pd.DataFrame, "table"]:
        return pd.DataFrame({"a": [1], "b": ["x"]})

    @step
    def use(table: pd.DataFrame) -> int:
        raise ValueError("too hot")

    @pipeline
    def failing() -> None:
        use(make())

    with pytest.raises(ValueError, match="too hot"):
        failing()
    events = Client().get_artifact_version("table").lineage().to_openlineage()
    [failed] = [event for event in events if event["eventType"] == "FAIL"]
    check(failed)
    error = failed["run"]["facets"]["errorMessage"]
    assert error["message"] == "ValueError: too hot"
    assert error["programmingLanguage"] == "PYTHON"
    assert "Traceback" in error["stackTrace"]
    [table] = failed["inputs"]
    fields = table["facets"]["schema"]["fields"]
    assert fields[0] == {"name": "a", "type": "int64"}
    assert fields[1]["name"] == "b"
    assert failed["outputs"] == []
