"""What a metadata store is: the protocol that SQLite, PostgreSQL and the HTTP client keep.

Contracts that hold for every method: what is returned has been committed; each writing method is one transaction, retried as a
whole with the same ids, so that calling it again with the same arguments after a lost answer changes nothing; unknown filter or
sort fields raise UsageError and name the known ones; nothing found raises NotFound only where the docstring says so.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

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

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """One page of a list: the rows, and how many there are in all."""

    items: list[T]
    total: int


class StepEdges(NamedTuple):
    """What went into and came out of one step run, by input and output name, in order."""

    inputs: list[tuple[str, VersionRecord]]
    outputs: list[tuple[str, VersionRecord]]


class Epochs(Protocol):
    """Where the count of changes is noted outside of the facts, so that an older copy of them is noticed: the artifact store."""

    def epoch(self) -> int:
        """Give the largest count that was noted."""
        ...

    def note_epoch(self, epoch: int) -> None:
        """Note a count."""
        ...


class MetadataStore(Protocol):
    """Where facts live."""

    @property
    def place(self) -> str:
        """The file or the address, to be shown."""
        ...

    @property
    def takes_bytes(self) -> bool:
        """Whether `release`, `mark_lost`, `unless_recorded` and `backup` can be called from here.

        Not over a wire: these raise UsageError then, and what is deleted takes its bytes along where the facts are.
        """
        ...

    def close(self) -> None:
        """Release connections. The store may be used again and reopens by itself."""
        ...

    def release_thread(self) -> None:
        """Release what the calling thread holds (its connection); a thread that ends calls it last."""
        ...

    def identity(self) -> tuple[str, int]:
        """Give the store id that pairs these facts with their artifact store, and the schema version."""
        ...

    def pair(self, artifact_store: str) -> None:
        """Note that these facts belong to the artifact store of that identity. Raises StoreMismatch when they belong to another."""
        ...

    def epoch(self) -> int:
        """Give the count of changes. Smaller than the one that the artifact store has noted, it says that these facts are an older copy."""
        ...

    def accept_epoch(self, epoch: int) -> None:
        """Make the count of changes at least this: the facts count from now on, although they were an older copy."""
        ...

    def room(self) -> AbstractContextManager[bool]:
        """Keep room for deletions while a block runs, also on a full disk; gives whether there is little of it, so that small parts are better."""
        ...

    def backup(self, path: Path) -> "MetadataStore":
        """Write the facts as they are at one moment into a new local file, beside which nothing is needed, and open that.

        Runs may go on. Raises StorageFull or StoreError.
        """
        ...

    # -- runs

    def begin_run(self, run: RunRecord) -> RunRecord:
        """Record a run that starts now and give it back with its `seq`."""
        ...

    def finish_run(self, run: RunRecord, commits: Sequence[StepCommit] = (), *, is_begun: bool = True) -> None:
        """Record the run's final status, end, duration, error, plan, metadata and environment. A plan of None leaves the recorded one.

        In the same transaction `commits` are recorded, the step runs that ended last, as by `finish_steps`. With `is_begun` false the
        run was never recorded, and is now.
        """
        ...

    def heartbeat(self, run_id: str, now: int, running: Sequence[StepRunRecord] = ()) -> None:
        """Renew a run's lease and show the given step runs, which have been running for a while, as running.

        `now` is the time of the run's machine. A store with a clock of its own may take its own time for one that is far from that, and
        may then leave a run alone in `crash_run`.
        """
        ...

    def crash_run(self, run_id: str, reason: str, now: int) -> None:
        """Mark a run that still says running, and its running steps, as crashed."""
        ...

    def get_run(self, name_or_id: str) -> RunRecord:
        """Find a run by id, name, or unique prefix of its id (4 characters or more). Raises NotFound with the closest names."""
        ...

    def list_runs(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[RunRecord]:
        """List runs. Filters: pipeline, name, status, tag, metadata (a query, see `lineal.model.query`), created_after, created_before.

        `sort` is a field name, `-field` descends.
        """
        ...

    def find_step_runs(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[StepRunRecord]:
        """List step runs of all runs. Filters: name (with `*`), step, status, pipeline, run (id or name), metadata, created_after,
        created_before.
        """
        ...

    def list_step_runs(self, run_id: str) -> list[StepRunRecord]:
        """List the step runs of a run in the order of the definition."""
        ...

    def get_step_run(self, step_run_id: str) -> StepRunRecord:
        """Find a step run by id. Raises NotFound."""
        ...

    def step_edges(self, step_run_id: str) -> StepEdges:
        """Give inputs and outputs of a step run."""
        ...

    def previous_step_runs(self, step_run_id: str) -> list[StepRunRecord]:
        """Give step runs of earlier runs of the same pipeline that completed or were cached, for `why`: newest first, 10 at most.

        Those of the same name; if there are none, those of the same step in the 3 runs before.
        """
        ...

    def step_runs_before(self, run_id: str) -> list[StepRunRecord]:
        """Give the step runs of the 3 runs of the same pipeline before this one that completed or were cached, newest run first."""
        ...

    def earlier_step_runs(self, pipeline: str, names: Sequence[str], most: int) -> list[EarlierStepRun]:
        """Give of each of these calls of a pipeline the newest `most` step runs that completed or were cached, newest first.

        What `previous_step_runs` is for a step run that is recorded, and for many at once, for planning. One statement.
        """
        ...

    def recent_calls(self, name: str, runs: int, most: int) -> list[RecentCall]:
        """Give of each call of a pipeline whose name fits (`*` stands for anything) the newest step run in the newest `runs` runs.

        The newest `most` of them, newest first. One statement, whose cost does not depend on how many runs there are besides.
        """
        ...

    # -- the route of one value

    def find_cached(self, cache_key: str, ahead: int = 0) -> dict[str, CachedCall]:
        """Give, by key, the newest successful step run with this key whose outputs are all live, with its outputs. One statement.

        When there is one, the same is given for the keys of at most `ahead` step runs recorded right after it in its run: the run that
        answers one call most often answers the next. Empty when there is none.
        """
        ...

    def find_running(self, cache_key: str) -> RunRecord | None:
        """Give the run that shows a step with this key as running, the newest of several; None when none does. One statement."""
        ...

    def finish_step(self, commit: StepCommit) -> list[VersionRecord]:
        """Commit one step run with its new versions, edges and key, in one transaction of at most 7 statements.

        Gives the versions in the order of `commit.outputs`. The same commit again gives the same versions and changes nothing.
        An explicit version that exists with the same bytes is given back; with other bytes it raises VersionExists. Raises VersionGone
        when a version that is given again is not live any more, and ArtifactMissing when the bytes of a new one are not in place: then
        nothing of it is recorded, and the call can be made again.
        """
        ...

    def finish_steps(self, commits: Sequence[StepCommit]) -> list[list[VersionRecord]]:
        """Commit several step runs (cache hits in a row) in one transaction."""
        ...

    def save_version(self, output: NewOutput, step_run_id: str | None) -> VersionRecord:
        """Make a version outside of a step's end: `save_artifact`, `register_artifact`.

        With a step run, which must have been shown by `heartbeat`, the version is one of its outputs too, under `artifact@version`.
        """
        ...

    def settle(self, digests: Sequence[str]) -> None:
        """Note that these objects, written without syncing, are durable now (their `boot` becomes None)."""
        ...

    def add_trust(self, trust: Trust) -> None:
        """Note that somebody trusts bytes. It is never taken back, and stays when the version is deleted."""
        ...

    def trust_in(self, digest: str) -> list[Trust]:
        """Give who trusted these bytes, first things first."""
        ...

    # -- artifacts

    def get_version(self, name_or_id: str, version: str | None = None) -> VersionRecord:
        """Find one version in one statement.

        `name_or_id` is the artifact's name (then `version` None or "latest" is the newest), a version's id, or a unique prefix of an
        id (8 characters or more). A name is only ever a name: it wins over an id prefix. Raises NotFound with the closest names.
        """
        ...

    def list_versions(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[VersionRecord]:
        """List versions. Filters: artifact, name (with `*`), version, tag, data_type, type, pipeline, step, run, metadata, created_after,
        created_before.
        """
        ...

    def list_artifacts(self, filters: Mapping[str, Any], sort: str, limit: int, offset: int) -> Page[ArtifactRecord]:
        """List artifacts. Filters: name (with `*`), tag (its own, or of one of its versions), data_type, type."""
        ...

    def visualizations(self, version_id: str) -> Companion | None:
        """Give the visualizations of a version in order, None when it has none. One statement."""
        ...

    def get_code(self, digest: str) -> CodeRecord:
        """Find the code of a step by the digest of its fingerprint. Raises NotFound."""
        ...

    def get_object(self, digest: str) -> ObjectRecord:
        """Find an object by digest. Raises NotFound."""
        ...

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
        """Change tags, pin, or merge metadata keys of a version, and give it back.

        `exclusive` takes the added tags away from all other versions of the artifact in the same transaction.
        """
        ...

    def update_artifact(self, name: str, *, add_tags: Sequence[str] = (), remove_tags: Sequence[str] = ()) -> tuple[str, ...]:
        """Change the tags of an artifact itself, and give them. They go with its last version. Raises NotFound when it has none."""
        ...

    def update_run(
        self,
        run_id: str,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> RunRecord:
        """Change tags or merge metadata keys of a run, and give it back."""
        ...

    # -- deleting

    def references(self, version_id: str) -> list[Reference]:
        """Give what refers to a version: the step runs that made, reused or used it, and runs that hold it, in the order of the runs."""
        ...

    def hold(self, run_id: str, version_ids: Sequence[str]) -> list[str]:
        """Keep live versions from being deleted and pruned as long as the run goes on, and give the ids of those that are gone.

        What a run was given or loaded is used by it before any edge says so.
        """
        ...

    def version_ids(self, artifact: str) -> list[str]:
        """Give the ids of all versions of an artifact, oldest first, pruned ones included; none when there is no such artifact."""
        ...

    def delete_versions(self, version_ids: Sequence[str]) -> None:
        """Delete all of these versions, or none. Their bytes are condemned unless other versions need them.

        Raises NotFound, or InUse that names the runs that refer to one of them, or says that it is pinned.
        """
        ...

    def only_of_runs(self, run_ids: Sequence[str]) -> Unshared:
        """Give how many versions nothing would refer to any more if these runs were deleted, and their bytes; pinned ones are left out."""
        ...

    def delete_run(self, run_id: str) -> int:
        """Delete a run with its step runs and edges, and give the number of versions that nothing refers to any more; they stay.

        Raises NotFound, or InUse while it runs.
        """
        ...

    def prunable(self, *, names: Sequence[str] | None = None, created_before: int | None = None, keep_last: int = 0) -> list[Prunable]:
        """Give the versions that no run and no pin refers to, oldest first.

        `names` are artifact names with `*`, any of them; the newest `keep_last` live versions of each artifact are left out.
        """
        ...

    def prune(self, version_ids: Sequence[str], what: Literal["all", "artifact", "metadata"], now: int) -> list[str]:
        """Let those of these versions go that still nothing refers to, and give their ids.

        "all" deletes the record and condemns the bytes, "artifact" condemns the bytes and keeps the record as a tombstone (registered
        data has none that are ours and stays), "metadata" deletes the record and forgets the bytes where they are.
        """
        ...

    def condemned(self) -> list[tuple[str, int]]:
        """Give digest and size of the objects that no live version and no visualization needs any more, also those of a killed prune."""
        ...

    def release(self, digests: Sequence[str], withdraw: Callable[[str], object]) -> int:
        """Call `withdraw` for those of these objects that still nothing needs, and give the bytes that were in rows.

        `withdraw` runs under the write lock, so that no commit can come between the look and the withdrawal; it may be called again
        with the same digest.
        """
        ...

    def bytes_kept(self) -> int:
        """Give the bytes of all objects that are there and ours."""
        ...

    # -- looking after it

    def integrity(self, *, thorough: bool = False) -> list[str]:
        """Give what is wrong with the place of the facts and with references between them, in words; nothing when all is well."""
        ...

    def last_object(self) -> tuple[int, int]:
        """Give the highest row of an object, and the bytes of all objects that should be there."""
        ...

    def needed_objects(self, after: int, until: int) -> list[Needed]:
        """Give the objects in a range of rows (`after` excluded) that versions or visualizations need, once for each place."""
        ...

    def recorded(self, digests: Sequence[str]) -> set[str]:
        """Give those of these digests whose bytes should be there."""
        ...

    def versions_of(self, digest: str, external: str | None) -> tuple[list[VersionRecord], list[VersionRecord]]:
        """Give the versions of an object in a place (None where it is ours) that were not pruned, and those that it visualizes."""
        ...

    def broken_tombstones(self) -> list[str]:
        """Give the versions whose state does not fit their other facts, in words."""
        ...

    def mend_tombstones(self, now: int) -> int:
        """Make these fit, and give their number."""
        ...

    def mark_lost(self, record: ObjectRecord, now: int, gone: Callable[[], bool]) -> list[str]:
        """Mark the versions of an object of ours as lost and forget what it visualizes, if it is still `gone`; give the versions' ids.

        `gone` is asked under the write lock. A lost version is not given by the cache, and not loaded; its record stays.
        """
        ...

    def mark_found(self, digest: str) -> list[str]:
        """Make the lost versions of an object whose bytes are there again live, and give their ids."""
        ...

    def unless_recorded(self, digest: str, work: Callable[[], object]) -> bool:
        """Call `work` under the write lock unless the bytes of that object should be there; tell whether it was called."""
        ...

    # -- overviews

    def run_edges(self, run_id: str) -> dict[str, StepEdges]:
        """Give inputs and outputs of all step runs of a run that have any, by id of the step run. One statement."""
        ...

    def run_ports(self, run_id: str) -> dict[str, StepPorts]:
        """Give of `run_edges` what pages of large runs show. One statement."""
        ...

    def step_counts(self, run_ids: Sequence[str]) -> dict[str, list[StepCount]]:
        """Give how the steps of some runs ended, by run; runs without steps are left out. One statement."""
        ...

    def list_pipelines(self) -> list[PipelineRecord]:
        """Give all pipelines that were ever run, the one with the newest run first. One statement."""
        ...

    def totals(self) -> Totals:
        """Give what is stored in all. One statement."""
        ...

    def space(self) -> list[Space]:
        """Give what takes space, by artifact and type, the most first. Registered data takes none. One statement."""
        ...

    def artifact_facets(self) -> list[Facet]:
        """Give by which kinds, types and tags artifacts can be told apart, and how many have each, the most first. One statement."""
        ...

    # -- lineage

    def use_counts(self, version_ids: Sequence[str]) -> dict[str, int]:
        """Give how many step runs used each of some versions, those answered from the cache left out; unused versions are left out too."""
        ...

    def version_names(self, ids: Sequence[str]) -> list[VersionName]:
        """Give what tells versions apart, in any order, missing ones left out: less than their records, of which a lineage may have thousands."""
        ...

    def step_run_names(self, ids: Sequence[str]) -> list[StepRunName]:
        """Give the same of step runs."""
        ...

    def consumers(self, version_id: str) -> list[StepRunRecord]:
        """Give the step runs that used a version, oldest first."""
        ...

    def lineage(self, version_id: str, *, upstream: bool, depth: int | None = None) -> list[Edge]:
        """Give the edges reachable from a version in one recursive query, nearest first. `depth` counts versions, None is all.

        A cached step run is an edge too; upstream goes through the step run that made a version, not through those that reused it.
        """
        ...

    def versions_by_id(self, ids: Sequence[str]) -> dict[str, VersionRecord]:
        """Give versions by id, missing ones left out."""
        ...

    def versions_by_name(self, names: Sequence[tuple[str, str]]) -> list[VersionRecord]:
        """Give versions by artifact and version, in any order, missing ones left out."""
        ...

    def step_runs_by_id(self, ids: Sequence[str]) -> dict[str, StepRunRecord]:
        """Give step runs by id, missing ones left out."""
        ...

    def runs_by_id(self, ids: Sequence[str]) -> dict[str, RunRecord]:
        """Give runs by id, missing ones left out."""
        ...
