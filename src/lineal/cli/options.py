"""Options that every list takes, and how times and `NAME@VERSION` are read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from lineal.errors import UsageError

_AGE = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def list_options(sort: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--sort`, `--limit` and `--offset` to a command, sorted by `sort` unless said otherwise."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option("--offset", default=0, show_default=True, help="How many to leave out.")(command)
        command = click.option("--limit", default=50, show_default=True, help="How many to show at most.")(command)
        return click.option("--sort", default=sort, show_default=True, help="Field to sort by; -FIELD is descending.")(command)

    return add


def time_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--since` and `--until` to a command."""
    shape = "2026-06-01, 2026-06-01T12:30 (UTC), or an age such as 30m, 12h, 7d"
    command = click.option("--until", metavar="WHEN", help="Made before then; as --since.")(command)
    return click.option("--since", metavar="WHEN", help=f"Made then or later: {shape}.")(command)


def when(text: str | None) -> datetime | str | None:
    """Give a time option as the client takes it: `7d` is seven days ago."""
    age = _AGE.fullmatch(text or "")
    if age is None:
        return text
    return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})


def age(text: str) -> timedelta:
    """Give an age such as `30d`. Raises UsageError for another text."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not an age; write a number and a unit: 30s, 30m, 12h, 30d, 8w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def metadata_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--metadata` to a command."""
    shape = "A question about the metadata, such as \"accuracy > 0.9 and split == 'test'\"; may be given several times."
    return click.option("--metadata", multiple=True, metavar="QUERY", help=shape)(command)


def split_version(text: str) -> tuple[str, str | None]:
    """Give `NAME@VERSION` as name and version; without `@` the version is None, which means the newest."""
    name, at, version = text.partition("@")
    if at and not version:
        raise UsageError(f"{text!r} has no version after the @; write {name}@3, or just {name} for the newest")
    return name, version or None
