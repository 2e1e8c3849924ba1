"""What it costs to look at what steps use: the same steps under `undeclared="note"` and "off", in processes of their own.

The least processor time of all rounds: what else the machine does only adds to it.

    python -m bench.undeclared
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lineal import pipeline, step

ROUNDS = 4
TIMES = 8


def fit(n: int) -> float:
    """Read a table, group it, and train on it: what a step does."""
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier

    frame = pd.read_csv("table.csv")
    sums = frame.groupby("group").sum()
    model = RandomForestClassifier(20, random_state=n).fit(frame[["a", "b"]], frame["group"])
    return float(sums["a"].sum()) + model.score(frame[["a", "b"]], frame["group"])


def open_files(n: int) -> int:
    """Open 1,000 small files."""
    return sum(len(Path("small", str(number)).read_text()) for number in range(1000)) + n


def copy_deeply(n: int) -> int:
    """Copy 30,000 lists and dictionaries: `copy` asks for the `id` of each, which is an audit event too."""
    return len(copy.deepcopy([{"a": number, "b": [number]} for number in range(15_000)])) + n


def steps(n: int) -> int:
    """Do nothing, in a step: `measure_here` runs a chain of 200."""
    return n + 1


WORK: dict[str, tuple[Callable[[int], object], int]] = {
    "read, group, train": (fit, 1), "open 1,000 files": (open_files, 1), "deepcopy 30,000 objects": (copy_deeply, 1), "a step": (steps, 200),
}  # fmt: skip


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Give milliseconds of processor time by work and mode."""
    found: dict[str, dict[str, list[float]]] = {name: {"off": [], "note": []} for name in WORK}
    for _ in range(rounds):
        for mode in ("off", "note"):
            for name, times in _in_a_process(mode).items():
                found[name][mode] += times
    return {name: {mode: min(times) for mode, times in modes.items()} for name, modes in found.items()}


def _in_a_process(mode: str) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        own = {"LINEAL_HOME": f"{folder}/home", "LINEAL_DURABILITY": "off", "LINEAL_QUIET": "1", "PYTHONPATH": str(Path.cwd())}
        command = [sys.executable, "-m", "bench.undeclared", "--in-this-process", mode]
        done = subprocess.run(command, cwd=folder, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def measure_here(mode: str) -> dict[str, list[float]]:
    """Measure in this process and folder; gives milliseconds by work."""
    Path("small").mkdir()
    for number in range(1000):
        Path("small", str(number)).write_text("1")
    Path("table.csv").write_text("a,b,group\n" + "".join(f"{n},{n * 7 % 1000},{n % 7}\n" for n in range(20_000)))
    found: dict[str, list[float]] = {}
    for name, (function, length) in WORK.items():
        work = step(name=function.__name__, undeclared=mode)(function)

        @pipeline
        def run(start: int) -> None:
            for number in range(length):  # noqa: B023 - called before the next round
                work(start + number)  # noqa: B023

        run(1_000_000)
        times = []
        for round_ in range(TIMES):
            began = time.process_time()
            run(round_ * 1000)
            times.append((time.process_time() - began) * 1e3 / length)
        found[name] = times
    return found


def main() -> None:
    """Measure and print."""
    if "--in-this-process" in sys.argv:
        print(json.dumps(measure_here(sys.argv[-1])))
        return
    for name, modes in measure().items():
        print(f"{name:26} off {modes['off']:9.3f} ms   note {modes['note']:9.3f} ms   {modes['note'] / modes['off'] - 1:+7.1%}")


if __name__ == "__main__":
    main()
