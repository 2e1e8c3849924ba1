"""What differs between two versions, as far as a server may look into values; and between runs."""

import shlex
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.client import Client
from lineal.compare.base import Part
from lineal.engine.fingerprint import explain_change
from lineal.model.records import Json, VersionRecord
from lineal.model.text import size_text
from lineal.server.answers import answer
from lineal.server.reading import ID, version_of
from lineal.server.routes import Table
from lineal.views import VersionView
from lineal.views.ancestry import compare_lineages
from lineal.views.base import name_text
from lineal.views.difference import Difference
from lineal.views.run_comparison import MOST, compare_runs

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a version up to which its value is loaded here: a server has other things to do with its memory."""


class PairQuery(BaseModel):
    """Two versions by id: `a` is the one before. `key` names columns by which rows of tables are matched, instead of the index."""

    model_config = ConfigDict(extra="forbid")

    a: str = Field(pattern=ID)
    b: str = Field(pattern=ID)
    key: list[str] = Field([], max_length=20)


class RunsQuery(BaseModel):
    """Runs by id, in the order in which they are shown."""

    model_config = ConfigDict(extra="forbid")

    run: list[Annotated[str, Field(pattern=ID)]] = Field(min_length=2, max_length=MOST)


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` finds what it compares."""

    @table.get("/compare/versions", "read")
    def compare_versions(request: Request, query: Annotated[PairQuery, Query()]) -> Response:
        """Say what differs between two versions: their values, facts and lineages.

        Values that can run code when they are loaded, and large ones, are not loaded: `not_compared` says so, and `command` does it where
        they may be.
        """
        one, other = version_of(client, query.a), version_of(client, query.b)
        return answer(request, difference_json(one, other, query.key))

    @table.get("/compare/runs", "read")
    def compare_several_runs(request: Request, query: Annotated[RunsQuery, Query()]) -> Response:
        """Put runs side by side: parameters, metrics, outputs, code with its diff, packages, environment, steps; differences first."""
        runs = [client.get_pipeline_run(each) for each in query.run]
        command = shlex.join(["lineal", "runs", "compare", *(run.name for run in runs)])
        return answer(request, {**compare_runs(runs).to_json(), "command": command})


def difference_json(one: VersionView, other: VersionView, key: Sequence[str]) -> dict[str, Json]:
    """Give a difference with its `parts` as people read them, and the `command` that shows the same."""
    found = _difference(one, other, key)
    words = [
        "lineal",
        "artifact",
        "diff",
        name_text(one.record),
        name_text(other.record),
        *(word for each in key for word in ("--key", each)),
    ]
    return {**found.to_json(), "parts": [_part_json(part) for part in found.parts()], "command": shlex.join(words)}


def _difference(one: VersionView, other: VersionView, key: Sequence[str]) -> Difference:
    refused = "" if one.digest == other.digest else _refused(one) or _refused(other)
    if not refused:
        return one.diff(other, key=list(key) or None)
    lineage = compare_lineages(one.record, other.record, one.workspace.metadata, explain_change)
    return Difference(one.record, other.record, None, refused, lineage)


def _refused(view: VersionView) -> str:
    """Say why the value of a version is not loaded here; nothing when it is."""
    record: VersionRecord = view.record
    if view.workspace.artifacts.can_run_code(record.materializer):
        return (
            f"{name_text(record)} is stored as {record.materializer}, which can run code when it is loaded, and the server never does that"
        )
    if record.object.size > LARGEST:
        return f"{name_text(record)} has {size_text(record.object.size)}; the server loads up to {size_text(LARGEST)}"
    return ""


def _part_json(part: Part) -> dict[str, Json]:
    return {"title": part.title, "lines": list(part.lines), "columns": list(part.columns), "rows": [list(row) for row in part.rows]}
