"""What one trivial step costs: a chain of steps through Lineal, against the floor and against joblib.Memory.

Everything is measured in turns in one process, so that what disturbs the machine disturbs all alike; the median of the rounds
counts. Each durability gets a process and an empty store of its own.

    python -m bench.chain
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.floor import Floor, add_one, per_step

STEPS = 50
ROUNDS = 9
LENGTHS = (10, 100, 1000)
APART = 10_000  # between the starts of two chains, so that no value of one appears in another


def measure(durability: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure in a process of its own; gives milliseconds per step by name, and by length under "growth"."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
        own = {"LINEAL_HOME": folder, "LINEAL_DURABILITY": durability, "LINEAL_QUIET": "1"}
        command = [sys.executable, "-m", "bench.chain", "--in-this-process", folder, durability, str(rounds)]
        done = subprocess.run(command, env=clean | own, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_here(folder: Path, durability: str, rounds: int) -> dict[str, Any]:
    """Measure in this process, whose environment says which store Lineal uses."""
    chains: dict[str, Callable[[int, int], object]] = {"lineal": lineal_chain(), "floor": Floor(folder, durability).chain}
    if find_spec("joblib"):
        chains["joblib"] = joblib_chain(folder)
    for chain in chains.values():
        chain(-APART, STEPS)  # imports, connections and compiled statements are paid once a process, not once a step
    times: dict[str, list[float]] = {}
    for number in range(rounds):
        for kind in ("fresh", "cached"):
            for name, chain in chains.items():
                times.setdefault(f"{name} {kind}", []).append(per_step(chain, number * APART, STEPS))
    result: dict[str, Any] = {name: statistics.median(found) for name, found in times.items()}
    result["growth"] = {str(length): growth(chains["lineal"], length) for length in LENGTHS}
    return result


def growth(chain: Callable[[int, int], object], length: int) -> list[float]:
    """Give milliseconds per step of a chain of some length, fresh and cached: the median of three."""
    starts = [1_000_000 * length + number * APART for number in range(3)]
    return [statistics.median(per_step(chain, start, length) for start in starts) for _ in range(2)]


def lineal_chain() -> Callable[[int, int], object]:
    """Give a chain of one step through Lineal."""
    from lineal import pipeline, step

    add = step(add_one)

    @pipeline
    def chain(start: int, steps: int) -> None:
        x: Any = start
        for _ in range(steps):
            x = add(x)

    return chain


def joblib_chain(folder: Path) -> Callable[[int, int], object]:
    """Give the same chain through joblib.Memory, which keeps values and no records, and never syncs."""
    from joblib import Memory

    add = Memory(folder / "joblib", verbose=0).cache(add_one)

    def chain(start: int, steps: int) -> None:
        x = start
        for _ in range(steps):
            x = add(x)

    return chain


def main(args: list[str]) -> None:
    """Print what was measured."""
    if args:
        _, folder, durability, rounds = args
        print(json.dumps(measure_here(Path(folder), durability, int(rounds))))
        return
    for durability in ("off", "step"):
        for name, value in measure(durability).items():
            print(durability, name, value)


if __name__ == "__main__":
    main(sys.argv[1:])
