"""Registering a folder of many small files: the first time, again, after one change, and loading it, against the bare reads.

python -m bench.register

Each measurement is a process of its own, so that nothing is remembered but on disk, and its peak memory is its own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.table import table

FILES = int(os.environ.get("BENCH_FILES", 100_000))
SIZE = 1024
PER_FOLDER = 1000
FOLDER = Path(os.environ.get("BENCH_FOLDER", "."))

# In this order: each finds what the one before it left.
JOBS = ("bare read", "first", "again, nothing changed", "bare look", "again, one file changed", "bare copy", "load")


def measure() -> dict[str, dict[str, float]]:
    """Give seconds and peak memory in MB of each job."""
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="bench-register-") as name:
        root = Path(name)
        make(root / "data")
        time.sleep(1)  # files of this very moment are read again the next time
        found = {}
        for job in JOBS:
            if job == "again, one file changed":
                (root / "data" / "000" / "0000.bin").write_bytes(os.urandom(SIZE))
            done = subprocess.run([sys.executable, "-m", "bench.register", job, name], check=True, capture_output=True, text=True)
            found[job] = json.loads(done.stdout)
        return found


def make(root: Path) -> None:
    """Write the files, in folders of a thousand."""
    for start in range(0, FILES, PER_FOLDER):
        folder = root / f"{start // PER_FOLDER:03}"
        folder.mkdir(parents=True)
        for number in range(min(PER_FOLDER, FILES - start)):
            (folder / f"{number:04}.bin").write_bytes(os.urandom(SIZE))


def bare_read(root: Path) -> None:
    """Read and digest every file, one after the other."""
    from blake3 import blake3

    for folder, _, names in os.walk(root / "data"):
        for name in names:
            with open(f"{folder}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - the least that Python needs
                blake3(file.read()).hexdigest()


def bare_look(root: Path) -> None:
    """Ask the system about every file."""
    for folder, _, names in os.walk(root / "data"):
        for name in names:
            os.stat(f"{folder}/{name}")  # noqa: PTH116 - the least that Python needs


def bare_copy(root: Path) -> None:
    """Copy the folder."""
    shutil.copytree(root / "data", root / "copy")


def register(root: Path) -> None:
    """Register the folder."""
    from lineal import register_artifact

    register_artifact(root / "data", "data")


def load(root: Path) -> None:
    """Give a private copy of the folder."""
    from lineal import load_artifact

    load_artifact("data")


def run(job: str, root: Path) -> dict[str, float]:
    """Do one job in this process."""
    import resource

    os.environ.update(LINEAL_HOME=str(root / "home"), LINEAL_QUIET="1")
    does: dict[str, Callable[[Path], None]] = {"bare read": bare_read, "bare look": bare_look, "bare copy": bare_copy, "load": load}
    action = does.get(job, register)
    began = time.perf_counter()
    action(root)
    return {"seconds": time.perf_counter() - began, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


# Against which bare job each is held.
AGAINST = {"first": "bare read", "again, nothing changed": "bare look", "again, one file changed": "bare look", "load": "bare copy"}


def report() -> list[str]:
    """Measure, and give the section of the results."""
    found = measure()
    rows = []
    for job, each in found.items():
        bare = AGAINST.get(job)
        ratio = f"{each['seconds'] / found[bare]['seconds']:.2f} x {bare}" if bare else ""
        rows.append([job, f"{each['seconds']:.2f}", f"{each['peak']:.0f}", ratio])
    return [
        f"## Registering a folder of {FILES:,} files of {SIZE:,} bytes: seconds",
        "",
        "Bare read: every file read and digested, one after the other. Bare look: the system asked about every file. Bare copy: "
        "`shutil.copytree`. Each in a process of its own; memory is its peak.",
        "",
        *table(["", "seconds", "memory MB", "ratio"], rows),
    ]


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
    else:
        print("\n".join(report()))
