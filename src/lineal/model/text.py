"""How facts read to a person: sizes, durations, moments, and text from anywhere that is safe to show on one line."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_SIZES = ("kB", "MB", "GB", "TB", "PB", "EB")


def size_text(size: int) -> str:
    """Give a number of bytes as `87 B`, `1.2 kB`, `266 MB` (powers of 1,000)."""
    if size < 1000:
        return f"{size} B"
    value, power = size / 1000, 0
    while value >= 999.5 and power < len(_SIZES) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.1f} {_SIZES[power]}" if value < 9.95 else f"{value:.0f} {_SIZES[power]}"


def duration_text(seconds: float | None) -> str:
    """Give seconds as `0.4 ms`, `12 ms`, `1.24 s`, `3 min 05 s`, `2 h 07 min`; the empty text for None."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def moment(micros: int) -> datetime:
    """Give a recorded time, in microseconds since 1970, as an aware datetime in UTC."""
    # Whole seconds and microseconds apart: a float of this size would round the last digits.
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)


def moment_text(micros: int | None) -> str:
    """Give a recorded time to the second, `2026-06-01 12:30:05`, in UTC; the empty text for None."""
    return "" if micros is None else moment(micros).strftime("%Y-%m-%d %H:%M:%S")


def when_text(micros: int, now: int) -> str:
    """Give a recorded time as one says it at the time `now`: `today, 12:30`, `yesterday, 12:30`, `2026-06-01, 12:30`, in UTC."""
    then = moment(micros)
    days = (moment(now).date() - then.date()).days
    day = {0: "today", 1: "yesterday"}.get(days) or f"{then:%Y-%m-%d}"
    return f"{day}, {then:%H:%M}"


def shown(text: object, longest: int | None = None) -> str:
    """Give text on one line with nothing in it that a terminal would obey: control and invisible characters become `\\x1b`.

    With `longest` the text is cut to that many characters, the last of them `…`.
    """
    line = str(text)
    if not line.isprintable():
        line = "".join(character if character.isprintable() else _escaped(character) for character in line)
    if longest is not None and len(line) > longest:
        line = line[: longest - 1] + "…"
    return line


def shown_lines(text: str) -> str:
    """Give text of several lines as `shown` does, with line ends and tabs kept."""
    return "".join(character if character.isprintable() or character in "\n\t" else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def finite(value: Any) -> Any:
    """Give a value for standard JSON, which has no form for what is not finite: it becomes text, such as `nan`."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value
