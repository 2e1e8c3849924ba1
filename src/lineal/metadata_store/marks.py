"""What happens to marks inside a write transaction: tags, metadata, pins, trust. Nothing here begins or commits."""

from collections.abc import Mapping, Sequence
from sqlite3 import Cursor
from typing import Any

from lineal.errors import NotFound
from lineal.metadata_store import deleting, runs
from lineal.metadata_store.rows import pack, pack_tags, unpack, unpack_tags, version_of
from lineal.metadata_store.statements import SQL
from lineal.model.records import Trust, VersionRecord


def add_trust(cursor: Cursor, trust: Trust) -> None:
    """Note that somebody trusts bytes."""
    cursor.execute(SQL["add_trust"], trust)


def update_version(
    cursor: Cursor,
    version_id: str,
    add_tags: Sequence[str],
    remove_tags: Sequence[str],
    exclusive: bool,
    metadata: Mapping[str, Any] | None,
    pinned: bool | None,
) -> VersionRecord:
    """Change tags, metadata and pin of a version, and give it."""
    row = cursor.execute(SQL["version_state"], (version_id,)).fetchone()
    if row is None:
        raise NotFound(f"no version has the id {version_id!r}")
    row_id, tags, stored, was_pinned = row
    kept = runs.changed_tags(unpack_tags(tags), add_tags, remove_tags)
    merged = {**unpack(stored), **(metadata or {})}
    pin = was_pinned if pinned is None else int(pinned)
    cursor.execute(SQL["update_version"], (pack_tags(kept), pack(merged, "metadata of the version"), pin, row_id))
    if add_tags or remove_tags:
        cursor.execute(SQL["delete_version_tags"], (row_id,))
        cursor.executemany(SQL["insert_version_tag"], [(tag, version_id) for tag in kept])
    if exclusive:
        deleting.move_tags(cursor, row_id, add_tags)
    return version_of(cursor.execute(SQL["version_by_id"], (version_id,)).fetchone())


def update_artifact(cursor: Cursor, name: str, add_tags: Sequence[str], remove_tags: Sequence[str]) -> tuple[str, ...] | None:
    """Change the tags of an artifact itself, and give them; None when there is no such artifact."""
    row = cursor.execute(SQL["artifact_tags"], (name,)).fetchone()
    if row is None:
        return None
    tags = runs.changed_tags(unpack_tags(row[1]), add_tags, remove_tags)
    deleting.set_artifact_tags(cursor, row[0], tags)
    return tuple(tags)
