"""Whether the facts fit each other and the bytes: the questions of `verify`, and what its repair changes. Nothing here begins or commits."""

from collections.abc import Callable
from sqlite3 import Cursor

from lineal.metadata_store.statements import SQL


def mark_lost(cursor: Cursor, digest: str, now: int, gone: Callable[[], bool], *, inline: bool) -> list[str]:
    """Mark the versions of an object as lost, if it is still `gone` now that no commit can come between; give their ids."""
    if not gone():
        return []
    lost = [row[0] for row in cursor.execute(SQL["lose_versions"], (now, digest)).fetchall()]
    cursor.execute(SQL["lose_visualizations"], (digest,))
    if inline:
        cursor.execute(SQL["lose_inline"], (digest,))
    return lost


def mark_found(cursor: Cursor, digest: str) -> list[str]:
    """Make the lost versions of an object whose bytes are there again live; give their ids."""
    cursor.execute(SQL["object_there"], (digest,))
    return [row[0] for row in cursor.execute(SQL["find_versions"], (digest,)).fetchall()]


def mend_tombstones(cursor: Cursor, now: int) -> int:
    """Make the times of versions fit their states; give how many did not."""
    found = cursor.execute(SQL["broken_tombstones"]).fetchall()
    cursor.executemany(SQL["mend_tombstone"], [(now, row[0]) for row in found])
    return len(found)


def unless_recorded(cursor: Cursor, digest: str, work: Callable[[], object]) -> bool:
    """Call `work` if no row says that an object's bytes are there, while nobody can write one; tell whether it was called."""
    if cursor.execute(SQL["recorded_objects"], (f'["{digest}"]',)).fetchone():
        return False
    work()
    return True
