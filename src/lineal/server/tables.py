"""Tables of any library, row by row: sorted and paged here, so that a browser looks at a million rows fifty at a time."""

from typing import Annotated, Any, Final

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal.client import Client
from lineal.compare.base import finite, text_of
from lineal.compare.tables import as_table
from lineal.errors import UsageError
from lineal.model.records import Json
from lineal.model.text import size_text
from lineal.server.answers import answer
from lineal.server.reading import Id, version_of
from lineal.server.routes import Table
from lineal.views import VersionView
from lineal.views.base import name_text

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a table up to which it is loaded here."""

COLUMNS: Final = 200
"""Columns that are shown."""

COUNTED: Final = 1_000_000
"""Rows up to which different values are counted."""


class RowsQuery(BaseModel):
    """Which rows: `sort` is the place of a column, as `3`, or `-3` for descending; the stored order by default."""

    model_config = ConfigDict(extra="forbid")

    sort: str | None = Field(None, pattern=r"^-?[0-9]{1,6}$")
    limit: int = Field(50, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1 << 40)


def add_to(table: Table, client: Client) -> None:
    """Add the operation to a table; `client` finds what it shows."""

    @table.get("/versions/{version_id}/rows", "read")
    def get_rows(request: Request, version_id: Id, query: Annotated[RowsQuery, Query()]) -> Response:
        """Give rows of a version that is a table, with the statistics of each column. Nothing that can run code is loaded."""
        return answer(request, rows_json(version_of(client, version_id), query))


def rows_json(view: VersionView, query: RowsQuery) -> dict[str, Json]:
    """Give the rows and columns. Raises UsageError for what is no table, is too large, or has no such column."""
    frame = _table(view)
    shown = frame.iloc[:, :COLUMNS]
    if query.sort is not None:
        place = int(query.sort.lstrip("-"))
        if place >= shown.shape[1]:
            raise UsageError(f"{name_text(view.record)} has {shown.shape[1]} columns to sort by; there is none at {place}")
        shown = shown.iloc[_order(shown.iloc[:, place], descending=query.sort.startswith("-"))]
    rows = shown.iloc[query.offset : query.offset + query.limit]
    columns: list[Json] = [_column_json(frame.columns[place], frame.iloc[:, place]) for place in range(shown.shape[1])]
    index = [_cell(each) for each in rows.index]
    items: list[Json] = [[index[at], *(_cell(rows.iat[at, place]) for place in range(rows.shape[1]))] for at in range(len(rows))]
    return {"columns": columns, "all_columns": int(frame.shape[1]), "items": items, "total": len(frame), "offset": query.offset}


def _table(view: VersionView) -> Any:
    record = view.record
    if record.object.size > LARGEST:
        raise UsageError(
            f"{name_text(record)} has {size_text(record.object.size)}; the server loads tables up to {size_text(LARGEST)}: load it in Python"
        )
    if view.workspace.artifacts.can_run_code(record.materializer):
        raise UsageError(f"{name_text(record)} is stored as {record.materializer}, which can run code when it is loaded: load it in Python")
    frame = as_table(view.load())
    if frame is None:
        raise UsageError(f"{name_text(record)} is a {record.type}, not a table")
    return frame


def _order(column: Any, *, descending: bool) -> Any:
    """Give the order of a column's values, missing ones last; of what has none, that of its texts."""
    for values in (column, column.map(str)):
        try:
            return values.reset_index(drop=True).sort_values(ascending=not descending, kind="stable").index.to_numpy()
        except TypeError:  # cells that do not compare
            continue
    raise AssertionError("texts have an order")


def _column_json(name: Any, column: Any) -> dict[str, Json]:
    import pandas as pd

    facts: dict[str, Json] = {
        "name": name if isinstance(name, str) else text_of(name),
        "type": str(column.dtype),
        "missing": int(column.isna().sum()),
    }
    there = column.dropna()
    if not len(there):
        return facts
    if (
        pd.api.types.is_numeric_dtype(column.dtype)
        and not pd.api.types.is_bool_dtype(column.dtype)
        and not pd.api.types.is_complex_dtype(column.dtype)
    ):
        return {**facts, **_numbers(there.astype("float64"))}
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return {**facts, "least": str(there.min()), "most": str(there.max())}
    return {**facts, **_counted(there)}


def _numbers(column: Any) -> dict[str, Json]:
    import numpy as np

    with np.errstate(all="ignore"):  # what is infinite has no spread
        named = {"least": column.min(), "median": column.median(), "most": column.max(), "mean": column.mean(), "std": column.std()}
    return {name: finite(float(value)) for name, value in named.items()}


def _counted(column: Any) -> dict[str, Json]:
    """Give how many different values there are, and the most frequent one."""
    if len(column) > COUNTED:
        return {}
    try:
        counts = column.value_counts()
    except TypeError:  # cells that have no hash
        return {}
    return {"different": len(counts), "top": _cell(counts.index[0]), "top_share": float(counts.iloc[0] / len(column))}


def _cell(value: Any) -> Json:
    """Give a cell as JSON: numbers and texts as they are, all else as short text; null for a missing one."""
    import pandas as pd

    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, float):
        return finite(value) if value == value else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 1 << 53 else str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if len(value) <= 500 else f"{value[:500]}…"
    return str(value) if hasattr(value, "isoformat") or hasattr(value, "total_seconds") else text_of(value)
