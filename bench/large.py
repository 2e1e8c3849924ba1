"""Makes a large store quickly: 100,000 runs of 20 pipelines with 1,000,000 versions, the same at every call.

    python -m bench.large HOME [RUNS]

Nothing of it ran: the rows are written by SQL, in the shape that runs leave. Each run has seven steps. Every tenth run of a pipeline is answered from the
cache of the one before, every 25th fails, and every model is trained on from the one before it, twenty runs long; each data set is used by up to
500 runs. Versions that people saved by hand fill up to ten a run, and nothing refers to those. All values are small JSON that
lives in its row, so that `lineal verify` finds nothing wrong. `tests/acceptance/test_large_store.py` keeps this in step with the schema.
"""

import json
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from lineal.artifacts import inline_object
from lineal.metadata_store import tally
from lineal.metadata_store.rows import object_row
from lineal.settings import Settings
from lineal.workspace import Workspace

RUNS = 100_000
VERSIONS_A_RUN = 10
PIPELINES = 20
VALUES = 2_000  # distinct contents of each kind of value
START = 1_735_689_600_000_000  # 2025-01-01, in microseconds
APART = 300_000_000  # between the starts of two runs
CHAIN = 20  # runs that train on from each other
REFRESH = 500  # runs that use one data set

# Each step: what goes in, and the outputs with their types.
STEPS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "load": (("dataset",), {"train": "list", "test": "list"}),
    "clean": (("train",), {"cleaned": "list"}),
    "features": (("cleaned",), {"features": "dict", "vocabulary": "dict"}),
    "train": (("features", "before"), {"model": "dict", "history": "list"}),
    "predict": (("model", "test"), {"predictions": "list"}),
    "evaluate": (("predictions", "test"), {"accuracy": "float", "report": "dict"}),
    "publish": (("model", "accuracy"), {"card": "dict"}),
}
FAILS_AT = "train"
ERROR = "Traceback (most recent call last):\n  ...\nValueError: the loss is not finite any more\n"
ENVIRONMENT = {"lineal": "0.1.0", "python": "3.11.7", "platform": "Linux-6.1-x86_64", "git_commit": "0" * 40, "git_dirty": False}
PLAN = [{"name": name, "step": name, "outputs": list(outputs), "upstream": []} for name, (_, outputs) in STEPS.items()]

# The columns that are written; all others have a default.
COLUMNS = {
    "runs": (
        "id", "uid", "name", "pipeline", "status", "started", "ended", "duration", "orchestrator", "durability", "process", "heartbeat",
        "tags", "parameters", "metadata", "error", "environment", "plan",
    ),
    "run_tags": ("tag", "run_id"),
    "step_runs": (
        "id", "uid", "run_id", "name", "step", "position", "status", "started", "ended", "duration", "cache_key", "cached_from", "outputs",
        "parameters", "metadata", "error", "ingredients",
    ),
    "artifacts": ("id", "name", "next", "created"),
    "objects": ("id", "digest", "size", "files", "inline", "boot", "external"),
    "versions": (
        "id", "uid", "artifact_id", "version", "number", "object_id", "output", "materializer", "type", "data_type", "save_type", "created",
        "tags", "metadata",
    ),
    "version_tags": ("tag", "version_id"),
    "edges": ("step_run_id", "role", "position", "version_id", "name", "kind"),
}  # fmt: skip
Row = tuple[Any, ...]


class Done(NamedTuple):
    """A step run that others may be answered from: its id, row and outputs by name."""

    uid: str
    versions: dict[str, int]


class Maker:
    """Makes the rows of runs, one run after the other.

    Attributes:
        rows: What waits to be written, by table.
    """

    def __init__(self, seed: int = 0) -> None:
        self.rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self.versions = 0
        self._chance = random.Random(seed)
        self._step_runs = 0
        self._artifacts: dict[str, list[int]] = {}
        self._objects: dict[tuple[str, int], int] = {}
        self._digests: dict[str, int] = {}
        self._given: dict[str, dict[str, int]] = {}
        self._steps: dict[str, dict[str, Done]] = {}

    def run(self, number: int) -> None:
        """Make one run, with all that came out of it."""
        pipeline = f"training_{(number * 7919) % PIPELINES:02}"
        turn, now = number // PIPELINES, START + number * APART
        is_cached = turn % 10 == 9 and pipeline in self._steps
        fails = number % 25 == 24 and not is_cached
        given = self._given.setdefault(pipeline, {})
        if "dataset" not in given or turn % REFRESH == 0:
            given["dataset"] = self._version(f"{pipeline}_dataset", "list", now - 1000, save_type="manual")
        if turn % CHAIN == 0:
            given.pop("before", None)
        took = self._chance.randint(20, 90_000) * 1_000_000
        tags = [tag for tag, every in (("nightly", 3), ("release", 50)) if number % every == 0]
        parameters = {"rate": (1 + number % 9) / 100, "depth": 2 + number % 7, "seed": number % 100}
        self.rows["runs"].append((
            number + 1, uid(now, number, 1), f"{pipeline}-{number:07}", pipeline, "failed" if fails else "completed", now, now + took // 1000,
            took, "local", "step", None, now, json.dumps(tags, separators=(",", ":")), text(parameters), "{}",
            ERROR if fails else None, _ENVIRONMENT, _PLAN,
        ))  # fmt: skip
        self.rows["run_tags"] += [(tag, number + 1) for tag in tags]
        for place, name in enumerate(STEPS):
            if fails and place > list(STEPS).index(FAILS_AT):
                status = "skipped"
            elif fails and name == FAILS_AT:
                status = "failed"
            else:
                status = "cached" if is_cached and name in self._steps[pipeline] else "completed"
            self._step(pipeline, number, place, name, status, took // 8)
        if not fails:
            given["before"] = self._steps[pipeline]["train"].versions["model"]

    def note(self, number: int) -> None:
        """Make a version that somebody saved by hand."""
        self._version(f"note_{number % 50}", "dict", START + number * APART, save_type="manual")

    def artifacts(self) -> list[Row]:
        """Give the rows of artifacts, which are known when all versions are."""
        return [(place, name, following, START) for name, (place, following) in self._artifacts.items()]

    def _step(self, pipeline: str, run: int, place: int, name: str, status: str, took: int) -> None:
        self._step_runs += 1
        row, now = self._step_runs, START + run * APART + place * 1000
        own, known = uid(now, row, 2), self._steps.setdefault(pipeline, {})
        inputs, outputs = STEPS[name]
        given = self._given[pipeline]
        used = [] if status == "skipped" else [(each, given[each]) for each in inputs if each in given]
        same = known.get(name) if status == "cached" else None
        made: dict[str, int] = {}
        if same is not None:
            made = same.versions
        elif status == "completed":
            made = {port: self._version(f"{pipeline}_{port}", kind, now, port) for port, kind in outputs.items()}
            known[name] = Done(own, made)
        given.update(made)
        ingredients = {"code": f"{place:064x}", "decision": "hit" if same else "miss", "inputs": {}, "outputs": {}, "versions": {}}
        self.rows["step_runs"].append((
            row, own, run + 1, name, name, place, status, None if status == "skipped" else now, now + took // 1000, 900_000 if same else took,
            f"{row if same is None else self._key(same):064x}", same.uid if same else None, len(made), "{}", "{}",
            ERROR if status == "failed" else None, text(ingredients),
        ))  # fmt: skip
        edges = self.rows["edges"]
        role, kind = ("reused", "cache") if same else ("made", "step")
        edges += [(row, role, at, version, port, kind) for at, (port, version) in enumerate(made.items())]
        edges += [(row, "used", at, version, port, "step") for at, (port, version) in enumerate(used)]

    def _key(self, done: Done) -> int:
        return int(done.uid[-12:], 16) >> 4  # the row that `uid` was made with

    def _version(self, artifact: str, kind: str, now: int, port: str | None = None, save_type: str = "step") -> int:
        self.versions += 1
        row, count = self.versions, self._artifacts.setdefault(artifact, [len(self._artifacts) + 1, 1])
        number, count[1] = count[1], count[1] + 1
        value = self._chance.randrange(VALUES)
        facts = {"value": value / VALUES, "accuracy": value / VALUES} if kind == "float" else {"length": value}
        tags = [tag for tag, every in (("best", 100), ("checked", 1000)) if row % every == 0]
        self.rows["versions"].append((
            row, uid(now, row, 3), count[0], str(number), number, self._object(kind, value), port, "json/1", kind,
            "data", save_type, now, json.dumps(tags, separators=(",", ":")), text(facts),
        ))  # fmt: skip
        self.rows["version_tags"] += [(tag, row) for tag in tags]
        return row

    def _object(self, kind: str, value: int) -> int:
        known = self._objects.get((kind, value))
        if known is None:
            content: Any = {
                "float": value / VALUES,
                "list": list(range(value % 300)),
                "dict": {"value": value, "words": "x" * (value % 97)},
            }[kind]
            record = inline_object("data.json", text(content).encode())
            known = self._digests.get(record.digest)
            if known is None:
                known = self._digests[record.digest] = len(self._digests) + 1
                self.rows["objects"].append((known, *object_row(record)))
            self._objects[kind, value] = known
        return known


def uid(now: int, number: int, kind: int) -> str:
    """Give an id of version 7 that depends on nothing but this; ids of one kind sort by number."""
    head = f"{now // 1000:012x}"
    return f"{head[:8]}-{head[8:]}-7000-8000-{number:011x}{kind}"


def text(value: Any) -> str:
    """Give JSON as the store writes it."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


_ENVIRONMENT, _PLAN = text(ENVIRONMENT), text(PLAN)


def make(home: Path, runs: int = RUNS, seed: int = 0) -> None:
    """Fill a new home. Raises SystemExit when there is one already."""
    workspace = Workspace(Settings(home))
    if workspace.database.exists():
        raise SystemExit(f"{home} holds a store already; name a new folder")
    assert workspace.metadata.identity()
    assert workspace.artifacts  # paired with the facts
    workspace.metadata.close()
    with closing(sqlite3.connect(workspace.database, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        db.execute("PRAGMA foreign_keys = OFF")  # artifacts come last; the test and `lineal verify` look at the keys of the whole
        maker = Maker(seed)
        db.execute("BEGIN")
        for _ in _batches(maker, runs):
            _write(db, maker.rows)
        maker.rows["artifacts"] = maker.artifacts()
        _write(db, maker.rows)
        tally.advance(db.cursor())
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _batches(maker: Maker, runs: int) -> Iterator[None]:
    for number in range(runs):
        maker.run(number)
        if number % 2000 == 1999:
            yield
    for number in range(max(runs * VERSIONS_A_RUN - maker.versions, 0)):
        maker.note(number)
        if number % 20_000 == 19_999:
            yield


def _write(db: sqlite3.Connection, rows: dict[str, list[Row]]) -> None:
    for table, columns in COLUMNS.items():
        db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows[table])
        rows[table] = []


def main(args: list[str]) -> None:
    """Make a store and say how long that took."""
    if not args:
        raise SystemExit(__doc__)
    runs = int(args[1]) if len(args) > 1 else RUNS
    began = time.perf_counter()
    make(Path(args[0]).absolute(), runs)
    print(f"{runs:,} runs and {runs * VERSIONS_A_RUN:,} versions in {args[0]}: {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
