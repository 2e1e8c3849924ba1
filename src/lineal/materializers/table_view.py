"""Shows tables of any library: schema, a distribution for each column, missing values, the first and the last rows.

The library's own file cuts the table down to Python values: those of the few rows that are shown, and of a sample of rows from which
distributions are counted. What comes here is small, so it can be looked at value by value.
"""

import math
import random
import reprlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from lineal.materializers import markup
from lineal.materializers.markup import dim, escaped, percent_text
from lineal.materializers.scales import bound_text, kind_of, position
from lineal.model.text import shown
from lineal.model.visualization import Visualization

ROWS: Final = 5
"""Rows that are shown from each end."""

COLUMNS: Final = 40
"""Columns that are shown."""

SAMPLED: Final = 1_000
"""Rows from which distributions are counted."""

BYTES: Final = 4 * 1024 * 1024
"""About how many bytes a sample of one column may take."""

BINS: Final = 20

MISSING: Final = "\N{EN DASH}"
"""What stands for a value that is missing."""

_CELL = 60
_NARROW = 32  # of each text in a table of many columns, so that the others are seen without scrolling
_MANY = 4
_DAYS = 2 * 24 * 3600.0  # seconds from which the time of day says nothing about a range
_DTYPE = 32
_TOP = 3
_LONG = 1_000  # characters of text by which values are told apart
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _CELL
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = _REPR.maxarray = 6


class Column(NamedTuple):
    """A column: the values in the rows that are shown, and in the rows of the sample; None where one is missing."""

    name: str
    dtype: str
    shown: Sequence[Any]
    sample: Sequence[Any]


class Table(NamedTuple):
    """What of a table is shown.

    Attributes:
        rows: Number of rows of the whole.
        columns: Number of columns of the whole.
        labels: Columns of labels that stand before the rows, such as the levels of an index.
        body: The first columns.
        nbytes: Size of the whole in memory; None where that is not known.
    """

    rows: int
    columns: int
    labels: Sequence[Column]
    body: Sequence[Column]
    nbytes: str = ""


def shown_rows(rows: int) -> list[int]:
    """Give the positions of the rows that are shown: all of a short table, else the first and the last."""
    return list(range(rows)) if rows <= 2 * ROWS + 2 else [*range(ROWS), *range(rows - ROWS, rows)]


def sampled_rows(rows: int, width: float = 8) -> list[int]:
    """Give the positions of the rows to count distributions from, one at random in each stretch, the same each time.

    `width` is about how many bytes a value takes: of large ones there are fewer.
    """
    wanted = max(min(SAMPLED, int(BYTES / max(width, 1))), ROWS)
    if rows <= wanted:
        return list(range(rows))
    chance = random.Random(rows)  # noqa: S311  # not a secret
    return [place * rows // wanted + int(chance.random() * (rows // wanted)) for place in range(wanted)]


def view(table: Table, title: str = "") -> Visualization:
    """Give the visualization of a table."""
    return markup.page(content(table), title=title)


def content(table: Table) -> str:
    """Give the markup of a table."""
    summaries = [Summary(column.sample) for column in table.body]
    head = [f"<small>{dim(column.name)}</small>" for column in table.labels]
    head += [_head(column, summary) for column, summary in zip(table.body, summaries, strict=True)]
    right = [False] * len(table.labels) + [summary.kind == "number" for summary in summaries]
    places, longest = shown_rows(table.rows), _CELL if len(table.body) < _MANY else _NARROW
    rows: list[list[str]] = []
    for number, place in enumerate(places):
        if number and place != places[number - 1] + 1:
            rows.append([dim("⋮")] * len(head))
        labels = [dim(cell_text(column.shown[number])) for column in table.labels]
        rows.append(labels + [_cell(each.shown[number], longest) for each in table.body])
    sampled = max((len(column.sample) for column in table.body), default=0)
    size = f"{_counted(table.rows, 'row')} {markup.TIMES} {_counted(table.columns, 'column')}"
    left_out = f"the first {len(table.body):,} of {table.columns:,} columns" if len(table.body) < table.columns else ""
    basis = f"distributions and missing values from a sample of {sampled:,} rows" if 0 < sampled < table.rows else ""
    return markup.note(size, table.nbytes) + markup.table(head, rows, right) + markup.note(left_out, basis)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class Summary:
    """What a sample says of its column.

    Attributes:
        kind: "number", "time", "bool", "text" or "other".
        missing: Part of the values that are missing or not a number.
        low, high: The smallest and the largest as text; empty where there is no order.
        counts: Counts of numbers and times in equal stretches from the smallest to the largest.
        top: The most frequent values as text and the part that each has.
        distinct: How many different values there are, where `top` is known.
    """

    def __init__(self, sample: Sequence[Any]) -> None:
        present = [value for value in sample if value is not None and not (isinstance(value, float) and math.isnan(value))]
        self.missing = 1 - len(present) / len(sample) if sample else 0.0
        self.kind = kind_of(present)
        self.low = self.high = ""
        self.counts: list[int] = []
        self.top: list[tuple[str, float]] = []
        self.distinct: int | None = None
        if self.kind in ("number", "time"):
            self._count(present)
        elif self.kind in ("bool", "text"):
            self._rank(present)

    def _count(self, present: list[Any]) -> None:
        positions = present if {float}.issuperset(map(type, present)) else list(map(position, present))
        finite = [each for each in positions if math.isfinite(each)]
        if not finite:
            return
        low, high = min(finite), max(finite)
        bounds = [present[positions.index(bound)] for bound in (low, high)]
        if isinstance(bounds[0], datetime) and high - low >= _DAYS:
            bounds = [bound.date() for bound in bounds]
        self.low, self.high = map(bound_text, bounds)
        width = high / BINS - low / BINS  # not (high - low): that of the largest numbers is infinite
        start, last = low / width if width else 0, BINS - 1
        counted = Counter(min(int(each / width - start), last) for each in finite) if width else {BINS // 2: len(finite)}
        self.counts = [counted.get(place, 0) for place in range(BINS)]

    def _rank(self, present: list[Any]) -> None:
        counted = Counter(value if self.kind == "bool" else value[:_LONG] for value in present)
        self.distinct = len(counted)
        self.top = [(_text(value), count / len(present)) for value, count in counted.most_common(_TOP)]


def _head(column: Column, summary: Summary) -> str:
    lines = [f"<b>{escaped(column.name, _CELL)}</b>", f"<small>{dim(shown(column.dtype, _DTYPE))}</small>"]
    if summary.counts:
        lines += [markup.histogram(summary.counts), f"<small>{dim(_range(summary))}</small>"]
    elif summary.top:
        lines += [markup.shares([part for _, part in summary.top]), f"<small>{dim(_distinct(summary, column))}</small>"]
    if summary.missing:
        lines.append(f'<small style="color:{markup.WARNING}">{escaped(percent_text(summary.missing))} missing</small>')
    return "<br>".join(lines)


def _range(summary: Summary) -> str:
    return f"always {summary.low}" if summary.low == summary.high else f"{summary.low} … {summary.high}"


def _distinct(summary: Summary, column: Column) -> str:
    value, part = summary.top[0]
    if summary.distinct == 1:
        return f"always {shown(value, 24)}"
    if summary.distinct == len(column.sample) and summary.kind != "bool":
        return "all different"
    if part < 0.05:
        return f"{summary.distinct:,} different"
    said = f"{shown(value, 18)} {percent_text(part)}"
    return said if summary.kind == "bool" else f"{said}, {summary.distinct:,} different"


def _cell(value: Any, longest: int) -> str:
    text = cell_text(value)
    return dim(text) if text in (MISSING, "NaN") and not isinstance(value, str) else escaped(text, longest)


def cell_text(value: Any) -> str:
    """Give a value as it stands in a cell: short, on one line, whatever it is."""
    if value is None:
        return MISSING
    if isinstance(value, float) and not isinstance(value, int):
        return "NaN" if math.isnan(value) else f"{value:.6g}"
    return shown(_text(value), _CELL)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value[: 4 * _CELL])
    if isinstance(value, bool | date | time | timedelta | Decimal) or (isinstance(value, int) and value.bit_length() <= 1000):
        return str(value)
    try:
        return _REPR.repr(value[:_CELL] if isinstance(value, bytes) else value)
    except Exception:  # a repr of somebody else's class
        return f"<{type(value).__qualname__}>"
