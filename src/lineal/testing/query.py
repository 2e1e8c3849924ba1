"""What a metadata query means, in plain Python over the metadata of a record: every store must answer the same."""

import operator
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lineal.model import values
from lineal.model.query import And, Compare, Exists, Key, Not, Or, Query

_SIGNS = {"==": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_NOTHING = object()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def matches(tree: Query, metadata: Mapping[str, Any]) -> bool:
    """Tell whether a query holds for metadata as a record has it."""
    match tree:
        case Compare(key, sign, value):
            held, other = _kind(_find(key, metadata)), _kind(value)
            return held[0] == other[0] and bool(_SIGNS[sign](held[1], other[1]))
        case Exists(key):
            return _find(key, metadata) is not _NOTHING
        case Not(part):
            return not matches(part, metadata)
        case And(parts):
            return all(matches(part, metadata) for part in parts)
        case Or(parts):
            return any(matches(part, metadata) for part in parts)


def _find(key: Key, metadata: Any) -> Any:
    for part in key:
        if not isinstance(metadata, Mapping) or part not in metadata:
            return _NOTHING
        metadata = metadata[part]
    return metadata


def _kind(value: Any) -> tuple[str, Any]:
    """Give the kind of a value, and the value as it is compared within that kind."""
    if isinstance(value, Mapping) and "$type" in value:
        value = values.from_json(value)
    match value:
        case None:
            return "null", 0
        case bool():
            return "boolean", value
        case int():
            return "number", value if -(1 << 63) <= value < 1 << 63 else float(str(value))
        case float():
            return ("nan", 0) if value != value else ("number", value)
        case str():
            return "text", value
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return "time", (moment - _EPOCH) // timedelta(microseconds=1)
        case date():
            return "time", (datetime(value.year, value.month, value.day, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    return "other", object()
