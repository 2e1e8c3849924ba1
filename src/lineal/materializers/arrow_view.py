"""Cuts tables of polars and pyarrow down to what is shown of them: both give Python values of the rows that are asked for."""

from collections.abc import Callable, Sequence
from typing import Any

from lineal.materializers import markup, table_view
from lineal.materializers.table_view import Column, Table
from lineal.model.text import size_text
from lineal.model.visualization import Visualization

FIELDS = 200
"""Columns of a schema that are shown."""

Taker = Callable[[Any, Sequence[int]], list[Any]]
"""Gives the values of a column at some places, None where one is missing."""


def show_table(
    columns: Sequence[tuple[str, str, Any]], rows: int, total: int, take: Taker, nbytes: Callable[[Any], float], title: str = "Table"
) -> Visualization:
    """Give the visualization of a table.

    Args:
        columns: Name, dtype and values of the first columns.
        rows: Number of rows.
        total: Number of columns.
        take: Gives values of a column.
        nbytes: Gives the size of a column in bytes.
        title: Title of the visualization.
    """
    places = table_view.shown_rows(rows)
    body, size = [], 0.0
    for name, dtype, values in columns[: table_view.COLUMNS]:
        width = nbytes(values)
        size += width
        sampled = table_view.sampled_rows(rows, width / rows if rows else 0.0)
        body.append(Column(name, dtype, take(values, places), take(values, sampled)))
    labels = (Column("", "", places, ()),)
    return table_view.view(Table(rows, total, labels, body, size_text(int(size)) if total <= len(body) else ""), title)


def show_schema(fields: Sequence[tuple[str, str]], title: str = "Schema") -> Visualization:
    """Give the visualization of a schema: names and dtypes."""
    rows = [(markup.escaped(name, 100), markup.dim(dtype)) for name, dtype in fields[:FIELDS]]
    more = f"{len(fields) - FIELDS:,} more" if len(fields) > FIELDS else ""
    head = ("<b>column</b>", "<b>dtype</b>")
    return markup.page(markup.note(f"{len(fields):,} columns"), markup.table(head, rows, (False, False)), markup.note(more), title=title)
