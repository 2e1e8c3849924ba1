"""Where values lie on an axis: numbers, times, and names in the order in which they come."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from lineal.materializers.markup import number_text

_NUMBERS: Final = (int, float, Decimal)
_TIMES: Final = (datetime, date, time, timedelta)
_KINDS: Final = (("bool", bool), ("number", _NUMBERS), ("time", _TIMES), ("text", str))


def kind_of(present: Sequence[Any]) -> str:
    """Give what values are that are not missing: "number", "time", "bool", "text", or "other" when they are of several kinds."""
    types = set(map(type, present))
    if not types:
        return "other"
    for kind, bases in _KINDS:
        if all(issubclass(each, bases) for each in types):
            return "other" if kind == "time" and not _are_in_order(present) else kind
    return "other"


def _are_in_order(times: Sequence[Any]) -> bool:
    try:
        return all(math.isfinite(position(each)) for each in times)
    except (OverflowError, ValueError, TypeError, NotImplementedError):  # years that Python does not have
        return False


def position(value: Any) -> float:
    """Give the number by which a number or a time is compared: seconds for times, days for dates."""
    if isinstance(value, _NUMBERS):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return float(value.toordinal())
    if isinstance(value, timedelta):
        return float(value.total_seconds())
    return float(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)


def bound_text(value: Any) -> str:
    """Give the smallest or largest value of an axis as short text."""
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second or value.microsecond):
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.replace(microsecond=0, tzinfo=None).isoformat(" ")[:19]
    return number_text(float(value) if isinstance(value, Decimal) else value, 4)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Give round numbers between two numbers: multiples of 1, 2 or 5 times a power of ten."""
    if not low < high or not math.isfinite(high - low):
        return [low]
    rough = (high - low) / most
    if rough < 1e-300:  # no power of ten lies below
        return [low, high]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
