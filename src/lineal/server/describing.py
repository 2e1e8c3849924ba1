"""What the API says of its answers: the shape of what is read most, and that everything that goes wrong is a problem of RFC 9457.

Answers are written as they are and pass through no model, which would cost more than to make them. So that the description stays true, a
test calls every operation with what the description allows, and holds the answers against it.
"""

from collections.abc import Iterable
from typing import Any, Final

from lineal.server.routes import Route

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_WHOLE: Final[Schema] = {"type": "integer"}
_TIME: Final[Schema] = {"type": "string", "description": "RFC 3339, in UTC"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: dict[str, Schema], /, **optional: Schema) -> Schema:
    return {"type": "object", "required": sorted(required), "properties": {**required, **optional}}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _refer(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _page(name: str) -> Schema:
    return _object({"items": _list(_refer(name)), "total": _WHOLE, "offset": _WHOLE})


_RUN: Final = {
    "id": _ID, "name": _TEXT, "pipeline": _TEXT, "status": _refer("Status"), "started": _TIME, "duration": _or_null(_NUMBER),
    "parameters": {"type": "object"}, "tags": _list(_TEXT), "error": _or_null(_TEXT),
}  # fmt: skip
_PORT: Final = _object({"port": _TEXT, "id": _ID, "name": _TEXT, "version": _TEXT, "type": _TEXT, "size": _WHOLE})
_STEP: Final = {
    "id": _ID, "name": _TEXT, "step": _TEXT, "status": _refer("Status"), "inputs": _list(_PORT), "outputs": _list(_PORT),
}  # fmt: skip
_VERSION: Final = {
    "id": _ID, "name": _TEXT, "version": _TEXT, "type": _TEXT, "data_type": _TEXT, "size": _WHOLE, "digest": _TEXT, "created": _TIME,
    "tags": _list(_TEXT), "metadata": {"type": "object"}, "pinned": {"type": "boolean"},
}  # fmt: skip

COMPONENTS: Final[dict[str, Schema]] = {
    "Problem": _object(
        {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "detail": _TEXT},
        errors=_list(_object({"where": _TEXT, "what": _TEXT})),
        request=_TEXT,
    ),
    "Status": {"enum": ["pending", "running", "completed", "cached", "failed", "skipped", "cancelled", "crashed"]},
    "Run": _object(_RUN),
    "RunRow": _object(
        {**_RUN, "steps": {"type": "object", "additionalProperties": _WHOLE}, "seconds_ran": _NUMBER, "seconds_saved": _NUMBER}
    ),
    "RunDetail": _object({**_RUN, "steps": _list(_refer("Step")), "plan": _or_null(_list({"type": "object"}))}),
    "Step": _object(_STEP),
    "StepDetail": _object({**_STEP, "source": _or_null(_TEXT), "run": _TEXT}),
    "Artifact": _object({"name": _TEXT, "versions": _WHOLE, "size": _WHOLE, "type": _TEXT, "data_type": _TEXT, "tags": _list(_TEXT)}),
    "Version": _object(_VERSION),
    "VersionName": _object({"id": _ID, "name": _TEXT, "version": _TEXT, "type": _TEXT, "digest": _TEXT}),
    "VersionDetail": _object({**_VERSION, "run": _or_null(_TEXT), "consumers": _list({"type": "object"})}),
    "Lineage": _object(
        {
            "version": _ID,
            "versions": _list(_refer("VersionName")),
            "step_runs": _list({"type": "object"}),
            "runs": _list({"type": "object"}),
        }
    ),
    "Totals": _object(dict.fromkeys(("runs", "artifacts", "versions", "objects", "bytes_kept", "bytes_meant"), _WHOLE)),
    "Pipeline": _object(
        {"name": _TEXT, "runs": _WHOLE, "completed": _WHOLE, "failed": _WHOLE, "running": _WHOLE, "durations": _list(_NUMBER)},
        latest=_object({"id": _ID, "name": _TEXT, "status": _refer("Status"), "started": _TIME}),
    ),
}

ANSWERS: Final[dict[str, Schema]] = {
    "/runs": _page("RunRow"),
    "/runs/{run_id}": _refer("RunDetail"),
    "/step-runs/{step_run_id}": _refer("StepDetail"),
    "/step-runs/{step_run_id}/log": _object({"text": _TEXT, "next": _WHOLE}),
    "/artifacts": _page("Artifact"),
    "/versions": _page("Version"),
    "/versions/{version_id}": _refer("VersionDetail"),
    "/versions/{version_id}/lineage": _refer("Lineage"),
    "/home": _object({
        "runs": _list(_refer("RunRow")), "versions": _list(_refer("Version")), "problems": _list(_refer("Run")), "totals": _refer("Totals"),
    }),
    "/pipelines": _list(_refer("Pipeline")),
}  # fmt: skip
"""What reading gives, by path."""

_BYTES: Final = frozenset({"/versions/{version_id}/files/{place}", "/versions/{version_id}/visualizations/{place}"})
_STREAM: Final = frozenset({"/runs/{run_id}/events"})
_PROBLEM: Final = {"description": "What went wrong, and what to do", "content": {"application/problem+json": {"schema": _refer("Problem")}}}


def describe(document: Schema, routes: Iterable[Route]) -> Schema:
    """Complete what FastAPI found out by itself: answers and problems of every operation, and how to sign in."""
    for route in routes:
        if route.is_page:
            continue
        operation = document["paths"][route.full_path][route.method.lower()]
        operation["responses"] = {"200": _answer(route), "default": _PROBLEM}
        if route.method != "GET":
            operation["responses"]["204"] = {"description": "Done"}
        if route.role is not None:
            operation["security"] = [{"token": []}]
    parts = document.setdefault("components", {})
    schemas = {name: schema for name, schema in parts.get("schemas", {}).items() if name not in ("HTTPValidationError", "ValidationError")}
    parts["schemas"] = {**schemas, **COMPONENTS}
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document


def _answer(route: Route) -> Schema:
    if route.path in _BYTES:
        return {"description": "Bytes", "content": {"*/*": {}}}
    if route.path in _STREAM:
        return {"description": "Events `run` and `end`", "content": {"text/event-stream": {"schema": _TEXT}}}
    schema = ANSWERS.get(route.path, {}) if route.method == "GET" else {}
    return {"description": "The answer", "content": {"application/json": {"schema": schema}}}
