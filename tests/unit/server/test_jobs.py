"""Long work: one at a time, with its progress and its end."""

import threading
import time

import pytest

from lineal.errors import Conflict, UsageError
from lineal.server.jobs import Progress, Worker


def ended(worker: Worker) -> dict[str, object]:
    for _ in range(500):
        assert worker.last is not None
        if worker.last.ended is not None:
            return worker.last.to_json()  # type: ignore[return-value]
        time.sleep(0.01)
    raise AssertionError("it does not end")


def test_work_goes_on_beside_and_tells_how_far_it_is() -> None:
    worker, go = Worker(), threading.Event()

    def work(progress: Progress) -> str:
        progress.begin(2, 100)
        progress.advance(1, 50)
        go.wait(10)
        return "done"

    job = worker.start(work)
    while job.progress.done == 0:
        time.sleep(0.001)
    assert job.to_json()["state"] == "running"
    assert job.to_json()["progress"] == {"all": 2, "done": 1, "all_bytes": 100, "done_bytes": 50}
    with pytest.raises(Conflict, match="being done already"):
        worker.start(work)
    go.set()
    assert (ended(worker)["state"], ended(worker)["result"]) == ("completed", "done")
    worker.start(lambda progress: "again")
    assert ended(worker)["result"] == "again"


@pytest.mark.parametrize(("error", "says"), [(UsageError("cannot"), "cannot"), (OSError("disk"), "OSError: disk")])
def test_work_that_fails_ends_and_says_why(error: Exception, says: str) -> None:
    def work(progress: Progress) -> None:
        raise error

    worker = Worker()
    worker.start(work)
    assert (ended(worker)["state"], ended(worker)["error"]) == ("failed", says)
