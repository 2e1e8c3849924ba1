"""The metadata store in one SQLite file.

Reads are one statement each and come back as records; each writing method is one transaction (`commits.py` has what happens inside).
How connections, waiting and forks are handled is in `connections.py`, the statements are in `queries.sql`.
"""

import functools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Cursor
from typing import Any, TypeVar
from unicodedata import normalize

from lineal.errors import NotFound, SettingsError, StoreMismatch, UsageError
from lineal.metadata_store import commits, counting, deleting, inspecting, marks, overviews, runs
from lineal.metadata_store.base import Epochs, Page, StepEdges
from lineal.metadata_store.connections import SYNCHRONOUS, Connections
from lineal.metadata_store.copying import copy_database
from lineal.metadata_store.filters import check_page, count, order, where
from lineal.metadata_store.json_text import dump
from lineal.metadata_store.nearest import closest, no_version
from lineal.metadata_store.reserve import Reserve
from lineal.metadata_store.rows import (
    artifact_of,
    cached_calls,
    code_of,
    companion_of,
    object_of,
    run_of,
    step_run_of,
    version_of,
)
from lineal.metadata_store.statements import SQL
from lineal.metadata_store.walk import nearest_first
from lineal.model.records import (
    ArtifactRecord,
    CachedCall,
    CodeRecord,
    Companion,
    EarlierStepRun,
    Edge,
    Facet,
    Needed,
    NewOutput,
    ObjectRecord,
    PipelineRecord,
    Prunable,
    RecentCall,
    Reference,
    RunRecord,
    Space,
    StepCommit,
    StepCount,
    StepPorts,
    StepRunName,
    StepRunRecord,
    Totals,
    Trust,
    Unshared,
    VersionName,
    VersionRecord,
)

R = TypeVar("R")
_FIND_CACHED = SQL["find_cached"]
_LATEST_VERSION = SQL["latest_version"]
_VERSION_PREFIX = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}").fullmatch
_RUN_PREFIX = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,32}").fullmatch
_DEEP = 32  # from this depth on, the query that meets each version once is the cheaper one


class SqliteMetadataStore:
    """Facts in one SQLite file, shared by any number of threads and processes of one machine.

    Args:
        path: The file; made, readable by its owner only, when it is not there. Not on a network file system.
        durability: "step" (a commit survives a power cut), "run" (what `settle` and `finish_run` end does) or "off".
        busy_timeout: Seconds after which waiting for another writer ends with StoreBusy.
        sealed: Tells whether an object is in place; asked in the transaction that records a version of it. None trusts the caller.
        epochs: Gives where the count of changes is noted, so that an older copy of the file is noticed. None does not count.

    Any method may raise StoreBusy, StorageFull, StoreError, SchemaTooNew, or StoreMismatch when the file is not a store of Lineal.
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: str = "step",
        busy_timeout: float = 60.0,
        sealed: Callable[[str], bool] | None = None,
        epochs: Callable[[], Epochs] | None = None,
    ) -> None:
        if durability not in SYNCHRONOUS:
            raise SettingsError(f"durability must be one of {', '.join(SYNCHRONOUS)}; got {durability!r}")
        self.path = Path(path).absolute()
        self._db = Connections(self.path, durability, busy_timeout)
        self._reserve = Reserve(self.path)
        self._known = commits.Known(set(), {})
        self._sealed = sealed
        # Only what survives a power cut is counted: a count that the artifact store has and the facts lost would look like an older copy.
        self._epochs = None if durability == "off" else epochs
        self._counts_all = durability == "step"
        self._identity: tuple[str, int] | None = None

    def __repr__(self) -> str:
        return f"SqliteMetadataStore({str(self.path)!r})"

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def takes_bytes(self) -> bool:
        return True

    def close(self) -> None:
        self._db.close()

    def release_thread(self) -> None:
        """Do nothing: connections belong to no thread."""

    def identity(self) -> tuple[str, int]:
        if self._identity is None:
            facts = dict(self._db.read(SQL["meta"]))
            self._identity = facts["store_id"], self._db.read(SQL["schema_version"])[0][0]
        return self._identity

    def pair(self, artifact_store: str) -> None:
        facts = dict(self._db.read(SQL["meta"]))
        if "artifact_store" not in facts:
            self._db.write(_pair, artifact_store)
            facts = dict(self._db.read(SQL["meta"]))
        known = facts["artifact_store"]
        if known != artifact_store:
            raise StoreMismatch(
                f"the facts in {self.path} belong to the artifact store {known}, and the one in use is {artifact_store}: their objects "
                "are not there. Set artifact_store (LINEAL_ARTIFACT_STORE) back to the folder of the former, or use another metadata store"
            )

    def epoch(self) -> int:
        return int(self._db.read(SQL["epoch"])[0][0])

    def accept_epoch(self, epoch: int) -> None:
        self._db.write(counting.accept, epoch, durable=True)

    def backup(self, path: Path) -> "SqliteMetadataStore":
        self.identity()  # made and migrated, if it was not there
        copy_database(self.path, path)
        return SqliteMetadataStore(path, durability="off")

    def room(self) -> AbstractContextManager[bool]:
        return self._reserve.released()

    def _change(self, work: Callable[..., R], *arguments: Any) -> R:
        """Write durably, count the change, and note the count outside."""
        self._reserve.keep()
        if self._epochs is None:
            return self._db.write(work, *arguments, durable=True)
        noted = self._epochs()
        result: R
        result, epoch = self._db.write(counting.counted, noted.epoch, work, arguments, durable=True)
        if epoch is not None:
            noted.note_epoch(epoch)
        return result

    # -- runs

    def begin_run(self, run: RunRecord) -> RunRecord:
        begun = self._change(runs.begin, run) if self._counts_all else self._db.write(runs.begin, run)
        self._known.pipelines[begun.id] = begun.pipeline
        return begun

    def finish_run(self, run: RunRecord, commits_: Sequence[StepCommit] = (), *, is_begun: bool = True) -> None:
        self._known.pipelines[run.id] = run.pipeline
        steps = self._finish(commits_)
        self._change(functools.partial(runs.finish, is_begun=is_begun), run, steps)
        self._known.learn(commits_)

    def heartbeat(self, run_id: str, now: int, running: Sequence[StepRunRecord] = ()) -> None:
        self._db.write(runs.heartbeat, run_id, now, running)

    def crash_run(self, run_id: str, reason: str, now: int) -> None:
        self._db.write(runs.crash, run_id, reason, now)

    def get_run(self, name_or_id: str) -> RunRecord:
        rows = self._db.read(SQL["run_by_id_or_name"], (name_or_id,) * 3)
        if not rows and _RUN_PREFIX(name_or_id):
            rows = self._db.read(SQL["runs_by_prefix"], (name_or_id, name_or_id + "g"))
            _refuse_ambiguous(rows, name_or_id, "run", 0)
        if not rows:
            raise NotFound(f"no run has the name or id {name_or_id!r}{closest(self._db.read, 'run_names_near', name_or_id)}")
        return run_of(rows[0])

    def list_runs(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[RunRecord]:
        return self._page("runs", run_of, filters, sort, limit, offset)

    def find_step_runs(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[StepRunRecord]:
        return self._page("step_runs", step_run_of, filters, sort, limit, offset)

    def list_step_runs(self, run_id: str) -> list[StepRunRecord]:
        return [step_run_of(row) for row in self._db.read(SQL["step_runs_of_run"], (run_id,))]

    def get_step_run(self, step_run_id: str) -> StepRunRecord:
        rows = self._db.read(SQL["step_run_by_id"], (step_run_id,))
        if not rows:
            raise NotFound(f"no step run has the id {step_run_id!r}; list those of a run with list_step_runs()")
        return step_run_of(rows[0])

    def step_edges(self, step_run_id: str) -> StepEdges:
        return overviews.step_edges(self._db.read, step_run_id)

    def previous_step_runs(self, step_run_id: str) -> list[StepRunRecord]:
        rows = self._db.read(SQL["previous_step_runs"], (step_run_id,)) or self._db.read(SQL["previous_calls"], (step_run_id,))
        return [step_run_of(row) for row in rows]

    def step_runs_before(self, run_id: str) -> list[StepRunRecord]:
        return [step_run_of(row) for row in self._db.read(SQL["step_runs_before"], (run_id,))]

    def earlier_step_runs(self, pipeline: str, names: Sequence[str], most: int) -> list[EarlierStepRun]:
        rows = self._db.read(SQL["earlier_step_runs"], (dump(list(names), "names of steps"), pipeline, most))
        return [EarlierStepRun(step_run_of(row[3:]), *row[:3]) for row in rows]

    def recent_calls(self, name: str, runs: int, most: int) -> list[RecentCall]:
        return overviews.recent_calls(self._db.read, name, runs, most)

    # -- the route of one value

    def find_cached(self, cache_key: str, ahead: int = 0) -> dict[str, CachedCall]:
        return cached_calls(self._db.read(_FIND_CACHED, (cache_key, ahead)))

    def find_running(self, cache_key: str) -> RunRecord | None:
        rows = self._db.read(SQL["find_running"], (cache_key,))
        return run_of(rows[0]) if rows else None

    def finish_step(self, commit: StepCommit) -> list[VersionRecord]:
        return self.finish_steps((commit,))[0]

    def finish_steps(self, commits_: Sequence[StepCommit]) -> list[list[VersionRecord]]:
        if not commits_:
            return []
        versions = self._db.write(self._finish(commits_))
        self._known.learn(commits_)
        return versions

    def _finish(self, commits_: Sequence[StepCommit]) -> Callable[[Cursor], list[list[VersionRecord]]]:
        prepared = commits.prepare(commits_, self._known.code)
        return lambda cursor: commits.finish_steps(cursor, prepared, self._known.pipelines, self._sealed)

    def save_version(self, output: NewOutput, step_run_id: str | None) -> VersionRecord:
        write = self._change if self._counts_all else self._db.write
        return write(commits.save_version, commits.prepare_version(output, time.time_ns() // 1000), step_run_id, self._sealed)

    def settle(self, digests: Sequence[str]) -> None:
        if digests:
            self._db.write(_settle, digests, durable=True)

    def add_trust(self, trust: Trust) -> None:
        self._db.write(marks.add_trust, trust)

    def trust_in(self, digest: str) -> list[Trust]:
        return [Trust(*row) for row in self._db.read(SQL["trust_in"], (digest,))]

    # -- artifacts

    def get_version(self, name_or_id: str, version: str | None = None) -> VersionRecord:
        if not name_or_id.isascii():
            name_or_id = normalize("NFC", name_or_id)  # as names are stored, however they were typed
        if version is not None and version != "latest":
            rows = self._db.read(SQL["version_by_number"], (name_or_id, version))
        elif _VERSION_PREFIX(name_or_id):
            places = self._db.read(SQL["latest_version_or_id"], (name_or_id, name_or_id, name_or_id + "g"))
            rows = [row[1:] for row in places]
            if places and places[0][0] == 1:
                _refuse_ambiguous(rows, name_or_id, "version", 0)
        else:
            rows = self._db.read(_LATEST_VERSION, (name_or_id,))
        if not rows:
            raise NotFound(no_version(self._db.read, name_or_id, version))
        return version_of(rows[0])

    def list_versions(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[VersionRecord]:
        return self._page("versions", version_of, filters, sort, limit, offset)

    def list_artifacts(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[ArtifactRecord]:
        return self._page("artifacts", artifact_of, filters, sort, limit, offset)

    def visualizations(self, version_id: str) -> Companion | None:
        return companion_of(self._db.read(SQL["visualizations"], (version_id,)))

    def get_code(self, digest: str) -> CodeRecord:
        return code_of(self._one("code_by_digest", digest, "step code has"))

    def get_object(self, digest: str) -> ObjectRecord:
        return object_of(self._one("object_by_digest", digest, "object has"))

    def update_version(
        self,
        version_id: str,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        exclusive: bool = False,
        metadata: Mapping[str, Any] | None = None,
        pinned: bool | None = None,
    ) -> VersionRecord:
        return self._db.write(marks.update_version, version_id, add_tags, remove_tags, exclusive, metadata, pinned)

    def update_artifact(self, name: str, *, add_tags: Sequence[str] = (), remove_tags: Sequence[str] = ()) -> tuple[str, ...]:
        tags = self._db.write(marks.update_artifact, name, add_tags, remove_tags)
        if tags is None:
            raise NotFound(f"no artifact has the name {name!r}{closest(self._db.read, 'artifact_names_near', name)}")
        return tags

    def update_run(
        self,
        run_id: str,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> RunRecord:
        return self._db.write(runs.update, run_id, add_tags, remove_tags, metadata)

    # -- deleting

    def references(self, version_id: str) -> list[Reference]:
        return deleting.references(self._db.read(SQL["references"], (version_id, version_id)))

    def hold(self, run_id: str, version_ids: Sequence[str]) -> list[str]:
        return self._db.write(deleting.hold, run_id, version_ids)

    def version_ids(self, artifact: str) -> list[str]:
        return [row[0] for row in self._db.read(SQL["version_ids"], (artifact,))]

    def delete_versions(self, version_ids: Sequence[str]) -> None:
        self._change(deleting.delete_versions, version_ids)

    def only_of_runs(self, run_ids: Sequence[str]) -> Unshared:
        return overviews.only_of_runs(self._db.read, run_ids)

    def delete_run(self, run_id: str) -> int:
        return self._change(deleting.delete_run, run_id)

    def prunable(self, *, names: Sequence[str] | None = None, created_before: int | None = None, keep_last: int = 0) -> list[Prunable]:
        return [Prunable(*row) for row in self._db.read(*deleting.prunable(names, created_before, keep_last))]

    def prune(self, version_ids: Sequence[str], what: deleting.What, now: int) -> list[str]:
        return self._change(deleting.prune, version_ids, what, now)

    def condemned(self) -> list[tuple[str, int]]:
        return self._db.read(SQL["condemned"])

    def release(self, digests: Sequence[str], withdraw: Callable[[str], object]) -> int:
        return self._db.write(deleting.release, digests, withdraw)

    def bytes_kept(self) -> int:
        return int(self._db.read(SQL["bytes_kept"])[0][0])

    # -- looking after it

    def integrity(self, *, thorough: bool = False) -> list[str]:
        return self._db.integrity(thorough=thorough)

    def last_object(self) -> tuple[int, int]:
        return tuple(self._db.read(SQL["last_object"])[0])

    def needed_objects(self, after: int, until: int) -> list[Needed]:
        rows = self._db.read(SQL["needed_objects"], (after, until) * 2)
        return [Needed(row[0], object_of(row[4:]), bool(row[1]), bool(row[2]), bool(row[3])) for row in rows]

    def recorded(self, digests: Sequence[str]) -> set[str]:
        return {row[0] for row in self._db.read(SQL["recorded_objects"], (dump(list(digests)),))}

    def versions_of(self, digest: str, external: str | None) -> tuple[list[VersionRecord], list[VersionRecord]]:
        rows = self._db.read(SQL["versions_of_object"], (digest, external, external, digest))
        found = self.versions_by_id([row[0] for row in rows])
        return [found[uid] for uid, shown in rows if not shown], [found[uid] for uid, shown in rows if shown]

    def broken_tombstones(self) -> list[str]:
        return [f"{name}@{version} ({state})" for _, name, version, state in self._db.read(SQL["broken_tombstones"])]

    def mend_tombstones(self, now: int) -> int:
        return self._db.write(inspecting.mend_tombstones, now, durable=True)

    def mark_lost(self, record: ObjectRecord, now: int, gone: Callable[[], bool]) -> list[str]:
        inline = record.inline is not None
        return self._db.write(functools.partial(inspecting.mark_lost, inline=inline), record.digest, now, gone, durable=True)

    def mark_found(self, digest: str) -> list[str]:
        return self._db.write(inspecting.mark_found, digest, durable=True)

    def unless_recorded(self, digest: str, work: Callable[[], object]) -> bool:
        return self._db.write(inspecting.unless_recorded, digest, work)

    # -- overviews

    def run_edges(self, run_id: str) -> dict[str, StepEdges]:
        return overviews.run_edges(self._db.read, run_id)

    def run_ports(self, run_id: str) -> dict[str, StepPorts]:
        return overviews.run_ports(self._db.read, run_id)

    def step_counts(self, run_ids: Sequence[str]) -> dict[str, list[StepCount]]:
        return overviews.step_counts(self._db.read, run_ids)

    def list_pipelines(self) -> list[PipelineRecord]:
        return overviews.list_pipelines(self._db.read)

    def totals(self) -> Totals:
        return overviews.totals(self._db.read)

    def space(self) -> list[Space]:
        return overviews.space(self._db.read)

    def artifact_facets(self) -> list[Facet]:
        return overviews.artifact_facets(self._db.read)

    # -- lineage

    def use_counts(self, version_ids: Sequence[str]) -> dict[str, int]:
        return overviews.use_counts(self._db.read, version_ids)

    def version_names(self, ids: Sequence[str]) -> list[VersionName]:
        return overviews.version_names(self._db.read, ids)

    def step_run_names(self, ids: Sequence[str]) -> list[StepRunName]:
        return overviews.step_run_names(self._db.read, ids)

    def consumers(self, version_id: str) -> list[StepRunRecord]:
        return [step_run_of(row) for row in self._db.read(SQL["consumers"], (version_id,))]

    def lineage(self, version_id: str, *, upstream: bool, depth: int | None = None) -> list[Edge]:
        if depth is not None and (type(depth) is not int or depth < 0):
            raise UsageError(f"depth must be an int of 0 or more, or None for all, got {depth!r}")
        # (0, 1): each version once, all of them; (1, depth): up to that depth.
        growth, bound = (0, 1) if depth is None or depth >= _DEEP else (1, depth)
        rows = self._db.read(SQL["upstream" if upstream else "downstream"], (version_id, growth, bound, bound))
        return nearest_first(rows, version_id, upstream=upstream, depth=depth)

    def versions_by_id(self, ids: Sequence[str]) -> dict[str, VersionRecord]:
        return self._by_id("versions_by_id", version_of, ids)

    def versions_by_name(self, names: Sequence[tuple[str, str]]) -> list[VersionRecord]:
        return (
            [version_of(row) for row in self._db.read(SQL["versions_by_name"], (dump([list(each) for each in names], "names"),))]
            if names
            else []
        )

    def step_runs_by_id(self, ids: Sequence[str]) -> dict[str, StepRunRecord]:
        return self._by_id("step_runs_by_id", step_run_of, ids)

    def runs_by_id(self, ids: Sequence[str]) -> dict[str, RunRecord]:
        return self._by_id("runs_by_id", run_of, ids)

    # -- shared by several

    def _page(self, listed: str, record_of: Callable[[Any], R], filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[R]:
        check_page(limit, offset)
        clause, parameters = where(listed, filters)
        page = SQL[f"list_{listed}"].replace("{where}", clause).replace("{order}", order(listed, sort))
        items = [record_of(row) for row in self._db.read(page, (*parameters, limit, offset))]
        if len(items) < limit and (items or not offset):  # the last page tells how many there are
            return Page(items, offset + len(items))
        return Page(items, self._db.read(count(listed, filters, clause), parameters)[0][0])

    def _by_id(self, statement: str, record_of: Callable[[Any], R], ids: Sequence[str]) -> dict[str, R]:
        return {row[0]: record_of(row) for row in overviews.of_ids(self._db.read, statement, ids)}

    def _one(self, statement: str, digest: str, what: str) -> Any:
        rows = self._db.read(SQL[statement], (digest,))
        if not rows:
            raise NotFound(f"no {what} the digest {digest!r}")
        return rows[0]


def _pair(cursor: Cursor, artifact_store: str) -> None:
    cursor.execute(SQL["pair_stores"], (artifact_store,))


def _settle(cursor: Cursor, digests: Sequence[str]) -> None:
    cursor.executemany(SQL["settle"], [(digest,) for digest in digests])


def _refuse_ambiguous(rows: Sequence[Any], prefix: str, what: str, place: int) -> None:
    if len(rows) > 1:
        raise UsageError(f"several {what}s have ids that begin with {prefix!r}: {rows[0][place]}, {rows[1][place]}; give more of it")
