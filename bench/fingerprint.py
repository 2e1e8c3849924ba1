"""What the fingerprint of a step costs in a project of 1,000 modules, of which it reaches some or all.

    python -m bench.fingerprint

Each measurement is a process of its own that imports the project first, as a run of it would; the best of some counts. Cold: nothing
was kept by an earlier process. Warm: an earlier process kept what it read. After one edit: one module changed since.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import table, verdict

MODULES = int(os.environ.get("BENCH_MODULES", 1000))
REACHED = (30, MODULES)
ROUNDS = 3
AIM = 0.1
"""Times the import of the project, for a step that reaches 30 modules."""

MODULE = '''"""Module {n} of the project."""

import json
import math
from dataclasses import dataclass
{imports}
RATE_{n} = {n}.5
NAMES_{n} = {{"a": {n}, "b": [1, 2, {n}]}}


@dataclass
class Config{n}:
    """Settings."""

    rate: float = RATE_{n}
    size: int = {n}

    def scaled(self, by: float) -> float:
        """Give the rate, scaled."""
        return self.rate * by + math.sqrt(self.size)

    @property
    def label(self) -> str:
        return f"config-{{self.size}}"


def clean(values):
    """Leave out what is missing."""
    return [value for value in values if value is not None and value != NAMES_{n}["a"]]


def parse(text):
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return {{key: value for key, value in found.items() if key in NAMES_{n}}}


def work(x):
    total = Config{n}().scaled(x)
    for value in clean([x, None, 3]):
        total += value
    return total{calls}


def unused(rows):
    """Something that no step reaches."""
    result = []
    for row in rows:
        if row.get("kind") == "a":
            result.append((row["name"], row["value"] * RATE_{n}))
        elif row.get("kind") == "b":
            result.append((row["name"], -row["value"]))
        else:
            raise ValueError(f"unknown kind {{row.get('kind')}}")
    return sorted(result, key=lambda pair: pair[1])
'''


def make(root: Path, reached: int) -> None:
    """Write the project: each module that is reached calls up to two others, and `steps.py` imports all."""
    for n in range(MODULES):
        after = [other for other in (2 * n + 1, 2 * n + 2) if other < reached and n < reached]
        imports = "".join(f"from {_package(other)} import m{other}\n" for other in after)
        calls = "".join(f" + m{other}.work(x)" for other in after)
        file = root.joinpath(*_package(n).split("."), f"m{n}.py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(MODULE.format(n=n, imports=f"\n{imports}" if imports else "", calls=calls), encoding="utf-8")
    everything = "".join(f"import {_package(n)}.m{n}\n" for n in range(MODULES))
    (root / "steps.py").write_text(f"from project.part0 import m0\n{everything}\n\ndef step(x):\n    return m0.work(x)\n", encoding="utf-8")


def _package(n: int) -> str:
    return f"project.part{n // 50}"


def child(root: str) -> None:
    """Import the project, take the fingerprint of its step, and print the milliseconds of each as JSON."""
    sys.path.insert(0, root)
    began = time.perf_counter()
    import steps  # type: ignore[import-not-found]  # it was written a moment ago

    imported = time.perf_counter()
    from lineal.engine.fingerprint import fingerprint, set_cache_folder

    set_cache_folder(Path(root) / "cache")
    start = time.perf_counter()
    found = fingerprint(steps.step)
    taken = time.perf_counter()
    fingerprint(steps.step)
    again = time.perf_counter()
    times = {"import": imported - began, "fingerprint": taken - start, "again": again - taken}
    print(json.dumps({"pieces": len(found.parts), **{name: 1e3 * seconds for name, seconds in times.items()}}))


def measure() -> dict[int, dict[str, float]]:
    """Give, by how many modules are reached, the number of pieces and the best milliseconds of each measurement."""
    return {reached: _measured(reached) for reached in REACHED}


def _measured(reached: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-project-") as folder:
        root = Path(folder)
        make(root, reached)
        time.sleep(0.2)  # files of this very moment are read again the next time
        _run(root)  # Python compiles the project
        found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": [], "edited": []}
        for number in range(ROUNDS):
            for kept in (root / "cache").iterdir():
                kept.unlink()
            found["cold"].append(_run(root))
            found["warm"].append(_run(root))
            edited = root / "project" / "part0" / "m5.py"
            edited.write_text(edited.read_text(encoding="utf-8") + f"\n# {number}\n", encoding="utf-8")
            found["edited"].append(_run(root))
        best = {name: min(run["fingerprint"] for run in runs) for name, runs in found.items()}
        runs = found["warm"]
        every = {name: min(run[name] for run in runs) for name in ("import", "again")}
        return {**best, **every, "pieces": statistics.median(run["pieces"] for run in runs)}


def _run(root: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", "bench.fingerprint", str(root)], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def report() -> list[str]:
    """Measure, and give the section of the results."""
    columns = ["modules reached", "functions, classes, values", "import", "cold", "warm", "after one edit", "same process", "warm / import"]
    rows = []
    for reached, found in measure().items():
        ratio = found["warm"] / found["import"]
        said = verdict(ratio, AIM) if reached < MODULES else f"{ratio:.2f}"
        times = [f"{found[name]:.1f}" for name in ("import", "cold", "warm", "edited", "again")]
        rows.append([reached, f"{found['pieces']:,.0f}", *times, said])
    return [
        f"## Fingerprint of a step in a project of {MODULES:,} modules: milliseconds",
        "",
        f"The best of {ROUNDS} processes each. `import` is Python's own import of the whole project, from compiled files.",
        "",
        *table(columns, rows, words=0),
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(sys.argv[1])
    else:
        print("\n".join(report()))
