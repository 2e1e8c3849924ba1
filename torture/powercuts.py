"""Power cuts at any moment of a run, on the modelled disk, under each durability."""

import functools
import itertools
import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lineal import host
from lineal.errors import LinealError
from torture import checks, flow, forks, shim
from torture.calls import Loop, N
from torture.disk import FATES, Disk
from torture.outcome import Outcome

LEVELS = ("step", "run", "off")
FAILED_SYNC = "step, after a sync that failed"
SHORT = {"step": 36, FAILED_SYNC: 12, "run": 18, "off": 12}
"""Trials in the short form."""


def run(folder: Path, seed: int, seconds: float, short: bool) -> list[Outcome]:
    """Cut the power under each level: half of the time under "step", half of the rest under it after a failed sync."""
    cuts = Cuts(folder)
    shares = {"step": 0.4, FAILED_SYNC: 0.2, "run": 0.25, "off": 0.15}
    return [cuts.run(name, seed, 600.0 if short else seconds * shares[name], SHORT[name] if short else None) for name in shares]


class Cuts:
    """Trials in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop(folder)
        self.place = folder / "after"

    def run(self, name: str, seed: int, seconds: float, most: int | None) -> Outcome:
        """Record runs, and cut each at several moments in every way that the disk can lose what was not synced."""
        outcome = Outcome(f"power cut, durability {name}")
        deadline = time.monotonic() + seconds
        chance = random.Random(f"{seed}:{name}")
        for number in itertools.count():
            start = ("first", "later")[number % 2]
            failing = chance.randint(1, 40 if start == "first" else 25) if name == FAILED_SYNC else 0
            disk = self.record(start, "step" if name == FAILED_SYNC else name, failing)
            outcome.points += disk.moments
            for moment, fate in _cuts(disk, chance, 3 if most else 30):
                if time.monotonic() > deadline or (most is not None and outcome.trials >= most):
                    return outcome
                outcome.trials += 1
                label = f"{start} run {number}, sync {failing} fails, after call {moment}, survives: {fate}, seed {seed}"
                found = self.trial(disk, name, moment, fate, f"{seed}:{number}", outcome)
                outcome.violations += [f"{outcome.name}: {label}: {each}" for each in found]
        raise AssertionError("count() does not end")

    def record(self, start: str, level: str, failing: int = 0) -> Disk:
        """Work once with every call recorded, and check that no change escaped the record."""
        home = self.loop.home(start)
        disk, log = Disk(home.parent), self.loop.folder / "log"
        ended = forks.in_child(home, _recorded, self.loop.source, home.parent, log, failing, durability=level)
        if ended.error or ended.killed or ended.hung:
            raise AssertionError(f"the recorded run did not end well: {ended}")
        disk.replay(log.read_bytes())
        real = {str(path.relative_to(home.parent)): path for path in home.parent.rglob("*") if path.is_file()}
        live = disk.live()
        assert set(live) == set(real), set(live) ^ set(real)
        for name, path in real.items():
            assert name.endswith("-shm") or path.read_bytes() == live[name], f"{name} was changed by a call that was not recorded"
        return disk

    def trial(self, disk: Disk, name: str, moment: int, fate: str, seed: str, outcome: Outcome) -> list[str]:
        """Cut once, open what is left, and give the violations."""
        shutil.rmtree(self.place, ignore_errors=True)
        acks = [json.loads(note) for note in disk.cut(moment, fate, f"{seed}:{moment}:{fate}", self.place)]
        outcome.count("reported done before the cuts", len(acks))
        (self.place / "home").mkdir(exist_ok=True)
        level = name if name in LEVELS else "step"
        again = functools.partial(flow.work, N, self.loop.source)
        checked = forks.in_child(self.place / "home", after_boot, acks, again, level, durability=level)
        if checked.error or checked.hung:
            return [f"the next run or the check failed: {checked.error or 'hung'}"]
        lost, found = checked.value
        for what in lost:
            outcome.count(what)
        return list(found)


def _cuts(disk: Disk, chance: random.Random, moments: int) -> Iterator[tuple[int, str]]:
    """Give moments, half of them just after something was acknowledged, each with every fate."""
    acknowledged = [moment for moment, _ in disk.notes]
    for number in range(moments):
        moment = chance.choice(acknowledged) if number % 2 == 0 else chance.randint(1, disk.moments)
        for fate in FATES:
            yield moment, fate


class _Notes:
    """Writes what is acknowledged into the record, between the calls."""

    def send(self, message: Any) -> None:
        shim.note(json.dumps(message[1]))


def _recorded(source: Path, folder: Path, log: Path, failing: int) -> None:
    kept = list(forks._sink)
    forks._sink[:] = [_Notes()]
    shim.arm(folder, shim.FAIL_ONCE if failing else shim.COUNT, failing, shim.SYNC, 5, log=log)
    try:
        flow.work(N, source)
    except LinealError:
        flow.work(N, source)  # in the same process, which must not take the failed sync for a success now
    forks.exit_functions()
    shim.disarm()
    forks._sink[:] = kept


def _new_boot() -> None:
    host.boot_id.cache_clear()
    host._LINUX_BOOT_ID = Path("/proc/sys/kernel/random/uuid")  # another one each time, kept by the cache


def after_boot(acks: list[Any], again: Any, level: str) -> tuple[list[str], list[str]]:
    """In the child, as if the machine had booted: give what is lost as it may be, and the violations."""
    _new_boot()
    if level == "step":
        return [], checks.violations(acks, again, flow.check_value)
    ended = {ack[0] for ack in acks if ack[1] is None} if level == "run" else set()  # what is promised from the end of the run on
    return _lossy([ack for ack in acks if ack[0] in ended], acks, again)


def _lossy(promised: list[Any], reported: list[Any], again: Any) -> tuple[list[str], list[str]]:
    """Under a level that may lose something: what is lost says so, and nothing wrong is ever given."""
    found = checks.acknowledged(promised)
    lost = ["reported done and lost" for _ in checks.acknowledged(each for each in reported if each not in promised)]
    again()
    verified = 0
    for violation in checks.everything(flow.client(), flow.check_value):
        if "does not load: ArtifactMissing" in violation or "does not load: ArtifactCorrupted" in violation:
            lost.append("versions whose bytes are lost: noticed, never served")
        elif violation.startswith("verify says"):
            verified += 1
        elif "holds other bytes" not in violation:  # an object that was never synced, and is verified before it is used
            found.append(violation)
    if "versions whose bytes are lost: noticed, never served" in lost and not verified:
        found.append("bytes are lost, and verify finds nothing")
    return lost, found
