"""Shows altair charts without Vega: simple ones are drawn from their specification, of others it is said what they consist of.

Notebooks draw the specification itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from lineal.materializers import markup
from lineal.materializers.chart_view import Series, draw
from lineal.model.visualization import Visualization

ROWS: Final = 5_000
"""Rows of data that are looked at."""

_MARKS: Final[Mapping[str, Literal["line", "points", "bars"]]] = {
    "line": "line", "area": "line", "trail": "line", "point": "points", "circle": "points", "square": "points", "tick": "points", "bar": "bars",
}  # fmt: skip
_COMPUTED = ("aggregate", "bin", "timeUnit", "stack", "impute")


def show_specification(spec: Mapping[str, Any]) -> Visualization:
    """Give a drawing of a chart, as far as it can be drawn, and what it consists of."""
    layers = spec.get("layer") or [spec]
    series = [each for layer in layers[:20] if isinstance(layer, Mapping) for each in _series({**spec, **layer}, spec)]
    first: Mapping[str, Any] = next((layer["encoding"] for layer in layers if isinstance(layer, Mapping) and "encoding" in layer), {})
    chart = draw(series, _title(first.get("x")), _title(first.get("y")))
    title = spec.get("title")
    head = markup.heading(title) if isinstance(title, str) else ""
    facts = {"marks": ", ".join(sorted({*map(_mark, layers)} - {""})), "rows": sum(map(len, _datasets(spec).values())) or None}
    said = "" if chart else "This chart is computed from its data when it is shown: a notebook draws it."
    return markup.page(head, chart, markup.facts(facts), markup.note(said), title="Chart")


def _series(layer: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[Series]:
    encoding = layer.get("encoding", {})
    x, y, colour = (encoding.get(name) or {} for name in ("x", "y", "color"))
    kind = _MARKS.get(_mark(layer))
    if kind is None or "transform" in layer or not all(_is_plain(each) for each in (x, y)):
        return
    rows = _rows(layer, spec)
    if kind == "bars" and y.get("type") == "nominal":
        x, y = y, x
    by = colour.get("field") if isinstance(colour, Mapping) else None
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(str(row.get(by, "")) if by else "", []).append(row)
    for name, members in groups.items():
        yield Series(name, kind, [_value(row.get(x["field"]), x) for row in members], [row.get(y["field"]) for row in members])


def _mark(layer: Any) -> str:
    mark = layer.get("mark", "") if isinstance(layer, Mapping) else ""
    return str(mark.get("type", "") if isinstance(mark, Mapping) else mark)


def _is_plain(channel: Any) -> bool:
    return isinstance(channel, Mapping) and isinstance(channel.get("field"), str) and not any(name in channel for name in _COMPUTED)


def _title(channel: Any) -> str:
    if not isinstance(channel, Mapping):
        return ""
    title = channel.get("title", channel.get("field"))
    return title if isinstance(title, str) else ""


def _datasets(spec: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    found = {name: rows for name, rows in spec.get("datasets", {}).items() if isinstance(rows, list)}
    inline = spec.get("data", {}).get("values") if isinstance(spec.get("data"), Mapping) else None
    return {**found, "": inline} if isinstance(inline, list) else found


def _rows(layer: Mapping[str, Any], spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = layer.get("data")
    if not isinstance(data, Mapping):
        return []
    rows = data.get("values", _datasets(spec).get(str(data.get("name")), []))
    return [row for row in rows[:ROWS] if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _value(value: Any, channel: Mapping[str, Any]) -> Any:
    if channel.get("type") == "temporal" and isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return str(value) if channel.get("type") in ("nominal", "ordinal") and value is not None else value
