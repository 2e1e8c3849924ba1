"""What every comparison gives, and how values look in it."""

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lineal.model.records import Json
from lineal.model.text import shown

ROWS: Final = 20
"""Rows of a table that are shown; JSON has as many, with the number of all."""

LONGEST: Final = 80
"""Characters of one value that are shown."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = LONGEST
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = _REPR.maxset = _REPR.maxfrozenset = _REPR.maxdeque = _REPR.maxarray = 6


@dataclass(frozen=True, slots=True)
class Part:
    """A few sentences of a comparison, or a table with columns and rows below them."""

    title: str
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two values.

    Attributes:
        kind: What they were compared as: table, array, model, text, plain, files or other.
        same: Whether nothing differs.
        summary: What differs in a few words.
        parts: The same in detail, for people; bounded.
        data: The same for programs; bounded.
    """

    kind: str
    same: bool
    summary: str
    parts: Sequence[Part] = ()
    data: Mapping[str, Json] = field(default_factory=dict)


def text_of(value: Any) -> str:
    """Give a value as short text on one line, whatever it is."""
    try:
        text = _REPR.repr(value)
    except Exception:  # a repr of somebody else's class
        text = f"<{type(value).__qualname__}>"
    return shown(" ".join(text.split()), LONGEST)


def number_text(value: float) -> str:
    """Give a number with six digits: `0.123457`, `1200000`, `1.2e+09`."""
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e9 else f"{value:.6g}"


def pair_text(before: str, after: str) -> str:
    """Give `before → after`, or the one text that both are."""
    return before if before == after else f"{before} → {after}"


def count_text(number: int, noun: str) -> str:
    """Give a number of things: `1 row`, `1,200 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def finite(value: float | None) -> float | str | None:
    """Give a number as JSON can hold it: what is not finite becomes text."""
    return value if value is None or math.isfinite(value) else str(value)
