"""How facts read to a person."""

from datetime import UTC, datetime

import pytest

from lineal.model.text import duration_text, moment, moment_text, shown, shown_lines, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (12_345, "12 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (266_000_000, "266 MB"),
        (10**20, "100 EB"),
        (10**22, "10000 EB"),
    ],
)
def test_sizes_read_in_powers_of_a_thousand(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0004, "0.4 ms"),
        (0.012, "12 ms"),
        (0.9996, "1.00 s"),
        (1.236, "1.24 s"),
        (12.34, "12.3 s"),
        (59.999, "1 min 00 s"),
        (185.2, "3 min 05 s"),
        (7620, "2 h 07 min"),
    ],
)
def test_durations_read_in_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_moment_keeps_every_microsecond() -> None:
    assert moment(1_780_000_000_000_001) == datetime(2026, 5, 28, 20, 26, 40, 1, UTC)
    assert moment_text(1_780_000_000_000_001) == "2026-05-28 20:26:40"
    assert moment_text(None) == ""


def test_nothing_that_a_terminal_would_obey_is_shown() -> None:
    assert shown("a\x1b[2Jb\r\n\u202ec") == "a\\x1b[2Jb\\r\\n\\u202ec"
    assert shown("日本 é") == "日本 é"


def test_long_text_is_cut_to_the_length_asked_for() -> None:
    assert shown("abcdef", 4) == "abc…"
    assert shown("abcd", 4) == "abcd"


def test_lines_and_tabs_stay_in_text_of_several_lines() -> None:
    assert shown_lines("a\tb\nc\x07") == "a\tb\nc\\x07"
