"""What a run records, and when: its row once a step is about to run, hits with the next step that runs, and its end with the last of them.

So a run whose steps are all cached is one transaction: it waits for the disk once.
"""

import threading
from dataclasses import replace
from typing import Final

from lineal.metadata_store.base import MetadataStore
from lineal.model.records import RunRecord, SameOutput, StepCommit, VersionRecord
from lineal.model.states import Status

MOST: Final = 16 << 20
"""Bytes, about, that wait to be recorded at most: one transaction holds up others, and one request has a limit."""


class Ledger:
    """The record of one run.

    Args:
        metadata: Where facts live.
        run: The run as it begins; to be replaced by one with a plan before anything is recorded.
    """

    def __init__(self, metadata: MetadataStore, run: RunRecord) -> None:
        self.run = run
        self._metadata = metadata
        self._waiting: list[StepCommit] = []
        self._weight = 0
        self._is_begun = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Record the run, if it is not recorded yet. From any thread: the heartbeat does it for a run that only looks for a while."""
        with self._lock:
            if not self._is_begun:
                self._metadata.begin_run(self.run)
                self._is_begun = True

    def add(self, commit: StepCommit) -> None:
        """Note a step run that makes nothing new: it is recorded with what comes next."""
        self._waiting.append(commit)
        self._weight += _size(commit)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that it should be flushed."""
        return self._weight >= MOST

    def commit(self, commit: StepCommit) -> list[VersionRecord]:
        """Record a step run, and what waits, and give its versions. What could not be written goes on waiting."""
        self.begin()
        versions = self._metadata.finish_steps([*self._waiting, commit])[-1]
        self.take_back()
        return versions

    def flush(self) -> None:
        """Record what waits."""
        self.begin()
        if self._waiting:
            self._metadata.finish_steps(self._waiting)
            self.take_back()

    def take_back(self) -> list[StepCommit]:
        """Give what waits, and forget it."""
        waiting, self._waiting, self._weight = self._waiting, [], 0
        return waiting

    @property
    def positions(self) -> set[int]:
        """The places, in their run, of the step runs that wait."""
        return {commit.step_run.position for commit in self._waiting}

    def forget_given(self) -> None:
        """Forget what waits and refers to versions."""
        self._waiting = [commit for commit in self._waiting if not commit.outputs and not commit.inputs]

    def end(self, run: RunRecord, *, has_plan: bool) -> None:
        """Record the run's end, and what waits, in one transaction; the run itself too when it was not recorded yet.

        `has_plan` says that its plan is the one that it began with.
        """
        with self._lock:
            if self._is_begun and has_plan:
                run = replace(run, plan=None)
            self._metadata.finish_run(run, self._waiting, is_begun=self._is_begun)
            self._is_begun = True
        self.take_back()


def _size(commit: StepCommit) -> int:
    """Give about how many bytes a step run that gives existing versions has as text."""
    size = 1000 + 150 * len(commit.inputs)
    for output in commit.outputs:
        if type(output) is SameOutput:
            held = output.version.object
            size += 1000 + len(held.inline or b"") * 4 // 3 + 150 * len(held.files)
    return size


def final_status(error: BaseException | None) -> Status:
    """Give how a run has ended that was left by an error, or by none."""
    if error is None:
        return Status.COMPLETED
    return Status.CANCELLED if isinstance(error, KeyboardInterrupt) else Status.FAILED
