"""`@step` and `@pipeline`: what users write. Joins the graph, which records calls, and the engine, which runs them."""

import functools
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload
from uuid import UUID

from lineal.artifacts import type_name
from lineal.engine.cache import Resumed
from lineal.engine.context import PipelineContext, current_log
from lineal.engine.forecast import forecast
from lineal.engine.logs import teeing
from lineal.engine.origin import entry_of
from lineal.engine.plan_ahead import LookedAhead, Planner
from lineal.engine.planned import describe, load_of
from lineal.engine.precheck import refuse
from lineal.engine.progress import make_reporter
from lineal.engine.run import Runner
from lineal.errors import CallError, DefinitionError, LinealWarning, ParameterError, StoreError, UsageError
from lineal.graph.definition import Definition
from lineal.graph.external import External
from lineal.graph.plan import Call, OutputRef, needed_for
from lineal.graph.policy import CachePolicy, check_policy
from lineal.graph.recorder import Recorder
from lineal.graph.signature import bind, check_input, coerce_parameter, parameters_of, signature_of, split_outputs
from lineal.graph.step import Options, Retry, StepSpec, remember
from lineal.materializers.base import AnyMaterializer
from lineal.materializers.registry import instance
from lineal.model import values
from lineal.model.entry import ARTIFACT, ENTRY, EXTERNAL, RESUMES, Entry, unmarked
from lineal.model.naming import check_name, check_tags, expand, new_id, time_placeholders
from lineal.model.records import RunRecord, VersionRecord
from lineal.model.states import Status
from lineal.views import PlanView, RunView
from lineal.workspace import Workspace, inside, open_workspace

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_recorder: ContextVar[Recorder | None] = ContextVar("lineal_recorder", default=None)
_context: ContextVar[PipelineContext | None] = ContextVar("lineal_pipeline", default=None)


def get_pipeline_context() -> PipelineContext:
    """Give the context of the pipeline whose body is going on: its name, the run's id and name, parameters, tags, `extra`.

    Raises UsageError outside of a pipeline's body. Inside a step it is `get_step_context` that knows the pipeline and the run.
    """
    context = _context.get()
    if context is None or _recorder.get() is None:
        raise UsageError("get_pipeline_context() works only in the body of a pipeline; inside a step use get_step_context()")
    return context


class Step(Generic[P, R]):
    """A function under `@step`. Called in a pipeline's body it is recorded and gives handles; anywhere else it is a checked plain call."""

    def __init__(self, function: Callable[P, R], options: Options, spec: StepSpec | None = None) -> None:
        functools.update_wrapper(self, function)
        name = check_name(options.name or getattr(function, "__name__", ""), "step name")
        signature = spec.signature if spec is not None else signature_of(function, name)
        if options.cache_policy is not None:
            check_policy(options.cache_policy, [each.name for each in signature.inputs], f"step {name!r}")
        self.spec = remember(StepSpec(name, function, signature, options, _materializers(options.output_materializers, signature, name)))

    @property
    def name(self) -> str:
        """The step's name."""
        return self.spec.name

    @overload
    def __get__(self, instance: None, owner: type) -> "Step[P, R]": ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> "Step[P, R]": ...
    def __get__(self, instance: object, owner: type | None = None) -> "Step[P, R]":
        return self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Record a call in a pipeline's body, or call the function with its inputs and outputs checked."""
        recorder = _recorder.get()
        if recorder is not None:
            return cast("R", recorder.record(self.spec, args, kwargs))
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        spec, where = self.spec, f"step {self.spec.name!r}"
        arguments = bind(spec.signature, spec.name, args, {key: value for key, value in kwargs.items() if key not in ("after", "id")})
        for each in spec.signature.inputs:
            if type(arguments[each.name]) is External:
                arguments[each.name] = arguments[each.name].value
            if type(arguments[each.name]).__module__ == "builtins":  # what a pipeline would hold as a parameter
                arguments[each.name] = coerce_parameter(each, arguments[each.name], where)
            else:
                check_input(each, arguments[each.name], where)
        result = spec.function(**arguments)
        split_outputs(spec.signature, result, where)
        return cast("R", result)

    def with_options(self, **options: Any) -> "Step[P, R]":
        """Give a copy with other options; the same keywords as `@step`."""
        return Step(self.spec.function, _options(options, "step").over(self.spec.options), self.spec)

    def configure(self, **options: Any) -> "Step[P, R]":
        """Change this step's options in place; the same keywords as `@step`."""
        self.spec = Step(self.spec.function, _options(options, "step").over(self.spec.options), self.spec).spec
        return self

    def __repr__(self) -> str:
        return f"<step {self.name!r}>"


class Pipeline(Definition, Generic[P]):
    """A function under `@pipeline`. Calling it runs the steps that its body calls and gives the run."""

    def __init__(self, function: Callable[P, Any], options: Options, overrides: Options, run_name: str | None) -> None:
        functools.update_wrapper(self, function)
        self.function: Callable[..., Any] = function
        self.name = check_name(options.name or getattr(function, "__name__", ""), "pipeline name")
        self.options = options
        self.overrides = overrides
        self.run_name = run_name or _RUN_NAME
        self._earlier: RunRecord | None = None  # the run that this copy goes on with
        self.signature = parameters_of(function, self.name)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> RunView:
        """Run the pipeline and give the run. The exception of a failed step is raised after independent branches have ended."""
        arguments = self._arguments(args, kwargs)
        outer = _recorder.get()
        if outer is not None:
            return cast("RunView", self._inline(outer, arguments))
        workspace = open_workspace()
        start = datetime.now(UTC)
        reporter = make_reporter(quiet=workspace.settings.quiet)
        record = self._new_run(workspace, arguments, start, self._earlier)
        runner = Runner(workspace, record, reporter, None if self._earlier is None else _left_by(self._earlier, workspace))
        recorder = self._recorder(start, lambda ref: _outside(lambda: _load(runner, ref)))
        with inside(workspace), teeing(current_log, None if reporter is None else reporter.through):
            try:
                with _recording(recorder, self, self._about(record, arguments, start)):
                    self.function(**arguments)
                calls = recorder.close()
                _check_outputs(runner, calls)
                runner.execute(calls, len(recorder.calls))
            except BaseException as error:
                if runner.began:
                    _finish(runner, recorder.calls, error)
                raise
            record = _finish(runner, recorder.calls)
        if runner.errors:
            raise _with_others(runner.errors)
        return RunView(record, workspace)

    def resume(self, run: RunRecord, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> RunView:
        """Go on with a run that did not succeed; `run.resume()` finds the pipeline and its arguments and calls this."""
        again: Callable[..., RunView] = self.with_options(**options)._after(run)  # noqa: SLF001 - a copy of this very pipeline
        return _outside(lambda: again(**arguments))

    def _after(self, run: RunRecord) -> "Pipeline[P]":
        self._earlier = run
        return self

    def plan(self, *args: P.args, **kwargs: P.kwargs) -> PlanView:
        """Say what a run with these arguments would do, without running a step or recording anything.

        The plan tells of each step whether it would run, which earlier result would be given instead, and why; and what that would cost.
        The body of the pipeline is called, as it is for a run. Where it looks at a value (`handle.load()`) that no run has made yet, the
        plan ends, and says so. Raises what a run raises before its first step.
        """
        arguments = self._arguments(args, kwargs)
        workspace, start = open_workspace(), datetime.now(UTC)
        record = self._record(arguments, start)
        planner = Planner(workspace)
        recorder = self._recorder(start, lambda ref: _outside(lambda: planner.load(ref)))
        with inside(workspace):
            with suppress(LookedAhead), _recording(recorder, self, self._about(record, arguments, start)):
                self.function(**arguments)
            drafts = planner.draft(recorder.close() if planner.stopped_at is None else recorder.calls)
            steps = describe(drafts, self.name, workspace.metadata)
        cost = forecast(list(map(load_of, steps)), workspace.capacity)
        in_order = sorted(zip(drafts, steps, strict=True), key=lambda pair: pair[0].call.position)
        return PlanView(self.name, record.parameters, [each for _, each in in_order], cost, planner.stopped_at)

    def _inline(self, outer: Recorder, arguments: dict[str, Any]) -> Any:
        with _recording(outer, self, _context.get()):
            return self.function(**arguments)

    def _about(self, record: RunRecord, arguments: Mapping[str, Any], start: datetime) -> PipelineContext:
        extra = self.overrides.over(self.options).extra or {}
        return PipelineContext(self.name, UUID(record.id), record.name, dict(arguments), start, record.tags, dict(extra))

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        arguments = bind(self.signature, self.name, args, kwargs)
        where = f"pipeline {self.name!r}"
        for spec in self.signature.inputs:
            value = arguments[spec.name]
            if not _is_artifact(value) and type(value) is not External:
                arguments[spec.name] = coerce_parameter(spec, value, where)
        return arguments

    def _recorder(self, start: datetime, load: Callable[[OutputRef], Any]) -> Recorder:
        return Recorder(self.name, _for_steps(self.options), _for_steps(self.overrides), time_placeholders(start), load)

    def _new_run(self, workspace: Workspace, arguments: Mapping[str, Any], start: datetime, earlier: RunRecord | None) -> RunRecord:
        settings = workspace.settings
        environment = {ENTRY: self._entry().to_json(), **({} if earlier is None else {RESUMES: earlier.name})}
        return replace(
            self._record(arguments, start), orchestrator=settings.orchestrator, durability=settings.durability,
            process=workspace.life.token(), heartbeat=time.time_ns() // 1000, environment=environment,
        )  # fmt: skip

    def _entry(self) -> Entry:
        """Give where this pipeline is found again, and what `with_options` said for this run alone."""
        entry = entry_of(self)
        if entry.variable:
            return entry
        given = {f.name: getattr(self.overrides, f.name) for f in fields(self.overrides)} | {"run_name": self.run_name}
        given = {name: value for name, value in given.items() if value is not None and (name, value) != ("run_name", _RUN_NAME)}
        held = {name: values.to_json(value) for name, value in given.items() if _is_plain(value)}
        return replace(entry, options=held, lost=tuple(name for name in given if name not in held))

    def _record(self, arguments: Mapping[str, Any], start: datetime) -> RunRecord:
        """Give what is to be said of a run before it begins, or of one that is only planned."""
        known = {**time_placeholders(start), "pipeline": self.name, **(self.overrides.over(self.options).substitutions or {})}
        return RunRecord(
            new_id(),
            check_name(expand(self.run_name, known), "run name"),
            self.name,
            Status.RUNNING,
            int(start.timestamp() * 1_000_000),
            parameters={name: _held(f"pipeline {self.name!r}", name, value) for name, value in arguments.items()},
            tags=tuple(self.overrides.over(self.options).tags or ()),
        )

    def with_options(self, *, run_name: str | None = None, **options: Any) -> "Pipeline[P]":
        """Give a copy whose runs use these options, which beat those of its steps; the same keywords as `@pipeline`, and `run_name`."""
        overrides = _options(options, "pipeline").over(self.overrides)
        return Pipeline(self.function, replace(self.options, name=overrides.name or self.name), overrides, run_name or self.run_name)

    def configure(self, **options: Any) -> "Pipeline[P]":
        """Change this pipeline's options in place; the same keywords as `@pipeline`."""
        self.options = _options(options, "pipeline").over(self.options)
        self.name = check_name(self.options.name or self.name, "pipeline name")
        return self

    def __repr__(self) -> str:
        return f"<pipeline {self.name!r}>"


# The options stand here one by one, and again below, since editors complete them from here: an Unpack[TypedDict] of them is one list for type
# checkers, but notebooks (Jedi) offer nothing from it.
@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    name: str | None = None,
    enable_cache: bool | None = None,
    cache_policy: CachePolicy | None = None,
    undeclared: str | None = None,
    output_materializers: Any = None,
    enable_artifact_metadata: bool | None = None,
    enable_artifact_visualization: bool | None = None,
    enable_step_logs: bool | None = None,
    on_failure: Callable[..., object] | None = None,
    on_success: Callable[..., object] | None = None,
    retry: Retry | None = None,
    settings: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    substitutions: Mapping[str, str] | None = None,
    tags: Sequence[str] | None = None,
    model: Any = None,
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a step: `@step`, or `@step(name="train", enable_cache=False)`.

    Args:
        name: The step's name; the function's by default.
        enable_cache: Whether an earlier result may be given; True by default, and for steps without outputs only when it is said.
        cache_policy: What decides whether an earlier result is given; see `CachePolicy`.
        undeclared: What to do about files, environment variables, network and programs that the step uses and its cache key does not
            know: "note" them for `why` (the default), take them for an "error", or look "off".
        output_materializers: A materializer (class or instance) for all outputs, a sequence with one for each, or a dict by output name.
        enable_artifact_metadata: Whether facts about outputs are extracted when they are saved; True by default.
        enable_artifact_visualization: Whether outputs are visualized when they are saved; as the settings say by default, which is yes.
        enable_step_logs: Whether what the step prints is kept; True by default.
        on_failure: Called after the step has failed, with the exception if it takes an argument.
        on_success: Called after the outputs are checked and saved.
        retry: How often a failed step is tried again.
        substitutions: Values for placeholders in names, such as `{"region": "eu"}`.
        extra: Anything, for the step's own use: `get_step_context().extra`.
        tags: Tags of each version that the step makes, beside those that `ArtifactConfig` says.
        settings, model: Taken so that scripts written for ZenML run as they are; without effect, which a warning says.

    Raises DefinitionError when the function cannot be a step: `*args`, arguments called `after` or `id`, bad output names.
    """
    if function is None:
        return lambda decorated: Step(decorated, _options(options, "step"))
    return Step(function, Options())


@overload
def pipeline(function: Callable[P, Any], /) -> Pipeline[P]: ...
@overload
def pipeline(
    *,
    name: str | None = None,
    enable_cache: bool | None = None,
    cache_policy: CachePolicy | None = None,
    undeclared: str | None = None,
    enable_artifact_metadata: bool | None = None,
    enable_artifact_visualization: bool | None = None,
    enable_step_logs: bool | None = None,
    on_failure: Callable[..., object] | None = None,
    on_success: Callable[..., object] | None = None,
    retry: Retry | None = None,
    settings: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    substitutions: Mapping[str, str] | None = None,
    tags: Sequence[str] | None = None,
    model: Any = None,
) -> Callable[[Callable[P, Any]], Pipeline[P]]: ...
def pipeline(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a pipeline: `@pipeline`, or `@pipeline(name="training", enable_cache=False)`.

    Calling it runs the steps that its body calls, and gives the run. Options hold for each of its steps unless the step says otherwise;
    `with_options` on the pipeline beats the steps. See `step` for their meaning; `tags` are those of the run, `extra` is for the body's own
    use: `get_pipeline_context().extra`.
    """
    if function is None:
        return lambda decorated: Pipeline(decorated, _options(options, "pipeline"), Options(), None)
    return Pipeline(function, Options(), Options(), None)


_open_pipelines: ContextVar[tuple[object, ...]] = ContextVar("lineal_open_pipelines", default=())


@contextmanager
def _recording(recorder: Recorder, pipeline: "Pipeline[Any]", about: PipelineContext | None) -> Iterator[None]:
    open_ = _open_pipelines.get()
    if pipeline in open_:
        raise CallError(f"pipeline {pipeline.name!r} calls itself; a pipeline may call other pipelines, but not itself")
    tokens = _recorder.set(recorder), _open_pipelines.set((*open_, pipeline)), _context.set(about)
    try:
        yield
    finally:
        _recorder.reset(tokens[0])
        _open_pipelines.reset(tokens[1])
        _context.reset(tokens[2])


def _outside(action: Callable[[], T]) -> T:
    """Do something outside of the recording, in the middle of a pipeline's body."""
    tokens = _recorder.set(None), _open_pipelines.set(())
    try:
        return action()
    finally:
        _recorder.reset(tokens[0])
        _open_pipelines.reset(tokens[1])


def _load(runner: Runner, ref: OutputRef) -> Any:
    """Run what an output needs, and give its value."""
    calls = needed_for(ref.call)
    _check_outputs(runner, calls)
    runner.execute(calls)
    ended = runner.ended[ref.call.position]
    if ended.error is not None:
        raise ended.error
    if not ended.status.is_success:
        raise runner.errors[0]
    return runner.artifacts.load(ended.versions[ref.output])


def _left_by(run: RunRecord, workspace: Workspace) -> Resumed:
    found = workspace.metadata.list_step_runs(run.id)
    return Resumed(run.name, {each.name: each for each in found if each.status.is_success})


def _check_outputs(runner: Runner, calls: Sequence[Call]) -> None:
    if runner.artifacts.pickle == "forbid":
        refuse(calls, runner.artifacts.registry)


def _finish(runner: Runner, calls: Sequence[Call], error: BaseException | None = None) -> RunRecord:
    try:
        return runner.finish(calls, error)
    except StoreError as second:
        first = error or next(iter(runner.errors), None)
        if first is None:
            raise
        first.add_note(f"nor could the end of the run be recorded: {second}")  # the work of a step may hang on the first
        return runner.run


def _with_others(errors: Sequence[BaseException]) -> BaseException:
    first = errors[0]
    for other in errors[1:]:
        first.add_note(f"also failed: {type(other).__name__}: {other} ({', '.join(getattr(other, '__notes__', []))})")
    return first


def _is_artifact(value: Any) -> bool:
    return type(getattr(value, "record", None)) is VersionRecord


def _is_plain(value: Any) -> bool:
    """Tell whether an option can be held in any process: text, numbers, and lists and dictionaries of such."""
    if isinstance(value, Mapping):
        return all(type(name) is str and _is_plain(each) for name, each in value.items())
    return type(value) in (str, int, float, bool, type(None)) or (type(value) in (list, tuple) and all(map(_is_plain, value)))


def _held(where: str, name: str, value: Any) -> Any:
    if _is_artifact(value):
        return {ARTIFACT: f"{value.record.artifact}@{value.record.version}"}
    if type(value) is External:
        return {EXTERNAL: type_name(value.value)}
    try:
        return unmarked(values.to_json(value, name=name))
    except values.NotPlain as error:
        raise ParameterError(
            f"{where}: {error.path} is a {type(error.value).__qualname__}, which cannot be held as a parameter. Make it the output of a "
            "step, or pass ExternalArtifact(value)"
        ) from error


def _for_steps(options: Options) -> Options:
    # A name, tags and materializers say something of the pipeline itself; the rest holds for each of its steps.
    return replace(options, name=None, tags=None, output_materializers=None, model=None, extra=None)


_RUN_NAME = "{pipeline}-{date}-{time}"
_OPTION_NAMES = frozenset(Options.__dataclass_fields__)


def _options(given: Mapping[str, Any], what: str) -> Options:
    unknown = sorted(set(given) - _OPTION_NAMES)
    if unknown:
        raise DefinitionError(f"{unknown[0]!r} is not an option of a {what}; there are: {', '.join(sorted(_OPTION_NAMES))}")
    if given.get("undeclared") not in (None, "off", "note", "error"):
        raise DefinitionError(f'undeclared of a {what} is "off", "note" or "error"; got {given["undeclared"]!r}')
    if not isinstance(given.get("cache_policy"), CachePolicy | None):
        raise DefinitionError(f"cache_policy of a {what} takes a CachePolicy, got {given['cache_policy']!r}")
    for name in ("settings", "model"):
        if given.get(name) is not None:
            said = f"{name} of a {what} is taken so that scripts written for ZenML run as they are; it has no effect"
            warnings.warn(said, LinealWarning, stacklevel=3)
    tags = given.get("tags")
    return Options(**given) if tags is None else Options(**{**given, "tags": check_tags(tags)})


def _materializers(given: Any, signature: Any, step_name: str) -> dict[str, AnyMaterializer]:
    if given is None:
        return {}
    names = [output.name for output in signature.outputs]
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise DefinitionError(
                f"step {step_name!r} has no output {unknown[0]!r} to give a materializer to; there are: {', '.join(names)}"
            )
        return {name: _instance(each, step_name) for name, each in given.items()}
    if isinstance(given, Sequence):
        if len(given) != len(names):
            raise DefinitionError(f"step {step_name!r} has {len(names)} outputs and got {len(given)} output_materializers")
        return {name: _instance(each, step_name) for name, each in zip(names, given, strict=True)}
    return {name: _instance(given, step_name) for name in names}


def _instance(materializer: Any, step_name: str) -> AnyMaterializer:
    try:
        return instance(materializer)
    except UsageError as error:
        raise DefinitionError(f"step {step_name!r}: output_materializers takes materializer classes or instances; {error}") from error
