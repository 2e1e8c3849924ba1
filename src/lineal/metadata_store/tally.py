"""The sums over versions that pages show, kept up to a row of `versions`. Nothing here begins or commits.

A step that ends writes nothing to them. Who asks (`totals`, `space`, `artifact_facets`, `list_artifacts`) adds the versions after that
row, and those are few: a run's heartbeat, its end, and a save that is no step's output count them in once enough have gathered. What
changes in the versions before that row (pruned, lost, found, deleted, tagged) triggers see.
"""

from sqlite3 import Cursor
from typing import Final

from lineal.metadata_store.statements import SQL

DUE: Final = 500
"""Versions that may wait to be counted in: who asks adds them up in about a millisecond."""


def advance_if_due(cursor: Cursor) -> None:
    """Count versions into the sums once enough wait."""
    if cursor.execute(SQL["tally_is_due"], (DUE,)).fetchone() is not None:
        advance(cursor)


def advance(cursor: Cursor) -> None:
    """Count all versions into the sums that are not in them."""
    for statement in ("advance_tally_space", "advance_tally_firsts", "advance_tally_tags", "advance_tally"):
        cursor.execute(SQL[statement])
