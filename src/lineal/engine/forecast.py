"""What running a plan would cost, from what earlier executions of the same steps did."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any, NamedTuple

from lineal.model.records import EarlierStepRun
from lineal.model.states import Prospect
from lineal.model.text import duration_text, size_text

SAMPLES = 5
"""How many of the newest step runs of a step are looked at."""


class Cost(NamedTuple):
    """What a step took: time in seconds and bytes of its outputs; the median of several."""

    seconds: float
    size: int


def costs(history: Sequence[EarlierStepRun]) -> dict[str, Cost]:
    """Give what each call took by its name, and under `step:` and a step's name what all its calls did. A result given twice counts once."""
    samples: dict[str, dict[str, Cost]] = {}
    for each in history:
        if each.duration is not None:
            for name in (each.step_run.name, f"step:{each.step_run.step}"):
                samples.setdefault(name, {})[each.origin] = Cost(each.duration / 1e9, each.size)
    return {
        name: Cost(median(cost.seconds for cost in found.values()), int(median(cost.size for cost in found.values())))
        for name, found in samples.items()
    }


class Load(NamedTuple):
    """A step of a plan as the forecast sees it: what would happen, what it took before (None when unknown), and what it waits for."""

    name: str
    state: Prospect
    cost: Cost | None
    upstream: Sequence[str]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would cost: `print` says it in a sentence.

    Times and bytes are those of the newest executions of the same steps in the same pipeline (the median of up to five). Steps without
    such a history are listed as `unknown` and not counted in them.

    Attributes:
        steps: How many steps the plan has.
        runs: How many of them would run.
        may_run: How many more would run or not, depending on what those give.
        duration: How long a run takes when only the former run, with as many steps at once as the orchestrator runs; None when that is
            not known of any of them.
        longest: How long it takes when the others run too; None when that is not known of any.
        size: Bytes that the former write; None when not known.
        largest: Bytes that all of them write; None when not known.
        unknown: Names of the steps that would or may run and have not run before.
    """

    steps: int
    runs: int
    may_run: int
    duration: timedelta | None
    longest: timedelta | None
    size: int | None
    largest: int | None
    unknown: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON, times in seconds, with the sentence as `text`."""
        return {
            "steps": self.steps,
            "runs": self.runs,
            "may_run": self.may_run,
            "duration": _seconds(self.duration),
            "longest": _seconds(self.longest),
            "size": self.size,
            "largest": self.largest,
            "unknown": list(self.unknown),
            "text": str(self),
        }

    def __str__(self) -> str:
        steps = f"{self.steps} step" if self.steps == 1 else f"{self.steps} steps"
        if not self.runs and not self.may_run:
            return f"none of {steps} would run: every result is there"
        said = [f"{self.runs} of {steps} would run"]
        if self.may_run:
            said.append(f"{self.may_run} more may")
        if self.longest is None or self.largest is None:
            return ", ".join([*said, "time and bytes unknown"])
        times = [0.0 if each is None else each.total_seconds() for each in (self.duration, self.longest)]
        said.append(_span(times, _about, "about "))
        said.append(f"{_span([self.size or 0, self.largest], size_text)} new")
        missing = len(self.unknown)
        rest = f", without {missing} step{'' if missing == 1 else 's'} that never ran before" if missing else ""
        return ", ".join(said) + rest


def forecast(loads: Sequence[Load], workers: int) -> Forecast:
    """Give the forecast of a plan, its steps in an order in which they can run, with `workers` steps at once."""
    sure = [load for load in loads if load.state is Prospect.RUNS]
    possible = [load for load in loads if load.state in (Prospect.RUNS, Prospect.DEPENDS)]
    return Forecast(
        len(loads),
        len(sure),
        len(possible) - len(sure),
        _time(sure, loads, workers),
        _time(possible, loads, workers),
        _bytes(sure),
        _bytes(possible),
        tuple(load.name for load in possible if load.cost is None),
    )


def _time(running: Sequence[Load], loads: Sequence[Load], workers: int) -> timedelta | None:
    """Give how long it takes when these run: at least as long as the longest chain of them, and as their work shared by all workers."""
    seconds = {load.name: load.cost.seconds for load in running if load.cost is not None}
    if not seconds:
        return None
    return timedelta(seconds=max(sum(seconds.values()) / workers, _longest_chain(seconds, loads)))


def _longest_chain(seconds: Mapping[str, float], loads: Iterable[Load]) -> float:
    ends: dict[str, float] = {}
    for load in loads:
        ends[load.name] = max((ends[name] for name in load.upstream), default=0.0) + seconds.get(load.name, 0.0)
    return max(ends.values())


def _bytes(running: Sequence[Load]) -> int | None:
    known = [load.cost.size for load in running if load.cost is not None]
    return sum(known) if known else None


def _span(ends: Sequence[Any], text: Callable[[Any], str], before: str = "") -> str:
    low, high = map(text, ends)
    if low == high:
        return before + low
    return f"{before}{low} to {high}" if ends[0] else f"up to {high}"


def _about(seconds: float) -> str:
    """Give a time to about two digits: that of a forecast is no better."""
    if seconds < 0.9995:
        return duration_text(seconds)
    if seconds < 99.5:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()
