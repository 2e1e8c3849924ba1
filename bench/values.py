"""Large values: saving and loading a frame and an array through Lineal against the bare library calls with the same durability.

python -m bench.values

Each measurement is a process of its own, so that its peak memory is its own; the two sides take turns. A process saves several times
and removes what it saved in between: the first write of a machine's memory is many times slower than the next, and of chance.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.table import table, verdict

ROUNDS = 3
SAVES = 3
ROWS = int(os.environ.get("BENCH_ROWS", 5_000_000))
VALUES = ("frame", "array")
SIDES = ("bare", "lineal")
FOLDER = Path(os.environ.get("BENCH_FOLDER", "."))


def make(kind: str) -> Any:
    """Give a frame of four float columns, one of integers and one of eight words (266 MB), or an array of 1 GiB of floats."""
    import numpy as np

    random = np.random.default_rng(0)
    if kind == "array":
        return random.random(ROWS * 1_073_741_824 // 5_000_000 // 8)
    import pandas as pd

    words = np.array(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"])
    columns: dict[str, Any] = {f"f{n}": random.random(ROWS) for n in range(4)}
    return pd.DataFrame({**columns, "n": random.integers(0, 1_000_000, ROWS), "word": words[random.integers(0, 8, ROWS)]})


def bare(kind: str, value: Any, folder: Path) -> tuple[Callable[[], None], Callable[[], Any], Callable[[], object]]:
    """Give what saves and loads a value without Lineal (written, synced, renamed, the folder synced), and what removes it."""
    import numpy as np
    import pyarrow as pa

    draft, place = folder / "draft", folder / "value"

    def save() -> None:
        with draft.open("wb") as file:
            if kind == "array":
                np.save(file, value)
            else:
                table = pa.Table.from_pandas(value, preserve_index=False)
                with pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)
            file.flush()
            os.fdatasync(file.fileno())
        draft.rename(place)
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def load() -> Any:
        if kind == "array":
            return np.load(place, mmap_mode="c")
        with pa.memory_map(str(place)) as source:
            return pa.ipc.open_file(source).read_all()

    return save, load, place.unlink


def lineal(kind: str, value: Any, folder: Path) -> tuple[Callable[[], None], Callable[[], Any], Callable[[], object], Callable[[], object]]:
    """Give what saves and loads a value with Lineal, what removes it, and what makes its metadata and visualizations alone."""
    from lineal.artifacts import Item
    from lineal.model.records import VersionRecord
    from lineal.settings import Settings
    from lineal.workspace import Workspace

    artifacts = Workspace(Settings.load(home=folder)).artifacts
    saved: list[Any] = []

    def save() -> None:
        saved[:] = artifacts.save([Item("the value", value)])

    def load() -> Any:
        [one] = saved
        return artifacts.load(VersionRecord("id", kind, "1", 1, one.object, one.materializer, one.type, one.data_type, "step", 0))

    def describe() -> object:
        materializer = artifacts.registry.for_value(value)
        return materializer.metadata(value), materializer.visualize(value)

    def remove() -> object:
        return artifacts.store.delete(saved[0].object.digest)

    return save, load, remove, describe


def timed(action: Callable[[], Any]) -> float:
    """Give the seconds of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def child(kind: str, side: str) -> None:
    """Measure one side once, and print the figures as JSON."""
    value = make(kind)
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".bench-") as name:
        folder = Path(name)
        found: dict[str, float] = {}
        # A short value first: what is imported on first use is not what is measured.
        if side == "bare":
            warm_save, warm_load, _ = bare(kind, value[:1000].copy(), folder)
            save, load, remove = bare(kind, value, folder)
        else:
            warm_save, warm_load, _, warm_describe = lineal(kind, value[:1000].copy(), folder / "warm")
            warm_describe()
            save, load, remove, describe = lineal(kind, value, folder / "home")
            found["describe"] = min(timed(describe) for _ in range(SAVES))
        warm_save()
        warm_load()
        before = peak(reset=True)
        found["save"] = timed(save)
        found["memory"] = peak() - before
        for _ in range(SAVES - 1):
            remove()
            found["save"] = min(found["save"], timed(save))
        load()
        found["load"] = min(timed(load) for _ in range(3))
    print(json.dumps(found))


def peak(*, reset: bool = False) -> float:
    """Give the largest resident memory of this process since the last reset, in megabytes (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, dict[str, float]]]:
    """Give the least of each figure by value and side: seconds, and megabytes of peak memory above the value itself."""
    found: dict[str, dict[str, list[dict[str, float]]]] = {kind: {side: [] for side in SIDES} for kind in VALUES}
    for _ in range(rounds):
        for kind in VALUES:
            for side in SIDES:
                command = [sys.executable, "-m", "bench.values", kind, side]
                environment = {**os.environ, "NUMPY_MADVISE_HUGEPAGE": "0"}
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=300)
                found[kind][side].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        kind: {side: {name: min(each[name] for each in runs) for name in runs[0]} for side, runs in sides.items()}
        for kind, sides in found.items()
    }


def report() -> list[str]:
    """Measure, and give the section of the results."""
    rows = []
    for kind, sides in measure().items():
        own, bare = sides["lineal"], sides["bare"]
        save, described, more = own["save"] / bare["save"], own["describe"] / own["save"], own["memory"] - bare["memory"]
        rows.append(
            [kind, f"{own['save']:.2f}", f"{bare['save']:.2f}", verdict(save, 1.25), verdict(described, 0.1), f"{own['load'] * 1e3:.2f}",
             f"{bare['load'] * 1e3:.2f}", f"{own['memory']:.0f}", f"{bare['memory']:.0f}", f"{more:+.0f}"]
        )  # fmt: skip
    columns = ["value", "save s", "bare s", "ratio", "described / save", "load ms", "bare ms", "memory MB", "bare MB", "more MB"]
    return [
        "## Large values, against the bare library calls with the same durability (written, synced, renamed)",
        "",
        f"The frame has {ROWS:,} rows: four float columns, one of integers, one of eight words. The array has 1 GiB of floats. The best of {ROUNDS * SAVES}. Memory is "
        "the peak above the value itself; `described` is the metadata and the visualization, made from a sample, and part of `save`.",
        "",
        *table(columns, rows),
    ]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        child(sys.argv[1], sys.argv[2])
    else:
        print("\n".join(report()))
