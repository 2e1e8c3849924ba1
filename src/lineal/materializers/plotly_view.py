"""Shows plotly figures without plotly.js, which is 4 MB of script: lines, points, bars, histograms, pies and heat maps are drawn.

What cannot be drawn so is named. The figure itself, for notebooks that draw it, is its stored JSON.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from lineal.materializers import markup
from lineal.materializers.array_view import heat_map
from lineal.materializers.chart_view import Series, draw
from lineal.model.visualization import Visualization

VALUES: Final = 5_000
"""Values of a trace that are looked at."""

_BINS = 30


def show_figure(figure: Any) -> Visualization:
    """Give a drawing of a figure, as far as it can be drawn, and what it consists of."""
    layout, traces = figure.layout, list(figure.data[:100])
    series = [each for trace in traces for each in _series(trace)]
    chart = draw(series, _text(layout.xaxis.title.text), _text(layout.yaxis.title.text))
    parts = [markup.heading(_text(layout.title.text)) if layout.title.text else "", chart, *(_part(trace) for trace in traces)]
    others = [trace for trace in traces if trace.type not in _DRAWN]
    names = ", ".join(sorted({str(trace.type) for trace in others}))
    left_out = f"not drawn here: {names} ({len(others)} of {len(figure.data):,} traces)" if others else ""
    return markup.page(*parts, markup.note(left_out), title="Plotly figure")


_DRAWN: Final = frozenset({"scatter", "scattergl", "bar", "histogram", "pie", "heatmap"})


def _text(text: Any) -> str:
    return text if isinstance(text, str) else ""


def _series(trace: Any) -> Iterator[Series]:
    name = _text(trace.name)
    if trace.type in ("scatter", "scattergl"):
        ys = _values(trace.y)
        yield Series(name, "line" if "lines" in (trace.mode or "lines") else "points", _values(trace.x) or list(range(len(ys))), ys)
    elif trace.type == "bar":
        first, second = (trace.x, trace.y) if trace.orientation != "h" else (trace.y, trace.x)
        ys = _values(second)
        yield Series(name, "bars", _values(first) or list(range(len(ys))), ys)
    elif trace.type == "histogram":
        yield from _counted(name, _values(trace.x) or _values(trace.y))


def _counted(name: str, values: Sequence[Any]) -> Iterator[Series]:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        names, counts = np.unique(np.asarray([str(value) for value in values]), return_counts=True)
        yield Series(name, "bars", names.tolist(), counts.tolist())
        return
    numbers = numbers[np.isfinite(numbers)]
    if numbers.size and np.isfinite(np.ptp(numbers)):
        heights, edges = np.histogram(numbers, bins=_BINS)
        middles = [markup.number_text(float(each), 3) for each in (edges[:-1] + edges[1:]) / 2]
        yield Series(name, "bars", middles, heights.tolist())


def _part(trace: Any) -> str:
    if trace.type == "pie":
        pairs = [(str(name), float(value)) for name, value in zip(_values(trace.labels), _values(trace.values), strict=False)]
        return markup.bars(pairs[:50])
    if trace.type == "heatmap" and trace.z is not None:
        matrix = np.asarray(trace.z)
        if matrix.ndim == 2 and matrix.dtype.kind in "biuf" and matrix.size:
            return markup.picture(heat_map(matrix[::-1]), "heat map")  # plotly counts rows from below
    return ""


def _values(given: Any) -> list[Any]:
    """Give the first values of a trace as Python's own; text that is a time becomes one, as plotly takes it."""
    if given is None:
        return []
    array = given if isinstance(given, np.ndarray) else None
    if array is not None and array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    values = list(given[:VALUES]) if array is None else array[:VALUES].tolist()
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    if values and all(isinstance(value, str) and value[:4].isdigit() and value[4:5] == "-" for value in values):
        try:
            return [datetime.fromisoformat(value) for value in values]
        except ValueError:
            return values
    return values
