"""What one trivial step costs: a chain of steps through Lineal, against the floor and against joblib.Memory.

Everything is measured in turns in one process, so that what disturbs the machine disturbs all alike; the best of the rounds
counts. Each durability gets a process and an empty store of its own.

    python -m bench.chain
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import rows
from bench.floor import Floor, add, add_one, per_step
from bench.table import table, verdict

STEPS = 50
ROUNDS = 9
LENGTHS = (10, 100, 1000)
FAN = 1000
APART = 10_000  # between the starts of two chains, so that no value of one appears in another

# Times the floor: what Lineal aims at.
AIMS = {
    ("off", "fresh"): 5.0,
    ("off", "cached"): 3.0,
    ("off", "fan"): 3.0,
    ("step", "fresh"): 2.5,
    ("step", "cached"): 1.5,
    ("step", "fan"): 1.5,
}
WORDS = {"fresh": f"chain of {STEPS}, fresh", "cached": f"chain of {STEPS}, cached", "fan": f"fan-out of {FAN:,}, cached"}
Run = Callable[[int, int], object]


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
    chain, fan = lineal_shapes()
    floor = Floor(folder, durability)
    together = functools.partial(floor.chain, together=True), functools.partial(floor.fan, together=True)
    # Of each: the chain, fresh and cached; the fan-out, cached.
    sides: dict[str, tuple[Run, Run, Run]] = {"lineal": (chain, chain, fan), "floor": (floor.chain, *together)}
    if find_spec("joblib"):
        one, many = joblib_shapes(folder)
        sides["joblib"] = (one, one, many)
    floor.fan(0, FAN)
    for fresh, _, wide in sides.values():
        fresh(-APART, STEPS)  # imports, connections and compiled statements are paid once a process, not once a step
        if wide is not together[1]:
            wide(0, FAN)
    times: dict[str, list[float]] = {}
    for number in range(rounds):
        for place, kind in enumerate(("fresh", "cached")):
            for name, shapes in sides.items():
                times.setdefault(f"{name} {kind}", []).append(per_step(shapes[place], number * APART, STEPS))
        for name, (_, _, wide) in sides.items():
            times.setdefault(f"{name} fan", []).append(per_step(wide, 0, FAN))
    result: dict[str, Any] = {name: min(found) for name, found in times.items()}
    result["growth"] = {str(length): growth(chain, length) for length in LENGTHS}
    return result


def growth(chain: Run, length: int) -> list[float]:
    """Give milliseconds per step of a chain of some length, fresh and cached: the best of three."""
    starts = [1_000_000 * length + number * APART for number in range(3)]
    return [min(per_step(chain, start, length) for start in starts) for _ in range(2)]


def lineal_shapes() -> tuple[Run, Run]:
    """Give a chain of one step, and a fan-out from one, through Lineal."""
    from lineal import pipeline, step

    one, two = step(add_one), step(add)

    @pipeline
    def chain(start: int, steps: int) -> None:
        x: Any = start
        for _ in range(steps):
            x = one(x)

    @pipeline
    def fan(start: int, steps: int) -> None:
        x = one(start)
        for number in range(steps):
            two(x, number)

    return chain, fan


def joblib_shapes(folder: Path) -> tuple[Run, Run]:
    """Give the same through joblib.Memory, which keeps values and no records, and never syncs."""
    from joblib import Memory

    memory = Memory(folder / "joblib", verbose=0)
    one, two = memory.cache(add_one), memory.cache(add)

    def chain(start: int, steps: int) -> None:
        x = start
        for _ in range(steps):
            x = one(x)

    def fan(start: int, steps: int) -> None:
        x = one(start)
        for number in range(steps):
            two(x, number)

    return chain, fan


def report() -> list[str]:
    """Measure, and give the sections of the results."""
    found = {durability: measure(durability) for durability in ("off", "step")}
    lines = []
    for (durability, kind), aim in AIMS.items():
        own, floor, peer = (found[durability].get(f"{side} {kind}") for side in ("lineal", "floor", "joblib"))
        peer_said = f"{peer:.3f}" if peer else "not installed"
        lines.append([durability, WORDS[kind], f"{own:.3f}", f"{floor:.3f}", verdict(own / floor, aim), peer_said])
    growths = []
    for durability, each in found.items():
        for place, kind in enumerate(("fresh", "cached")):
            times = [pair[place] for pair in each["growth"].values()]
            growths.append([durability, kind, *(f"{t:.3f}" for t in times), f"{times[-1] / times[0]:.2f}"])
    return [
        "## A trivial step: milliseconds per step",
        "",
        "The floor (`bench/floor.py`) is hand-written SQLite that keeps the same facts and nothing else; where everything is cached it makes one transaction of",
        f"all. joblib.Memory keeps values only, and never syncs. The best of {ROUNDS} rounds.",
        "",
        *table(["durability", "steps", "Lineal", "floor", "Lineal / floor", "joblib.Memory"], lines, words=2),
        *sqlite_alone(),
        "## Long chains: milliseconds per step",
        "",
        *table(["durability", "step", *(f"{length} steps" for length in LENGTHS), "last / first"], growths, words=2),
    ]


def sqlite_alone() -> list[str]:
    """Say what SQLite alone takes for what a cached step of the fan-out asks and records."""
    found = rows.measure()
    times = (found["find"] + found["write"]) / found["floor"]
    return [
        f"Of a cached step of the fan-out SQLite alone takes {found['find']:.3f} ms for the look-up and {found['write']:.3f} ms for the rows, "
        f"{times:.1f} times the whole floor ({found['floor']:.3f} ms) of the same run (`bench/rows.py`).",
        "",
    ]


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
