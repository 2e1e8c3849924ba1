"""The JSON of each fact: what `--json` prints. Names stay; new ones may be added.

Times are text in UTC, such as `2026-06-01T12:30:05.123456Z`; durations are seconds. Parameters are typed JSON, as stored.
"""

from functools import lru_cache

from lineal.model.records import ArtifactRecord, Edge, Json, RunRecord, StepRunRecord, VersionRecord
from lineal.model.text import moment


def version_json(record: VersionRecord, uri: str) -> dict[str, Json]:
    """Give an artifact version."""
    return {
        "id": record.id,
        "name": record.artifact,
        "version": record.version,
        "uri": uri,
        "digest": record.object.digest,
        "size": record.object.size,
        "files": [{"path": entry.path, "size": entry.size, "digest": entry.digest} for entry in record.object.files],
        "type": record.type,
        "data_type": record.data_type,
        "materializer": record.materializer,
        "save_type": record.save_type,
        "created": time_text(record.created),
        "pipeline": record.pipeline,
        "step": record.step,
        "output": record.output,
        "run_id": record.run_id,
        "step_run_id": record.step_run_id,
        "tags": list(record.tags),
        "metadata": dict(record.metadata),
        "pinned": record.pinned,
        "state": record.state,
        "pruned": time_text(record.pruned),
    }


def artifact_json(record: ArtifactRecord) -> dict[str, Json]:
    """Give an artifact."""
    return {
        "name": record.name,
        "versions": record.versions,
        "latest": record.latest,
        "type": record.type,
        "data_type": record.data_type,
        "size": record.size,
        "tags": list(record.tags),
        "created": time_text(record.created),
        "updated": time_text(record.updated),
    }


def run_json(record: RunRecord) -> dict[str, Json]:
    """Give a pipeline run, without its steps."""
    return {
        "id": record.id,
        "name": record.name,
        "pipeline": record.pipeline,
        "status": record.status.value,
        "started": time_text(record.started),
        "ended": time_text(record.ended),
        "duration": _seconds(record.duration),
        "parameters": dict(record.parameters),
        "tags": list(record.tags),
        "metadata": dict(record.metadata),
        "error": record.error,
        "orchestrator": record.orchestrator,
        "durability": record.durability,
        "environment": dict(record.environment),
    }


def step_run_json(record: StepRunRecord) -> dict[str, Json]:
    """Give a step run, without its inputs and outputs."""
    return {
        "id": record.id,
        "run_id": record.run_id,
        "name": record.name,
        "step": record.step,
        "status": record.status.value,
        "started": time_text(record.started),
        "ended": time_text(record.ended),
        "duration": _seconds(record.duration),
        "cache_key": record.cache_key,
        "cached_from": record.cached_from,
        "undeclared": record.ingredients.get("undeclared", {}),
        "peak_memory": record.ingredients.get("peak_memory"),
        "parameters": dict(record.parameters),
        "metadata": dict(record.metadata),
        "error": record.error,
    }


def edge_json(edge: Edge) -> dict[str, Json]:
    """Give an edge of a lineage, in the direction in which data went."""
    start, end = (edge.version_id, edge.step_run_id) if edge.direction == "input" else (edge.step_run_id, edge.version_id)
    return {"from": start, "to": end, "kind": edge.direction, "name": edge.name}


def time_text(micros: int | None) -> str | None:
    """Give a recorded time, in microseconds since 1970, as text in UTC; None for none."""
    if micros is None:
        return None
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second_text(seconds)}.{rest:06}Z"


@lru_cache(1024)  # the steps of a run begin and end in few seconds
def _second_text(seconds: int) -> str:
    return moment(seconds * 1_000_000).strftime("%Y-%m-%dT%H:%M:%S")


def _seconds(nanos: int | None) -> float | None:
    return None if nanos is None else nanos / 1e9
