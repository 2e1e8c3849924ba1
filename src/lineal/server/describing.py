"""What the API says of itself: the shapes that operations name as their answers, and that everything that goes wrong is a problem of
RFC 9457.

Answers are written as they are and pass through no model, which would cost more than to make them. So that the description stays true, a
test calls every operation with what the description allows, and holds the answers against it.
"""

from collections.abc import Iterable
from typing import Any, Final

from lineal.model.operation import Operation, Schema
from lineal.server.once import LONGEST_KEY

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_WHOLE: Final[Schema] = {"type": "integer"}
_TIME: Final[Schema] = {"type": "string", "description": "RFC 3339, in UTC"}
_ID: Final[Schema] = {"type": "string", "format": "uuid"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: dict[str, Schema], /, **optional: Schema) -> Schema:
    return {"type": "object", "required": sorted(required), "properties": {**required, **optional}}


def _many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def refer(name: str) -> Schema:
    """Give the schema of one of COMPONENTS."""
    return {"$ref": f"#/components/schemas/{name}"}


def listing(name: str) -> Schema:
    """Give the schema of a list of one of COMPONENTS."""
    return _many(refer(name))


def page(name: str) -> Schema:
    """Give the schema of one page of such a list."""
    return _object({"items": _many(refer(name)), "total": _WHOLE, "offset": _WHOLE})


_RUN: Final = {
    "id": _ID, "name": _TEXT, "pipeline": _TEXT, "status": refer("Status"), "started": _TIME, "duration": _or_null(_NUMBER),
    "parameters": {"type": "object"}, "tags": _many(_TEXT), "error": _or_null(_TEXT),
}  # fmt: skip
_PORT: Final = _object({"port": _TEXT, "id": _ID, "name": _TEXT, "version": _TEXT, "type": _TEXT, "size": _WHOLE})
_STEP: Final = {
    "id": _ID, "name": _TEXT, "step": _TEXT, "status": refer("Status"), "inputs": _many(_PORT), "outputs": _many(_PORT),
}  # fmt: skip
_VERSION: Final = {
    "id": _ID, "name": _TEXT, "version": _TEXT, "type": _TEXT, "data_type": _TEXT, "size": _WHOLE, "digest": _TEXT, "created": _TIME,
    "tags": _many(_TEXT), "metadata": {"type": "object"}, "pinned": {"type": "boolean"},
}  # fmt: skip

COMPONENTS: Final[dict[str, Schema]] = {
    "Problem": _object(
        {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "detail": _TEXT},
        errors=_many(_object({"where": _TEXT, "what": _TEXT})),
        request=_TEXT,
    ),
    "Status": {"enum": ["pending", "running", "completed", "cached", "failed", "skipped", "cancelled", "crashed"]},
    "Run": _object(_RUN),
    "RunRow": _object(
        {**_RUN, "steps": {"type": "object", "additionalProperties": _WHOLE}, "seconds_ran": _NUMBER, "seconds_saved": _NUMBER}
    ),
    "RunDetail": _object({**_RUN, "steps": _many(refer("Step")), "plan": _or_null(_many({"type": "object"}))}),
    "Step": _object(_STEP),
    "Unshared": _object({"versions": _WHOLE, "bytes": _WHOLE}),
    "Call": _object({"id": _ID, "name": _TEXT, "status": refer("Status"), "run_id": _ID, "run": _TEXT, "pipeline": _TEXT}),
    "StepDetail": _object({**_STEP, "source": _or_null(_TEXT), "run": _TEXT}),
    "Artifact": _object({"name": _TEXT, "versions": _WHOLE, "size": _WHOLE, "type": _TEXT, "data_type": _TEXT, "tags": _many(_TEXT)}),
    "Version": _object(_VERSION),
    "VersionName": _object({"id": _ID, "name": _TEXT, "version": _TEXT, "type": _TEXT, "digest": _TEXT}),
    "VersionDetail": _object({**_VERSION, "run": _or_null(_TEXT), "consumers": _many({"type": "object"})}),
    "Lineage": _object(
        {
            "version": _ID,
            "versions": _many(refer("VersionName")),
            "step_runs": _many({"type": "object"}),
            "runs": _many({"type": "object"}),
        }
    ),
    "Totals": _object(dict.fromkeys(("runs", "artifacts", "versions", "objects", "bytes_kept", "bytes_meant"), _WHOLE)),
    "Pipeline": _object(
        {"name": _TEXT, "runs": _WHOLE, "completed": _WHOLE, "failed": _WHOLE, "running": _WHOLE, "durations": _many(_NUMBER)},
        latest=_object({"id": _ID, "name": _TEXT, "status": refer("Status"), "started": _TIME}),
    ),
    "Home": _object(
        {"runs": listing("RunRow"), "versions": listing("Version"), "problems": listing("Run"), "totals": refer("Totals")},
    ),
    "Log": _object({"text": _TEXT, "next": _WHOLE}),
    "Job": _object(
        {"state": {"enum": [None, "running", "completed", "failed"]}},
        started=_TIME,
        ended=_or_null(_TIME),
        progress=_object(dict.fromkeys(("all", "done", "all_bytes", "done_bytes"), _WHOLE)),
        result=_or_null({"type": "object"}),
        error=_or_null(_TEXT),
    ),
}

_PROBLEM: Final = {"description": "What went wrong, and what to do", "content": {"application/problem+json": {"schema": refer("Problem")}}}

_KEY: Final = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": LONGEST_KEY},
    "description": "Stands for this one call: when it is asked again because its answer was lost, it is done once and gives the first answer",
}  # fmt: skip


def describe(document: Schema, operations: Iterable[Operation]) -> Schema:
    """Complete what FastAPI found out by itself: answers and problems of every operation, and how to sign in."""
    parts = document.setdefault("components", {})
    schemas = {name: schema for name, schema in parts.get("schemas", {}).items() if name not in ("HTTPValidationError", "ValidationError")}
    parts["schemas"] = schemas | COMPONENTS
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for each in operations:
        if not each.is_page:
            _complete(document["paths"][each.full_path][each.method.lower()], each, parts["schemas"])
    return document


def _complete(described: Schema, operation: Operation, schemas: Schema) -> None:
    answer = _named(operation.answer, schemas)
    described["responses"] = {
        "200": {"description": "The answer", "content": {operation.media: {"schema": answer}}},
        "default": _PROBLEM,
    }
    if operation.method != "GET":
        described["responses"]["204"] = {"description": "Done"}
    if operation.body is not None:
        content = {"application/json": {"schema": _named(operation.body, schemas)}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.takes_key:
        described["parameters"] = [_KEY]
    if operation.role is not None:
        described["security"] = [{"token": []}]
        described["x-role"] = operation.role.name.lower()


def _named(schema: Any, schemas: Schema) -> Any:
    """Give a schema in which each one with a title is referred to, and add that one to `schemas`."""
    if isinstance(schema, list):
        return [_named(each, schemas) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _named(each, schemas) for name, each in schema.items()}
    title = found.get("title")
    if not isinstance(title, str):  # a property may be called so
        return found
    schemas[title] = found
    return refer(title)
