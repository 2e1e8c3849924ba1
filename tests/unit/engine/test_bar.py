"""What a person sees while many files are read."""

import io
import re
import sys
import threading

import pytest

from lineal.engine import bar, progress
from lineal.engine.bar import ReadingBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    clock = Clock()
    monkeypatch.setattr(bar.time, "monotonic", clock.monotonic)
    return clock


def read(stream: io.StringIO, clock: Clock, seconds: list[float], monkeypatch: pytest.MonkeyPatch, *, quiet: bool = False) -> str:
    """Read ten files of 1 kB after each of some pauses, and give what was shown."""
    monkeypatch.setattr(sys, "stderr", stream)
    with ReadingBar("images\x1b[2J", quiet=quiet) as shown:
        shown.begin(10 * len(seconds), 10_000 * len(seconds))
        for pause in seconds:
            clock.now += pause
            shown.advance(10, 10_000)
    return stream.getvalue()


def test_nothing_is_shown_for_a_moment(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """Neither on a terminal nor elsewhere."""
    for stream in (io.StringIO(), Terminal()):
        assert read(stream, clock, [0.3] * 3, monkeypatch) == ""


def test_lines_where_there_is_no_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """One every ten seconds, and one at the end; what a terminal would obey is made visible."""
    assert read(io.StringIO(), clock, [4.0] * 6, monkeypatch).splitlines() == [
        "reading images\\x1b[2J: 30 of 60 files, 30 kB of 60 kB",
        "reading images\\x1b[2J: 60 of 60 files, 60 kB of 60 kB",
        "read 60 files of images\\x1b[2J, 60 kB, in 24.0 s",
    ]


def test_a_bar_on_a_terminal_that_goes_away(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """It shows files and bytes; at the end one line is left."""
    text = read(Terminal(), clock, [2.0] * 4, monkeypatch)
    assert "reading images" in text
    assert re.search(r"of 40 files", text)
    assert text.endswith("read 40 files of images\\x1b[2J, 40 kB, in 8.00 s\n")
    assert "\x1b[2J" not in text
    assert not progress.live_lines.locked()


def test_lines_while_something_else_is_live_on_the_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """Two live displays would overwrite each other."""
    with progress.live_lines:
        text = read(Terminal(), clock, [12.0] * 2, monkeypatch)
    assert text.splitlines()[0].startswith("reading images\\x1b[2J: 10 of 20 files")


def test_lines_on_a_terminal_that_cannot_move_its_cursor(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """A bar would fill the screen there."""
    monkeypatch.setenv("TERM", "dumb")
    text = read(Terminal(), clock, [12.0] * 2, monkeypatch)
    assert "\x1b" not in text
    assert not progress.live_lines.locked()


def test_nothing_when_quiet_or_without_a_stream(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """As the setting says."""
    assert read(Terminal(), clock, [5.0] * 5, monkeypatch, quiet=True) == ""
    monkeypatch.setattr(sys, "stderr", None)
    with ReadingBar("images", quiet=False) as shown:
        shown.begin(1, 1)
        clock.now += 5
        shown.advance(1, 1)


def test_an_error_ends_the_bar_without_a_word(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """The error says it all; the terminal is as it was."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(KeyError), ReadingBar("images", quiet=False) as shown:
        shown.begin(2, 2)
        clock.now += 2
        shown.advance(1, 1)
        raise KeyError
    assert "read 1" not in stream.getvalue()
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is shown again
    assert not progress.live_lines.locked()


def test_a_second_look_counts_on(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """What was read in vain is part of the work."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with ReadingBar("images", quiet=False) as shown:
        shown.begin(10, 100)
        shown.advance(10, 100)
        shown.begin(1, 10)
        clock.now += 11
        shown.advance(1, 10)
    assert stream.getvalue().splitlines()[0] == "reading images: 11 of 11 files, 110 B of 110 B"


def test_readers_may_tell_at_once(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """From any thread; nothing is lost."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with ReadingBar("images", quiet=False) as shown:
        shown.begin(8000, 8000)
        threads = [threading.Thread(target=lambda: [shown.advance(1, 1) for _ in range(1000)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.now += 2
    assert stream.getvalue() == "read 8,000 files of images, 8.0 kB, in 2.00 s\n"
