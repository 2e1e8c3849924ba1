"""On this machine: one step at a time in this process, or several at once in worker processes."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SerialExecutor(Executor):
    """Runs each call at once, in the calling thread: the future that `submit` gives is done."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call `fn` and give a done future. An interrupt is raised, not kept."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class ProcessExecutor(Executor):
    """Runs calls in worker processes, one per core by default. Workers are started on first use and again after one was killed.

    loky's workers do not run the user's `__main__` again, so scripts need no guard, and a killed worker breaks its futures
    instead of hanging them.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or available_cores()
        self._pool: Any = None
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Send a call to a worker."""
        with self._lock:
            if self._pool is None or self._pool._flags.broken is not None:  # noqa: SLF001 - loky has no public way to ask
                from loky import ProcessPoolExecutor

                self._pool = ProcessPoolExecutor(max_workers=self.workers, timeout=60)
            future: Future[T] = self._pool.submit(fn, *args, **kwargs)
            return future

    def alone(self) -> "ProcessExecutor":
        """Give a new executor with one worker of its own."""
        return ProcessExecutor(1)

    def restart(self) -> None:
        """Kill the workers; the next call starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers after what they are doing, or at once with `cancel_futures`."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=wait, kill_workers=cancel_futures)


def available_cores() -> int:
    """Give the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
