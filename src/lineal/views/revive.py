"""What it takes to go on with a run: its pipeline, its arguments as they were given, and its options."""

import warnings
from collections.abc import Callable
from typing import Any

from lineal.engine.origin import find_pipeline
from lineal.errors import LinealWarning, MaterializerError, NotFound, UsageError
from lineal.graph.definition import Definition
from lineal.graph.step import MISSING
from lineal.model import values
from lineal.model.entry import ARTIFACT, EXTERNAL, Entry, mark_of
from lineal.model.records import Json, VersionRecord
from lineal.model.states import Status
from lineal.views.base import Stores
from lineal.views.run_facts import RunFacts

_RESUMABLE = (Status.FAILED, Status.CANCELLED, Status.CRASHED)


def revived(run: RunFacts, view: Callable[[VersionRecord, Stores], Any]) -> tuple[Definition, dict[str, Any], dict[str, Any]]:
    """Give the pipeline of a run, its arguments and the options of this run alone. `view` makes what users hold of a version.

    Raises UsageError for a run that cannot be resumed and for a parameter that cannot be given again, and as `find_pipeline` does.
    """
    if run.status not in _RESUMABLE:
        state = "is still running" if run.status is Status.RUNNING else f"has {run.status}"
        raise UsageError(f"run {run.name} {state}, so there is nothing to resume")
    entry = Entry.of(run.record.environment)
    if entry is None:
        raise UsageError(f"run {run.name} does not say where its pipeline {run.pipeline!r} is defined; call the pipeline yourself")
    pipeline = find_pipeline(entry, run.pipeline, run.name)
    annotations = {each.name: each.annotation for each in pipeline.signature.inputs}
    arguments = {}
    for name, node in run.record.parameters.items():
        where = f"the parameter {name!r} of run {run.name}"
        if name not in annotations:
            raise UsageError(f"{where} is no parameter of the pipeline {run.pipeline!r} any more; call the pipeline yourself")
        arguments[name] = _argument(node, annotations[name], where, run.workspace, view)
    if entry.lost:
        lost = ", ".join(entry.lost)
        warnings.warn(f"run {run.name} was given options that are not kept, and goes on without them: {lost}", LinealWarning, stacklevel=3)
    return pipeline, arguments, {name: values.from_json(node) for name, node in entry.options.items()}


def _argument(node: Json, annotation: Any, where: str, workspace: Stores, view: Callable[[VersionRecord, Stores], Any]) -> Any:
    mark = mark_of(node)
    if mark == EXTERNAL:
        raise UsageError(f"{where} was an ExternalArtifact, which is not kept with the run; call the pipeline yourself with the value")
    if mark == ARTIFACT:
        artifact, _, version = node[ARTIFACT].rpartition("@")
        try:
            record = workspace.metadata.get_version(artifact, version)
        except NotFound as error:
            raise NotFound(f"{where} was {artifact}@{version}, which is gone: {error}") from error
        return view(record, workspace)
    try:
        return values.from_json(node, None if annotation is MISSING else annotation)
    except MaterializerError as error:
        raise UsageError(f"{where} cannot be given again: {error}") from error
