"""Tables of any library: schema, rows, how each column drifted, and which cells changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lineal.compare.base import ROWS, Comparison, Part, count_text, pair_text, text_of
from lineal.compare.drift import Drift, drift_of
from lineal.errors import UsageError

COLUMNS = 40
"""Columns whose drift is shown."""


def as_table(value: Any) -> Any:
    """Give the pandas frame of a table of any library; None when it is no table."""
    names = {(each.__module__.partition(".")[0], each.__name__) for each in type(value).__mro__}
    if ("pandas", "DataFrame") in names:
        return value
    if ("pandas", "Series") in names:
        return value.to_frame("value" if value.name is None else value.name)
    if ("polars", "LazyFrame") in names:
        return value.collect().to_pandas()
    if ("polars", "Series") in names:
        return value.to_frame().to_pandas()
    return value.to_pandas() if names & {("polars", "DataFrame"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")} else None


class Match(NamedTuple):
    """Which row of the one table is which of the other. `how` says by what; None for `rows` when they cannot be matched.

    `labels` are the keys of the matched rows, in the order of the first table; `added` and `removed` are those of the others.
    """

    how: str
    rows: tuple[Any, Any] | None
    labels: Any
    added: Any
    removed: Any


def compare_tables(one: Any, other: Any, key: str | Sequence[str] | None) -> Comparison:
    """Compare two pandas frames: schema, row counts, drift by column, and changed cells of matched rows.

    Raises UsageError for a key column that one of them does not have, or a key that several rows of one share.
    """
    schema = _schema(one, other)
    match = _match(one, other, key)
    common = [(name, first, second) for name, (first, second) in _columns(one, other).items() if first is not None and second is not None]
    drifts = [(name, drift_of(one.iloc[:, first], other.iloc[:, second])) for name, first, second in common]
    drifts = [(name, drift) for name, drift in drifts if drift.differs]
    changed, cells = _changed_cells(one, other, common, match)
    moved = list(one.columns) != list(other.columns) and not schema
    total = sum(changed.values())
    resorted = match.rows is not None and bool((match.rows[1][1:] < match.rows[1][:-1]).any())
    same = not (schema or drifts or total or moved or resorted or len(match.added) or len(match.removed) or len(one) != len(other))
    rows_text = f"{pair_text(f'{len(one):,}', f'{len(other):,}')} rows"
    facts = [rows_text] if len(one) != len(other) else []
    facts += [count_text(len(schema), "schema change")] if schema else ["columns in another order"] if moved else []
    facts += ["rows in another order"] if resorted else []
    facts += [f"{count_text(total, 'changed cell')} in {count_text(sum(map(bool, changed.values())), 'column')}"] if total else []
    facts += [f"{count_text(len(drifts), 'column')} drifted"] if drifts else []
    data = {
        "rows": [len(one), len(other)],
        "columns": [len(one.columns), len(other.columns)],
        "schema": [{"column": name, "change": what, "before": before, "after": after} for name, what, before, after in schema],
        "matched_by": match.how,
        "rows_added": len(match.added),
        "rows_removed": len(match.removed),
        "rows_reordered": resorted,
        "changed_cells": total,
        "changed_by_column": {name: count for name, count in changed.items() if count},
        "cells": [{"row": row, "column": name, "before": before, "after": after} for row, name, before, after in cells],
        "drift": {name: drift.to_json() for name, drift in drifts},
    }
    if same:
        return Comparison("table", same=True, summary="equal", data=data)
    parts = [Part("rows", _row_lines(one, other, match, common))]
    parts += [Part("schema", (), ("column", "", "before", "after"), schema)] if schema else []
    parts += _drift_parts(drifts)
    parts += [_cells_part(total, changed, cells)] if total else []
    return Comparison("table", same=False, summary=", ".join(facts) or "other rows", parts=parts, data=data)


def _columns(one: Any, other: Any) -> dict[str, tuple[int | None, int | None]]:
    """Give the places of each column in both, by name; the second of one name is `name (2)`."""
    places: dict[str, list[int | None]] = {}
    for side, frame in enumerate((one, other)):
        met: dict[str, int] = {}
        for place, label in enumerate(frame.columns):
            text = label if isinstance(label, str) else text_of(label)
            met[text] = met.get(text, 0) + 1
            name = text if met[text] == 1 else f"{text} ({met[text]})"
            places.setdefault(name, [None, None])[side] = place
    return {name: (pair[0], pair[1]) for name, pair in places.items()}


def _schema(one: Any, other: Any) -> list[tuple[str, str, str, str]]:
    changes = []
    for name, (first, second) in _columns(one, other).items():
        before = "" if first is None else str(one.dtypes.iloc[first])
        after = "" if second is None else str(other.dtypes.iloc[second])
        if first is None or second is None:
            changes.append((name, "added" if first is None else "removed", before, after))
        elif before != after:
            changes.append((name, "type", before, after))
    return changes


def _match(one: Any, other: Any, key: str | Sequence[str] | None) -> Match:
    import pandas as pd

    if key is not None:
        names = [key] if isinstance(key, str) else list(key)
        how = f"key {', '.join(names)}"
        keys = [_key_of(frame, names, side) for frame, side in ((one, "first"), (other, "second"))]
    else:
        how, keys = "index", [one.index, other.index]
        if all(isinstance(each, pd.RangeIndex) and each.start == 0 and each.step == 1 for each in keys):
            return _by_position(len(one), len(other))
        if not (keys[0].is_unique and keys[1].is_unique) or keys[0].nlevels != keys[1].nlevels:
            reason = "index, which is not unique; pass key= to match rows by columns"
            return Match(reason, None, keys[0][:0], keys[1][:0], keys[0][:0])
    before, after = keys
    found = after.get_indexer(before)
    matched = found >= 0
    left = matched.nonzero()[0]
    right = found[matched]
    unmatched = pd.Series(data=True, index=range(len(after))).to_numpy().copy()
    unmatched[right] = False
    return Match(how, (left, right), before[matched], after[unmatched], before[~matched])


def _by_position(before: int, after: int) -> Match:
    import numpy as np

    both = np.arange(min(before, after))
    longer = np.arange(both.size, max(before, after))
    none = longer[:0]
    return Match("position", (both, both), both, longer if after > before else none, longer if before > after else none)


def _key_of(frame: Any, names: list[str], side: str) -> Any:
    import pandas as pd

    for name in names:
        if name not in frame.columns:
            raise UsageError(f"the {side} table has no column {name!r} to match rows by; there are: {', '.join(map(str, frame.columns))}")
    key = pd.Index(frame[names[0]]) if len(names) == 1 else pd.MultiIndex.from_frame(frame[names])
    if not key.is_unique:
        twice = key[key.duplicated()][0]
        raise UsageError(
            f"key {', '.join(names)} does not tell the rows of the {side} table apart: {text_of(twice)} stands in several; add a column"
        )
    return key


_Common = list[tuple[str, int, int]]
_Cell = tuple[str, str, str, str]


def _changed_cells(one: Any, other: Any, common: _Common, match: Match) -> tuple[dict[str, int], list[_Cell]]:
    """Give how many cells of each column changed in matched rows, and the first of all, row by row."""
    if match.rows is None:
        return {}, []
    left, right = match.rows
    counts: dict[str, int] = {}
    first: list[tuple[int, int]] = []
    for number, (name, before, after) in enumerate(common):
        places = _differing(one.iloc[:, before].iloc[left], other.iloc[:, after].iloc[right]).nonzero()[0]
        counts[name] = len(places)
        first += [(int(place), number) for place in places[:ROWS]]
    cells = []
    for place, number in sorted(first)[:ROWS]:
        name, before, after = common[number]
        was, now = one.iat[left[place], before], other.iat[right[place], after]
        cells.append((_cell_text(match.labels[place]), name, _cell_text(was), _cell_text(now)))
    return counts, cells


def _differing(one: Any, other: Any) -> Any:
    """Tell for each row whether the cells of two columns differ; two missing ones do not."""
    import numpy as np

    gone = one.isna().to_numpy(), other.isna().to_numpy()
    try:
        equal = one.array == other.array
        same = equal.to_numpy(dtype=bool, na_value=False) if hasattr(equal, "to_numpy") else np.asarray(equal, bool)
        if same.shape != gone[0].shape:
            raise ValueError("no answer for each row")
    except (TypeError, ValueError, NotImplementedError):  # types that do not compare, cells that hold arrays
        pairs = zip(one.to_numpy(object), other.to_numpy(object), strict=True)
        same = np.fromiter((_equal(*pair) for pair in pairs), bool, len(one))
    return (gone[0] != gone[1]) | ~(same | gone[0])


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # an == of somebody else's class, or one that gives no truth value
        return repr(one) == repr(other)


def _cell_text(value: Any) -> str:
    return text_of(_native(value))


def _native(value: Any) -> Any:
    """Give a cell as it reads best: scalars of numpy as Python's, moments as their text."""
    if isinstance(value, tuple):
        return tuple(_native(each) for each in value)
    if hasattr(value, "isoformat") or hasattr(value, "total_seconds"):
        return _Moment(value)
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


class _Moment(str):
    """The text of a moment, without the quotes that a text has."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _row_lines(one: Any, other: Any, match: Match, common: _Common) -> list[str]:
    lines = [f"{pair_text(f'{len(one):,}', f'{len(other):,}')} rows, {pair_text(str(len(one.columns)), str(len(other.columns)))} columns"]
    lines.append(f"rows are matched by {match.how}" if match.rows is not None else f"rows are not matched: {match.how}")
    for what, keys in (("added", match.added), ("removed", match.removed)):
        if len(keys):
            some = ", ".join(_cell_text(each) for each in keys[:5])
            lines.append(f"{count_text(len(keys), 'row')} {what}: {some}{', …' if len(keys) > 5 else ''}")
    return lines


def _cells_part(total: int, changed: dict[str, int], cells: list[_Cell]) -> Part:
    by_column = ", ".join(f"{name} {count:,}" for name, count in sorted(changed.items(), key=_second, reverse=True)[:10] if count)
    lines = [by_column] + ([f"the first {len(cells)} of {total:,}"] if total > len(cells) else [])
    return Part("changed cells", lines, ("row", "column", "before", "after"), cells)


def _second(pair: tuple[str, int]) -> int:
    return pair[1]


def _drift_parts(drifts: list[tuple[str, Drift]]) -> list[Part]:
    parts = []
    for title, numeric in (("drift of numbers", True), ("drift of other columns", False)):
        chosen = [(name, drift) for name, drift in drifts if drift.numeric is numeric]
        if chosen:
            lines = [f"the first {COLUMNS} of {len(chosen):,} columns"] if len(chosen) > COLUMNS else []
            head = ("column", "missing", "mean", "std", "median", "shift") if numeric else ("column", "missing", "different", "shares")
            parts.append(Part(title, lines, head, [(name, *drift.cells()) for name, drift in chosen[:COLUMNS]]))
    return parts
