"""The facts, as plain frozen records. Times are integers: microseconds since 1970 in UTC; durations are nanoseconds.

Records know nothing of databases or files; stores fill them, views show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .states import Status

Json = Any  # what `json.loads` can give


class FileEntry(NamedTuple):
    """One file of an object: path relative to the object in POSIX form, size in bytes, digest."""

    path: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """A sealed set of files, named by the digest of its content.

    `inline` holds the bytes of the only file when they are small enough to live in the row. `boot` is None once the object is
    durable; otherwise it is the boot id of the machine that wrote it without syncing, and after a different boot the bytes
    must be verified before they are trusted. `external` is the path or URL of registered data that is not ours.
    """

    digest: str
    size: int
    files: tuple[FileEntry, ...]
    inline: bytes | None = None
    boot: str | None = None
    external: str | None = None


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One value under a name. `number` is the place in the dense count of automatic versions, None for a named version.

    `state` is "live", "pruned" (its data was removed) or "lost" (`verify` found that its data is gone); `pruned` is the time of that, None
    while it is live. `content` is the digest of what its materializer says the value's content is, None when that is the bytes.
    """

    id: str
    artifact: str
    version: str
    number: int | None
    object: ObjectRecord
    materializer: str
    type: str
    data_type: str
    save_type: str
    created: int
    run_id: str | None = None
    step_run_id: str | None = None
    output: str | None = None
    pipeline: str | None = None
    step: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)
    pinned: bool = False
    state: Literal["live", "pruned", "lost"] = "live"
    pruned: int | None = None
    content: str | None = None

    @property
    def identity(self) -> str:
        """What stands for the value in cache keys: what its materializer says of its content, else the digest of its bytes."""
        return self.content or self.object.digest


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """An artifact: a name, how many live versions it has, the newest of them, and its own tags."""

    name: str
    versions: int
    latest: str
    created: int
    updated: int
    data_type: str
    type: str
    size: int
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One execution of a pipeline. `seq` is the place in the store's order of runs, 0 until it is stored."""

    id: str
    name: str
    pipeline: str
    status: Status
    started: int
    ended: int | None = None
    duration: int | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)
    error: str | None = None
    plan: Json = None
    environment: Mapping[str, Json] = field(default_factory=dict)
    orchestrator: str = "local"
    durability: str = "step"
    process: str | None = None
    heartbeat: int | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class StepRunRecord:
    """One execution of a step. `name` is the call's name in the pipeline (`train_2`), `step` the step's own (`train`)."""

    id: str
    run_id: str
    name: str
    step: str
    position: int
    status: Status
    started: int | None = None
    ended: int | None = None
    duration: int | None = None
    cache_key: str | None = None
    cached_from: str | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    ingredients: Mapping[str, Json] = field(default_factory=dict)
    metadata: Mapping[str, Json] = field(default_factory=dict)
    error: str | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class InputEdge:
    """A version that a step run used. `kind` is "step" (an output of the same run), "version" (given in the body), "load" (loaded inside the step)."""

    name: str
    version_id: str
    kind: str = "step"


class CompanionFile(NamedTuple):
    """A visualization of a version: its kind (html, image, svg, csv, markdown, json or text), its title, and the file that holds it."""

    kind: str
    title: str
    file: str


@dataclass(frozen=True, slots=True)
class Companion:
    """The object beside a version's own that holds its visualizations, in order."""

    object: ObjectRecord
    files: tuple[CompanionFile, ...]


@dataclass(frozen=True, slots=True)
class NewOutput:
    """A version to be made when a step is committed. `version` None takes the next number, `content` None is the digest of the bytes."""

    id: str
    output: str
    artifact: str
    version: str | None
    object: ObjectRecord
    materializer: str
    type: str
    data_type: str
    save_type: str = "step"
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)
    companion: Companion | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class SameOutput:
    """An existing version that a cached step run gives again under its own name."""

    output: str
    version: VersionRecord


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """The code of a step, stored once per digest: what it reaches (`Fingerprint.to_json`) and the step's own source text."""

    digest: str
    parts: Json
    source: str


@dataclass(frozen=True, slots=True)
class StepCommit:
    """All that becomes visible when one step run ends, in one transaction.

    `code` is written only if the store does not have that digest yet; a store remembers which it has, so giving it each time is free.
    """

    step_run: StepRunRecord
    inputs: tuple[InputEdge, ...] = ()
    outputs: tuple[NewOutput | SameOutput, ...] = ()
    code: CodeRecord | None = None


@dataclass(frozen=True, slots=True)
class CachedCall:
    """An earlier step run with the wanted key, and the versions that it gave by output name."""

    step_run_id: str
    run_id: str
    run_name: str
    ended: int
    outputs: Mapping[str, VersionRecord]


class EarlierStepRun(NamedTuple):
    """An earlier success of a call, and what it cost the step run that really ran.

    `origin` is the id of that step run: the one that a cached result is from, else its own. `duration`, in nanoseconds, is None when that
    is not recorded any more; `size` is the bytes of what it made.
    """

    step_run: StepRunRecord
    origin: str
    duration: int | None
    size: int


class Unshared(NamedTuple):
    """Versions that nothing else refers to: how many, and the bytes of their objects."""

    versions: int
    bytes: int


class RecentCall(NamedTuple):
    """A call and the newest run that made it: the step run, its name and state; the run, its name and its pipeline."""

    id: str
    name: str
    status: str
    run_id: str
    run: str
    pipeline: str


class Reference(NamedTuple):
    """Something that refers to a version: a step run that "made", "reused" or "used" it (`kind`), or a run that goes on and "held" it."""

    kind: str
    run_id: str
    run_name: str
    step_run_id: str
    step: str


class Trust(NamedTuple):
    """Somebody's decision to load bytes that can run code: their digest, the version that was named, who it was, and when (microseconds)."""

    digest: str
    version: str
    person: str
    given: int


class Prunable(NamedTuple):
    """A version that nothing refers to. `shared` is the number of live versions with the same object, itself included."""

    id: str
    artifact: str
    version: str
    digest: str
    size: int
    state: str
    external: str | None
    created: int
    shared: int


class Needed(NamedTuple):
    """An object whose bytes must be there, in the row `row`. `removed`: its row says they are not; `live`, `lost`: there are such versions."""

    row: int
    object: ObjectRecord
    removed: bool
    live: bool
    lost: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """One hop of lineage: `producer` made `version` and `consumers` used it (step run ids)."""

    version_id: str
    step_run_id: str
    direction: Literal["input", "output"]
    name: str


class PipelineRecord(NamedTuple):
    """A pipeline, as its runs tell of it. `durations` are those of its last ended runs in nanoseconds, oldest first, at most 30."""

    name: str
    runs: int
    completed: int
    failed: int
    running: int
    latest_id: str
    latest_name: str
    latest_status: str
    latest_started: int
    durations: tuple[int, ...]


class StepCount(NamedTuple):
    """How many step runs of a run have a state, and the nanoseconds that they took, or would have taken without the cache."""

    status: str
    steps: int
    nanos: int


class Totals(NamedTuple):
    """What is stored in all: numbers of things, bytes of objects that are there and ours, and bytes of all versions as if none was shared."""

    runs: int
    artifacts: int
    versions: int
    objects: int
    bytes_kept: int
    bytes_meant: int


class Space(NamedTuple):
    """What the live versions of an artifact that have one type take: `bytes_kept` is what no earlier version of any artifact has too."""

    artifact: str
    type: str
    versions: int
    bytes_meant: int
    bytes_kept: int


class Port(NamedTuple):
    """A version that went into or came out of a step run, with the few facts that tell it apart: `port` is the argument or output, `name` the artifact."""

    port: str
    id: str
    name: str
    version: str
    type: str
    size: int


class StepPorts(NamedTuple):
    """What went into and came out of one step run, in order."""

    inputs: list[Port]
    outputs: list[Port]


class VersionName(NamedTuple):
    """What tells a version apart, and the step run that made it, None when no step run did that is there."""

    id: str
    name: str
    version: str
    type: str
    digest: str
    step_run_id: str | None


class StepRunName(NamedTuple):
    """What tells a step run apart, and its run."""

    id: str
    run_id: str
    name: str
    step: str
    status: str
    run: str
    pipeline: str


class Facet(NamedTuple):
    """How many artifacts have a value of a field: `data_type` or `type` of the newest version, or `tag`."""

    field: str
    value: str
    artifacts: int
