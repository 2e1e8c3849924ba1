"""Calls the function of a stored step run again with what went into it, under a debugger if wanted, and records nothing."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from lineal.engine.context import StepContext, running
from lineal.engine.execute import Stored, input_value
from lineal.engine.recall import find_step, inputs_of, put, recorded
from lineal.errors import UsageError
from lineal.graph.plan import Parameter
from lineal.graph.signature import check_input, split_outputs
from lineal.graph.step import MISSING
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import StepRunRecord
from lineal.model.states import Status
from lineal.views.base import Scratch

Debugger = Callable[..., Any]
"""Called with a function and its keyword arguments, as `pdb.runcall` is; gives what the function gives."""


def replay(step_run: StepRunRecord, metadata: MetadataStore, scratch: Scratch, debugger: str | Debugger | None) -> dict[str, Any]:
    """Call the step's function, as the code says it now, with its stored inputs, and give the outputs by name.

    `scratch` is the workspace that is open here: what the step logs, and what it saves by itself, goes there.

    Raises CodeNotFound, ArtifactMissing or InputError before the function is called, UsageError for a debugger that is none, and what the
    function raises.
    """
    call_with = _caller(debugger)
    call = recorded(step_run, metadata)
    spec = find_step(call)
    versions = {version.id: version for version in (*call.inputs.values(), *call.loaded)}
    for version in versions.values():
        put(version, scratch.metadata, call.where)
    given = inputs_of(call, spec, Stored)
    run = scratch.metadata.begin_run(replace(metadata.get_run(step_run.run_id), status=Status.RUNNING, ended=None))
    context = StepContext(
        run.id, run.name, run.pipeline, step_run.id, step_run.name, {name: version.artifact for name, version in call.outputs.items()},
        step=step_run.step, position=step_run.position, started=step_run.started or 0, extra=spec.options.extra or {},
    )  # fmt: skip
    with running(context):
        values = {}
        for each in spec.signature.inputs:
            item = given[each.name]
            values[each.name] = input_value(item, scratch.artifacts, None if each.annotation is MISSING else each.annotation)
            if type(item) is not Parameter:
                check_input(each, values[each.name], call.where)
        outputs = split_outputs(spec.signature, call_with(spec.function, **values), call.where)
    return {output.name: value for output, value in zip(spec.signature.outputs, outputs, strict=True)}


def _caller(debugger: str | Debugger | None) -> Debugger:
    if debugger is None:
        return _plainly
    if not isinstance(debugger, str):
        return debugger
    try:
        found: Debugger = import_module(debugger).runcall
    except (ImportError, AttributeError) as error:
        raise UsageError(f"debugger {debugger!r} is not a module with a function `runcall`, as pdb and ipdb are ({error})") from error
    return found


def _plainly(function: Callable[..., Any], **arguments: Any) -> Any:
    return function(**arguments)
