"""Verifying: every record against the bytes, and the bytes against the records; what is lost, who made it, and how to get it back.

Looking changes nothing. A repair marks versions whose bytes are gone as lost, puts what is no whole object aside, brings back what is
whole there, and sweeps what nobody finishes any more. It deletes no object, and each of its changes looks again before it is made, under
the write lock where a commit could come between: so it can run beside runs, and be killed and started again.
"""

import json
import secrets
import shlex
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from lineal import host
from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.external import External
from lineal.errors import ArtifactCorrupted, ArtifactMissing, NotFound, StoreError, StoreMismatch, UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.model import digest
from lineal.model.records import Json, Needed, ObjectRecord, VersionRecord
from lineal.model.text import moment_text

GRACE = timedelta(days=1)
"""How long what a run is still writing is left alone."""

FILE: Final = "verified.json"
"""In a home: when everything was verified last, and what that found."""

REMEMBERED: Final = 500
"""Names and problems of each kind that a home remembers."""

_ROWS = 500  # rows of objects in one look
_DIGESTS = 1000  # objects asked for at once

_BY_HAND = {"manual": "saved by save_artifact", "registered": "registered", "external": "a value from outside"}


class Progress(Protocol):
    """Is told how far the verifying is."""

    def begin(self, files: int, size: int) -> None:
        """Say how many objects and bytes there are to look at."""
        ...

    def advance(self, files: int, size: int) -> None:
        """Say that so many more were looked at."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that should be there and is not as it should be.

    Attributes:
        kind: "missing" or "damaged" (stored data), "changed" (registered data), "unreadable" (it could not be told), "tombstone" (a record
            contradicts itself), "older" (the database was put back from an older copy) or "database" (it is damaged).
        what: What was expected and what was found.
        digest: The object; empty where it is about none.
        versions: The versions that need it, as `name@version`.
        made_by: Who made them: the step and the run.
        remedy: How to get it back; a command where there is one.
        repaired: What the repair did; empty without one.
    """

    kind: str
    what: str
    digest: str = ""
    versions: tuple[str, ...] = ()
    made_by: tuple[str, ...] = ()
    remedy: str = ""
    repaired: str = ""


@dataclass(slots=True)
class VerifyReport:
    """What a look at everything found.

    Attributes:
        objects: How many objects were looked at.
        bytes: Their size.
        read_data: Whether all bytes were read, not only looked for.
        problems: What should be there and is not as it should be.
        lost: Versions that an earlier repair marked as lost and that still are, as `name@version`.
        found: Versions that were lost and whose bytes are there again.
        unrecorded: Objects that no record knows, by digest: what a killed run left, or `prune --only-metadata`. They do no harm.
        strays: What lies among the objects and is none, by path.
        stale: Names under `staging/` that nobody has touched for a day.
        condemned: How many objects the next prune removes because no record needs them.
        quarantined: Where the repair put what it moved.
        repaired: Whether this was a repair.
    """

    objects: int = 0
    bytes: int = 0
    read_data: bool = False
    problems: list[Problem] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    condemned: int = 0
    quarantined: list[str] = field(default_factory=list)
    repaired: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is lost, damaged, changed or contradicts itself. What a killed run left over is no problem."""
        return not self.problems


def verify(
    metadata: MetadataStore,
    store: ArtifactStore,
    external: External,
    progress: Progress,
    *,
    read_data: bool = False,
    repair: bool = False,
    grace: timedelta = GRACE,
) -> VerifyReport:
    """Look at everything, and with `repair` mark, put aside and sweep. Registered data is read again with `read_data`.

    Raises StoreMismatch when the store is not there or not the one of these facts, UsageError for a grace that is no timedelta.
    """
    given: object = grace
    if not isinstance(given, timedelta) or given < timedelta(0):
        raise UsageError(f"older_than must be a timedelta of 0 or more, such as timedelta(hours=1); got {given!r}")
    metadata.pair(store.identity)
    store.has("0" * 64)  # raises when the store is not mounted: everything would look lost
    return _Look(metadata, store, external, progress, VerifyReport(read_data=read_data, repaired=repair), grace.total_seconds()).all()


@dataclass(frozen=True, slots=True)
class Verified:
    """A verifying that has ended, as a home remembers the last one. Times are microseconds since 1970; `result` has at most some names of each."""

    started: int
    ended: int
    result: dict[str, Json]


def verify_home(
    metadata: MetadataStore,
    store: ArtifactStore,
    home: Path,
    progress: Progress,
    *,
    read_data: bool = False,
    repair: bool = False,
    grace: timedelta = GRACE,
) -> tuple[VerifyReport, Verified]:
    """Do as `verify`, with the fingerprints of registered data that a home knows, and let the home remember when it was and what was found."""
    started = _now()
    external = External(None if read_data else home / "hashes")
    report = verify(metadata, store, external, progress, read_data=read_data, repair=repair, grace=grace)
    return report, _remember(report, home, metadata.identity()[0], started)


def _remember(report: VerifyReport, home: Path, facts: str, started: int) -> Verified:
    """Keep what was found of facts of that identity. A home that cannot be written keeps what it knew before."""
    lists = {name: getattr(report, name) for name in ("lost", "found", "unrecorded", "strays", "stale")}
    result: dict[str, Json] = {
        "ok": report.ok, "objects": report.objects, "bytes": report.bytes, "read_data": report.read_data, "condemned": report.condemned,
        "problems": [asdict(each) for each in report.problems[:REMEMBERED]], "all_problems": len(report.problems),
        **{name: {"number": len(each), "some": list(each[:REMEMBERED])} for name, each in lists.items()},
    }  # fmt: skip
    found = Verified(started, _now(), result)
    part = home / f"{FILE}.{secrets.token_hex(4)}"
    try:
        part.write_text(json.dumps({"facts": facts, **asdict(found)}), encoding="utf-8")
        part.replace(home / FILE)
    except OSError:  # what was found counts, not that it is remembered
        with suppress(OSError):
            part.unlink()
    return found


def remembered(home: Path, facts: str) -> Verified | None:
    """Give the last verifying of facts of that identity; None when there was none, or it was of others."""
    try:
        kept = json.loads((home / FILE).read_text(encoding="utf-8"))
        return Verified(kept["started"], kept["ended"], kept["result"]) if kept["facts"] == facts else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(slots=True)
class _Look:
    metadata: MetadataStore
    store: ArtifactStore
    external: External
    progress: Progress
    report: VerifyReport
    grace: float

    def all(self) -> VerifyReport:
        report = self.report
        self._facts()
        self._records()
        self._bytes()
        self._epoch()
        report.condemned = len(self.metadata.condemned())
        report.stale = [name for name, _ in self.store.stale(self.grace)]
        if report.repaired:
            self.store.sweep(self.grace)
        return report

    # -- facts among themselves

    def _facts(self) -> None:
        for what in self.metadata.integrity(thorough=self.report.read_data):
            self._add(Problem("database", what, remedy="restore the database from a backup (lineal backup), and check the disk"))
        broken = self.metadata.broken_tombstones()
        done = "the times were made to fit" if broken and self.report.repaired and self.metadata.mend_tombstones(_now()) else ""
        for name in broken:
            self._add(Problem("tombstone", f"the state and the time of {name} contradict each other", versions=(name,), repaired=done))

    def _epoch(self) -> None:
        """See whether these facts are an older copy; a repair, which has put aside what they do not know, makes them those that count."""
        noted = self.store.epoch()
        known = self.metadata.epoch()
        if known >= noted:
            return
        done = ""
        if self.report.repaired:
            self.metadata.accept_epoch(noted + 1)
            self.store.note_epoch(noted + 1)
            done = "accepted: these records count from now on"
        what = f"the records are older than the artifact store: they have seen {known:,} changes, and {noted:,} were made"
        self._add(Problem("older", what, remedy="put the newer database back; or accept this one: lineal verify --repair", repaired=done))

    # -- records against bytes

    def _records(self) -> None:
        last, size = self.metadata.last_object()
        self.progress.begin(last, size)
        for after in range(0, last, _ROWS):
            for needed in self.metadata.needed_objects(after, after + _ROWS):
                self._object(needed)
                self.progress.advance(0, needed.object.size)
            self.progress.advance(min(_ROWS, last - after), 0)

    def _object(self, needed: Needed) -> None:
        record = needed.object
        self.report.objects += 1
        self.report.bytes += record.size
        trouble = self._trouble(record, read_data=self.report.read_data or (needed.lost and record.external is None))
        if trouble is not None and not any(each.object.external == record.external for each in self._again(needed)):
            return  # a prune or a delete came between
        if needed.live:
            if trouble is not None:
                self._lost(record, trouble)
            elif needed.removed and record.external is None:
                self._contradicts(record)
        if needed.lost:
            self._lost_before(record, trouble)

    def _again(self, needed: Needed) -> list[Needed]:
        return self.metadata.needed_objects(needed.row - 1, needed.row)

    def _trouble(self, record: ObjectRecord, *, read_data: bool) -> StoreError | None:
        try:
            self._inspect(record, read_data=read_data)
        except StoreMismatch:
            raise
        except StoreError as error:
            return error
        return None

    def _inspect(self, record: ObjectRecord, *, read_data: bool) -> None:
        if digest.of_object(record.files) != record.digest:
            raise ArtifactCorrupted(f"object {record.digest[:12]}: the recorded listing of its files does not give its digest")
        if record.external is not None:
            self.external.check(record, verify=read_data)
        elif record.inline is not None:
            if digest.of_bytes(record.inline) != record.files[0].digest:
                raise ArtifactCorrupted(f"object {record.digest[:12]}: the bytes in its row are not those that were saved")
        else:
            unsynced = record.boot is not None and record.boot != host.boot_id()
            extras = self.store.inspect(record, read_data=read_data or unsynced)
            place = f"{record.digest[:2]}/{record.digest}"
            self.report.strays += [f"{place}/{path}" for path in extras]

    def _lost(self, record: ObjectRecord, trouble: StoreError) -> None:
        versions, shown = self.metadata.versions_of(record.digest, record.external)
        versions = [each for each in versions if each.state == "live"]
        names = [_name(each) for each in versions] + [f"{_name(each)} (visualizations)" for each in shown]
        made = _unique(self._maker(each) for each in versions or shown)
        remedy = "; ".join(_unique(self._remedy(each) for each in versions or shown))
        kind = "missing" if isinstance(trouble, ArtifactMissing) else "damaged" if isinstance(trouble, ArtifactCorrupted) else "unreadable"
        if record.external is not None and kind != "unreadable":
            kind = "changed"
        done = self._repair(record) if self.report.repaired and kind in ("missing", "damaged") else ""
        self._add(Problem(kind, str(trouble), record.digest, tuple(names), made, remedy, done))

    def _repair(self, record: ObjectRecord) -> str:
        store = self.store
        if record.inline is None:
            aside = store.quarantine(record.digest)
            if aside is not None:
                self.report.quarantined.append(str(aside))
            # It may have been made again since it was looked at, and then it is what was put aside just now.
            if store.recover(record):
                return "it was whole in the quarantine, and put back"
        lost = self.metadata.mark_lost(record, _now(), lambda: record.inline is not None or not store.has(record.digest))
        return f"marked as lost: {len(lost)} version{'' if len(lost) == 1 else 's'}" if lost else "made again meanwhile"

    def _contradicts(self, record: ObjectRecord) -> None:
        versions, _ = self.metadata.versions_of(record.digest, None)
        done = "its row was mended" if self.report.repaired and self.metadata.mark_found(record.digest) is not None else ""
        what = f"the row of object {record.digest[:12]} says that its bytes were removed, and they are there"
        self._add(Problem("tombstone", what, record.digest, tuple(_name(each) for each in versions), repaired=done))

    def _lost_before(self, record: ObjectRecord, trouble: StoreError | None) -> None:
        if trouble is not None and self.store.recover(record, really=self.report.repaired):
            trouble = None
        versions, _ = self.metadata.versions_of(record.digest, None)
        names = [_name(each) for each in versions if each.state == "lost"]
        if trouble is not None:
            self.report.lost += names
            return
        self.report.found += names
        if self.report.repaired:
            self.metadata.mark_found(record.digest)

    # -- bytes against records

    def _bytes(self) -> None:
        for some in _batches(self.store.digests(), _DIGESTS):
            known = self.metadata.recorded(some)
            self.report.unrecorded += [each for each in some if each not in known]
        self.report.strays += self.store.strays()
        if self.report.repaired:
            for name in self.report.unrecorded:
                self.metadata.unless_recorded(name, lambda name=name: self._put_aside(name))  # type: ignore[misc]
            for path in self.report.strays:
                self._put_aside(path)

    def _put_aside(self, path: str) -> None:
        aside = self.store.quarantine(path, older_than=self.grace)
        if aside is not None:
            self.report.quarantined.append(str(aside))

    # -- who made it, and how it comes back

    def _maker(self, version: VersionRecord) -> str:
        if version.run_id is None:
            when = f"on {moment_text(version.created)} UTC"
            how = _BY_HAND.get(version.save_type)
            return f"made {when} by a run that was deleted since" if how is None else f"{how} {when}"
        try:
            run = self.metadata.get_run(version.run_id).name
        except NotFound:
            run = version.run_id
        return f"step {version.step} of run {run}"

    def _remedy(self, version: VersionRecord) -> str:
        if version.object.external is not None:
            return f"put back what was registered at {version.object.external}, or register what is there now: lineal artifact register"
        if version.run_id is None or version.pipeline is None:
            return f"save {_name(version)} again; no run made it" if version.save_type != "step" else "run the pipeline that made it again"
        try:
            parameters = self.metadata.get_run(version.run_id).parameters
        except NotFound:
            parameters = {}
        given = [
            f"--param {shlex.quote(f'{name}={value if isinstance(value, str) else json.dumps(value)}')}"
            for name, value in parameters.items()
        ]
        return " ".join([f"run it again: lineal run {shlex.quote(self._file(version))}:{version.pipeline}", *given])

    def _file(self, version: VersionRecord) -> str:
        """Give the file of the step, which is most often that of the pipeline too; FILE when it is not known."""
        try:
            assert version.step_run_id is not None
            code = self.metadata.get_code(self.metadata.get_step_run(version.step_run_id).ingredients["code"])
            parts = code.parts["parts"]
        except (NotFound, KeyError):
            return "FILE"
        return next((str(part[2]) for name, part in parts.items() if name.rpartition(".")[2] == version.step), "FILE")

    def _add(self, problem: Problem) -> None:
        self.report.problems.append(problem)


def _name(version: VersionRecord) -> str:
    return f"{version.artifact}@{version.version}"


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _batches(items: Iterator[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _now() -> int:
    return time.time_ns() // 1000
