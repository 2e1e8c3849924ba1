"""Shows models of any library: what is known of them, their parameters, what their features are worth, their layers."""

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lineal.materializers import markup
from lineal.materializers.markup import dim, escaped, number_text
from lineal.model.visualization import Visualization

PARAMETERS: Final = 100
"""Parameters that are shown."""

FEATURES: Final = 20
"""Features that are shown, those that are worth most."""

LAYERS: Final = 200
"""Layers that are shown."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80


def show_model(
    title: str,
    facts: Mapping[str, object],
    parameters: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    importances: Sequence[tuple[str, float]] = (),
    measure: str = "importance",
) -> Visualization:
    """Give the visualization of a model. Parameters that are at their `defaults` come last and in the background."""
    known = markup.facts({name: _fact(value) for name, value in facts.items()}) + _importances(importances, measure)
    return markup.page(markup.beside(known, _parameters(parameters or {}, defaults or {})), title=title)


def show_layers(title: str, facts: Mapping[str, object], layers: Iterable[tuple[str, str, str, int]]) -> Visualization:
    """Give the visualization of a network: name, kind, shape and number of parameters of each layer."""
    rows: list[tuple[str, ...]] = []
    left_out = 0
    for name, kind, shape, count in layers:
        if len(rows) < LAYERS:
            rows.append((escaped(name, 80), escaped(kind, 60), dim(shape), escaped(f"{count:,}") if count else ""))
        else:
            left_out += 1
    head = ("<b>layer</b>", "<b>kind</b>", "<b>shape</b>", "<b>parameters</b>")
    more = f"{left_out:,} more layers" if left_out else ""
    table = markup.table(head, rows, (False, False, False, True)) if rows else ""
    return markup.page(markup.facts({name: _fact(value) for name, value in facts.items()}), table, markup.note(more), title=title)


def largest(names: Sequence[str], values: Sequence[float]) -> list[tuple[str, float]]:
    """Give the features that are worth most, the largest first; a name that is missing becomes a number."""
    named = [(names[place] if place < len(names) else f"feature {place}", float(value)) for place, value in enumerate(values)]
    return sorted(named, key=_worth, reverse=True)[: FEATURES + 1]


def _worth(pair: tuple[str, float]) -> float:
    return abs(pair[1])


def _importances(items: Sequence[tuple[str, float]], measure: str) -> str:
    if not any(value for _, value in items):
        return ""
    more = f"the {FEATURES} that are worth most" if len(items) > FEATURES else ""
    return markup.heading(f"Features by {measure}") + markup.bars(items[:FEATURES]) + markup.note(more)


def _parameters(parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    if not parameters:
        return ""
    chosen = {name: value for name, value in parameters.items() if not _is_default(name, value, defaults)}
    usual = [name for name in parameters if name not in chosen]
    rows = [(f"<b>{escaped(name, 60)}</b>", escaped(value_text(value))) for name, value in chosen.items()]
    rows += [(dim(name), dim(value_text(parameters[name]))) for name in usual]
    more = f"{len(rows) - PARAMETERS:,} more" if len(rows) > PARAMETERS else ""
    return markup.heading("Parameters") + markup.table(("", ""), rows[:PARAMETERS], (False, False)) + markup.note(more)


def _is_default(name: str, value: Any, defaults: Mapping[str, Any]) -> bool:
    if name not in defaults:
        return False
    default = defaults[name]
    # Compared as text: what is compared with == may be an array.
    return value is default or (type(value) is type(default) and value_text(value) == value_text(default))


def value_text(value: Any) -> str:
    """Give a parameter as short text, whatever it is."""
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, type):
        return value.__qualname__
    try:
        return _REPR.repr(value)
    except Exception:  # a repr of somebody else's class
        return f"<{type(value).__qualname__}>"


def _fact(value: object) -> object:
    return number_text(value) if isinstance(value, int | float) else value
