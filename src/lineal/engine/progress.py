"""Shows a run while it is under way: live lines on a terminal, plain lines elsewhere.

What is shown is a courtesy: a reporter never raises into the run. When its stream is closed or full, it goes silent.
"""

import atexit
import io
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

from lineal.host import progress_stream
from lineal.model.records import RunRecord
from lineal.model.states import Status
from lineal.model.text import duration_text, shown

if TYPE_CHECKING:
    from rich.text import Text


class Reporter(Protocol):
    """Is told what happens in one run, from any thread: `started`, then `step` any number of times, then `finished` once."""

    def started(self, run: RunRecord, total: int | None) -> None:
        """Say that a run begins. `total` is the number of its steps, None while it is not known."""
        ...

    def step(self, name: str, status: Status, seconds: float | None = None, note: str = "", total: int | None = None) -> None:
        """Say that a step has come to a state: RUNNING when it begins (may be left out), PENDING when it waits, a final one when it ends.

        `seconds` is what it took, `note` a few words such as where a cached result is from, `total` the number of steps when that
        has become known or has grown.
        """
        ...

    def finished(self, run: RunRecord, counts: Mapping[Status, int]) -> None:
        """Say that the run has ended, with its final record and the number of steps by state. To be called however a run ends."""
        ...

    def through(self, stream: TextIO) -> TextIO:
        """Give the stream that takes what a step prints to `stream`: that one, or one that puts printed lines above the live ones."""
        ...


def make_reporter(quiet: bool, *, live: bool = True) -> Reporter | None:
    """Give the reporter for standard error, in a notebook for standard output: live on a terminal, plain elsewhere, None when `quiet` or
    when there is no stream.

    `live` False gives plain lines on a terminal too: live ones would be torn apart by processes that print to it by themselves.
    To be called before standard error is replaced for a run: what a reporter writes must not end up in a step's log.
    """
    stream = progress_stream()
    if quiet or stream is None:
        return None
    out = Unbreakable(stream)
    if live and out.isatty() and not live_lines.locked():  # two live displays would overwrite each other
        reporter = LiveReporter(out)
        if reporter.possible:
            return reporter
    return PlainReporter(out)


# -- lines


def _started_line(run: RunRecord, total: int | None) -> str:
    return f"run {shown(run.name)} started" + ("" if total is None else f" ({_steps(total)})")


def _step_line(name: str, status: Status, seconds: float | None, note: str) -> str:
    took = "" if status is Status.CACHED else duration_text(seconds)
    return f"  {shown(name):<24} {status:<9} {took:>9}  {shown(note)}".rstrip()


def _finished_line(run: RunRecord, counts: Mapping[Status, int]) -> str:
    took = "" if run.duration is None else f" in {duration_text(run.duration / 1e9)}"
    parts = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"run {shown(run.name)} {run.status}{took}" + (f": {parts}" if parts else "")


def _steps(number: int) -> str:
    return f"{number} step" if number == 1 else f"{number} steps"


# -- plain


class PlainReporter:
    """One line when a run begins, one per finished step, one at the end; each is a single write."""

    def __init__(self, out: "Unbreakable") -> None:
        self._out = out

    def started(self, run: RunRecord, total: int | None) -> None:
        self._out.write(_started_line(run, total) + "\n")

    def step(self, name: str, status: Status, seconds: float | None = None, note: str = "", total: int | None = None) -> None:
        if status is not Status.RUNNING:
            self._out.write(_step_line(name, status, seconds, note) + "\n")

    def finished(self, run: RunRecord, counts: Mapping[Status, int]) -> None:
        self._out.write(_finished_line(run, counts) + "\n")

    def through(self, stream: TextIO) -> TextIO:
        return stream


class Unbreakable(io.TextIOBase):
    """A stream that goes silent instead of raising: nobody may read any more, or the disk behind it is full."""

    def __init__(self, stream: TextIO) -> None:
        self.stream: TextIO | None = stream

    def write(self, text: str) -> int:
        """Write text, unless the stream has gone silent; gives its length either way."""
        if self.stream is not None:
            try:
                self.stream.write(text)
            except (OSError, ValueError):
                self.stream = None
        return len(text)

    def flush(self) -> None:
        """Flush the stream, unless it has gone silent."""
        if self.stream is not None:
            try:
                self.stream.flush()
            except (OSError, ValueError):
                self.stream = None

    def isatty(self) -> bool:
        """Tell whether this is a terminal."""
        try:
            return self.stream is not None and self.stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        """Give the file descriptor; raises io.UnsupportedOperation when there is none."""
        if self.stream is None:
            raise io.UnsupportedOperation("fileno")
        return self.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return getattr(self.stream, "encoding", None) or "utf-8"


# -- live

live_lines = threading.Lock()  # held while live lines are on the terminal
_SETTLE = 0.15  # seconds for which finished steps stay among the live lines, so that a thousand fast steps cost few redraws
_STYLES = {
    Status.COMPLETED: ("✓", "green"),
    Status.CACHED: ("✓", "cyan"),
    Status.FAILED: ("✗", "bold red"),
    Status.CRASHED: ("✗", "bold red"),
    Status.SKIPPED: ("–", "dim"),  # noqa: RUF001
    Status.CANCELLED: ("–", "yellow"),  # noqa: RUF001
}
_ASCII = {"✓": "+", "✗": "x", "–": "-"}  # noqa: RUF001
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "-\\|/"


class LiveReporter:
    """One live line per running step and one for the whole; a finished step's line scrolls up and stays.

    So the live part is as high as the steps that run at once, however long the pipeline. `possible` is False on a terminal that
    cannot move its cursor.
    """

    def __init__(self, out: "Unbreakable") -> None:
        from rich.console import Console

        self._console = Console(file=cast("TextIO", out), highlight=False, markup=False, emoji=False)
        self.possible = self._console.is_terminal and not self._console.is_dumb_terminal
        self._unicode = "utf" in self._console.encoding
        self._lock = threading.Lock()  # never held while the console is called: its own thread calls back for `_lines`
        self._running: dict[str, float] = {}
        self._settling: list[Text] = []
        self._settled = 0.0
        self._begun = 0.0
        self._done = 0
        self._cached = 0
        self._total: int | None = None
        self._display: Any = None
        self._above: list[_Above] = []

    def started(self, run: RunRecord, total: int | None) -> None:
        from rich.live import Live

        self._total, self._begun = total, time.monotonic()
        self.print_line(_started_line(run, total))
        if live_lines.acquire(blocking=False):
            self._display = Live(
                console=self._console, get_renderable=self._render, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            atexit.register(self._stop)  # a hidden cursor must not outlive the process
            self._display.start()

    def step(self, name: str, status: Status, seconds: float | None = None, note: str = "", total: int | None = None) -> None:
        now = time.monotonic()
        with self._lock:
            self._total = self._total if total is None else total
            if status in (Status.RUNNING, Status.PENDING):
                self._running[name] = now
                return
            self._running.pop(name, None)
            self._done += 1
            self._cached += status is Status.CACHED
            self._settling.append(self._step_text(name, status, seconds, note))
            due = now - self._settled > _SETTLE
        if due:
            self.settle()

    def finished(self, run: RunRecord, counts: Mapping[Status, int]) -> None:
        for above in self._above:
            above.end_line()
        self.settle()
        self._stop()
        self.print_line(_finished_line(run, counts))

    def through(self, stream: TextIO) -> TextIO:
        if self._display is None or not stream.isatty():
            return stream
        self._above.append(_Above(self, stream))
        return cast("TextIO", self._above[-1])

    def settle(self) -> None:
        """Move the lines of finished steps from the live part to above it, where they stay."""
        with self._lock:
            lines, self._settling, self._settled = self._settling, [], time.monotonic()
        if lines:
            self._console.print(*lines, sep="\n", soft_wrap=True)

    def print_line(self, line: str) -> None:
        """Print one line of a step or of our own above the live part; its colours are kept, other control codes dropped."""
        from rich.text import Text

        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def _stop(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            display.stop()
            atexit.unregister(self._stop)
            live_lines.release()

    def _step_text(self, name: str, status: Status, seconds: float | None, note: str) -> "Text":
        from rich.text import Text

        mark, style = _STYLES.get(status, ("–", ""))  # noqa: RUF001
        line = Text(mark if self._unicode else _ASCII[mark], style=style)
        line.append(_step_line(name, status, seconds, note)[1:], style="dim" if status in (Status.CACHED, Status.SKIPPED) else "none")
        return line

    def _render(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        now = time.monotonic()
        with self._lock:
            settling, running = list(self._settling), list(self._running.items())
            known = self._total is not None and self._total >= self._done + len(running)  # a body that looks at values plans as it goes
            of = f"/{self._total}" if known else ""
            whole = f"{self._done}{of} steps" + (f", {self._cached} cached" if self._cached else "")
        frames = _SPINNER if self._unicode else _ASCII_SPINNER
        frame = frames[int(now * 10) % len(frames)]
        lines = [Text(frame + _step_line(name, Status.RUNNING, now - since, "")[1:], style="bold") for name, since in running]
        foot = Text(f"  {whole}, {duration_text(now - self._begun)}", style="dim")
        for line in (*settling, *lines, foot):
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*settling, *lines, foot)


class _Above(io.TextIOBase):
    """Takes what is printed to a terminal and prints it above the live lines, line by line."""

    def __init__(self, reporter: LiveReporter, stream: TextIO) -> None:
        self._reporter = reporter
        self._stream = stream
        self._lock = threading.Lock()
        self._pending = ""

    def write(self, text: str) -> int:
        with self._lock:
            *lines, rest = (self._pending + text).split("\n")
            # Of a line that is written over again and again, as progress bars do, only the last state is worth keeping.
            self._pending = rest if rest.endswith("\r") else rest.rpartition("\r")[2]
        if lines:
            self._reporter.settle()  # what is printed now stands below what has ended before
        for line in lines:
            self._reporter.print_line(line.rstrip("\r").rpartition("\r")[2])
        return len(text)

    def end_line(self) -> None:
        """Print what is left of a line that was never ended."""
        with self._lock:
            rest, self._pending = self._pending.rstrip("\r"), ""
        if rest:
            self._reporter.print_line(rest)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
