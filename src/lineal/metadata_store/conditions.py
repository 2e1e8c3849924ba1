"""Questions about metadata in SQL: the tree of `lineal.model.query` becomes a condition on the column `x.metadata`, all values bound."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from lineal.errors import UsageError
from lineal.metadata_store.statements import SQL
from lineal.model.query import And, Compare, Exists, Key, Not, Or, Query, Value

_SIGNS = frozenset({"==", "<", "<=", ">", ">="})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def condition(tree: Query) -> tuple[str, list[Any]]:
    """Give the SQL of a query and its parameters. Raises UsageError for a key that a JSON path cannot name."""
    match tree:
        case Compare(key, sign, value):
            return _compare(key, sign, value)
        case Exists(key):
            return SQL["query_exists"], [_path(key)] * 2
        case Not(part):
            sql, parameters = condition(part)
            return f"NOT ({sql})", parameters
        case And(parts):
            return _joined(parts, " AND ", "1 = 1")
        case Or(parts):
            return _joined(parts, " OR ", "1 = 0")


def holds_without(tree: Query) -> bool:
    """Tell whether a query holds where there is no metadata at all."""
    match tree:
        case Not(part):
            return not holds_without(part)
        case And(parts):
            return all(map(holds_without, parts))
        case Or(parts):
            return any(map(holds_without, parts))
        case _:
            return False


def _joined(parts: tuple[Query, ...], word: str, empty: str) -> tuple[str, list[Any]]:
    made = [condition(part) for part in parts]
    return f"({word.join(sql for sql, _ in made) or empty})", [value for _, values in made for value in values]


def _compare(key: Key, sign: str, value: Value) -> tuple[str, list[Any]]:
    assert sign in _SIGNS
    path, operator = [_path(key)] * 2, "=" if sign == "==" else sign
    if value is None:
        return SQL["query_is"], [*path, "null"]
    if isinstance(value, bool):
        return SQL["query_compare"].replace("{sign}", operator), [*path, "boolean", int(value)]
    if isinstance(value, str):
        return SQL["query_compare"].replace("{sign}", operator), [*path, "text", value]
    if isinstance(value, datetime):
        return SQL["query_compare"].replace("{sign}", operator), [*path, "time", (value - _EPOCH) // timedelta(microseconds=1)]
    if value != value:
        return SQL["query_is"], [*path, "nan"]
    text = repr(value) if math.isfinite(value) else "9e999" if value > 0 else "-9e999"
    return SQL["query_compare_number"].replace("{sign}", operator), [*path, f"[{text}]"]


def _path(key: Key) -> str:
    """Give the JSON path of a key. Its parts are written exactly as they stand in the stored text (json_text.py)."""
    for part in key:
        if '"' in part:
            raise UsageError(f"a metadata key with a double quote cannot be asked for: {part!r}; log it under another name")
    return "$." + ".".join(json.dumps(f"${part}" if part.startswith("$") else part) for part in key)
