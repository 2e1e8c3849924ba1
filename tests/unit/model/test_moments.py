"""Times and spans of time as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lineal.errors import UsageError
from lineal.model.moments import micros, span

JAN, FEB = micros("2026-01-01"), micros("2026-02-01")
DAY = 86_400_000_000


def test_a_time_without_a_zone_is_one_in_utc() -> None:
    """Text, naive and aware datetimes mean the same moment."""
    assert JAN == 1_767_225_600_000_000
    assert micros(datetime(2026, 1, 1)) == micros(datetime(2026, 1, 1, tzinfo=UTC)) == JAN  # noqa: DTZ001
    assert micros("2026-01-01T02:00+02:00") == micros(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == JAN
    assert micros(datetime(2026, 1, 1, microsecond=1)) == JAN + 1  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01", (JAN, JAN + DAY)),
        ("2026-01-01..2026-02-01", (JAN, FEB)),
        (" 2026-01-01 .. ", (JAN, None)),
        ("..2026-01-01T00:00:00", (None, JAN)),
        (">2026-01-31", (FEB, None)),
        (">= 2026-01-01", (JAN, None)),
        ("<2026-01-01", (None, JAN)),
        ("<=2026-01-31", (None, FEB)),
        (">2026-01-01T00:00", (JAN + 1, None)),
        ("<=2026-01-01T00:00", (None, JAN + 1)),
    ],
)
def test_a_span_begins_and_ends_before_its_end(text: str, expected: tuple[int | None, int | None]) -> None:
    """A day counts as a whole."""
    assert span(text) == expected


@pytest.mark.parametrize("text", ["", "..", "soon", ">", "2026-01-01T12:00", "2026-13-01", "=2026-01-01", 3])
def test_what_is_no_span_is_refused(text: str) -> None:
    """With a form that works."""
    with pytest.raises(UsageError, match="2026-"):
        span(text)
