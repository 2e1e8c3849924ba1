"""The states of a run and of a step run, and which may follow which. Code looks up; nothing else decides."""

from enum import StrEnum


class Status(StrEnum):
    """State of a pipeline run or of a step run."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    CRASHED = "crashed"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows this state."""
        return not FOLLOWS[self]

    @property
    def is_success(self) -> bool:
        """Whether outputs of this state may be used."""
        return self in (Status.COMPLETED, Status.CACHED)


_ENDS = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.CRASHED})

FOLLOWS: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.RUNNING, Status.CACHED, Status.SKIPPED, Status.CANCELLED}) | _ENDS,
    Status.RUNNING: _ENDS | {Status.CACHED},
    # A run whose process was thought dead (a suspended laptop) may still end by itself.
    Status.CRASHED: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.CACHED: frozenset(),
    Status.FAILED: frozenset(),
    Status.SKIPPED: frozenset(),
    Status.CANCELLED: frozenset(),
}


class Prospect(StrEnum):
    """What a plan says of a step.

    CACHED: an earlier result is there and would be given. RUNS: no stored result answers it. DEPENDS: whether it runs shows when a step
    before it has run. FAILS: its cache policy raises, so that it would fail before it runs.
    """

    CACHED = "cached"
    RUNS = "runs"
    DEPENDS = "depends"
    FAILS = "fails"
