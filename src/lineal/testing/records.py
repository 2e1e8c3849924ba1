"""Records to test stores with: each function gives a valid one, and takes what shall be different."""

import math
import time
from dataclasses import replace
from typing import Any

from lineal.model import digest
from lineal.model.naming import new_id
from lineal.model.records import FileEntry, NewOutput, ObjectRecord, RunRecord, StepRunRecord
from lineal.model.states import Status

ODD = {
    "nan": math.nan,
    "inf": [math.inf, -math.inf],
    "nul": "a\x00b",
    "lone": "\ud800",
    "$float": "nan",
    "big": 1 << 200,
    "deep": {"$": {"$$x": None}},
}


def now() -> int:
    """Give the time in microseconds."""
    return time.time_ns() // 1000


def an_object(content: bytes = b"1", **given: Any) -> ObjectRecord:
    """Give the object of one small file."""
    entry = FileEntry("data.json", len(content), digest.of_bytes(content))
    return replace(ObjectRecord(digest.of_object([entry]), len(content), (entry,), inline=content), **given)


def a_run(**given: Any) -> RunRecord:
    """Give a run that starts now."""
    uid = new_id()
    values = {"id": uid, "name": f"run-{uid}", "pipeline": "training", "status": Status.RUNNING, "started": now()}
    return RunRecord(**{**values, **given})


def a_step_run(run: RunRecord, name: str = "train", **given: Any) -> StepRunRecord:
    """Give a step run that has completed."""
    values = {"id": new_id(), "run_id": run.id, "name": name, "step": name, "position": 0, "status": Status.COMPLETED}
    return StepRunRecord(**{**values, "started": 5, "ended": 9, "duration": 4000, **given})


def an_output(artifact: str = "model", content: bytes = b"1", **given: Any) -> NewOutput:
    """Give a new version of an artifact."""
    values = {"id": new_id(), "output": "output", "artifact": artifact, "version": None, "object": an_object(content)}
    return NewOutput(**{**values, "materializer": "json/1", "type": "int", "data_type": "data", **given})
