"""Many processes on one store: writers, readers and one that prunes, none of which may ever be told that the database is locked."""

import itertools
import os
import random
import time
from pathlib import Path
from typing import Annotated, Any

from lineal import Client, pipeline, save_artifact, step
from lineal.errors import ArtifactMissing, NotFound
from torture import checks, forks
from torture.outcome import Outcome

FEW = {"writers": 8, "commits": 6, "readers": 1}
MANY = {"writers": 64, "commits": 12, "readers": 4}


@step(enable_cache=False)
def made(n: int) -> Annotated[int, "small"]:
    """A value in its row."""
    return n


@step
def shared(n: int) -> Annotated[list[int], "common"]:
    """One of few values: writers meet each other's claims and cached results."""
    return [n % 5] * 9000


@pipeline
def both(n: int) -> None:
    """The pipeline of the writers."""
    shared(made(n))


def run(folder: Path, seed: int, seconds: float, short: bool) -> list[Outcome]:
    """Let them all begin at once; the long form begins again until the time is over."""
    size = FEW if short else MANY
    outcome, deadline = Outcome(f"{size['writers']} writers, {size['readers']} readers and a pruner at once"), time.monotonic() + seconds
    waits: list[float] = []
    for number in itertools.count():
        if number and (short or time.monotonic() > deadline):
            break
        _race(folder / f"race{number}" / "home", size, f"{seed}:{number}", outcome, waits)
    waits.sort()
    outcome.points = outcome.trials
    outcome.facts |= {f"commit {name}, ms": round(waits[int((len(waits) - 1) * share)] * 1000, 1)
                      for name, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1.0)) if waits}  # fmt: skip
    return [outcome]


def _race(home: Path, size: dict[str, int], seed: str, outcome: Outcome, waits: list[float]) -> None:
    home.parent.mkdir()
    begin = time.time() + 1.0
    stop = home.parent / "stop"
    writers = [forks.start(home, _write, begin, f"{seed}:{number}", size["commits"]) for number in range(size["writers"])]
    others = [forks.start(home, _read, begin, f"{seed}:r{number}", stop) for number in range(size["readers"])]
    others.append(forks.start(home, _prune, begin, stop))
    numbers: dict[str, list[int]] = {}
    for child in writers:
        ended = child.wait()
        if ended.error or ended.hung or ended.killed:
            outcome.violations.append(f"a writer failed (seed {seed}): {ended.error or ended}")
            continue
        for name, number, waited in ended.value:
            outcome.trials += 1
            waits.append(waited)
            numbers.setdefault(name, []).append(number)
    stop.touch()
    for child in others:
        ended = child.wait()
        if ended.error or ended.hung or ended.killed:
            outcome.violations.append(f"a reader or the pruner failed (seed {seed}): {ended.error or ended}")
        else:
            outcome.count(ended.value[0], ended.value[1])
    for name, given in numbers.items():
        if sorted(given) != list(range(1, len(given) + 1)):
            outcome.violations.append(f"the versions of {name} are not dense (seed {seed}): {sorted(given)}")
    checked = forks.in_child(home, checks.whole)
    outcome.violations += [f"after the race (seed {seed}): {each}" for each in ([checked.error] if checked.error else checked.value)]


def _write(begin: float, seed: str, commits: int) -> list[tuple[str, int, float]]:
    chance, done = random.Random(seed), []
    client = Client()
    time.sleep(max(0.0, begin - time.time()))
    for number in range(commits):
        began = time.perf_counter()
        if number % 3 == 2:
            run: Any = both(chance.randrange(1000))
            name, version = "small", run.steps["made"].outputs["small"]
            version = version[0] if isinstance(version, list | tuple) else version
        elif number % 3 == 1:
            name, version = "filed", save_artifact([chance.random() for _ in range(2000)], "filed")
        else:
            name, version = "kept", save_artifact(chance.random(), "kept", tags=["newest"])
        done.append((name, int(version.version), time.perf_counter() - began))
    client.list_artifact_versions(limit=1)
    return done


def _read(begin: float, seed: str, stop: Path) -> tuple[str, int]:
    chance, client, loads = random.Random(seed), Client(), 0
    time.sleep(max(0.0, begin - time.time()))
    while _goes_on(stop):
        for version in client.list_artifact_versions(limit=50, sort=chance.choice(["-created", "created"])):
            try:
                version.load()
                loads += 1
            except (NotFound, ArtifactMissing):
                continue  # pruned since it was listed, and said so
        client.list_pipeline_runs(limit=20)
    return "loads meanwhile", loads


def _goes_on(stop: Path) -> bool:
    return stop.parent.exists() and not stop.exists() and os.getppid() != 1  # nor when whoever began the race was killed


def _prune(begin: float, stop: Path) -> tuple[str, int]:
    client, pruned = Client(), 0
    time.sleep(max(0.0, begin - time.time()))
    while _goes_on(stop):
        pruned += client.prune_artifacts(keep_last=3).versions
    return "versions pruned meanwhile", pruned
