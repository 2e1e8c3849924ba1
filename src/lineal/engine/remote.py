"""Sends steps to worker processes and brings back what became of them.

A step's function travels as a reference to its module, so that its classes are the same as everyone's. The worker then compares
the fingerprint of what it found with that of the task: where they differ (the module changed since the worker imported it, or
the script changed a global) the function travels again by value, so that what runs is always what the cache key says.
"""

import contextlib
import io
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol, TextIO

from lineal import memory
from lineal.artifacts import Artifacts
from lineal.engine.code.origins import origin_of_file
from lineal.engine.context import current_log
from lineal.engine.execute import StepResult, StepTask, execute_step
from lineal.engine.fingerprint import fingerprint
from lineal.engine.logs import teeing
from lineal.errors import LinealError, StepCrashed
from lineal.materializers.registry import Given, registry
from lineal.model.scripts import script_name, set_script_name
from lineal.model.text import size_text
from lineal.settings import set_variables


class Workers(Protocol):
    """An executor whose processes can be replaced."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> "Future[Any]":
        """Send a call to a worker."""
        ...

    def alone(self) -> Executor:
        """Give a new executor with one worker of its own."""
        ...


@dataclass(frozen=True, slots=True)
class _Reference:
    module: str
    name: str


@dataclass(frozen=True, slots=True)
class _Parcel:
    task: StepTask
    folder: str
    path: tuple[str, ...]
    materializers: tuple[Given, ...]
    process: int
    script: str


class _OtherCode(Exception):
    """The worker's modules hold other code than the task's key speaks of, or are not to be found there."""


class RemoteSteps:
    """Submits steps to workers. `work` is called there with a packed task; it must end in `perform`."""

    def __init__(self, workers: Workers, work: Callable[[bytes], bytes]) -> None:
        self._workers = workers
        self._work = work
        self._suspects = ThreadPoolExecutor(1, thread_name_prefix="lineal-suspects")
        self._cancelled = threading.Event()
        self._peak, self._kills = memory.children_peak(), memory.kills()

    def submit(self, task: StepTask) -> "Future[StepResult]":
        """Start a step in a worker."""
        answer: Future[StepResult] = Future()
        self._send(task, answer, by_value=False)
        return answer

    def cancel(self) -> None:
        """Note that the run was interrupted: a worker that dies now was killed by us."""
        self._cancelled.set()

    def _send(self, task: StepTask, answer: "Future[StepResult]", *, by_value: bool) -> None:
        inner = self._workers.submit(self._work, pack(task, by_value=by_value))
        inner.add_done_callback(lambda done: self._receive(done, task, answer, by_value=by_value))

    def _receive(self, inner: "Future[Any]", task: StepTask, answer: "Future[StepResult]", *, by_value: bool) -> None:
        error = inner.exception() if not inner.cancelled() else StepCrashed(f"{task.where} was cancelled")
        if error is None:
            answer.set_result(unpack(inner.result()))
        elif isinstance(error, _OtherCode) and not by_value:
            self._send(task, answer, by_value=True)
        elif isinstance(error, BrokenProcessPool) and not self._cancelled.is_set():
            # One worker died and took the pool with it; whose step it was is not known, so each is tried once more by itself.
            self._suspects.submit(self._try_alone, task, answer)
        else:
            answer.set_exception(error)

    def _try_alone(self, task: StepTask, answer: "Future[StepResult]") -> None:
        broken = None
        with self._workers.alone() as worker:
            try:
                answer.set_result(unpack(worker.submit(self._work, pack(task, by_value=True)).result()))
            except BrokenProcessPool as error:
                broken = error
            except Exception as error:
                answer.set_exception(error)
        if broken is not None:  # said once the worker has been waited for: only then does the system tell what it had used
            answer.set_exception(self._death(task, broken))

    def _death(self, task: StepTask, broken: BrokenProcessPool) -> StepCrashed:
        """Say what a step's worker died of: its exit code as the executor tells it, its peak of memory as the system does."""
        most, kills = memory.children_peak(), self._kills
        peak = None if most == self._peak else most  # the same: an earlier child had used more, so how much this one did is not known
        self._peak, self._kills = most, memory.kills()
        code = _EXIT_CODES.search(str(broken))
        ended = f" with {code[1]}" if code else ""
        used = "" if peak is None else f"; it had used {size_text(peak)}"
        reason = "killed by the system or by a crash in native code"
        if code is None or "SIGKILL" in code[1]:
            limit = memory.limit()
            starved = memory.killed_since(kills) or (peak is not None and limit is not None and peak > memory.NEAR * limit)
            reason = "killed by the system: out of memory" if starved else "killed, likely out of memory"
        elif "EXIT" in code[1]:
            reason = "its code ended the process"
        crash = StepCrashed(f"{task.where}: its worker process died{ended} ({reason}{used})")
        crash.peak_memory = peak
        return crash


_LOOK_AFTER_MASTER = 1.0  # seconds
_EXIT_CODES = re.compile(r"exit codes of the workers are \{([^}]*)\}")


def pack(task: StepTask, *, by_value: bool) -> bytes:
    """Give a task as bytes. The function is a reference to its module where it can be found there, and `by_value` is not wanted."""
    import cloudpickle

    # What the key's policy names was looked at here, and its functions need not be ones that can travel.
    task = replace(task, options=replace(task.options, cache_policy=None))
    reference = None if by_value else _reference(task.spec.function)
    if reference is None:
        task = replace(task, code="")  # what travels by value cannot be other code
    else:
        task = replace(task, spec=replace(task.spec, function=reference))  # type: ignore[arg-type]
    path = tuple(entry for entry in sys.path if entry)
    parcel = _Parcel(task, os.getcwd(), path, tuple(registry.given), os.getpid(), script_name())  # noqa: PTH109 - a str is what travels
    with _own_modules_by_value() if reference is None else contextlib.nullcontext():
        packed: bytes = cloudpickle.dumps(parcel, protocol=5)
    return packed


_registering = threading.Lock()  # which modules travel by value is a setting of the whole process


@contextlib.contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Make cloudpickle take what it meets of the user's modules as it is now, not as the worker would import it."""
    import cloudpickle

    modules = [module for name, module in list(sys.modules.items()) if name != "__main__" and _is_own(module)]
    with _registering:
        for module in modules:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in modules:
                cloudpickle.unregister_pickle_by_value(module)


def perform(packed: bytes, artifacts: Artifacts) -> bytes:
    """Run a packed task in this worker and give its packed result. Raises _OtherCode when the function must travel by value."""
    import cloudpickle

    try:
        parcel: _Parcel = cloudpickle.loads(packed)
    except (ImportError, AttributeError) as missing:  # such as the module of a materializer, registered where the run is
        raise _OtherCode(str(missing)) from missing
    _end_with(parcel.process)
    sys.path.extend(entry for entry in parcel.path if entry not in sys.path)
    os.chdir(parcel.folder)
    set_script_name(parcel.script)
    registry.adopt(parcel.materializers)  # a script registers its own in the process that runs it
    task = parcel.task
    set_variables(task.declared.variables)
    function: Any = task.spec.function
    if isinstance(function, _Reference):
        try:
            found = _found(function)
        except (ImportError, AttributeError) as missing:
            raise _OtherCode from missing
        if fingerprint(found).digest != task.code:
            raise _OtherCode
        task = replace(task, spec=replace(task.spec, function=found))
    # The run's process shows what is logged; what is not kept goes straight to the terminal.
    with teeing(current_log, None if task.logs is None else _nowhere):
        result = execute_step(task, artifacts)
    result.outputs = {}  # they stay here: only what is sealed is known elsewhere
    if result.error is not None:
        result.error = _portable(result.error, task.where, result.traceback)
    done: bytes = cloudpickle.dumps(result, protocol=5)
    return done


_masters: set[int] = set()


def _end_with(master: int) -> None:
    """End this worker, soon, when the process that its steps come from is gone: nobody waits for what it does any more."""
    if os.getppid() != master or master in _masters:
        return
    _masters.add(master)

    def watch() -> None:
        while os.getppid() == master:
            time.sleep(_LOOK_AFTER_MASTER)
        os._exit(1)

    threading.Thread(target=watch, name="lineal-master", daemon=True).start()


def _nowhere(stream: TextIO) -> TextIO:
    return _Nowhere()


class _Nowhere(io.TextIOBase, TextIO):
    """A stream that forgets what is written to it."""

    def write(self, text: str) -> int:
        return len(text)


def unpack(packed: bytes) -> StepResult:
    """Give a result back from bytes."""
    import cloudpickle

    result: StepResult = cloudpickle.loads(packed)
    return result


def _is_own(module: object) -> bool:
    if not isinstance(module, ModuleType):
        return False
    path = getattr(module, "__file__", None)
    return isinstance(path, str) and path.endswith(".py") and origin_of_file(path) == "own"


def _reference(function: Callable[..., Any]) -> _Reference | None:
    name, module = function.__qualname__, function.__module__
    if module == "__main__" or module not in sys.modules or "<" in name:
        return None
    reference = _Reference(module, name)
    try:
        return reference if _found(reference) is function else None
    except AttributeError:
        return None


def _found(reference: _Reference) -> Any:
    found: Any = import_module(reference.module)
    for part in reference.name.split("."):
        found = getattr(found, part)
    spec = getattr(found, "spec", None)  # the name now stands for the step; the function is inside
    return getattr(spec, "function", found)


def _portable(error: BaseException, where: str, text: str) -> BaseException:
    """Give an error that can travel: itself, with the worker's traceback as a note, or a StepCrashed that tells of it."""
    import cloudpickle

    try:
        error.add_note(f"Traceback in the worker process:\n{text}")
        cloudpickle.loads(cloudpickle.dumps(error, protocol=5))
    except Exception as trouble:
        if isinstance(error, LinealError) and error.value is not None:
            error.add_note(f"the value that was not saved cannot be sent between processes either: {trouble}")
            error.value, error.values = None, {}
            return _portable(error, where, text)
        crash = StepCrashed(
            f"{where} raised {type(error).__name__}: {error} (the exception itself cannot be sent between processes: {trouble})"
        )
        crash.add_note(f"Traceback in the worker process:\n{text}")
        return crash
    return error
