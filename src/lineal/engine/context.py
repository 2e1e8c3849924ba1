"""What a running step knows about itself, and what it tells about its run while it runs."""

import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from lineal.engine.logs import StepLog
from lineal.errors import NotFound, UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import InputEdge, VersionRecord
from lineal.private import PrivateScope


@dataclass(slots=True)
class StepContext:
    """The step that is running here.

    Attributes:
        run_id: Id of the pipeline run.
        run_name: Name of the pipeline run.
        pipeline: Name of the pipeline.
        step_run_id: Id of this step run.
        step_name: Name of this call in the pipeline, such as `train_2`.
        outputs: Artifact name of each output.
        metadata: Metadata of the step run, added by `log_metadata`.
        output_metadata: Metadata of each output's version, by output name.
        run_metadata: Metadata of the pipeline run.
        loaded: Versions that the step loaded by itself.
        saved: Ids of versions that the step saved by itself, by artifact name.
        log: Where what it prints is kept; None when it is not.
        reads: Notes what the step's function uses (`undeclared.Reads`); None while nobody looks.
        step: Name of the step itself, such as `train`.
        position: Place of the call in the pipeline.
        started: When the step began, in microseconds since 1970.
        is_shown: Whether the step run has been recorded as running by the step itself.
        extra: What `@step(extra=...)` says, for the step's own use.
    """

    run_id: str
    run_name: str
    pipeline: str
    step_run_id: str
    step_name: str
    outputs: Mapping[str, str]
    metadata: dict[str, Any] = field(default_factory=dict)
    output_metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_metadata: dict[str, Any] = field(default_factory=dict)
    loaded: list[InputEdge] = field(default_factory=list)
    saved: list[tuple[str, str]] = field(default_factory=list)
    log: StepLog | None = None
    reads: Any = None
    step: str = ""
    position: int = 0
    started: int = 0
    is_shown: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineContext:
    """The pipeline whose body is going on here, and the run that comes of it.

    Attributes:
        name: Name of the pipeline.
        run_id: Id of the run.
        run_name: Name of the run.
        parameters: The pipeline's arguments by name, as the body gets them.
        start_time: When the run began, in UTC: what `{date}` and `{time}` stand for.
        tags: Tags of the run.
        extra: What `@pipeline(extra=...)` says, for the body's own use.
    """

    name: str
    run_id: UUID
    run_name: str
    parameters: Mapping[str, Any]
    start_time: datetime
    tags: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


_current: ContextVar[StepContext | None] = ContextVar("lineal_step", default=None)
_active: list[StepContext] = []


def current_step() -> StepContext | None:
    """Give the context of the step that is running here, None outside of steps.

    A thread that a step started has no context of its own; it belongs to the step when only one runs in this process.
    """
    context = _current.get()
    if context is None and len(_active) == 1:
        return _active[0]
    return context


def is_step_thread() -> bool:
    """Tell whether this very thread runs a step. Unlike `current_step`, it takes no other thread's step for its own."""
    return _current.get() is not None


def current_reads() -> Any:
    """Give the notes of what is used here; None outside of steps, and while Lineal itself is at work.

    A thread without a context belongs to the only step that runs, if it was started since.
    """
    context = _current.get()
    if context is not None:
        return context.reads
    reads = _active[0].reads if len(_active) == 1 else None
    return reads if reads is not None and threading.get_ident() not in reads.earlier else None


def current_log() -> StepLog | None:
    """Give the log of the step that is running here."""
    context = current_step()
    return None if context is None else context.log


def get_step_context() -> StepContext:
    """Give the context of the running step. Raises UsageError outside of a step."""
    context = current_step()
    if context is None:
        raise UsageError("get_step_context() works only inside a step that a pipeline runs")
    return context


class Facts(Protocol):
    """What notes need of a workspace."""

    @property
    def metadata(self) -> MetadataStore:
        """Where facts live."""
        ...


def note_loaded(version: VersionRecord, workspace: Facts) -> None:
    """Record that the step which is running here, if any, used a version. What it has made itself, and a second use, say nothing new.

    From now on, and not only when the step has ended, nothing deletes or prunes the version. Raises NotFound when that came first.
    """
    context = current_step()
    if context is None or version.step_run_id == context.step_run_id or any(edge.version_id == version.id for edge in context.loaded):
        return
    if workspace.metadata.hold(context.run_id, [version.id]):
        raise NotFound(f"{version.artifact}@{version.version} was deleted or pruned while step {context.step_name!r} was about to use it")
    context.loaded.append(InputEdge(f"{version.artifact}@{version.version}", version.id, "load"))


class running:  # noqa: N801 - used as a function is; a class costs a third of a generator for each step
    """Make `context` the current one while a step's function runs, and remove its private folders: `with running(context): ...`."""

    __slots__ = ("_context", "_scope", "_token")

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._scope = PrivateScope()

    def __enter__(self) -> None:
        self._token = _current.set(self._context)
        _active.append(self._context)
        self._scope.__enter__()

    def __exit__(self, *_: object) -> None:
        self._scope.__exit__()
        _active.remove(self._context)
        _current.reset(self._token)
