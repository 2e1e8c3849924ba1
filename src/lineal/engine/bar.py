"""Shows how far the reading of many files is, once it takes longer than a moment: a bar on a terminal, a line now and then elsewhere."""

import threading
import time
from types import TracebackType
from typing import Any, Self, TextIO, cast

from lineal.engine.progress import Unbreakable, live_lines
from lineal.host import progress_stream
from lineal.model.text import duration_text, shown, size_text

PATIENCE = 1.0
"""Seconds for which nothing is shown."""

PAUSE = 10.0
"""Seconds between two lines where there is no terminal."""


class ReadingBar:
    """Is told how many files are read, from any thread, and shows it on standard error, in a notebook on standard output. To be used in a `with` block.

    Args:
        what: What is read, for people.
        quiet: Show nothing.
        units: What is counted.
    """

    def __init__(self, what: str, *, quiet: bool, units: str = "files") -> None:
        self._what = shown(what)
        self._units = units
        stream = None if quiet else progress_stream()
        self._out = None if stream is None else Unbreakable(stream)
        self._lock = threading.Lock()
        self._files = self._bytes = self._all_files = self._all_bytes = 0
        self._began = self._said = time.monotonic()
        self._bar: Any = None
        self._has_lines = False

    def begin(self, files: int, size: int) -> None:
        """Say how many files and bytes are to be read; again when it is all looked at once more."""
        with self._lock:
            self._all_files, self._all_bytes = self._files + files, self._bytes + size

    def advance(self, files: int, size: int) -> None:
        """Say that so many more files and bytes were read."""
        with self._lock:
            self._files += files
            self._bytes += size
            now = time.monotonic()
            if self._out is None or now - self._began < PATIENCE or now - self._said < 0.1:
                return
            if self._bar is None and not self._has_lines:
                self._open(self._out)
            if self._bar is not None:
                self._bar.update(0, completed=self._bytes, total=self._all_bytes, files=self._of())
                self._said = now
            elif now - self._said >= PAUSE:
                self._out.write(f"reading {self._what}: {self._of()}, {size_text(self._bytes)} of {size_text(self._all_bytes)}\n")
                self._said = now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        took = time.monotonic() - self._began
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                live_lines.release()
                self._bar = None
            if self._out is not None and took >= PATIENCE and self._files and error is None:
                self._out.write(f"read {self._files:,} {self._units} of {self._what}, {size_text(self._bytes)}, in {duration_text(took)}\n")

    def _of(self) -> str:
        return f"{self._files:,} of {self._all_files:,} {self._units}"

    def _open(self, out: Unbreakable) -> None:
        self._has_lines = True
        if not out.isatty() or not live_lines.acquire(blocking=False):  # two live displays would overwrite each other
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(file=cast("TextIO", out), highlight=False, emoji=False)
        if not console.is_terminal or console.is_dumb_terminal:
            live_lines.release()
            return
        columns = (
            TextColumn("reading {task.description}", markup=False), BarColumn(), TextColumn("{task.fields[files]}", markup=False),
            DownloadColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        self._bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self._bar.add_task(self._what, total=self._all_bytes, files=self._of())
        self._bar.start()
