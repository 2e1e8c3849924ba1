"""Draws simple charts as SVG, with no script and no library: what shows a chart of plotly or altair where neither is at hand."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

from lineal.materializers import markup
from lineal.materializers.markup import escaped, number_text
from lineal.materializers.scales import bound_text, kind_of, position, ticks

SERIES: Final = 10
"""Series of a chart that are drawn."""

POINTS: Final = 500
"""Points of a series that are drawn; of more, some at equal steps."""

NAMES: Final = 12
"""Names along an axis that are written."""

COLOURS: Final = ("#4a8fdd", "#e07b39", "#4caf7a", "#c65b7c", "#8a6fd1", "#b59f3b", "#3fb0b8", "#9a7b5f", "#d98ac2", "#7f8c8d")

_WIDTH, _HEIGHT = 480.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 60.0, 12.0, 8.0, 26.0


class Series(NamedTuple):
    """Values that are drawn in one colour."""

    name: str
    kind: Literal["line", "points", "bars"]
    xs: Sequence[Any]
    ys: Sequence[Any]


class _Axis(NamedTuple):
    """Gives the place of a value between 0 and 1, and what is written where."""

    place: Callable[[Any], float]
    marks: list[tuple[float, str]]


def draw(series: Sequence[Series], x_title: str = "", y_title: str = "") -> str:
    """Give a chart with its legend; empty when there is nothing that can be drawn: heights must be numbers."""
    shown = [_bounded(each) for each in series[:SERIES]]
    shown = [each for each in shown if each.xs]
    if not shown:
        return ""
    bars = [each for each in shown if each.kind == "bars"]
    x = _axis([value for each in shown for value in each.xs], names=bool(bars))
    y = _axis([value for each in shown for value in each.ys] + ([0] if bars else []))
    drawn = [_frame(x, y)]
    for number, each in enumerate(shown):
        colour = COLOURS[number % len(COLOURS)]
        spots = [(_LEFT + x.place(a) * (_WIDTH - _LEFT - _RIGHT), _height(y.place(b))) for a, b in zip(each.xs, each.ys, strict=True)]
        if each.kind == "bars":
            drawn.append(_bars(spots, _height(y.place(0)), colour, bars.index(each), len(bars), len({*map(_key, each.xs)})))
        else:
            drawn.append(_line(spots, colour) if each.kind == "line" else _dots(spots, colour))
    svg = f'<svg width="{_WIDTH:g}" height="{_HEIGHT:g}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="chart">{"".join(drawn)}</svg>'
    left_out = f"{len(series) - SERIES} more series" if len(series) > SERIES else ""
    return f"<div>{svg}</div>{_legend(shown)}{markup.note(_said(x_title, y_title), left_out)}"


def _said(x_title: str, y_title: str) -> str:
    return f"{y_title} by {x_title}" if x_title and y_title else x_title or y_title


def _bounded(series: Series) -> Series:
    pairs = [(x, y) for x, y in zip(series.xs, series.ys, strict=False) if _is_number(y) and x is not None and not _is_nan(x)]
    pairs = pairs[:: -(-len(pairs) // POINTS)] if len(pairs) > POINTS else pairs
    return series._replace(xs=[x for x, _ in pairs], ys=[y for _, y in pairs])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(position(value))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _axis(values: Sequence[Any], *, names: bool = False) -> _Axis:
    kind = kind_of(values)
    if kind in ("number", "time") and not names:
        positions = list(map(position, values))
        low, high = min(positions), max(positions)
        if kind == "time":
            marks = [(0.0, bound_text(values[positions.index(low)])), (1.0, bound_text(values[positions.index(high)]))]
        else:
            marks = [(_part(each, low, high), number_text(float(each), 4)) for each in ticks(low, high)]
        return _Axis(lambda value: _part(position(value), low, high), marks)
    order = {key: number for number, key in enumerate(dict.fromkeys(map(_key, values)))}
    count = len(order)
    step = -(-count // NAMES)
    marks = [((number + 0.5) / count, key) for key, number in order.items() if number % step == 0]
    return _Axis(lambda value: (order[_key(value)] + 0.5) / count, marks)


def _key(value: Any) -> str:
    return str(value)[:60]


def _part(value: float, low: float, high: float) -> float:
    width = high / 2 - low / 2  # halves: the difference of the largest numbers is infinite
    return (value / 2 - low / 2) / width if width else 0.5


def _height(part: float) -> float:
    return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)


def _frame(x: _Axis, y: _Axis) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    text = 'font-size="11" fill="currentColor" opacity="0.7"'
    found = [f'<line x1="{_LEFT:g}" y1="{bottom:g}" x2="{right:g}" y2="{bottom:g}" stroke="#8888"/>']
    for part, label in y.marks:
        height = _short(_height(part))
        found.append(f'<line x1="{_LEFT:g}" y1="{height}" x2="{right:g}" y2="{height}" stroke="#8883"/>')
        found.append(f'<text x="{_LEFT - 6:g}" y="{height}" dy="4" text-anchor="end" {text}>{escaped(label, 9)}</text>')
    room = int((right - _LEFT) / max(len(x.marks), 1) / 6)
    for part, label in x.marks:
        anchor = "start" if part < 0.02 else "end" if part > 0.98 else "middle"
        place = _short(_LEFT + part * (right - _LEFT))
        found.append(f'<text x="{place}" y="{bottom + 16:g}" text-anchor="{anchor}" {text}>{escaped(label, max(room, 4))}</text>')
    return "".join(found)


def _line(spots: Sequence[tuple[float, float]], colour: str) -> str:
    points = " ".join(f"{_short(x)},{_short(y)}" for x, y in spots)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"/>'


def _dots(spots: Sequence[tuple[float, float]], colour: str) -> str:
    return "".join(f'<circle cx="{_short(x)}" cy="{_short(y)}" r="2.6" fill="{colour}" fill-opacity="0.75"/>' for x, y in spots)


def _bars(spots: Sequence[tuple[float, float]], ground: float, colour: str, number: int, of: int, names: int) -> str:
    room = (_WIDTH - _LEFT - _RIGHT) / max(names, 1) * 0.8
    width = room / of
    return "".join(
        f'<rect x="{_short(x - room / 2 + number * width)}" y="{_short(min(y, ground))}" width="{_short(max(width, 0.5))}" '
        f'height="{_short(max(abs(y - ground), 0.5))}" fill="{colour}"/>'
        for x, y in spots
    )


def _legend(series: Sequence[Series]) -> str:
    if len(series) < 2:
        return ""
    items = [
        f'<span style="margin-right:14px"><span style="color:{COLOURS[number % len(COLOURS)]}">\N{BLACK CIRCLE}</span> {escaped(each.name, 40)}</span>'
        for number, each in enumerate(series)
    ]
    return f"<div>{''.join(items)}</div>"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
