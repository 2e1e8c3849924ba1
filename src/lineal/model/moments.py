"""Times as people give them: an aware datetime, or ISO text in UTC; and spans of time, `2026-01-01..2026-02-01`, `>2026-01-01`."""

import re
from datetime import UTC, datetime, timedelta

from lineal.errors import UsageError

Moment = datetime | str
"""A time: an aware datetime, one without a zone or ISO text (`2026-06-01`, `2026-06-01T12:30`) in UTC."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def micros(when: Moment) -> int:
    """Give a time as microseconds since 1970 in UTC. Raises UsageError for text that is no time."""
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when.strip())
        except ValueError:
            raise UsageError(f"{when!r} is not a time; write it as 2026-06-01 or 2026-06-01T12:30:00, in UTC") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - _EPOCH) // _MICRO


def span(text: str) -> tuple[int | None, int | None]:
    """Give the beginning and the end of a span of time as microseconds since 1970; the end itself is outside, None is open.

    `2026-01-01` is that day, `A..B` from A until before B, either of which may be missing. After `>`, `>=`, `<` and `<=` stands a time
    or a day, which counts as a whole: `>2026-01-31` begins with February. Raises UsageError for another text.
    """
    if not isinstance(text, str):
        raise UsageError(f"a span of time is text such as 2026-01-01..2026-02-01 or >2026-01-01, got {type(text).__name__}: {text!r}")
    text = text.strip()
    if ".." in text:
        first, _, last = text.partition("..")
        if not first.strip() and not last.strip():
            raise UsageError(f"{text!r} has neither a beginning nor an end; write 2026-01-01..2026-02-01")
        return micros(first) if first.strip() else None, micros(last) if last.strip() else None
    sign = re.match(r"[<>]=?|", text)
    assert sign is not None
    rest = text[sign.end() :].strip()
    begin = micros(rest)
    end = begin + (86_400_000_000 if _DAY.fullmatch(rest) else 1)
    match sign[0]:
        case ">":
            return end, None
        case ">=":
            return begin, None
        case "<":
            return None, begin
        case "<=":
            return None, end
    if not _DAY.fullmatch(rest):
        raise UsageError(f"{text!r} is one moment; write a day (2026-01-01), a span (2026-01-01..2026-02-01), or > or < before it")
    return begin, end
