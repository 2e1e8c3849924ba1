"""What each durability costs per step."""

import time
from pathlib import Path
from typing import Any

from lineal import pipeline, step
from torture import forks
from torture.outcome import Outcome

STEPS = 30
SIZES = {"a value in its row": 0, "a file of 256 KiB": 256 << 10, "a file of 4 MiB": 4 << 20}


@step(enable_cache=False)
def grow(before: bytes, size: int, n: int) -> bytes:
    """Give other bytes than ever before."""
    return (n.to_bytes(8, "big") * (size // 8 or 1))[: max(size, 8)]


@pipeline
def chain(start: int, size: int, steps: int) -> None:
    """Steps in a row."""
    before: Any = b""
    for n in range(start, start + steps):
        before = grow(before, size, n)


def run(folder: Path, seed: int, seconds: float, short: bool) -> list[Outcome]:
    """Run the same chain under each level, in turns, and give the milliseconds of a step in the fastest turn: what else the machine does only adds."""
    outcome, rounds = Outcome("cost of a step"), 1 if short else 10
    found: dict[str, list[float]] = {}
    for turn in range(rounds):
        for level in ("off", "run", "step"):
            for name, size in SIZES.items():
                steps = 5 if short or size > 1 << 20 else STEPS
                ended = forks.in_child(folder / f"{level}{turn}{size}", _time, turn * 1000, size, steps, durability=level)
                if ended.error or ended.hung:
                    outcome.violations.append(ended.error or "hung")
                    continue
                found.setdefault(f"{level}, {name}, ms", []).append(ended.value)
                outcome.trials += steps
    outcome.points = outcome.trials
    outcome.facts |= {name: round(min(times), 2) for name, times in found.items()}
    return [outcome]


def _time(start: int, size: int, steps: int) -> float:
    chain(start + 500, size, 2)  # connections and compiled statements are paid once a process
    began = time.perf_counter()
    chain(start, size, steps)
    return (time.perf_counter() - began) * 1000 / steps
