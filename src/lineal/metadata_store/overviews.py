"""What many facts add up to: the edges of a whole run, how steps ended, pipelines, totals. One statement each."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from lineal.metadata_store.base import StepEdges
from lineal.metadata_store.filters import pattern
from lineal.metadata_store.json_text import dump
from lineal.metadata_store.rows import version_of
from lineal.metadata_store.statements import SQL
from lineal.model.records import (
    Facet,
    PipelineRecord,
    Port,
    RecentCall,
    Space,
    StepCount,
    StepPorts,
    StepRunName,
    Totals,
    Unshared,
    VersionName,
    VersionRecord,
)

BATCH: Final = 50_000
"""Ids in one query."""

Read = Callable[..., list[Any]]
"""Gives all rows of a statement with its parameters."""


def step_edges(read: Read, step_run_id: str) -> StepEdges:
    """Give what went into and came out of one step run."""
    edges = StepEdges([], [])
    for row in read(SQL["step_edges"], (step_run_id,)):
        _add(edges, row, {})
    return edges


def run_edges(read: Read, run_id: str) -> dict[str, StepEdges]:
    """Give the same for all step runs of a run that have any, by id."""
    found: dict[str, StepEdges] = {}
    versions: dict[str, VersionRecord] = {}  # most are made by one step and used by others
    for row in read(SQL["run_edges"], (run_id,)):
        _add(found.setdefault(row[0], StepEdges([], [])), row[1:], versions)
    return found


def run_ports(read: Read, run_id: str) -> dict[str, StepPorts]:
    """Give of these what tells the versions apart."""
    found: dict[str, StepPorts] = {}
    for step_run, role, *port in read(SQL["run_ports"], (run_id,)):
        inputs, outputs = found.setdefault(step_run, StepPorts([], []))
        (inputs if role == "used" else outputs).append(Port._make(port))
    return found


def step_counts(read: Read, run_ids: Sequence[str]) -> dict[str, list[StepCount]]:
    """Give how the steps of some runs ended, by run."""
    found: dict[str, list[StepCount]] = {}
    for run_id, *count in read(SQL["step_counts"], (dump(list(run_ids), "ids"),)):
        found.setdefault(run_id, []).append(StepCount(*count))
    return found


def list_pipelines(read: Read) -> list[PipelineRecord]:
    """Give all pipelines, the one with the newest run first."""
    return [PipelineRecord._make((*row[:-1], tuple(reversed(json.loads(row[-1]))))) for row in read(SQL["list_pipelines"])]


def recent_calls(read: Read, name: str, runs: int, most: int) -> list[RecentCall]:
    """Give the newest step run of each call by name, in the newest runs."""
    return [RecentCall._make(row) for row in read(SQL["recent_calls"], (runs, pattern(name, "name"), most))]


def only_of_runs(read: Read, run_ids: Sequence[str]) -> Unshared:
    """Give what only some runs refer to."""
    return Unshared._make(read(SQL["only_of_runs"], (dump(list(run_ids), "ids"),))[0])


def totals(read: Read) -> Totals:
    """Give what is stored in all."""
    return Totals(*read(SQL["totals"])[0])


def space(read: Read) -> list[Space]:
    """Give what takes space, by artifact and type."""
    return [Space._make(row) for row in read(SQL["space"])]


def artifact_facets(read: Read) -> list[Facet]:
    """Give how many artifacts have each kind, type and tag."""
    return [Facet._make(row) for row in read(SQL["artifact_facets"])]


def use_counts(read: Read, version_ids: Sequence[str]) -> dict[str, int]:
    """Give how many step runs used each of some versions."""
    return dict(of_ids(read, "use_counts", version_ids))


def version_names(read: Read, ids: Sequence[str]) -> list[VersionName]:
    """Give what tells versions apart."""
    return [VersionName._make(row) for row in of_ids(read, "version_names", ids)]


def step_run_names(read: Read, ids: Sequence[str]) -> list[StepRunName]:
    """Give what tells step runs apart."""
    return [StepRunName._make(row) for row in of_ids(read, "step_run_names", ids)]


def of_ids(read: Read, statement: str, ids: Sequence[str]) -> list[Any]:
    """Give the rows of a statement that takes a list of ids, however many they are."""
    found: list[Any] = []
    for start in range(0, len(ids), BATCH):
        found += read(SQL[statement], (dump(list(ids[start : start + BATCH]), "ids"),))
    return found


def _add(edges: StepEdges, row: tuple[Any, ...], known: dict[str, VersionRecord]) -> None:
    role, name, version_id = row[:3]
    version = known.get(version_id)
    if version is None:
        version = known[version_id] = version_of(row[2:])
    (edges.inputs if role == "used" else edges.outputs).append((name, version))
