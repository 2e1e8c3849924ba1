"""Overviews: the first page, pipelines, what steps are called, and what only one run refers to."""

from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.client import Client
from lineal.model.records import Json, PipelineRecord, Totals
from lineal.model.states import Status
from lineal.server.answers import answer
from lineal.server.describing import listing, refer
from lineal.server.reading import MOST, Id, runs_json
from lineal.server.routes import Table
from lineal.views.shapes import time_text

NEWEST: Final = 10
"""Versions and problems on the first page."""

STRIP: Final = 30
"""Runs on the first page: the newest as bars beside each other."""

RECENT: Final = 100
"""Runs, the newest, in which calls of steps are found."""


class CallQuery(BaseModel):
    """The name of a call, `*` for anything."""

    model_config = ConfigDict(extra="forbid")

    name: str
    limit: int = Field(50, ge=1, le=MOST)


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` finds what they give."""

    @table.get("/home", "read", refer("Home"))
    def home(request: Request) -> Response:
        """Give the newest runs and versions, what is stored in all, and what went wrong lately."""
        runs = runs_json(client, client.list_pipeline_runs(limit=STRIP))
        problems = [
            run.facts_json() for status in (Status.FAILED, Status.CRASHED) for run in client.list_pipeline_runs(status=status, limit=NEWEST)
        ]
        versions: list[Json] = [each.to_json() for each in client.list_artifact_versions(limit=NEWEST)]
        problems.sort(key=lambda run: str(run["started"]), reverse=True)
        totals = totals_json(client.workspace.metadata.totals())
        return answer(request, {"runs": runs, "versions": versions, "problems": problems[:NEWEST], "totals": totals})

    @table.get("/step-runs", "read", listing("Call"))
    def find_calls(request: Request, query: Annotated[CallQuery, Query()]) -> Response:
        """Find calls of steps by name in the newest runs: of each call of a pipeline the newest step run, newest first."""
        found = client.workspace.metadata.recent_calls(query.name, RECENT, query.limit)
        return answer(request, [call._asdict() for call in found])

    @table.get("/runs/{run_id}/unshared", "read", refer("Unshared"))
    def get_unshared(request: Request, run_id: Id) -> Response:
        """Say how many versions nothing would refer to any more if a run was deleted, and their bytes."""
        run = client.get_pipeline_run(run_id)
        return answer(request, client.workspace.metadata.only_of_runs([run.record.id])._asdict())

    @table.get("/pipelines", "read", listing("Pipeline"))
    def list_pipelines(request: Request) -> Response:
        """List all pipelines with the numbers of their runs, the one that ran last first."""
        return answer(request, [_pipeline_json(each) for each in client.workspace.metadata.list_pipelines()])


def _pipeline_json(record: PipelineRecord) -> dict[str, Json]:
    return {
        "name": record.name, "runs": record.runs, "completed": record.completed, "failed": record.failed, "running": record.running,
        "latest": {
            "id": record.latest_id, "name": record.latest_name, "status": record.latest_status, "started": time_text(record.latest_started),
        },
        "durations": [nanos / 1e9 for nanos in record.durations],
    }  # fmt: skip


def totals_json(totals: Totals) -> dict[str, Json]:
    """Give what is stored in all as JSON."""
    return dict(zip(totals._fields, totals, strict=True))
