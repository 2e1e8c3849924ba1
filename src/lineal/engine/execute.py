"""Runs one step: load its inputs, call its function, check and save its outputs. The same in every orchestrator."""

import copy
import inspect
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lineal import memory
from lineal.artifacts import Artifacts, Item, Saved
from lineal.engine.context import StepContext, running
from lineal.engine.logs import PRIVATE, StepLog
from lineal.engine.undeclared import Declared, Reads, sentences, watch
from lineal.errors import LinealError, LinealWarning, UndeclaredInput
from lineal.graph.plan import Call, Collection, Parameter
from lineal.graph.signature import check_input, split_outputs
from lineal.graph.step import MISSING, Options, StepSpec
from lineal.model.naming import new_id
from lineal.model.records import InputEdge, NewOutput, SameOutput, VersionRecord
from lineal.model.values import from_json

IMMUTABLE = frozenset({int, float, str, bytes, bool, type(None), complex})
"""Types whose values can be handed on in memory: nobody can change them for anybody else."""


class Stored(NamedTuple):  # a dataclass takes twice as long to make, and a step may have thousands of inputs
    """An input that is a stored version; `value` is there when it is immutable and this process has just made it."""

    version: VersionRecord
    value: Any = MISSING


@dataclass(slots=True)
class StepTask:
    """All that is needed to run one step anywhere: only references travel, never artifacts."""

    spec: StepSpec
    where: str
    inputs: Mapping[str, Any]
    options: Options
    run_id: str
    run_name: str
    pipeline: str
    step_run_id: str
    name: str
    artifacts: Mapping[str, str]
    logs: Path | None
    code: str = ""
    declared: Declared = field(default=Declared("off"), kw_only=True)
    log_mode: int = field(default=PRIVATE, kw_only=True)
    position: int = 0


@dataclass(slots=True)
class StepResult:
    """What became of a step: its saved outputs and what they were if immutable, or the error and its traceback as text."""

    started: int
    duration: int = 0
    saved: list[Saved] = field(default_factory=list)
    kept: tuple[Any, ...] = ()
    error: BaseException | None = None
    traceback: str = ""
    attempts: int = 1
    metadata: dict[str, Any] = field(default_factory=dict)
    output_metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_metadata: dict[str, Any] = field(default_factory=dict)
    loaded: list[InputEdge] = field(default_factory=list)
    saved_versions: list[tuple[str, str]] = field(default_factory=list)
    undeclared: dict[str, Any] = field(default_factory=dict)
    peak_memory: int | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    """What the step gave, by output name, until that is committed; empty when it ran in another process."""


def execute_step(task: StepTask, artifacts: Artifacts) -> StepResult:
    """Run a step and seal its outputs. Errors of the step come back in the result; only an interrupt is raised."""
    result = StepResult(time.time_ns() // 1000)
    context = StepContext(
        task.run_id, task.run_name, task.pipeline, task.step_run_id, task.name, task.artifacts, result.metadata,
        result.output_metadata, result.run_metadata, result.loaded, result.saved_versions,
        step=task.spec.name, position=task.position, started=result.started, extra=task.options.extra or {},
    )  # fmt: skip
    if task.logs is not None:
        context.log = StepLog(task.logs, task.step_run_id, task.log_mode)
    reads = None
    if task.declared.mode != "off":
        watch()
        reads = Reads()
    spec, retry = task.spec, task.options.retry
    before = memory.peak()
    clock = time.perf_counter_ns()
    with running(context):
        while True:
            value = MISSING
            try:
                value = spec.function(**_inputs(task, artifacts, context, reads))
                context.reads = None
                if reads is not None and reads.noted and task.declared.mode == "error":
                    _refuse(reads, task)
                outputs = split_outputs(spec.signature, value, task.where)
                items = []
                for output, each in zip(spec.signature.outputs, outputs, strict=True):
                    result.outputs[output.name] = each
                    items.append(Item(f"output {output.name!r} of {task.where}", each, spec.materializers.get(output.name)))
                result.saved = artifacts.save(
                    items, metadata=task.options.enable_artifact_metadata is not False, visualize=task.options.enable_artifact_visualization
                )
                result.kept = tuple(each if type(each) in IMMUTABLE else MISSING for each in outputs)
                result.error = None
                break
            except (Exception, SystemExit) as error:
                context.reads = None
                if value is not MISSING and isinstance(error, LinealError):  # the step's work hangs on its error
                    error.value = value if error.value is None else error.value
                    error.values, result.outputs = result.outputs, {}
                result.error = error
                result.traceback = _traceback(error)
                if retry is None or result.attempts > retry.max_retries:
                    break
                time.sleep(retry.delay * retry.backoff ** (result.attempts - 1))
                result.attempts += 1
        if task.options.on_failure is not None or task.options.on_success is not None:
            _call_hook(task, result.error)
    if reads is not None and reads.noted:
        result.undeclared = reads.undeclared(task.declared)
    result.duration = time.perf_counter_ns() - clock
    peak = memory.peak()
    result.peak_memory = None if peak == before else peak
    if context.log is not None:
        _close(context.log, task.where)
    return result


def _refuse(reads: Reads, task: StepTask) -> None:
    found = reads.undeclared(task.declared)
    if found:
        raise UndeclaredInput(f"{task.where}: {'; '.join(sentences(found))}")


def _inputs(task: StepTask, artifacts: Artifacts, context: StepContext, reads: Reads | None) -> dict[str, Any]:
    # Loaded anew for each attempt: a failed attempt may have changed its inputs.
    values = {}
    for spec in task.spec.signature.inputs:
        item = task.inputs[spec.name]
        value = input_value(item, artifacts, None if spec.annotation is MISSING else spec.annotation)
        if type(item) is not Parameter:
            check_input(spec, value, task.where)
        values[spec.name] = value
    context.reads = reads  # from here on it is the step that acts
    return values


def input_value(item: Any, artifacts: Artifacts, annotation: Any = None) -> Any:
    """Give the value of an input as a step gets it: private to the caller. Raises what loading it raises."""
    if type(item) is Stored:
        return artifacts.load(item.version, annotation) if item.value is MISSING else item.value
    if type(item) is Parameter:
        return item.value if type(item.value) in IMMUTABLE else _private(item, annotation)
    assert type(item) is Collection
    children = {key: input_value(child, artifacts) for key, child in item.items.items()}
    return children if item.kind is dict else item.kind(children.values())


def _private(parameter: Parameter, annotation: Any) -> Any:
    try:
        return copy.deepcopy(parameter.value)
    except RecursionError:  # deeper than Python copies; what is stored is read without recursion
        return from_json(parameter.json, annotation)


def _call_hook(task: StepTask, error: BaseException | None) -> None:
    hook: Callable[..., object] | None = task.options.on_success if error is None else task.options.on_failure
    if hook is None:
        return
    try:
        takes_error = error is not None and bool(inspect.signature(hook).parameters)
        hook(error) if takes_error else hook()
    except Exception as failure:  # a hook tells others; it must not change what the step did
        kind = "on_success" if error is None else "on_failure"
        warnings.warn(f"{kind} hook of {task.where} raised {type(failure).__name__}: {failure}", LinealWarning, stacklevel=2)


def _traceback(error: BaseException) -> str:
    trace = error.__traceback__
    trimmed = trace.tb_next if trace is not None and trace.tb_next is not None else trace  # our own frame says nothing to the user
    return "".join(traceback.format_exception(type(error), error, trimmed))


def _close(log: StepLog, where: str) -> None:
    log.close()
    if log.failure is not None:
        warnings.warn(f"the log of {where} is not complete: {log.failure}", LinealWarning, stacklevel=2)


def new_outputs(call: Call, result: StepResult) -> list[NewOutput | SameOutput]:
    """Give what a call that succeeded made, as it is recorded, in the order of its outputs."""
    outputs: list[NewOutput | SameOutput] = []
    for spec, saved in zip(call.step.signature.outputs, result.saved, strict=True):
        config = spec.config
        name = call.outputs[spec.name]
        metadata = saved.metadata
        if config.run_metadata or spec.name in result.output_metadata:
            metadata = {**metadata, **(config.run_metadata or {}), **result.output_metadata.get(spec.name, {})}
        outputs.append(
            NewOutput(
                new_id(), spec.name, name.artifact, name.version, saved.object, saved.materializer, saved.type,
                config.artifact_type or saved.data_type, "step",
                tuple(dict.fromkeys((*(config.tags or ()), *(call.options.tags or ())))), metadata, saved.companion,
                saved.content,
            )
        )  # fmt: skip
    return outputs


def hang(outputs: Mapping[str, Any], error: LinealError) -> None:
    """Hang what a step gave on the error that kept it from being recorded, so that its work is not lost."""
    error.values = outputs
    error.value = next(iter(outputs.values())) if len(outputs) == 1 else tuple(outputs.values()) or None
