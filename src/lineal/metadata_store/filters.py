"""Filters and sort orders of lists: names from outside choose among fragments of `queries.sql`, values are always bound."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lineal.errors import UsageError
from lineal.metadata_store.conditions import condition, holds_without
from lineal.metadata_store.statements import SQL
from lineal.model.naming import MAX_NAME
from lineal.model.query import parse_query

LONGEST_PAGE = 10_000
MOST_VALUES = 1000
MOST_STARS = 8  # each star multiplies what matching one name can cost

_ALL = frozenset({"tag", "metadata"})  # of these filters, all values must hold; of others, any

# Each list's sort fields and what they mean. Times sort by the store's own order of rows, which no clock can disturb.
SORTS: dict[str, dict[str, str]] = {
    "runs": {"created": "r.id", "name": "r.name", "pipeline": "r.pipeline", "status": "r.status", "duration": "r.duration"},
    "step_runs": {
        "created": "s.id", "name": "s.name", "step": "s.step", "pipeline": "r.pipeline", "status": "s.status", "duration": "s.duration",
    },
    "versions": {
        "created": "v.id", "name": "a.name", "number": "v.number", "size": "o.size", "type": "v.type", "data_type": "v.data_type",
    },
    "artifacts": {
        "updated": "l.id", "created": "a.id", "name": "a.name", "size": "o.size", "type": "l.type", "data_type": "l.data_type",
    },
}  # fmt: skip
_SAME_AS = {
    "runs": {"started": "created"},
    "step_runs": {"started": "created"},
    "versions": {"artifact": "name", "version": "number"},
    "artifacts": {},
}
_TIES = {"runs": "r.id", "step_runs": "s.id", "versions": "v.id", "artifacts": "a.id"}


def fields(listed: str) -> list[str]:
    """Give the filter fields of a list ("runs", "step_runs", "versions", "artifacts")."""
    return [name.partition(".")[2] for name in SQL if name.startswith(f"{listed}.")]


def where(listed: str, filters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Give the WHERE clause of filters and its parameters.

    A filter of None does not filter. A list of values means any of them, for tags and questions about metadata all of them. Raises
    UsageError for an unknown field or a value of the wrong type.
    """
    known = fields(listed)
    clauses: list[str] = []
    parameters: list[Any] = []
    for field, given in filters.items():
        if field not in known:
            raise UsageError(f"{listed} cannot be filtered by {field!r}; fields are: {', '.join(known)}")
        if given is None:
            continue
        values = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
        if len(values) > MOST_VALUES:
            raise UsageError(f"the filter {field!r} takes at most {MOST_VALUES} values, got {len(values)}")
        fragment = SQL[f"{listed}.{field}"]
        made = [_clause(listed, fragment, field, value) for value in values]
        # No value at all: nothing is any of them, and everything has all of them.
        joint, empty = (" AND ", "1 = 1") if field in _ALL else (" OR ", "1 = 0")
        clauses.append(f"({joint.join(sql for sql, _ in made) or empty})")
        parameters += [value for _, bound in made for value in bound]
    return (f"WHERE {' AND '.join(clauses)}" if clauses else ""), parameters


def _clause(listed: str, fragment: str, field: str, value: Any) -> tuple[str, list[Any]]:
    if field == "metadata":
        tree = parse_query(value)
        sql, bound = condition(tree)
        some = SQL.get(f"{listed}_with_metadata")
        made = fragment.replace("{query}", sql)
        return (made if some is None or holds_without(tree) else f"({some} AND {made})"), bound
    check: Callable[[Any, str], Any] = _CHECKS.get(field, _text)
    return fragment, [check(value, field)] * fragment.count("?")


def count(listed: str, filters: Mapping[str, Any], clause: str) -> str:
    """Give the statement that counts what filters let through; `clause` is their WHERE clause, and the parameters are its own."""
    given = {field: value for field, value in filters.items() if value is not None}
    if given.keys() == {"tag"} and f"count_{listed}_tagged" in SQL and (isinstance(given["tag"], str) or len(given["tag"]) == 1):
        return SQL[f"count_{listed}_tagged"]
    return SQL[f"count_{listed}"].replace("{where}", clause)


def order(listed: str, sort: str) -> str:
    """Give the ORDER BY terms of a sort field; `-field` descends. Raises UsageError for an unknown one."""
    field, direction = (sort[1:], "DESC") if sort.startswith("-") else (sort, "ASC")
    field = _SAME_AS[listed].get(field, field)
    column = SORTS[listed].get(field)
    if column is None:
        raise UsageError(
            f"{listed} cannot be sorted by {sort!r}; fields are: {', '.join(sorted(SORTS[listed]))}, with - in front to descend"
        )
    tie = _TIES[listed]
    return f"{column} {direction}" if column == tie else f"{column} {direction}, {tie} {direction}"


def check_page(limit: int, offset: int) -> None:
    """Raise UsageError for a page that is too long or begins before the first row."""
    if type(limit) is not int or not 1 <= limit <= LONGEST_PAGE:
        raise UsageError(f"limit must be an int from 1 to {LONGEST_PAGE}, got {limit!r}")
    if type(offset) is not int or not 0 <= offset < 1 << 62:
        raise UsageError(f"offset must be an int of 0 or more, got {offset!r}")


def like(pattern: str) -> str:
    """Give the LIKE pattern for a name in which `*` stands for anything and all else for itself."""
    return pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"the filter {field!r} takes text, got {type(value).__name__}: {value!r}")
    return value if type(value) is str else str(value)  # a Status is text of another type, which SQLite would not take


def pattern(value: Any, field: str) -> str:
    """Give the LIKE pattern for a name that is asked for, at most so many characters and stars long. Raises UsageError."""
    text = re.sub(r"\*+", "*", _text(value, field))
    if text.count("*") > MOST_STARS or len(text) > MAX_NAME + MOST_STARS:
        raise UsageError(f"the filter {field!r} takes at most {MAX_NAME} characters and {MOST_STARS} stars, got {text[:60]!r}")
    return like(text)


def _version(value: Any, field: str) -> str:
    return str(value) if type(value) is int else _text(value, field)


def _time(value: Any, field: str) -> int:
    if type(value) is not int or not -(1 << 63) <= value < 1 << 63:
        raise UsageError(f"the filter {field!r} takes microseconds since 1970 in UTC as an int, got {type(value).__name__}: {value!r}")
    return value


_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "name": pattern,
    "version": _version,
    "created_after": _time,
    "created_before": _time,
}
