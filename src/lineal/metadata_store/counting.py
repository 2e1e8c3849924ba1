"""The count of changes, by which an older copy of the facts is noticed. Nothing here begins or commits."""

from collections.abc import Callable, Sequence
from sqlite3 import Cursor
from typing import Any, TypeVar

from lineal.metadata_store.statements import SQL

R = TypeVar("R")


def counted(cursor: Cursor, noted: Callable[[], int], work: Callable[..., R], arguments: Sequence[Any]) -> tuple[R, int | None]:
    """Do work and count it as a change; give what it gives, and the count, None when these facts are an older copy."""
    # Asked under the write lock: whatever other processes have noted was committed before, so that it is counted in this file too.
    row = cursor.execute(SQL["advance_epoch"], (noted(),)).fetchone()
    return work(cursor, *arguments), None if row is None else int(row[0])


def accept(cursor: Cursor, epoch: int) -> None:
    """Make the count at least this."""
    cursor.execute(SQL["accept_epoch"], (epoch, epoch))
