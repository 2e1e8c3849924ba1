"""What goes, inside write transactions: versions, runs, and the bytes that nothing needs any more. Nothing here begins or commits.

Rows go first. An object that no live version needs is *condemned*: its row stays until `release` takes the bytes out of their place,
in a transaction that looks again. As every commit of a step looks in its own transaction whether the objects are in place that it
names, one of the two always sees the other (docs/data-model.md, "Deleting").
"""

from collections.abc import Callable, Sequence
from sqlite3 import Cursor
from typing import Any, Literal

from lineal.errors import InUse, NotFound
from lineal.metadata_store.filters import where
from lineal.metadata_store.json_text import dump
from lineal.metadata_store.rows import STATUS, pack_tags, unpack_tags
from lineal.metadata_store.statements import SQL
from lineal.model.records import Reference
from lineal.model.states import Status

What = Literal["all", "artifact", "metadata"]
_NAMED = 3  # runs that a refusal names
_VERBS = {"made": "made it", "reused": "gave it again", "used": "used it", "held": "is going on and was given it"}


def references(rows: Sequence[Any]) -> list[Reference]:
    """Give the records of rows of `references`."""
    return [Reference(*row[:5]) for row in rows]


def delete_versions(cursor: Cursor, version_ids: Sequence[str]) -> None:
    """Delete all of these versions, or none: raises InUse when something refers to one of them, NotFound when one does not exist."""
    for version_id in version_ids:
        row = cursor.execute(SQL["version_to_delete"], (version_id,)).fetchone()
        if row is None:
            raise NotFound(f"no version has the id {version_id!r}")
        row_id, artifact, version, pinned = row
        found = references(cursor.execute(SQL["references"], (version_id, version_id)).fetchall())
        if pinned or found:
            raise InUse(_refusal(f"{artifact}@{version}", found, pinned=bool(pinned)))
        cursor.execute(SQL["delete_version"], (row_id,))
    _untag_empty(cursor)


def hold(cursor: Cursor, run_id: str, version_ids: Sequence[str]) -> list[str]:
    """Note that a run may use versions, and give the ids of those that are gone."""
    return [version_id for version_id in version_ids if not cursor.execute(SQL["hold_version"], (version_id, run_id)).rowcount]


def _refusal(name: str, found: Sequence[Reference], *, pinned: bool) -> str:
    runs: dict[str, Reference] = {}
    for each in found:
        runs.setdefault(each.run_id, each)
    said = [f"run {each.run_name!r} {_VERBS[each.kind]}{f' (step {each.step!r})' if each.step else ''}" for each in runs.values()][:_NAMED]
    if len(runs) > _NAMED:
        said.append(f"so did {len(runs) - _NAMED} other runs")
    remedy = "delete those runs first" if runs else ""
    if pinned:
        said.append("it is pinned")
        remedy = f"{remedy} and unpin it" if remedy else "unpin it first"
    return f"{name} cannot be deleted: {'; '.join(said)}. To delete it, {remedy}"


def delete_run(cursor: Cursor, run_id: str) -> int:
    """Delete a run with its step runs and edges; give the number of versions that nothing refers to any more."""
    row = cursor.execute(SQL["run_state"], (run_id,)).fetchone()
    if row is None:
        raise NotFound(f"no run has the id {run_id!r}")
    row_id, status, _, _ = row
    if STATUS[status] in (Status.RUNNING, Status.PENDING):
        raise InUse(f"run {run_id} is {status} and cannot be deleted; wait for its end, or stop it")
    freed, _ = cursor.execute(SQL["only_of_runs"], (dump([run_id]),)).fetchone()
    cursor.execute(SQL["delete_step_runs"], (row_id,))
    cursor.execute(SQL["delete_run"], (row_id,))
    return int(freed)


def prunable(names: Sequence[str] | None, created_before: int | None, keep_last: int) -> tuple[str, list[Any]]:
    """Give the query for versions that nothing refers to, and its parameters."""
    clause, parameters = where("versions", {"name": list(names)} if names else {})
    before = created_before if created_before is not None else (1 << 63) - 1
    return SQL["prunable"].replace("{where}", clause), [*parameters, before, keep_last, max(keep_last - 1, 0)]


def prune(cursor: Cursor, version_ids: Sequence[str], what: What, now: int) -> list[str]:
    """Let those of these versions go that still nothing refers to, and give their ids."""
    gone = []
    for row_id, uid, object_id, state, external in cursor.execute(SQL["still_prunable"], (dump(list(version_ids)),)).fetchall():
        if what == "artifact":
            if state != "live" or external is not None:  # no data that is ours
                continue
            cursor.execute(SQL["bury_version"], (now, row_id))
            cursor.execute(SQL["delete_visualizations_of"], (row_id,))
        else:
            cursor.execute(SQL["delete_version"], (row_id,))
            if what == "metadata":
                cursor.execute(SQL["delete_object"], (object_id,))
        gone.append(uid)
    _untag_empty(cursor)
    return gone


def release(cursor: Cursor, digests: Sequence[str], withdraw: Callable[[str], object]) -> int:
    """Withdraw the bytes of those of these objects that still nothing needs, and give the bytes that were inline.

    The caller holds the write lock from before the look until after the withdrawal, so no commit can come to need one in between.
    """
    inline = 0
    for digest in digests:
        row = cursor.execute(SQL["condemned_object"], (digest,)).fetchone()
        if row is None:
            continue
        withdraw(digest)
        cursor.execute(SQL["object_removed"], row[:1])
        cursor.execute(SQL["delete_object"], row[:1])
        inline += row[1]
    return inline


def set_artifact_tags(cursor: Cursor, row_id: int, tags: Sequence[str]) -> None:
    """Give an artifact these tags and no others."""
    cursor.execute(SQL["set_artifact_tags"], (pack_tags(tags), row_id))
    cursor.execute(SQL["delete_artifact_tags"], (row_id,))
    cursor.executemany(SQL["insert_artifact_tag"], [(tag, row_id) for tag in tags])


def _untag_empty(cursor: Cursor) -> None:
    # The row of an artifact stays, for its next number; what it is tagged with is said of versions that are gone.
    for (row_id,) in cursor.execute(SQL["empty_artifacts"]).fetchall():
        set_artifact_tags(cursor, row_id, ())


def move_tags(cursor: Cursor, row_id: int, tags: Sequence[str]) -> None:
    """Take tags away from all other versions of a version's artifact."""
    for tag in tags:
        for other, uid, held in cursor.execute(SQL["holders_of_tag"], (tag, row_id)).fetchall():
            kept = [each for each in unpack_tags(held) if each != tag]
            cursor.execute(SQL["set_version_tags"], (dump(kept), other))
            cursor.execute(SQL["delete_version_tags"], (other,))
            cursor.executemany(SQL["insert_version_tag"], [(each, uid) for each in kept])
