"""A kill, a full disk or a disk error at each single system call that changes something, in a first run and in a later one."""

import errno
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lineal.errors import LinealError
from torture import checks, flow, forks, shim
from torture.outcome import Outcome, shuffled_until

N = 3
"""The parameter of the pipeline under faults; the next run has the same, so that it may meet what the fault left."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way in which a call goes wrong. `remedy` must be in the message of the error that follows; None when nothing is left to raise one."""

    name: str
    mode: int
    classes: int
    error: int = 0
    torn: bool = False
    remedy: str | None = None


KINDS = (
    Kind("killed before a call", shim.KILL, shim.EVERY),
    Kind("killed in the middle of a write", shim.KILL, shim.WRITE, torn=True),
    Kind("disk full from a call on (ENOSPC)", shim.FAIL_ON, shim.WRITE | shim.CREATE, errno.ENOSPC, remedy="free"),
    Kind("disk full in the middle of a write", shim.FAIL_ON, shim.WRITE | shim.CREATE, errno.ENOSPC, torn=True, remedy="free"),
    Kind("quota exceeded at one call (EDQUOT)", shim.FAIL_ONCE, shim.WRITE | shim.CREATE, errno.EDQUOT, remedy="free"),
    Kind("error of the disk at one write (EIO)", shim.FAIL_ONCE, shim.WRITE, errno.EIO, remedy=""),
    Kind("error of the disk at one sync (EIO)", shim.FAIL_ONCE, shim.SYNC, errno.EIO, remedy=""),
)


class Loop:
    """Trials of all kinds in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = flow.source(folder / "source")
        self.warm = folder / "warm" / "home"  # a home in which the pipeline ran before
        self.warm.parent.mkdir()
        ended = forks.in_child(self.warm, flow.work, 1, self.source)
        assert not ended.error, ended.error

    def run(self, kind: Kind, seed: int, seconds: float, most: int | None = None) -> Outcome:
        """Try the calls in an order that depends on the seed, all of them or as many as `seconds` and `most` allow."""
        deadline = time.monotonic() + seconds
        outcome = Outcome(kind.name)
        points = [(start, at) for start in ("first", "later") for at in range(1, self._count(kind, start) + 1)]
        outcome.points = len(points)
        for start, at in shuffled_until(points[:], f"{seed}:{kind.name}", deadline):
            if most is not None and outcome.trials >= most:
                break
            outcome.trials += 1
            found = self.trial(kind, start, at, outcome)
            outcome.violations += [f"{kind.name}, {start} run, call {at}: {each}" for each in found]
        return outcome

    def home(self, start: str) -> Path:
        """Give a fresh home: an empty one for a "first" run, one with a history for a "later" one."""
        place = self.folder / "trial"
        shutil.rmtree(place, ignore_errors=True)
        if start == "later":
            shutil.copytree(self.warm.parent, place)
        else:
            place.mkdir()
        return place / "home"

    def _count(self, kind: Kind, start: str) -> int:
        home = self.home(start)
        ended = forks.in_child(home, self._armed, Kind("", shim.COUNT, kind.classes), home.parent, 0)
        assert not ended.error, ended.error
        return int(ended.value[0])

    def trial(self, kind: Kind, start: str, at: int, outcome: Outcome | None = None) -> list[str]:
        """Do one trial and give its violations."""
        home = self.home(start)
        ended = forks.in_child(home, self._armed, kind, home.parent, at)
        if ended.hung or (ended.error and not ended.killed):
            return ["it hung" if ended.hung else f"the run after it in the same process failed: {ended.error}"]
        error = "" if ended.killed else ended.value[1]
        if outcome is not None:
            outcome.count("killed" if ended.killed else "the run failed with a typed error" if error else "the run completed all the same")
        found = [] if ended.killed or ended.value[2] else [error]
        checked = forks.in_child(home, checks.violations, ended.acks, self._again, flow.check_value)
        if checked.error or checked.hung:
            return [*found, f"the next run or the check failed: {checked.error or 'hung'}"]
        return [*found, *checked.value]

    def _again(self) -> str:
        return flow.work(N, self.source)

    def _armed(self, kind: Kind, folder: Path, at: int) -> tuple[int, str, bool]:
        """In the child: work under the fault; after an error, work once more in the same process without it."""
        shim.arm(folder, kind.mode, at, kind.classes, kind.error, torn=kind.torn)
        problem, fine = _attempt(self._again, kind.remedy)
        if kind.mode in (shim.KILL, shim.COUNT):
            forks.exit_functions()
            return shim.disarm(), problem, fine
        seen = shim.disarm()
        if problem:
            self._again()
        return seen, problem, fine


def _attempt(work: Callable[[], object], remedy: str | None) -> tuple[str, bool]:
    """Give what went wrong, and whether it was said as it should be: an error of Lineal that names the remedy."""
    try:
        work()
    except LinealError as error:
        text = f"{type(error).__name__}: {error}"
        return (text, True) if (remedy or "") in text.lower() else (f"the error does not name the remedy: {text}", False)
    except Exception as error:
        return f"an error that is none of Lineal's: {type(error).__name__}: {error}", False
    return "", True


SHORT = {"killed before a call": 16, "error of the disk at one sync (EIO)": 10}
"""Trials of a kind in the short form."""


def run(folder: Path, seed: int, seconds: float, short: bool) -> list[Outcome]:
    """Try all kinds. In the long form time that one kind does not need goes to the next ones."""
    loop, outcomes, deadline = Loop(folder), [], time.monotonic() + seconds
    for place, kind in enumerate(KINDS):
        share = (deadline - time.monotonic()) / (len(KINDS) - place)
        outcomes.append(loop.run(kind, seed, 600.0, SHORT.get(kind.name, 5)) if short else loop.run(kind, seed, share))
    return outcomes
