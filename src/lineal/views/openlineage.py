"""The lineage of a version as OpenLineage run events (https://openlineage.io, version 2-0-2 of the specification).

Each step run is a run of the job `pipeline.step`, with one START event and one that says how it ended; artifacts are its data sets.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Final

from lineal.model.records import Edge, Json, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.model.text import moment

SPECIFICATION: Final = "https://openlineage.io/spec"

_EVENT = f"{SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS: Mapping[str, str] = {
    "parent": f"{SPECIFICATION}/facets/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet",
    "errorMessage": f"{SPECIFICATION}/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "jobType": f"{SPECIFICATION}/facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "version": f"{SPECIFICATION}/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "schema": f"{SPECIFICATION}/facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "lineal_artifact": f"{SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/DatasetFacet",
}
_ENDS: Mapping[Status, str] = {
    Status.COMPLETED: "COMPLETE", Status.CACHED: "COMPLETE", Status.FAILED: "FAIL", Status.CRASHED: "FAIL", Status.CANCELLED: "ABORT",
    Status.SKIPPED: "ABORT",
}  # fmt: skip


def run_events(
    versions: Mapping[str, VersionRecord],
    step_runs: Iterable[StepRunRecord],
    runs: Mapping[str, RunRecord],
    edges: Iterable[Edge],
    namespace: str,
) -> list[dict[str, Json]]:
    """Give the events of step runs in the order of time. A step run without a time of its own, which never began, has none."""
    producer = f"https://pypi.org/project/lineal/{metadata.version('lineal')}/"
    told = _Told(namespace, producer)
    used: dict[str, dict[str, dict[str, Json]]] = {}
    for edge in edges:
        if edge.version_id in versions:
            kinds = used.setdefault(edge.step_run_id, {"input": {}, "output": {}})
            kinds[edge.direction][edge.version_id] = told.dataset(versions[edge.version_id])
    found = [
        (time, event)
        for step_run in step_runs
        for time, event in told.events(step_run, runs.get(step_run.run_id), used.get(step_run.id, {"input": {}, "output": {}}))
    ]
    return [event for _, event in sorted(found, key=lambda each: each[0])]


class _Told:
    """Words records as events."""

    def __init__(self, namespace: str, producer: str) -> None:
        self.namespace = namespace
        self.producer = producer

    def events(
        self, step_run: StepRunRecord, run: RunRecord | None, used: Mapping[str, Mapping[str, Json]]
    ) -> Iterator[tuple[int, dict[str, Json]]]:
        pipeline = "" if run is None else f"{run.pipeline}."
        common = {
            "run": {"runId": str(uuid.UUID(step_run.id)), "facets": self._run_facets(step_run, run)},
            "job": {
                "namespace": self.namespace,
                "name": f"{pipeline}{step_run.name}",
                "facets": self._facet("jobType", processingType="BATCH", integration="LINEAL", jobType="STEP"),
            },
            "inputs": list(used["input"].values()),
            "producer": self.producer,
            "schemaURL": _EVENT,
        }
        if step_run.started is not None:
            yield step_run.started, {"eventType": "START", "eventTime": _time(step_run.started), **common, "outputs": []}
        end = _ENDS.get(step_run.status)
        if end is not None and step_run.ended is not None:
            outputs = list(used["output"].values())
            yield step_run.ended, {"eventType": end, "eventTime": _time(step_run.ended), **common, "outputs": outputs}

    def _run_facets(self, step_run: StepRunRecord, run: RunRecord | None) -> dict[str, Json]:
        facets: dict[str, Json] = {}
        if run is not None:
            job = {"namespace": self.namespace, "name": run.pipeline}
            facets |= self._facet("parent", run={"runId": str(uuid.UUID(run.id))}, job=job)
        if step_run.error is not None:
            message = step_run.error.strip().rpartition("\n")[2]
            facets |= self._facet("errorMessage", message=message, programmingLanguage="PYTHON", stackTrace=step_run.error)
        return facets

    def dataset(self, version: VersionRecord) -> dict[str, Json]:
        facets = self._facet("version", datasetVersion=version.version)
        facets |= self._facet(
            "lineal_artifact", id=version.id, digest=version.object.digest, size=version.object.size, type=version.type,
            dataType=version.data_type, materializer=version.materializer,
        )  # fmt: skip
        columns = version.metadata.get("columns")
        if isinstance(columns, list) and all(isinstance(each, dict) and "name" in each for each in columns):
            fields = [{"name": str(each["name"]), "type": str(each.get("dtype", ""))} for each in columns]
            facets |= self._facet("schema", fields=fields)
        return {"namespace": self.namespace, "name": version.artifact, "facets": facets}

    def _facet(self, name: str, **facts: Json) -> dict[str, Json]:
        return {name: {"_producer": self.producer, "_schemaURL": _FACETS[name], **facts}}


def _time(micros: int) -> str:
    return moment(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
