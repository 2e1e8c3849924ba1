"""What SQLite alone takes for a cached step: Lineal's own statements on Lineal's own rows, without Lineal around them.

A cached fan-out is recorded once; then its look-ups are asked again, and its rows are written again under new ids in one transaction that
is rolled back. The parameters are made beforehand, so what is timed is SQLite and its module for Python.

    python -m bench.rows
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.floor import Floor, per_step

STEPS = 1000
ROUNDS = 15
AHEAD = 256  # step runs that one look-up asks for, as a long cached run does


def measure() -> dict[str, float]:
    """Measure in a process of its own; gives milliseconds per step: "find", "write" and "floor"."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
        own = {"LINEAL_HOME": folder, "LINEAL_DURABILITY": "off", "LINEAL_QUIET": "1"}
        command = [sys.executable, "-m", "bench.rows", folder]
        done = subprocess.run(command, env=clean | own, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_here(folder: Path) -> dict[str, float]:
    """Measure in this process, whose environment says which store Lineal uses."""
    from bench.chain import lineal_shapes
    from lineal.metadata_store import commits
    from lineal.metadata_store.sql import SqliteMetadataStore
    from lineal.metadata_store.statements import SQL
    from lineal.model.naming import new_id

    _, fan = lineal_shapes()
    seen: list[list[Any]] = []
    finish = SqliteMetadataStore.finish_run

    def noted(self: SqliteMetadataStore, run: Any, steps: Any, *, is_begun: bool) -> None:
        seen.append(list(steps))
        finish(self, run, steps, is_begun=is_begun)

    fan(0, STEPS)
    SqliteMetadataStore.finish_run = noted  # type: ignore[assignment, method-assign]
    fan(0, STEPS)
    [hits] = seen
    db = sqlite3.connect(folder / "lineal.db", isolation_level=None)
    for pragma in ("foreign_keys = ON", "synchronous = NORMAL", "wal_autocheckpoint = 0"):  # as Lineal has them
        db.execute(f"PRAGMA {pragma}")
    (folder / "floor").mkdir()
    floor = Floor(folder / "floor", "off")
    keys = [each.step_run.cache_key for each in hits[:: AHEAD + 1]]
    times: dict[str, list[float]] = {"find": [], "write": [], "floor": []}
    floor.fan(0, STEPS)
    for _ in range(ROUNDS):
        times["floor"].append(per_step(lambda start, steps: floor.fan(start, steps, together=True), 0, STEPS))
        began = time.perf_counter()
        for key in keys:
            db.execute(SQL["find_cached"], (key, AHEAD)).fetchall()
        times["find"].append((time.perf_counter() - began) / STEPS * 1e3)
        fresh = [replace(each, step_run=replace(each.step_run, id=new_id()), code=None) for each in hits]
        prepared = commits.prepare(fresh, set())
        began = time.perf_counter()
        cursor = db.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        commits.finish_steps(cursor, prepared, {}, None)
        times["write"].append((time.perf_counter() - began) / STEPS * 1e3)
        cursor.execute("ROLLBACK")
    return {name: min(found) for name, found in times.items()}


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure_here(Path(sys.argv[1]))))
    else:
        for name, value in measure().items():
            print(name, f"{value:.4f}")
