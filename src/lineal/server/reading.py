"""What can be read: runs, steps, logs, artifacts, versions, lineage."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.client import Client
from lineal.errors import NotFound
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import Json, Port, StepPorts, StepRunRecord, VersionRecord
from lineal.server.answers import answer
from lineal.server.describing import page, refer
from lineal.server.routes import Table
from lineal.views import RunView, StepRunView, VersionView, shapes

ID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
"""What an id looks like."""

Id = Annotated[str, Path(pattern=ID)]
"""An id in a path. Names never stand in paths: they may hold anything, and mean nothing to the storage."""

MOST: Final = 500
"""Rows of one page."""

FACETS: Final = 30
"""Values of one field that are counted for the page of artifacts."""

LOG_BYTES: Final = 256 * 1024
"""Bytes of a log that one answer holds."""

_NONE: Final = StepPorts([], [])


class _Paging(BaseModel):
    """What every list takes. An unknown parameter is an error, as a filter that is silently not applied shows too much."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    tags: list[str] = []
    limit: int = Field(50, ge=1, le=MOST)
    offset: int = Field(0, ge=0, le=1 << 40)


class RunQuery(_Paging):
    """Filters of runs, as `Client.list_pipeline_runs` has them."""

    pipeline: str | None = None
    status: str | None = None
    metadata: list[str] = []
    created_after: str | None = None
    created_before: str | None = None
    sort: str = "-started"


class ArtifactQuery(_Paging):
    """Filters of artifacts, as `Client.list_artifacts` has them."""

    type: str | None = None
    data_type: str | None = None
    sort: str = "-updated"


class VersionQuery(ArtifactQuery):
    """Filters of versions, as `Client.list_artifact_versions` has them."""

    artifact: str | None = None
    version: str | None = None
    pipeline: str | None = None
    step: str | None = None
    run: str | None = None
    metadata: list[str] = []
    created_after: str | None = None
    created_before: str | None = None
    sort: str = "-created"


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` finds what they give."""

    @table.get("/runs", "read", page("RunRow"))
    def list_runs(request: Request, query: Annotated[RunQuery, Query()]) -> Response:
        """List pipeline runs, each with the numbers of its steps."""
        page = client.list_pipeline_runs(**_given(query))
        return answer(request, _page(runs_json(client, page), page.total, page.offset))

    @table.get("/runs/{run_id}", "read", refer("RunDetail"))
    def get_run(request: Request, run_id: Id) -> Response:
        """Give a run with its steps, and what went into and came out of each."""
        return answer(request, run_json(client.get_pipeline_run(run_id)))

    @table.get("/step-runs/{step_run_id}", "read", refer("StepDetail"))
    def get_step_run(request: Request, step_run_id: Id) -> Response:
        """Give one step run: its code as it was, why it ran, and what its key was made of beside the call that it is compared with."""
        return answer(request, _detail_json(client.get_step_run(step_run_id)))

    @table.get("/step-runs/{step_run_id}/log", "read", refer("Log"))
    def get_log(request: Request, step_run_id: Id, offset: Annotated[int, Query(ge=0, le=1 << 40)] = 0) -> Response:
        """Give what a step printed and logged from a byte on, and where the next part begins."""
        text, following = _log(client.get_step_run(step_run_id), offset)
        return answer(request, {"text": text, "next": following})

    @table.get("/artifacts", "read", page("Artifact"))
    def list_artifacts(request: Request, query: Annotated[ArtifactQuery, Query()]) -> Response:
        """List artifacts."""
        page = client.list_artifacts(**_given(query))
        return answer(request, _page([each.to_json() for each in page], page.total, page.offset))

    @table.get("/artifact-facets", "read")
    def list_facets(request: Request) -> Response:
        """Say by which kinds, types and tags artifacts can be told apart, and how many have each: the most frequent of each field."""
        found: dict[str, list[Json]] = {"data_type": [], "type": [], "tag": []}
        for field, value, artifacts in client.workspace.metadata.artifact_facets():
            if len(found[field]) < FACETS:
                found[field].append({"value": value, "artifacts": artifacts})
        return answer(request, found)

    @table.get("/versions", "read", page("Version"))
    def list_versions(request: Request, query: Annotated[VersionQuery, Query()]) -> Response:
        """List artifact versions."""
        page = client.list_artifact_versions(**_given(query))
        return answer(request, _page([each.to_json() for each in page], page.total, page.offset))

    @table.get("/versions/{version_id}", "read", refer("VersionDetail"))
    def get_version(request: Request, version_id: Id) -> Response:
        """Give one version with its producer and its consumers."""
        view = version_of(client, version_id)
        consumers = [_use_json(each) for each in view.consumers]
        return answer(request, {**view.to_json(), "run": None if view.run is None else view.run.name, "consumers": consumers})

    @table.get("/versions/{version_id}/lineage", "read", refer("Lineage"))
    def get_lineage(request: Request, version_id: Id, depth: Annotated[int | None, Query(ge=1, le=1000)] = None) -> Response:
        """Give the graph of what a version comes from and what comes from it, `depth` steps far; `uses` counts all uses of each version in it."""
        version_of(client, version_id)  # raises when there is none
        return answer(request, lineage_json(client.workspace.metadata, version_id, depth))


def version_of(client: Client, version_id: str) -> VersionView:
    """Find a version by its whole id, never by a name that looks like one. Raises NotFound."""
    found = client.workspace.metadata.versions_by_id([version_id]).get(version_id)
    if found is None:
        raise NotFound(f"artifact version {version_id} does not exist; it may have been deleted")
    return VersionView(found, client.workspace)


def runs_json(client: Client, runs: Sequence[RunView]) -> list[Json]:
    """Give runs as a list needs them: with `steps` by state, the seconds that ran, and the seconds that the cache saved."""
    counts = client.workspace.metadata.step_counts([run.record.id for run in runs])
    found: list[Json] = []
    for run in runs:
        own = counts.get(run.record.id, [])
        ran, saved = (sum(each.nanos for each in own if (each.status == "cached") is cached) / 1e9 for cached in (False, True))
        found.append({**run.facts_json(), "steps": {each.status: each.steps for each in own}, "seconds_ran": ran, "seconds_saved": saved})
    return found


def run_json(run: RunView) -> dict[str, Json]:
    """Give a run as its page needs it: with its steps, and its plan, so that steps that have not begun are shown too."""
    metadata = run.workspace.metadata
    ports = metadata.run_ports(run.record.id)
    steps: list[Json] = [step_json(each, ports.get(each.id) or _NONE) for each in metadata.list_step_runs(run.record.id)]
    return {**run.facts_json(), "steps": steps, "plan": run.record.plan}


def step_json(step: StepRunRecord, ports: StepPorts) -> dict[str, Json]:
    """Give a step run with the versions that went in and came out, in order."""
    inputs, outputs = (list({each.port: each._asdict() for each in some}.values()) for some in ports)
    return {**shapes.step_run_json(step), "inputs": inputs, "outputs": outputs}


def lineage_json(metadata: MetadataStore, version_id: str, depth: int | None) -> dict[str, Json]:
    """Give what a version comes from and what comes from it as `LineageView.to_json` does, without the facts that no page shows: there may be
    thousands of each. `uses` says how many step runs used each version, in the graph or not.
    """
    reached = [edge for upstream in (True, False) for edge in metadata.lineage(version_id, upstream=upstream, depth=depth)]
    versions = list(dict.fromkeys([version_id, *(edge.version_id for edge in reached)]))
    steps = metadata.step_run_names(list(dict.fromkeys(edge.step_run_id for edge in reached)))
    runs = {each.run_id: {"id": each.run_id, "name": each.run, "pipeline": each.pipeline} for each in steps}
    return {
        "version": version_id,
        "versions": [each._asdict() for each in metadata.version_names(versions)],
        "step_runs": [
            {"id": each.id, "run_id": each.run_id, "name": each.name, "step": each.step, "status": each.status} for each in steps
        ],
        "runs": list(runs.values()),
        "edges": [shapes.edge_json(edge) for edge in dict.fromkeys(reached)],
        "uses": dict(metadata.use_counts(versions)),
    }


def _detail_json(view: StepRunView) -> dict[str, Json]:
    parts, compared = view.key_parts
    known = {"why": view.why, "source": view.source, "diff": view.code_diff, "run": view.run.name}
    before: Json = None if compared is None else {"id": compared.record.id, "name": compared.name}
    edges = view.workspace.metadata.step_edges(view.record.id)
    ports = StepPorts(*([_port(name, version) for name, version in named] for named in edges))
    return {**step_json(view.record, ports), **known, "key_parts": [part._asdict() for part in parts], "compared_with": before}


def _port(name: str, record: VersionRecord) -> Port:
    return Port(name, record.id, record.artifact, record.version, record.type, record.object.size)


def _use_json(use: StepRunView) -> dict[str, Json]:
    return {"id": use.record.id, "step": use.name, "status": use.status.value, "run_id": use.record.run_id, "run": use.run.name}


def _given(query: BaseModel) -> dict[str, Any]:
    return {name: value for name, value in query.model_dump().items() if value not in (None, [])}


def _page(items: Sequence[Json], total: int, offset: int) -> dict[str, Json]:
    return {"items": list(items), "total": total, "offset": offset}


def _log(view: StepRunView, offset: int) -> tuple[str, int]:
    file = view.workspace.open_log(view.record.run_id, view.record.id)
    if file is None:
        return "", 0
    with file:
        file.seek(offset)
        data = file.read(LOG_BYTES)
    if len(data) == LOG_BYTES and b"\n" in data:
        data = data[: data.rindex(b"\n") + 1]  # whole lines, so that no character is cut in two
    return data.decode("utf-8", "replace"), offset + len(data)
