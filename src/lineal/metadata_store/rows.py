"""Rows to records and records to rows, by position: the order is that of the `..._columns` fragments in `queries.sql`."""

import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from lineal.metadata_store.json_text import dump, dump_whole, load
from lineal.model.records import (
    ArtifactRecord,
    CachedCall,
    CodeRecord,
    Companion,
    CompanionFile,
    FileEntry,
    NewOutput,
    ObjectRecord,
    RunRecord,
    StepRunRecord,
    VersionRecord,
)
from lineal.model.states import Status

Row = tuple[Any, ...]

# Looked up instead of `Status(text)` and `status.value`: those are the slowest lines of a row otherwise.
STATUS = {status.value: status for status in Status}
TEXT = {status: status.value for status in Status}

_LONG = 1 << 16  # listings above this many characters are compressed
_SOME = 150  # entries that are written at a time


def pack(mapping: Mapping[str, Any], what: str) -> str:
    """Give the text of a mapping; most are empty."""
    return dump(mapping, what) if mapping else "{}"


def unpack(text: str) -> dict[str, Any]:
    """Give the mapping of a text."""
    return {} if text == "{}" else load(text)


def pack_tags(tags: Sequence[str]) -> str:
    """Give the text of tags, each once, in the order given."""
    return dump(list(dict.fromkeys(tags)), "tags") if tags else "[]"


def unpack_tags(text: str) -> tuple[str, ...]:
    """Give the tags of a text."""
    return () if text == "[]" else tuple(load(text))


def plain(text: str | None) -> str | None:
    """Give free text (a traceback, a source) that any database takes: lone surrogates become visible escapes."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def pack_files(files: Sequence[FileEntry]) -> str | bytes:
    """Give a listing as text, or as compressed bytes when it is long (a folder of 100,000 files)."""
    if len(files) < 1000:
        text = dump(files, "the listing of an object")
    else:  # the text of one value is bounded, that of a listing is not
        text = "[" + ",".join(dump(files[start : start + _SOME])[1:-1] for start in range(0, len(files), _SOME)) + "]"
    return text if len(text) < _LONG else zlib.compress(text.encode("ascii"), 1)  # most of it is digests, which no level makes shorter


def unpack_files(stored: str | bytes) -> tuple[FileEntry, ...]:
    """Give the listing of what `pack_files` gave."""
    return _few_files(stored) if len(stored) < 1000 else _files(stored)


def _files(stored: str | bytes) -> tuple[FileEntry, ...]:
    text = stored if isinstance(stored, str) else zlib.decompress(stored).decode("ascii")
    return tuple(FileEntry(*entry) for entry in load(text))


_few_files = lru_cache(4096)(_files)  # a cached step asks for the same few listings again and again


def object_row(record: ObjectRecord) -> Row:
    """Give the parameters of `upsert_object`."""
    return (record.digest, record.size, pack_files(record.files), record.inline, record.boot, record.external)


def companion_rows(companion: Companion) -> tuple[Row, list[Row]]:
    """Give the parameters of `upsert_object` and, for each file, of `insert_visualization` but the version's id."""
    digest = companion.object.digest
    rows = [(place, kind, title, digest, file) for place, (kind, title, file) in enumerate(companion.files)]
    return object_row(companion.object), rows


def companion_of(rows: Sequence[Row]) -> Companion | None:
    """Give the record of all rows of `visualizations`, None when there is none."""
    return Companion(object_of(rows[0][:6]), tuple(CompanionFile(*row[6:]) for row in rows)) if rows else None


def object_of(row: Row) -> ObjectRecord:
    """Give the record of a row of `object_by_digest`."""
    digest, size, files, inline, boot, external = row
    return ObjectRecord(digest, size, unpack_files(files), inline, boot, external)


def version_of(row: Row) -> VersionRecord:
    """Give the record of a row of `version_columns`."""
    (uid, artifact, version, number, digest, size, files, inline, boot, external, materializer, type_, data_type, save_type, created,
     run, step_run, output, pipeline, step, tags, metadata, pinned, state, pruned, content) = row  # fmt: skip
    return VersionRecord(
        uid, artifact, version, number, ObjectRecord(digest, size, unpack_files(files), inline, boot, external), materializer, type_,
        data_type, save_type, created, run, step_run, output, pipeline, step, unpack_tags(tags), unpack(metadata), pinned == 1, state, pruned,
        content,
    )  # fmt: skip


def cached_calls(rows: Sequence[Row]) -> dict[str, CachedCall]:
    """Give the records of the rows of `find_cached`, by key: those of which all outputs are there."""
    calls: dict[str, CachedCall] = {}
    outputs: dict[str, dict[str, VersionRecord]] = {}
    wanted: dict[str, int] = {}
    for row in rows:
        key, step_run, run, run_name, ended, count, output = row[:7]
        known = outputs.get(key)
        if known is None:
            known = outputs[key] = {}
            calls[key] = CachedCall(step_run, run, run_name, ended or 0, known)
            wanted[key] = count
        if output is not None and output not in known:  # two calls of a run may have the same key
            known[output] = version_of(row[7:])
    return {key: call for key, call in calls.items() if len(call.outputs) == wanted[key]}


def version_tail(output: NewOutput, now: int) -> Row:
    """Give the parameters of `insert_version` that are known before the transaction: all but the ids and the number."""
    return (
        output.output or None, output.materializer, output.type, output.data_type, output.save_type, now, output.object.external,
        pack_tags(output.tags), pack(output.metadata, f"metadata of {output.artifact!r}"), output.content,
    )  # fmt: skip


def run_row(run: RunRecord) -> Row:
    """Give the parameters of `insert_run`."""
    return (
        run.id, run.name, run.pipeline, TEXT[run.status], run.started, run.ended, run.duration,
        pack(run.parameters, "parameters of the run"), pack_tags(run.tags), pack(run.metadata, "metadata of the run"), plain(run.error),
        pack_plan(run.plan), pack(run.environment, "environment of the run"), run.orchestrator, run.durability, run.process,
        run.heartbeat,
    )  # fmt: skip


def pack_plan(plan: Any) -> str | None:
    """Give the text of a plan, None when there is none."""
    return None if plan is None else dump_whole(plan, "the plan of the run")  # as long as the run has steps


def run_of(row: Row) -> RunRecord:
    """Give the record of a row of `run_columns`."""
    (uid, name, pipeline, status, started, ended, duration, parameters, tags, metadata, error, plan, environment, orchestrator,
     durability, process, heartbeat, seq) = row  # fmt: skip
    return RunRecord(
        uid, name, pipeline, STATUS[status], started, ended, duration, unpack(parameters), unpack_tags(tags), unpack(metadata), error,
        None if plan is None else load(plan), unpack(environment), orchestrator, durability, process, heartbeat, seq,
    )  # fmt: skip


def step_run_row(step: StepRunRecord, outputs: int) -> Row:
    """Give the parameters of `finish_step_run` and `show_step_run`."""
    return (
        step.id, step.run_id, step.name, step.step, step.position, TEXT[step.status], step.started, step.ended, step.duration,
        step.cache_key, step.cached_from, outputs, pack(step.parameters, f"parameters of step {step.name!r}"),
        pack(step.ingredients, f"ingredients of step {step.name!r}"), pack(step.metadata, f"metadata of step {step.name!r}"),
        plain(step.error),
    )  # fmt: skip


def step_run_of(row: Row) -> StepRunRecord:
    """Give the record of a row of `step_run_columns`."""
    (uid, run, name, step, position, status, started, ended, duration, cache_key, cached_from, parameters, ingredients, metadata, error,
     seq) = row  # fmt: skip
    return StepRunRecord(
        uid, run, name, step, position, STATUS[status], started, ended, duration, cache_key, cached_from, unpack(parameters),
        unpack(ingredients), unpack(metadata), error, seq,
    )  # fmt: skip


def artifact_of(row: Row) -> ArtifactRecord:
    """Give the record of a row of `list_artifacts`."""
    name, versions, latest, created, updated, data_type, type_, size, tags = row
    return ArtifactRecord(name, versions, latest, created, updated, data_type, type_, size, unpack_tags(tags))


def code_row(code: CodeRecord) -> Row:
    """Give the parameters of `insert_code`."""
    return (code.digest, dump(code.parts, "the parts of a step's code"), plain(code.source))


def code_of(row: Row) -> CodeRecord:
    """Give the record of a row of `code_by_digest`."""
    digest, parts, source = row
    return CodeRecord(digest, load(parts), source)
