"""Power cuts on a real file system: an ext4 image under a loop device, copied as it is on the disk, without what is in the page cache.

Needs root, loop devices and mkfs.ext4, so it is a part of the long form only.
"""

import contextlib
import functools
import itertools
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from torture import flow, forks
from torture.outcome import Outcome
from torture.powercuts import after_boot

SIZE = 64 << 20
SIZES = 20
"""How many different sizes the values of the work have, so that a fast machine does not fill the disk before the cut."""


def possible() -> bool:
    """Tell whether images can be mounted here."""
    return os.geteuid() == 0 and Path("/dev/loop-control").exists() and shutil.which("mkfs.ext4") is not None


def run(folder: Path, seed: int, seconds: float, short: bool) -> list[Outcome]:
    """Let a process work until a random moment, take the disk as it is then, and see what is left on it."""
    outcome, deadline = Outcome("power cut of a real ext4, durability step"), time.monotonic() + seconds
    if not possible():
        outcome.facts["not tried here"] = "it needs root, loop devices and mkfs.ext4"
        return [outcome]
    source, chance = flow.source(folder / "source"), random.Random(f"{seed}:ext4")
    for number in itertools.count():
        if number and (short or time.monotonic() > deadline):
            break
        found = _trial(folder, source, chance.uniform(0.2, 2.5), outcome)
        outcome.violations += [f"{outcome.name}, seed {seed}, trial {number}: {each}" for each in found]
    outcome.points = outcome.trials
    return [outcome]


def _trial(folder: Path, source: Path, seconds: float, outcome: Outcome) -> list[str]:
    image, taken = folder / "disk.img", folder / "taken.img"
    for path in (image, taken):
        path.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, stdout=subprocess.DEVNULL)
    with _mounted(image, folder / "disk") as place:
        child = forks.start(place / "home", _work_on, source)
        time.sleep(seconds)
        os.kill(child.pid, signal.SIGSTOP)
        met = os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if met is None or met.si_code != os.CLD_STOPPED:
            return [f"the work, which has no end, ended before the cut: {child.wait().error}"]
        whole = _copy(image, taken, place)
        os.kill(child.pid, signal.SIGKILL)
        acks = child.wait().acks
    if not whole:
        outcome.count("thrown away, the disk was being written while it was copied")
        return []
    outcome.trials += 1
    outcome.count("reported done before the cuts", len(acks))
    with _mounted(taken, folder / "disk") as place:
        (place / "home").mkdir(exist_ok=True)
        again = functools.partial(flow.work, 1, source)
        checked = forks.in_child(place / "home", after_boot, acks, again, "step")
    if checked.error or checked.hung:
        return [f"the next run or the check failed: {checked.error or 'hung'}"]
    return list(checked.value[1])


def _work_on(source: Path) -> None:
    for n in itertools.count():
        flow.work(n % SIZES + 1, source)


@contextlib.contextmanager
def _mounted(image: Path, place: Path) -> Iterator[Path]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def _copy(image: Path, target: Path, place: Path) -> bool:
    """Copy the image, and tell whether the disk was at rest meanwhile, so that the copy is one moment of it."""
    device = next(
        line.split()[0] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines() if line.split()[1] == str(place)
    )
    counters = Path(f"/sys/block/{Path(device).name}/stat")
    for _ in range(20):
        before = counters.read_text(encoding="ascii").split()
        shutil.copyfile(image, target)
        after = counters.read_text(encoding="ascii").split()
        if before[4] == after[4] and before[8] == after[8] == "0":
            return True
    return False
