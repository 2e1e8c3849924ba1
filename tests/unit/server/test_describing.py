"""The description of the API is true: whatever it allows is answered as it says, and never with an internal error."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.views import RunView
from lineal.workspace import open_workspace

CHECKS: list[CheckFunction] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, negative_data_rejection,
]  # fmt: skip
EXAMPLES = 15
# Deleting would leave the others nothing to find, a session would end that of the test, and the stream has a test of its own.
APART = {
    "/api/v1/session/end", "/api/v1/runs/{run_id}/events", "/open",
    *(f"/api/v1/store/{call}" for call in ("pair", "prune", "delete_versions", "delete_run", "accept_epoch", "mend_tombstones")),
}  # fmt: skip


@pytest.fixture
def described(server: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/api/v1/openapi.json").json()
    return found


def _shape(operation: Any) -> Any:
    return operation and next(iter(operation["responses"]["200"]["content"].values()))["schema"]


def _without_places(schema: Any) -> Any:
    """Say of lists whose places differ only what may be in them: the library takes `prefixItems` for an error in answers."""
    if isinstance(schema, list):
        return [_without_places(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _without_places(each) for name, each in schema.items()}
    if isinstance(found.get("prefixItems"), list):
        found["items"] = {"anyOf": found.pop("prefixItems")}
    return found


def test_whatever_the_description_allows_is_answered_as_it_says(
    server: TestClient, access: OwnerAccess, run: RunView, described: dict[str, Any]
) -> None:
    """Every operation, with half of the ids those of things that exist."""
    schema = schemathesis.openapi.from_dict(_without_places(described))
    schema.app = create_app(open_workspace(), access, ["testserver"])
    step = run.steps["count"]
    real = {"run_id": str(run.id), "version_id": str(step.output.id), "step_run_id": str(step.id), "place": 0}
    statuses: Counter[tuple[str, int]] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in APART or operation.method == "delete":
            continue

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True,
        )  # fmt: skip
        def ask(case: Any) -> None:
            asked = sum(statuses.values())
            if asked % 2:
                case.path_parameters.update({name: value for name, value in real.items() if name in case.path_parameters})
            response = case.call(headers=dict(server.headers))
            statuses[case.path, response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        ask()
    answered = {path for (path, status) in statuses if status == 200}
    shown = {path for path, methods in described["paths"].items() if _shape(methods.get("get"))}
    assert len(shown) > 10
    assert shown - APART <= answered  # so their shapes were looked at


def test_problems_are_described_for_every_operation(described: dict[str, Any]) -> None:
    """Also which role it takes is not left to be guessed: without a token it is refused."""
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len(operations) > 100
    for operation in operations:
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]
        assert "422" not in operation["responses"]
    roles = {operation["operationId"]: operation.get("x-role") for operation in operations}
    assert [roles[name] for name in ("health", "list_runs", "tag_run", "prune", "store_get_run", "store_finish_step", "store_prune")] == [
        None, "viewer", "editor", "admin", "viewer", "editor", "admin",
    ]  # fmt: skip
    assert len(roles) == len(operations)
    assert described["components"]["schemas"]["Problem"]["required"] == ["detail", "status", "title", "type"]
    assert not any(path.startswith(("/assets", "/open")) for path in described["paths"])
