"""What is asked of a list, as filters of the store: unknown names are refused, states and spans of time are read."""

from collections.abc import Mapping
from typing import Any

from lineal.errors import UsageError
from lineal.model.moments import Moment, micros, span
from lineal.model.states import Status


def given(filters: Mapping[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
    """Give the filters that are not None. Raises UsageError when anything is unknown, and names what there is."""
    if unknown:
        known = ", ".join(["tags" if name == "tag" else name for name in filters] + ["created", "sort", "limit", "offset"])
        raise UsageError(f"{next(iter(unknown))!r} is not a filter of this list; there are: {known}")
    return {name: value for name, value in filters.items() if value is not None}


def state(status: Status | str | None) -> str | None:
    """Give a state of a run or step run as text. Raises UsageError for what is none."""
    if status is None:
        return None
    try:
        return Status(status).value
    except ValueError:
        raise UsageError(f"{status!r} is not a state of a run; there are: {', '.join(Status)}") from None


def created_in(created: str | None, after: Moment | None, before: Moment | None) -> dict[str, int | None]:
    """Give the filters for a span of time, in microseconds since 1970: the narrowest that all of them allow."""
    begin, end = (None, None) if created is None else span(created)
    starts = [each for each in (begin, None if after is None else micros(after)) if each is not None]
    ends = [each for each in (end, None if before is None else micros(before)) if each is not None]
    return {"created_after": max(starts, default=None), "created_before": min(ends, default=None)}
