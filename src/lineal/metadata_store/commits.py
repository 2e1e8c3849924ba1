"""What happens inside a write transaction: step runs, versions and edges. Nothing here begins or commits.

A step with one new output takes five statements: the step run, the object, the artifact's next number, the version, and all edges at
once; a new step's code is a sixth, once. Texts are made before the transaction (`prepare`), so that the write lock is held for as short a time as can be.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from lineal.errors import ArtifactMissing, Conflict, NotFound, UsageError, VersionExists, VersionGone
from lineal.metadata_store import tally
from lineal.metadata_store.rows import Row, code_row, companion_rows, object_row, step_run_row, version_of, version_tail
from lineal.metadata_store.statements import SQL
from lineal.model.records import NewOutput, SameOutput, StepCommit, VersionRecord
from lineal.model.states import Status

_WIDEST = 200  # edges in one statement; more go row by row
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")  # larger ones, such as a date with a time, are names: they would not fit a counter
_MOST = 100_000  # entries that `Known` keeps
_UPSERT_OBJECT = SQL["upsert_object"]
_NEXT_NUMBER = SQL["next_number"]
_INSERT_VERSION = SQL["insert_version"]
_FINISH_STEP_RUN = SQL["finish_step_run"]
_OPEN = frozenset({Status.PENDING, Status.RUNNING})

Sealed = Callable[[str], bool]
"""Tells whether an object is in its place in the artifact store."""


class Known(NamedTuple):
    """What a store remembers to save statements: digests of code that is recorded, pipelines by run. Neither ever changes or goes."""

    code: set[str]
    pipelines: dict[str, str]

    def learn(self, commits: Sequence[StepCommit]) -> None:
        """Note what commits have recorded."""
        for commit in commits:
            if commit.code is not None:
                self.code.add(commit.code.digest)
        if len(self.code) > _MOST:
            self.code.clear()
        if len(self.pipelines) > _MOST:
            self.pipelines.clear()


class NewVersion(NamedTuple):
    """A version to be made, with its parameters. `objects` are the digests whose bytes must be in place: those not in a row."""

    output: NewOutput
    object_row: Row
    tail: Row
    now: int
    companion: tuple[Row, list[Row]] | None = None
    objects: tuple[str, ...] = ()


class Prepared(NamedTuple):
    """A step's commit with its parameters. `outputs` has None where the step gives an existing version."""

    commit: StepCommit
    step_row: Row
    outputs: list[NewVersion | None]
    code_row: Row | None


def prepare(commits: Sequence[StepCommit], known_code: Collection[str]) -> list[Prepared]:
    """Make the parameters of commits. Raises UsageError for a step run that has not ended, or for what JSON cannot hold."""
    now = time.time_ns() // 1000
    brought: set[str] = set()
    prepared = []
    for commit in commits:
        step, code = commit.step_run, commit.code
        if step.status in _OPEN:
            raise UsageError(f"step run {step.name!r} is {step.status}: only one that has ended can be committed; show it with heartbeat()")
        outputs = [prepare_version(output, now) if type(output) is NewOutput else None for output in commit.outputs]
        row = None
        if code is not None and code.digest not in known_code and code.digest not in brought:
            brought.add(code.digest)
            row = code_row(code)
        prepared.append(Prepared(commit, step_run_row(step, len(outputs)), outputs, row))
    return prepared


def prepare_version(output: NewOutput, now: int) -> NewVersion:
    """Make the parameters of a version."""
    companion = None if output.companion is None else companion_rows(output.companion)
    held = output.object
    objects: tuple[str, ...] = (held.digest,) if held.inline is None and held.external is None else ()
    if output.companion is not None and output.companion.object.inline is None:
        objects = (*objects, output.companion.object.digest)
    return NewVersion(output, object_row(held), version_tail(output, now), now, companion, objects)


def finish_steps(
    cursor: sqlite3.Cursor, steps: Sequence[Prepared], pipelines: dict[str, str], sealed: Sealed | None
) -> list[list[VersionRecord]]:
    """Commit step runs with their versions and edges; gives the versions of each in the order of its outputs."""
    return [_finish_step(cursor, step, pipelines, sealed) for step in steps]


def _finish_step(cursor: sqlite3.Cursor, prepared: Prepared, pipelines: dict[str, str], sealed: Sealed | None) -> list[VersionRecord]:
    commit = prepared.commit
    try:
        if not cursor.execute(_FINISH_STEP_RUN, prepared.step_row).rowcount:
            return _finished_before(cursor, commit)
        versions, edges, live = _outputs(cursor, prepared, pipelines, sealed)
        step_id = commit.step_run.id
        for place, edge in enumerate(commit.inputs):
            edges.append((step_id, "used", place, edge.name, edge.kind, edge.version_id))
        if edges or live:
            _add_edges(cursor, edges, live)
        if prepared.code_row is not None:
            cursor.execute(SQL["insert_code"], prepared.code_row)
        return versions
    except sqlite3.IntegrityError as error:
        raise _explained(cursor, error, commit) from error


def _outputs(
    cursor: sqlite3.Cursor, prepared: Prepared, pipelines: dict[str, str], sealed: Sealed | None
) -> tuple[list[VersionRecord], list[Row], list[Row]]:
    """Make the versions of a step; give them, the edges to those that exist now, and the edges to those that must still be live."""
    versions: list[VersionRecord] = []
    edges: list[Row] = []
    live: list[Row] = []
    step = prepared.commit.step_run
    for place, output in enumerate(prepared.commit.outputs):
        new = prepared.outputs[place]
        if new is None:
            assert isinstance(output, SameOutput)
            versions.append(output.version)
            live.append((step.id, "reused", place, output.output, "cache", output.version.id))
            continue
        text, number, existing = add_version(cursor, new, sealed)
        if existing is None:
            existing = _record(new, text, number, step.run_id, step.id, _pipeline(cursor, step.run_id, pipelines), step.step)
            edges.append((step.id, "made", place, new.output.output, "step", existing.id))
        else:
            edges.append((step.id, "reused", place, new.output.output, "same", existing.id))
        versions.append(existing)
    return versions, edges, live


def _pipeline(cursor: sqlite3.Cursor, run_id: str, pipelines: dict[str, str]) -> str:
    if run_id not in pipelines:
        pipelines[run_id] = cursor.execute(SQL["pipeline_of_run"], (run_id,)).fetchone()[0]
    return pipelines[run_id]


def add_version(cursor: sqlite3.Cursor, new: NewVersion, sealed: Sealed | None) -> tuple[str, int | None, VersionRecord | None]:
    """Make a version; give its text, its number, and the record of an explicit version that exists with the same bytes.

    Raises VersionExists when it exists with other bytes, Conflict for the number of a deleted version, ArtifactMissing when the bytes
    are not in place: a prune may have taken an object that was sealed, or adopted, a moment ago. Prunes withdraw objects under the
    write lock that is held here, so what is in place now stays.
    """
    output, objects, tail, now, companion, needed = new
    if needed and sealed is not None:
        for digest in needed:
            if not sealed(digest):
                raise ArtifactMissing(
                    f"object {digest[:12]} of {output.artifact!r} is not in the artifact store any more: it was removed after it was "
                    "written and before it was recorded; save the value again"
                )
    execute = cursor.execute
    if companion is None or companion[0][0] == objects[0]:
        execute(_UPSERT_OBJECT, objects)
    else:
        execute(SQL["upsert_objects"], (*objects, *companion[0]))
    if output.version is None:
        artifact_id, number = execute(_NEXT_NUMBER, (output.artifact, now)).fetchone()
        text = str(number)
    else:
        text = output.version
        number = int(text) if _NUMBER.fullmatch(text) else None
        (artifact_id,) = execute(SQL["reserve_number"], (output.artifact, (number or 0) + 1, now)).fetchone()
        existing = _same_version(cursor, output, artifact_id, number)
        if existing is not None:
            if companion is not None and execute(SQL["visualizations"], (existing.id,)).fetchone() is None:
                _add_companion(cursor, existing.id, companion)
            return text, number, existing
    execute(_INSERT_VERSION, (output.id, artifact_id, text, number, output.object.digest, *tail))
    if companion is not None:
        _add_companion(cursor, output.id, companion)
    if output.tags:
        cursor.executemany(SQL["insert_version_tag"], [(tag, output.id) for tag in output.tags])
    return text, number, None


@lru_cache(32)
def _visualizations_statement(rows: int) -> str:
    return f"{SQL['insert_visualizations']} {', '.join([SQL['visualization']] * rows)}"


def _add_companion(cursor: sqlite3.Cursor, version_id: str, companion: tuple[Row, list[Row]]) -> None:
    parameters = [value for row in companion[1] for value in (version_id, *row)]
    cursor.execute(_visualizations_statement(len(companion[1])), parameters)


def _same_version(cursor: sqlite3.Cursor, output: NewOutput, artifact_id: int, number: int | None) -> VersionRecord | None:
    name = f"version {output.version!r} of {output.artifact!r}"
    row = cursor.execute(SQL["same_version"], (artifact_id, output.version)).fetchone()
    if row is None:
        if number is not None and cursor.execute(SQL["is_retired"], (artifact_id, number)).fetchone():
            raise Conflict(f"{name} was deleted, and a number is never given again; leave the version out to take the next one")
        return None
    uid, digest, state = row
    if digest != output.object.digest:
        raise VersionExists(
            f"{name} exists with other content (digest {digest[:12]}, new {output.object.digest[:12]}); "
            "versions never change: choose another version, or leave it out to take the next number"
        )
    if state != "live":
        cursor.execute(SQL["revive_version"], (uid,))
    return version_of(cursor.execute(SQL["version_by_id"], (uid,)).fetchone())


def _record(
    new: NewVersion, text: str, number: int | None, run: str | None, step_run: str | None, pipeline: str | None, step: str | None
) -> VersionRecord:
    output = new.output
    return VersionRecord(
        output.id, output.artifact, text, number, output.object, output.materializer, output.type, output.data_type, output.save_type,
        new.now, run, step_run, output.output or None, pipeline, step, tuple(dict.fromkeys(output.tags)) if output.tags else (),
        output.metadata, content=output.content,
    )  # fmt: skip


@lru_cache(256)
def _edges_statement(edges: int, live: int) -> str:
    return f"{SQL['insert_edges']} {', '.join([SQL['edge']] * edges + [SQL['live_edge']] * live)}"


def _add_edges(cursor: sqlite3.Cursor, edges: list[Row], live: list[Row]) -> None:
    if len(edges) + len(live) <= _WIDEST:
        parameters: list[Any] = []
        for row in (*edges, *live):
            parameters += row
        cursor.execute(_edges_statement(len(edges), len(live)), parameters)
        return
    cursor.executemany(_edges_statement(1, 0), edges)
    cursor.executemany(_edges_statement(0, 1), live)


def _finished_before(cursor: sqlite3.Cursor, commit: StepCommit) -> list[VersionRecord]:
    step = commit.step_run
    found = [version_of(row) for row in cursor.execute(SQL["outputs_of_step_run"], (step.id,))]
    if len(found) != len(commit.outputs):
        raise Conflict(
            f"step run {step.name!r} ({step.id}) ended before, with {len(found)} outputs; now it comes with {len(commit.outputs)}. "
            "A step run ends once: nothing was changed"
        )
    return found


def save_version(cursor: sqlite3.Cursor, new: NewVersion, step_run_id: str | None, sealed: Sealed | None) -> VersionRecord:
    """Make a version outside of a step's end; the same id again gives the same version."""
    found = cursor.execute(SQL["version_by_id"], (new.output.id,)).fetchone()
    if found is not None:
        return version_of(found)
    run_id = pipeline = step = None
    if step_run_id is not None:
        origin = cursor.execute(SQL["step_run_origin"], (step_run_id,)).fetchone()
        if origin is None:
            raise NotFound(f"step run {step_run_id} is not recorded; show it with heartbeat() before saving versions inside it")
        run_id, pipeline, step = origin
    text, number, existing = add_version(cursor, new, sealed)
    record = existing or _record(new, text, number, run_id, step_run_id, pipeline, step)
    if step_run_id is not None:
        # Names have no @: it stands beside the outputs of the step's own signature, and beside other versions of the same artifact.
        name = f"{record.artifact}@{record.version}"
        place, is_there = cursor.execute(SQL["next_saved_position"], (name, step_run_id)).fetchone()
        if not is_there:  # saved before in this step, or asked for again after a lost answer
            _add_edges(cursor, [(step_run_id, "made" if existing is None else "reused", place, name, "save", record.id)], [])
    tally.advance_if_due(cursor)
    return record


def _explained(cursor: sqlite3.Cursor, error: sqlite3.IntegrityError, commit: StepCommit) -> Exception:
    text, step = str(error), commit.step_run
    if "step_runs.run_id" in text:
        return NotFound(f"run {step.run_id} of step run {step.name!r} is not recorded; begin_run() comes first")
    if "edges.version_id" in text:
        return _gone(cursor, commit)
    if "versions.uid" in text:
        return Conflict(f"step run {step.name!r} brings a version id that another version has; ids are made anew with new_id()")
    return error


def _gone(cursor: sqlite3.Cursor, commit: StepCommit) -> NotFound:
    used = {edge.version_id: edge.name for edge in commit.inputs}
    reused = {each.version.id: each for each in commit.outputs if isinstance(each, SameOutput)}
    wanted = "[" + ",".join(f'"{uid}"' for uid in (*used, *reused)) + "]"
    states = dict(cursor.execute(SQL["version_states"], (wanted,)).fetchall())
    inputs = [f"input {name!r} ({uid})" for uid, name in used.items() if uid not in states]
    outputs = [
        f"{same.version.artifact}@{same.version.version} ({states.get(uid, 'deleted')})"
        for uid, same in reused.items()
        if states.get(uid) != "live"
    ]
    message = f"step run {commit.step_run.name!r} refers to versions that are gone: {', '.join(inputs + outputs)}; run the step again"
    return NotFound(message) if inputs else VersionGone(message, commit.step_run.id)
