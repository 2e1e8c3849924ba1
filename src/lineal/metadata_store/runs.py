"""What happens to runs inside a write transaction. Nothing here begins or commits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from sqlite3 import Cursor, IntegrityError
from typing import Any

from lineal.errors import NotFound
from lineal.metadata_store import tally
from lineal.metadata_store.rows import STATUS, TEXT, pack, pack_plan, pack_tags, plain, run_of, run_row, step_run_row, unpack, unpack_tags
from lineal.metadata_store.statements import SQL
from lineal.model.records import RunRecord, StepRunRecord
from lineal.model.states import Status


def begin(cursor: Cursor, run: RunRecord) -> RunRecord:
    """Record a run; one that is recorded already is given as it is."""
    seq = _insert(cursor, run)
    return run_of(cursor.execute(SQL["run_by_id"], (run.id,)).fetchone()) if seq is None else replace(run, seq=seq)


def _insert(cursor: Cursor, run: RunRecord) -> int | None:
    row = cursor.execute(SQL["insert_run"], run_row(run)).fetchone()
    if row is None:
        return None
    cursor.executemany(SQL["insert_run_tag"], [(tag, run.id) for tag in run.tags])
    return int(row[0])


def finish(cursor: Cursor, run: RunRecord, steps: Callable[[Cursor], object], *, is_begun: bool) -> None:
    """End a run, which may not be recorded yet, after what `steps` does."""
    # Who says that it is not may not know: the answer was lost, or Ctrl-C came between the record and the note of it.
    is_new = not is_begun and _insert(cursor, run) is not None
    steps(cursor)
    if not is_new:
        _finish(cursor, run)


def _finish(cursor: Cursor, run: RunRecord) -> None:
    # One that has ended stays as it is; metadata that was logged meanwhile is kept.
    row_id, status, _, stored = _state(cursor, run.id)
    if STATUS[status].is_final:
        return
    metadata = {**unpack(stored), **run.metadata}
    ended = (TEXT[run.status], run.ended, run.duration, plain(run.error), pack_plan(run.plan))
    told = (pack(metadata, "metadata of the run"), pack(run.environment, "environment of the run"))
    cursor.execute(SQL["end_holds"], (row_id,))
    cursor.execute(SQL["finish_run"], (*ended, *told, row_id))
    tally.advance_if_due(cursor)


def heartbeat(cursor: Cursor, run_id: str, now: int, running: Sequence[StepRunRecord]) -> None:
    """Renew a run's lease and show steps as running."""
    if not cursor.execute(SQL["heartbeat"], (now, run_id)).rowcount:
        raise _unknown(run_id)
    for step in running:
        shown = replace(step, status=Status.RUNNING) if step.status is Status.PENDING else step
        try:
            cursor.execute(SQL["show_step_run"], step_run_row(shown, 0))
        except IntegrityError as error:
            raise _unknown(step.run_id) from error
    tally.advance_if_due(cursor)


def crash(cursor: Cursor, run_id: str, reason: str, now: int) -> None:
    """Mark a run that says running, and its steps that have not ended, as crashed."""
    row = cursor.execute(SQL["crash_run"], (now, plain(reason), run_id)).fetchone()
    if row is not None:
        cursor.execute(SQL["crash_step_runs"], (now, plain(reason), row[0]))
    else:
        _state(cursor, run_id)  # raises when there is no such run


def update(
    cursor: Cursor, run_id: str, add_tags: Sequence[str], remove_tags: Sequence[str], metadata: Mapping[str, Any] | None
) -> RunRecord:
    """Change a run's tags and merge metadata."""
    row_id, _, tags, stored = _state(cursor, run_id)
    kept = changed_tags(unpack_tags(tags), add_tags, remove_tags)
    merged = {**unpack(stored), **(metadata or {})}
    cursor.execute(SQL["update_run"], (pack_tags(kept), pack(merged, "metadata of the run"), row_id))
    if add_tags or remove_tags:
        cursor.execute(SQL["delete_run_tags"], (row_id,))
        cursor.executemany(SQL["insert_run_tag"], [(tag, run_id) for tag in kept])
    return run_of(cursor.execute(SQL["run_by_id"], (run_id,)).fetchone())


def changed_tags(tags: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> list[str]:
    """Give tags with some added at the end and some taken away."""
    return [tag for tag in dict.fromkeys((*tags, *add)) if tag not in remove]


def _state(cursor: Cursor, run_id: str) -> tuple[int, str, str, str]:
    row: tuple[int, str, str, str] | None = cursor.execute(SQL["run_state"], (run_id,)).fetchone()
    if row is None:
        raise _unknown(run_id)
    return row


def _unknown(run_id: str) -> NotFound:
    return NotFound(f"no run has the id {run_id!r}; begin_run() comes first")
