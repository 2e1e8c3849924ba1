"""From a plan to a run: one scheduling loop over an executor, one transaction per finished step.

The loop runs in the thread that called the pipeline. It starts every call whose upstream has ended, in the order of the
definition, as many at once as the executor has places; asks the cache first; and commits what comes back. Cache hits in a row
share a transaction, which is written before the next step that really runs.

A prune may come between a look and its transaction. The store notices it in that transaction, and nothing of it is recorded: a hit
whose version is gone is then run, and a step whose fresh bytes are gone is run again.
"""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from lineal.artifacts import Artifacts, boots
from lineal.engine import cache
from lineal.engine.ahead import Ahead
from lineal.engine.claims import Claims
from lineal.engine.context import is_step_thread
from lineal.engine.dependencies import declared
from lineal.engine.environment import begin as ask_for_environment
from lineal.engine.environment import environment
from lineal.engine.execute import StepResult, StepTask, hang, new_outputs
from lineal.engine.externals import ATTEMPTS, keep_externals
from lineal.engine.interrupt import Interrupts
from lineal.engine.ledger import Ledger, final_status
from lineal.engine.precheck import foretell
from lineal.engine.progress import Reporter
from lineal.engine.pulse import Pulse
from lineal.engine.queue import Queue
from lineal.engine.reasons import Past
from lineal.engine.tail import Tails
from lineal.engine.undeclared import summary
from lineal.engine.waits import Waits
from lineal.errors import ArtifactMissing, Conflict, LinealError, NotFound, StepCrashed, StoreError, UsageError, VersionGone
from lineal.graph.plan import Call, ExternalRef, VersionRef, check_order, outline
from lineal.graph.step import MISSING
from lineal.host import LifeSign
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import RunRecord, SameOutput, StepCommit, StepRunRecord, VersionRecord
from lineal.model.states import Status


class Services(Protocol):
    """What a run needs of the workspace."""

    @property
    def metadata(self) -> MetadataStore:
        """Where facts live."""
        ...

    @property
    def artifacts(self) -> Artifacts:
        """Save and load."""
        ...

    @property
    def life(self) -> LifeSign:
        """This process's sign of life."""
        ...

    @property
    def claims(self) -> Claims | None:
        """Who makes which result now; None to compute without asking."""
        ...

    @property
    def capacity(self) -> int:
        """How many steps run at once."""
        ...

    def submitter(self) -> Callable[[StepTask], "Future[StepResult]"]:
        """Give the function that starts a step."""
        ...

    def cancel(self) -> None:
        """Stop the steps that are running in other processes."""
        ...

    def log_folder(self, run_id: str) -> Path:
        """Give the folder of the logs of a run's steps."""
        ...

    @property
    def log_mode(self) -> int:
        """Permissions of these logs."""
        ...


@dataclass(slots=True)
class Ended:
    """How a call of this run ended. `values` holds outputs that are immutable and were made in this process."""

    status: Status
    versions: dict[str, VersionRecord] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None


class Runner:
    """One pipeline run, which may go on with another. `execute` may be called several times, as the body looks at values and goes on."""

    def __init__(self, services: Services, run: RunRecord, reporter: Reporter | None = None, resumed: cache.Resumed | None = None) -> None:
        self._resumed = resumed
        self.services = services
        self.metadata = services.metadata
        self.artifacts = services.artifacts
        self.run = run
        self.reporter = reporter
        self.ended: dict[int, Ended] = {}
        self.errors: list[BaseException] = []
        self._unsuccessful: set[int] = set()
        self._began = False
        self._is_planned = False  # whether the plan that was recorded at the beginning has all calls
        self._total: int | None = None
        self._tails = Tails()
        self._logs = services.log_folder(run.id)
        self._folder = Path.cwd()
        self._clock = time.perf_counter_ns()
        self._ledger = Ledger(self.metadata, run)
        self._is_over = False
        self._unrecorded: StoreError | None = None  # why the end could not be recorded
        self._again: dict[int, str] = {}  # calls that must run although the cache may know them, with the id of their step run
        self._lost: Counter[int] = Counter()
        self._unsettled: list[str] = []
        self._running: dict[Future[StepResult], tuple[Call, cache.Inquiry, StepRunRecord]] = {}
        self._starting: tuple[Call, cache.Inquiry, StepRunRecord] | None = None
        self._past = Past(run, self.metadata)
        self._ahead = Ahead(self.metadata)
        self._pulse = Pulse(self.metadata, run.id, self._ledger.begin, services.life.beat)
        # A run inside of a step waits for nobody: who waits for that step might be the one that it would wait for. A run in another
        # thread while a step is at work here does wait, for it is most often a run of its own.
        self._waits = Waits(None if is_step_thread() else services.claims, self.metadata)
        self._interrupts = Interrupts()
        self._submit: Callable[[StepTask], Future[StepResult]] | None = None
        self._run_metadata: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether anything was recorded."""
        return self._began

    # -- the loop

    def execute(self, calls: Sequence[Call], total: int | None = None) -> None:
        """Run those calls that have not ended yet, each as soon as what it needs is there. A failed step skips what needs it.

        `total` is the number of the run's steps, None while it is not known; with it these are the last, and the end of the run is
        recorded. Errors of steps are kept in `errors`; an interrupt is raised after what was running is noted as cancelled.
        """
        todo = {call.position: call for call in calls if call.position not in self.ended}
        check_order(tuple(todo.values()))
        self._keep_externals(todo.values())
        self._total = total
        self._begin(tuple(todo.values()))
        self._hold_given(todo.values())
        capacity = self.services.capacity
        with self._interrupts:
            try:
                while True:
                    queue = Queue(todo, self.ended)
                    try:
                        while queue.ready or self._running or self._waits:
                            if queue.ready and len(self._running) < capacity:
                                call = todo[queue.pop()]
                                self._start(call)
                                if call.position in self.ended:
                                    queue.release(call)
                            else:
                                for call in self._wait():
                                    queue.release(call)
                        if total is None:
                            self._flush()
                        else:
                            self._end(calls)
                        break
                    except VersionGone as gone:
                        self._take_back(gone)
                        self._waits.forget()
                        todo = self._still_to_do(todo)
            except BaseException:
                self._stop_running()
                raise

    def _keep_externals(self, calls: Iterable[Call]) -> None:
        refs = [ref for call in calls for ref in call.externals if ref.version is None]
        if refs:
            loose = keep_externals(list(dict.fromkeys(refs)), self.artifacts, self.metadata)
            if self.run.durability == "run":
                self._unsettled += loose

    def _hold_given(self, calls: Iterable[Call]) -> None:
        """Keep prunes from what the calls were given, from now on and not only once their edges are recorded."""
        given: list[VersionRef | ExternalRef] = []
        for call in calls:
            given += call.versions
            given += call.externals
        if not given:
            return
        self._ledger.begin()
        gone = self.metadata.hold(self.run.id, list(dict.fromkeys(ref.version.id for ref in given if ref.version)))
        for ref in given:
            if ref.version is not None and ref.version.id in gone:
                if isinstance(ref, VersionRef):
                    raise NotFound(f"{ref.version.artifact}@{ref.version.version}, which the pipeline was given, was deleted or pruned")
                ref.version = None
        if gone:  # values from outside: they are at hand, and stored again
            self._keep_externals(calls)
            self._hold_given(calls)

    def _still_to_do(self, todo: Mapping[int, Call]) -> dict[int, Call]:
        running = {call.position for call, _, _ in self._running.values()}
        return {position: call for position, call in todo.items() if position not in self.ended and position not in running}

    def _wait(self) -> list[Call]:
        self._flush()  # others should see the hits while this run waits
        done: set[Future[StepResult]] = set()
        if self._running:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED, timeout=0.2)
        else:
            self._waits.pause()
        self._tails.show()
        ended = [self._finish_future(future) for future in done]
        for call in self._waits.due():
            self._start(call)
            if call.position in self.ended:
                ended.append(call)
        return ended

    # -- one call

    def _start(self, call: Call) -> None:
        if self._unsuccessful:  # the rare case: most runs ask no step for those before it
            blocking = [earlier.name for earlier in call.upstream() if earlier.position in self._unsuccessful]
            if blocking:
                self._skip(call, blocking[0])
                return
        try:
            inquiry = cache.inquire(call, self.ended, self.artifacts)
        except Exception as error:  # such as one that the step's own cache_func raised
            self._fail(call, error)
            return
        again = self._again.get(call.position) if self._again else None
        if again is not None:
            inquiry.decision = "lost"
        else:
            cached, free = self._ask(call, inquiry)
            if cached is not None:
                self._hit(call, inquiry, cached)
                return
            if not free:
                self._say_waiting(call, inquiry.key)
                return
        foretell(call, self.run.pipeline, self.artifacts.registry)
        self._flush()  # what this step is about to load is recorded as used by this run, so no prune takes it
        step_run = StepRunRecord(
            again or new_id(), self.run.id, call.name, call.step.name, call.position, Status.RUNNING, time.time_ns() // 1000,
            cache_key=inquiry.key, parameters=inquiry.parameters, ingredients=inquiry.ingredients(),
        )  # fmt: skip
        task = StepTask(
            call.step, f"step {call.name!r} of pipeline {self.run.pipeline!r}", inquiry.inputs, call.options, self.run.id, self.run.name,
            self.run.pipeline, step_run.id, call.name, {name: output.artifact for name, output in call.outputs.items()},
            None if call.options.enable_step_logs is False else self._logs, inquiry.code.digest, call.position,
            declared=declared(call.options, inquiry.decision), log_mode=self.services.log_mode,
        )  # fmt: skip
        self._pulse.started(step_run)
        if self.reporter is not None:
            self.reporter.step(call.name, Status.RUNNING, total=self._total)
        if self._submit is None:
            self._submit = self.services.submitter()
        self._starting = (call, inquiry, step_run)
        future = self._submit(task)  # in this process the step runs here, and an interrupt leaves from here
        self._running[future], self._starting = self._starting, None
        if future.done():
            self._finish_future(future)
        else:
            self._tails.begin(step_run.id, task.logs)

    def _ask(self, call: Call, inquiry: "cache.Inquiry") -> "tuple[cache.Hit | None, bool]":
        """Give what answers a call, and whether it is this run's to make when nothing does. What was found ahead needs no claim."""
        cached = None
        if inquiry.key in self._ahead:
            cached = cache.look_up(inquiry, call, self._ahead, self.metadata, self.artifacts, self._resumed)
        if cached is not None:
            return cached, True
        self._ahead.forget()  # what cannot be given, such as an expired result, another run may have made anew by now
        free = not cache.is_asked(call) or self._waits.claim(call, inquiry.key)
        return cache.look_up(inquiry, call, self._ahead, self.metadata, self.artifacts, self._resumed), free

    def _say_waiting(self, call: Call, key: str) -> None:
        if self.reporter is not None:
            maker = self._waits.maker(key)
            note = f"waits for {'another run' if maker is None else f'run {maker}'}, which is making the same result"
            self.reporter.step(call.name, Status.PENDING, None, note, self._total)

    def _finish_future(self, future: "Future[StepResult]") -> Call:
        call, inquiry, step_run = self._running.pop(future)
        try:
            result = future.result()
        except Exception as error:  # the worker died or could not be reached: the step's own errors come inside the result
            message = f"step {call.name!r} of pipeline {self.run.pipeline!r} did not come back: {error}"
            crash = error if isinstance(error, LinealError) else StepCrashed(message)
            peak = getattr(crash, "peak_memory", None)
            result = StepResult(step_run.started or 0, error=crash, traceback=str(crash), peak_memory=peak)
        with self._interrupts.shield():
            self._finish(call, inquiry, step_run, result)
        return call

    def _finish(self, call: Call, inquiry: "cache.Inquiry", step_run: StepRunRecord, result: StepResult) -> None:
        self._pulse.ended(step_run.id)
        self._tails.end(step_run.id)
        self._run_metadata.update(result.run_metadata)
        ingredients = {**step_run.ingredients}
        if result.undeclared:
            ingredients["undeclared"] = result.undeclared
        if result.peak_memory is not None:
            ingredients["peak_memory"] = result.peak_memory
        status = Status.COMPLETED if result.error is None else Status.FAILED
        step_run = StepRunRecord(
            step_run.id, self.run.id, call.name, call.step.name, call.position, status, result.started,
            result.started + result.duration // 1000, result.duration, inquiry.key, None, inquiry.parameters, ingredients,
            result.metadata, result.traceback if result.error else None,
        )  # fmt: skip
        outputs = [] if result.error is not None else new_outputs(call, result)
        commit = StepCommit(step_run, (*inquiry.edges, *result.loaded), tuple(outputs), inquiry.code_record())
        try:
            versions = self._ledger.commit(commit)
        except (Conflict, UsageError, ArtifactMissing) as error:  # such as an explicit version that exists with other bytes
            hang(result.outputs, error)
            self._lost[call.position] += 1
            if isinstance(error, ArtifactMissing) and self._lost[call.position] <= ATTEMPTS:
                self._again[call.position] = step_run.id
                raise VersionGone(str(error), step_run.id) from error
            step_run = replace(step_run, status=Status.FAILED, error=str(error))
            self._ledger.commit(StepCommit(step_run, commit.inputs, (), commit.code))
            status, result.error, versions = Status.FAILED, error, []
        except StoreError as error:  # such as a full disk: the run ends here, and what the step did is not lost
            if isinstance(result.error, LinealError):
                result.error.add_note(f"nor could it be recorded that the step failed: {error}")
                raise result.error from error
            hang(result.outputs, error)
            raise
        note = "" if self.reporter is None else inquiry.reason() or self._past.note(step_run, inquiry.code_record(), inquiry.given)
        if result.undeclared:
            note = "; ".join(filter(None, (note, f"not in its key: {summary(result.undeclared)}")))
        names = [output.name for output in call.step.signature.outputs]
        ended = Ended(status, dict(zip(names, versions, strict=False)), error=result.error)
        ended.values = {name: value for name, value in zip(names, result.kept, strict=False) if value is not MISSING}
        self._ended(call, ended, result.duration / 1e9, note)
        if self.run.durability == "run":
            self._unsettled += boots(result.saved)

    def _hit(self, call: Call, inquiry: "cache.Inquiry", cached: cache.Hit) -> None:
        now = time.time_ns() // 1000
        step_run = StepRunRecord(
            new_id(), self.run.id, call.name, call.step.name, call.position, Status.CACHED, now, now, 0, inquiry.key,
            cached.call.step_run_id, inquiry.parameters, inquiry.ingredients(),
        )  # fmt: skip
        commit = StepCommit(step_run, tuple(inquiry.edges), tuple(cached.outputs), inquiry.code_record())
        if cached.settled:
            self._ledger.add(commit)
            versions = [output.version for output in cached.outputs if isinstance(output, SameOutput)]
        else:
            versions = self._give_new_names(commit)
        names = [output.name for output in call.step.signature.outputs]
        self._ended(call, Ended(Status.CACHED, dict(zip(names, versions, strict=True))), 0.0, f"from run {cached.call.run_name}")
        if self._ledger.is_full:
            self._flush()

    def _give_new_names(self, commit: StepCommit) -> list[VersionRecord]:
        self._flush()
        try:
            return self._ledger.commit(commit)
        except (ArtifactMissing, VersionGone) as error:
            self._again[commit.step_run.position] = commit.step_run.id
            raise VersionGone(str(error), commit.step_run.id) from error

    def _take_back(self, gone: VersionGone) -> None:
        """Forget the hits that are not recorded yet: the one that gave a version which is gone is run, the others are asked for again."""
        for commit in self._ledger.take_back():
            position = commit.step_run.position
            del self.ended[position]
            self._unsuccessful.discard(position)
            if commit.step_run.id == gone.step_run_id:
                self._again[position] = gone.step_run_id

    def _fail(self, call: Call, error: Exception) -> None:
        now = time.time_ns() // 1000
        text = "".join(traceback.format_exception(error))
        failed = StepRunRecord(new_id(), self.run.id, call.name, call.step.name, call.position, Status.FAILED, now, now, 0, error=text)
        self._ledger.commit(StepCommit(failed))
        self._ended(call, Ended(Status.FAILED, error=error), 0.0, "")

    def _skip(self, call: Call, because: str) -> None:
        step_run = StepRunRecord(
            new_id(), self.run.id, call.name, call.step.name, call.position, Status.SKIPPED, error=f"step {because!r} did not succeed"
        )
        self._ledger.add(StepCommit(step_run))
        self._ended(call, Ended(Status.SKIPPED), None, f"needs {because}")

    def _ended(self, call: Call, ended: Ended, seconds: float | None, note: str) -> None:
        self.ended[call.position] = ended
        self._waits.ended(call)
        if not ended.status.is_success:
            self._unsuccessful.add(call.position)
        if ended.error is not None:
            ended.error.add_note(f"in step {call.name!r} of pipeline {self.run.pipeline!r}, run {self.run.name!r}")
            self.errors.append(ended.error)
            note = f"{type(ended.error).__name__}: {ended.error}".partition("\n")[0]
        if self.reporter is not None:
            self.reporter.step(call.name, ended.status, seconds, note, self._total)

    # -- facts

    def _begin(self, calls: Sequence[Call] = ()) -> None:
        if not self._began:
            self.run = self._ledger.run = replace(self.run, plan=outline(calls))  # so that who follows it sees what is to come
            self._began, self._is_planned = True, self._total is not None
            self._pulse.start()
            ask_for_environment(self._folder)
            if self.reporter is not None:
                self.reporter.started(self.run, self._total)

    def _flush(self) -> None:
        self._ahead.forget()
        self._ledger.flush()

    def _stop_running(self) -> None:
        """Record what is running as cancelled: the loop was left by an interrupt or a broken store."""
        now = time.time_ns() // 1000
        if self._running:
            self.services.cancel()
        stopped = [*self._running.values(), *([self._starting] if self._starting else [])]
        for call, inquiry, step_run in stopped:
            self._pulse.ended(step_run.id)
            self.ended[call.position] = Ended(Status.CANCELLED)
            self._ledger.add(StepCommit(replace(step_run, status=Status.CANCELLED, ended=now), tuple(inquiry.edges)))
        self._running.clear()
        self._starting = None

    def finish(self, calls: Sequence[Call], error: BaseException | None = None) -> RunRecord:
        """Record how the run ended, if `execute` has not; steps that never began are cancelled. Gives the run as recorded."""
        if error is not None and error is self._unrecorded:
            return self.run
        if not self._is_over:
            with self._interrupts:
                self._begin()
                self._end(calls, error)
        if self.reporter is not None:
            self.reporter.finished(self.run, Counter(ended.status for ended in self.ended.values()))
        return self.run

    def _end(self, calls: Sequence[Call], error: BaseException | None = None) -> None:
        self._pulse.stop()
        with self._interrupts.shield():
            self._waits.end()
            known = self._ledger.positions  # of a hit that Ctrl-C came upon
            for call in calls:
                if call.position not in self.ended and call.position not in known:
                    self.ended[call.position] = Ended(Status.CANCELLED)
                    step_run = StepRunRecord(new_id(), self.run.id, call.name, call.step.name, call.position, Status.CANCELLED)
                    self._ledger.add(StepCommit(step_run))
            self._settle(error)
            duration = time.perf_counter_ns() - self._clock
            first = error or (self.errors[0] if self.errors else None)
            run = replace(
                self.run, status=final_status(first), ended=self.run.started + duration // 1000, duration=duration,
                metadata={**self.run.metadata, **self._run_metadata}, error=None if first is None else f"{type(first).__name__}: {first}",
                plan=self.run.plan if self._is_planned else outline(calls), environment={**self.run.environment, **environment(self._folder)},
            )  # fmt: skip
            try:
                self._ledger.end(run, has_plan=self._is_planned)
            except StoreError as unrecorded:
                self._unrecorded = unrecorded
                raise
            except LinealError:
                if error is None:
                    self._pulse.start()
                    raise
                self._ledger.forget_given()  # the run was stopped, and what the cache gave last is gone: it counts as never given
                self._ledger.end(run, has_plan=self._is_planned)
            self.run, self._is_over = run, True

    def _settle(self, error: BaseException | None) -> None:
        if self._unsettled:
            try:
                self.artifacts.store.sync(self._unsettled)
                self.metadata.settle(self._unsettled)
            except StoreError as unsynced:
                if error is None:
                    raise
                if error is not unsynced:  # the end is recorded all the same: what was not synced is known by its mark
                    error.add_note(f"nor could what the run stored be synced: {unsynced}")
