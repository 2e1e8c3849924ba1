"""The floor: the least work that keeps a chain of steps and its results, written by hand on sqlite3.

With `together`, where everything is known already: one transaction with one indexed select per step, and the run's rows written.

Else, per step: the cache key is looked up; on a miss the function is called, its value encoded and digested; then the version with its
value inline, the edge and the step row are written in one transaction. Kept are UUIDs, BLAKE3 digests of the value and of the key's
ingredients, metadata as JSON, dense versions, WAL, and with durability "step" a synced log. Left out is everything else: checks,
types, several outputs, files, logs, errors worth reading, and each index that the chain itself does not use.

    python -m bench.floor
"""

import json
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3

SCHEMA = """
CREATE TABLE runs (n INTEGER PRIMARY KEY, id TEXT, pipeline TEXT, status TEXT, started INTEGER, ended INTEGER);
CREATE TABLE step_runs (
    n INTEGER PRIMARY KEY, id TEXT, run INTEGER, name TEXT, status TEXT, key TEXT, version INTEGER, parameters TEXT,
    started INTEGER, ended INTEGER
);
CREATE INDEX step_runs_key ON step_runs (key);
CREATE TABLE versions (
    n INTEGER PRIMARY KEY, id TEXT, artifact TEXT, number INTEGER, digest TEXT, value BLOB, materializer TEXT, type TEXT,
    metadata TEXT, created INTEGER
);
CREATE UNIQUE INDEX versions_number ON versions (artifact, number);
CREATE TABLE edges (step_run INTEGER, version INTEGER, name TEXT);
"""
FIND = "SELECT v.n, v.digest, v.value FROM step_runs s JOIN versions v ON v.n = s.version WHERE s.key = ? LIMIT 1"
ADD_VERSION = """
INSERT INTO versions (id, artifact, number, digest, value, materializer, type, metadata, created)
SELECT ?, ?, 1 + ifnull(max(number), 0), ?, ?, 'json/1', 'int', ?, ? FROM versions WHERE artifact = ?
"""
ADD_STEP = """
INSERT INTO step_runs (id, run, name, status, key, version, parameters, started, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ADD_EDGE = "INSERT INTO edges VALUES (?, ?, 'x')"


class Floor:
    """A store that knows one chain of one step. `durability` is "off" or "step", as in Lineal."""

    def __init__(self, folder: Path, durability: str) -> None:
        self.db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute(f"PRAGMA synchronous={'FULL' if durability == 'step' else 'OFF'}")
        self.db.executescript(SCHEMA)

    def chain(self, start: int, steps: int, *, together: bool = False) -> int:
        """Run a chain of `add_one` and give the last value. With `together` all is one transaction, as it can be when nothing has to be run."""
        run = self._begin("chain", together=together)
        value, version, digest = start, None, ""
        for number in range(steps):
            given = {} if version else {"x": value}
            value, version, digest = self.step(run, f"add_one_{number + 1}", add_one, given, value, version, digest, together=together)
        self._end(run, together=together)
        return value

    def fan(self, start: int, steps: int, *, together: bool = False) -> int:
        """Run `add_one`, then `add` with each of `steps` numbers on what it gave, and give the last value."""
        run = self._begin("fan", together=together)
        first, version, digest = self.step(run, "add_one", add_one, {"x": start}, start, None, "", together=together)
        value = first
        for number in range(steps):
            name = f"add_{number + 1}"
            value, _, _ = self.step(run, name, lambda x, n=number: add(x, n), {"n": number}, first, version, digest, together=together)
        self._end(run, together=together)
        return value

    def _begin(self, pipeline: str, *, together: bool) -> int | None:
        if together:
            self.db.execute("BEGIN IMMEDIATE")
        row = (str(uuid.uuid4()), pipeline, now())
        return self.db.execute("INSERT INTO runs (id, pipeline, status, started) VALUES (?, ?, 'running', ?)", row).lastrowid

    def _end(self, run: int | None, *, together: bool) -> None:
        self.db.execute("UPDATE runs SET status = 'completed', ended = ? WHERE n = ?", (now(), run))
        if together:
            self.db.execute("COMMIT")

    def step(
        self,
        run: int | None,
        name: str,
        function: Callable[[int], int],
        given: dict[str, int],
        value: int,
        version: int | None,
        digest: str,
        *,
        together: bool,
    ) -> tuple[int, int | None, str]:
        """Run or reuse one step on `value`; give its value, the row of its version and the digest."""
        execute = self.db.execute
        started = now()
        parameters = json.dumps(given)
        key = blake3(f'["step/1","code of {name.rpartition("_")[0]}",{parameters},"{digest}","json/1"]'.encode()).hexdigest()
        hit = execute(FIND, (key,)).fetchone()
        if hit:
            output, digest, data = hit
            value = json.loads(data)
            if not together:
                execute("BEGIN IMMEDIATE")
        else:
            value = function(value)
            data = json.dumps(value).encode()
            digest = blake3(data).hexdigest()
            execute("BEGIN IMMEDIATE")
            row = (str(uuid.uuid4()), name, digest, data, json.dumps({"length": len(data)}), started, name)
            output = execute(ADD_VERSION, row).lastrowid
        status = "cached" if hit else "completed"
        step_run = execute(ADD_STEP, (str(uuid.uuid4()), run, name, status, key, output, parameters, started, now())).lastrowid
        if version:
            execute(ADD_EDGE, (step_run, version))
        if not together:
            execute("COMMIT")
        return value, output, digest


def add_one(x: int) -> int:
    """Do the work of a step."""
    return x + 1


def add(x: int, n: int) -> int:
    """Do the work of a step with a parameter."""
    return x + n


def now() -> int:
    """Give the time in microseconds."""
    return time.time_ns() // 1000


def per_step(chain: Callable[[int, int], object], start: int, steps: int) -> float:
    """Give the milliseconds per step of one run of a chain."""
    began = time.perf_counter()
    chain(start, steps)
    return (time.perf_counter() - began) / steps * 1e3


def main() -> None:
    """Print milliseconds per step of a 50-step chain, fresh and cached, without and with syncing."""
    for durability in ("off", "step"):
        with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
            floor = Floor(Path(folder), durability)
            floor.chain(-1000, 50)
            starts = [number * 1000 for number in range(9)]
            fresh, cached = (statistics.median(per_step(floor.chain, start, 50) for start in starts) for _ in range(2))
            print(f"durability {durability:5} fresh {fresh:.3f} ms, cached {cached:.3f} ms a step")


if __name__ == "__main__":
    main()
