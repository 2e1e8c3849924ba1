"""What a person sees of a run while it is under way."""

import io
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from lineal.engine import progress
from lineal.engine.progress import LiveReporter, PlainReporter, Reporter, make_reporter
from lineal.model.records import RunRecord
from lineal.model.states import Status

RUN = RunRecord("1", "training-1", "training", Status.RUNNING, 0)
ENDED = replace(RUN, status=Status.FAILED, duration=3_400_000_000)


Start = Callable[[io.TextIOBase], Reporter]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Give a function that starts a run whose standard error is a stream. Set in the test itself: pytest replaces it after fixtures."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def start(stream: io.TextIOBase) -> Reporter:
        monkeypatch.setattr(sys, "stderr", stream)
        reporter = make_reporter(quiet=False)
        assert reporter is not None
        reporter.started(RUN, 3)
        return reporter

    return start


def test_nothing_reports_when_quiet_or_without_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_reporter(quiet=True) is None
    monkeypatch.setattr(sys, "stderr", None)
    assert make_reporter(quiet=False) is None


def test_plain_lines_say_start_each_finished_step_and_end(on: Start) -> None:
    stderr = io.StringIO()
    reporter = on(stderr)
    reporter.step("load", Status.CACHED, 0.0, "from run training-0")
    reporter.step("train", Status.RUNNING)
    reporter.step("train", Status.COMPLETED, 1.2)
    reporter.step("evaluate", Status.SKIPPED, None, "needs \x1b[2Jtrain")
    reporter.finished(ENDED, Counter([Status.CACHED, Status.COMPLETED, Status.SKIPPED]))
    assert stderr.getvalue().splitlines() == [
        "run training-1 started (3 steps)",
        "  load                     cached               from run training-0",
        "  train                    completed    1.20 s",
        "  evaluate                 skipped              needs \\x1b[2Jtrain",
        "run training-1 failed in 3.40 s: 1 cached, 1 completed, 1 skipped",
    ]


def test_a_plain_line_is_one_write_and_cheap(on: Start) -> None:
    writes: list[str] = []

    class Counting(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    reporter = on(Counting())
    begun = time.perf_counter()
    for _ in range(1000):
        reporter.step("train", Status.COMPLETED, 0.001)
    assert time.perf_counter() - begun < 0.1  # ten times the aim: the machine may be busy
    assert len(writes) == 1001


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file")])
def test_a_stream_that_breaks_silences_the_reporter_and_not_the_run(on: Start, error: Exception) -> None:
    class Broken(io.StringIO):
        tries = 0

        def write(self, text: str) -> int:
            self.tries += 1
            raise error

        flush = write  # type: ignore[assignment]

    broken = Broken()
    reporter = on(broken)
    reporter.step("train", Status.COMPLETED, 0.1)
    reporter.finished(ENDED, Counter([]))
    assert broken.tries == 1


def test_a_closed_standard_error_is_reported_to_silently(on: Start) -> None:
    closed = io.StringIO()
    closed.close()
    on(closed).finished(ENDED, {})


def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(on: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(on(Terminal()), PlainReporter)


def test_plain_lines_can_be_asked_for_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(make_reporter(quiet=False, live=False), PlainReporter)


def test_live_lines_show_running_steps_and_leave_finished_ones(on: Start) -> None:
    terminal = Terminal()
    reporter = on(terminal)
    assert isinstance(reporter, LiveReporter)
    reporter.step("load", Status.CACHED, 0.0, "from run training-0")
    reporter.step("train", Status.RUNNING)
    reporter.step("train", Status.COMPLETED, 1.2)
    reporter.finished(ENDED, Counter([Status.CACHED, Status.COMPLETED]))
    text = terminal.getvalue()
    assert "0/3 steps" in text
    assert "load                     cached               from run training-0" in text
    assert "train                    completed    1.20 s" in text
    assert text.rstrip("\n").endswith("run training-1 failed in 3.40 s: 1 cached, 1 completed")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor comes back


def test_what_steps_print_stands_above_the_live_lines_in_order(on: Start) -> None:
    terminal = Terminal()
    reporter = on(terminal)
    stream = reporter.through(Terminal())
    reporter.step("load", Status.COMPLETED, 0.1)
    print("10%\r99%\rdone \x1b[2J", end="\npartial", file=stream)
    reporter.finished(ENDED, Counter([Status.COMPLETED]))
    text = terminal.getvalue()
    assert text.rindex("load") < text.index("done") < text.index("partial") < text.index("failed")
    assert "99%" not in text
    assert "done \x1b[2J" not in text


def test_a_stream_that_goes_elsewhere_is_left_alone_by_live_lines(on: Start) -> None:
    terminal = Terminal()
    reporter = on(terminal)
    file = io.StringIO()
    assert reporter.through(file) is file
    reporter.finished(ENDED, Counter([]))


def test_a_second_run_at_the_same_time_gets_plain_lines(on: Start) -> None:
    first, second = on(Terminal()), on(Terminal())
    assert isinstance(second, PlainReporter)
    second.finished(ENDED, {})
    first.finished(ENDED, {})
    assert not progress.live_lines.locked()


def test_a_terminal_without_unicode_gets_ascii_marks(on: Start) -> None:
    raw = io.BytesIO()

    class Ascii(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    reporter = on(Ascii(raw, encoding="ascii"))
    reporter.step("train", Status.RUNNING)
    time.sleep(0.15)
    reporter.step("train", Status.FAILED, 0.1)
    reporter.finished(ENDED, Counter([Status.FAILED]))
    sys.stderr.flush()
    assert b"x\x1b" in raw.getvalue() or b"x train" in raw.getvalue()
