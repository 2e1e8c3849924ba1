"""Work that takes long: one piece at a time, beside the requests, with how far it is."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lineal.errors import Conflict, LinealError
from lineal.model.records import Json
from lineal.views.shapes import time_text


@dataclass(slots=True)
class Progress:
    """How far a piece of work is: of so many things and bytes, so many."""

    all: int = 0
    done: int = 0
    all_bytes: int = 0
    done_bytes: int = 0

    def begin(self, files: int, size: int) -> None:
        """Say how many things and bytes there are to look at."""
        self.all, self.all_bytes = files, size

    def advance(self, files: int, size: int) -> None:
        """Say that so many more were looked at."""
        self.done += files
        self.done_bytes += size


@dataclass(slots=True)
class Job:
    """A piece of work. `result` is there when it has ended well, `error` when it has not."""

    started: int
    progress: Progress
    ended: int | None = None
    result: Any = None
    error: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Give its state: running, completed or failed."""
        state = "running" if self.ended is None else "completed" if self.error is None else "failed"
        at = self.progress
        return {
            "state": state, "started": time_text(self.started), "ended": None if self.ended is None else time_text(self.ended),
            "progress": {"all": at.all, "done": at.done, "all_bytes": at.all_bytes, "done_bytes": at.done_bytes},
            "result": self.result, "error": self.error,
        }  # fmt: skip


class Worker:
    """Does one piece of work at a time, in a thread of its own, and remembers the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last: Job | None = None

    def start(self, work: Callable[[Progress], Any]) -> Job:
        """Begin work, and give it at once. Raises Conflict while the one before goes on."""
        with self._lock:
            if self.last is not None and self.last.ended is None:
                raise Conflict("this is being done already; wait for its end")
            job = self.last = Job(time.time_ns() // 1000, Progress())
        threading.Thread(target=_do, args=(job, work), name="lineal-job", daemon=True).start()
        return job


def _do(job: Job, work: Callable[[Progress], Any]) -> None:
    try:
        job.result = work(job.progress)
    except LinealError as error:
        job.error = str(error)
    except Exception as error:  # whoever polls must learn that it has ended
        job.error = f"{type(error).__name__}: {error}"
    finally:
        job.ended = time.time_ns() // 1000
