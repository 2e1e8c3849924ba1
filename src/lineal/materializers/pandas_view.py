"""Cuts pandas frames, series and indexes down to what is shown of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lineal.materializers import table_view
from lineal.materializers.pandas_columns import values_of
from lineal.materializers.table_view import Column, Table
from lineal.model.text import size_text
from lineal.model.visualization import Visualization

_SIZED = 200  # columns up to which the size in memory is added up


def show_frame(frame: Any) -> Visualization:
    """Give the visualization of a DataFrame."""
    body = frame.iloc[:, : table_view.COLUMNS]
    rows, columns = frame.shape
    nbytes = size_text(int(frame.memory_usage().sum())) if columns <= _SIZED else ""
    columns_shown = [_column(label, values_of(body.iloc[:, place])) for place, label in enumerate(body.columns)]
    return table_view.view(Table(rows, columns, _labels(frame.index), columns_shown, nbytes), "Table")


def show_series(series: Any) -> Visualization:
    """Give the visualization of a Series."""
    nbytes = size_text(int(series.memory_usage()))
    return table_view.view(Table(len(series), 1, _labels(series.index), [_column(series.name, values_of(series))], nbytes), "Series")


def show_index(index: Any) -> Visualization:
    """Give the visualization of an index: each level as a column."""
    levels = _levels(index)
    columns = [_column(name, level) for name, level in levels]
    return table_view.view(Table(len(index), len(columns), (), columns, size_text(int(index.memory_usage()))), "Index")


def _labels(index: Any) -> list[Column]:
    places = table_view.shown_rows(len(index))
    return [Column("" if name is None else _name(name), "", _values(level, places), ()) for name, level in _levels(index)]


def _levels(index: Any) -> list[tuple[Any, Any]]:
    if isinstance(index, pd.MultiIndex):
        return [(name, values_of(index.get_level_values(place))) for place, name in enumerate(index.names)]
    # The numbers of a range are nowhere until somebody asks for all of them.
    return [(index.name, index if isinstance(index, pd.RangeIndex) else values_of(index))]


def _column(label: Any, array: Any) -> Column:
    rows = len(array)
    width = array.nbytes / rows if rows else 0.0
    sample = _values(array, table_view.sampled_rows(rows, width))
    return Column(_name(label), str(array.dtype), _values(array, table_view.shown_rows(rows)), sample)


def _values(array: Any, places: Sequence[int]) -> list[Any]:
    taken, dtype = array.take(places), array.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        taken, dtype = taken.tz_localize(None), taken.tz_localize(None).dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":  # Python's own times: a Timestamp takes ten times as long to make and to ask
        return list(np.asarray(taken).astype(f"{dtype.kind}8[us]").tolist())
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return list(np.asarray(taken).tolist())
    as_text = _has_odd_values(dtype) or _has_odd_values(getattr(getattr(dtype, "categories", None), "dtype", None))
    values = zip(taken.tolist(), pd.isna(taken), strict=True)
    return [None if missing else str(value) if as_text else value for value, missing in values]


def _has_odd_values(dtype: Any) -> bool:
    return isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype)


def _name(label: Any) -> str:
    return " / ".join(map(str, label)) if isinstance(label, tuple) else str(label)
