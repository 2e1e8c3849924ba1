"""Keeps what a step prints and logs: an append-only text file per step run.

While a run is under way, `sys.stdout` and `sys.stderr` are tees: everything still reaches the user, and a copy goes to the log of
the step that is running. The file is made by the first write, so a silent step costs nothing. A line that is overwritten with
carriage returns, as progress bars do, is kept in its last state only.
"""

import contextlib
import errno
import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO

from lineal.artifact_store.fsops import open_regular
from lineal.errors import StoreError

PRIVATE: Final = 0o600
"""Permissions of a log in the home of one user."""

SHARED: Final = 0o644
"""Permissions of a log that a server is to show, as those of an object's files."""


_NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL})


def log_path(folder: Path, step_run_id: str) -> Path:
    """Give the file of a step's log in its run's folder."""
    return folder / f"{step_run_id}.log"


def open_log(folders: Iterable[Path], run_id: str, step_run_id: str) -> BinaryIO | None:
    """Open the log of a step run in the first of some folders that has it; None when none has, as it said nothing.

    No link is followed: others may write to a folder that is shared. Raises StoreError when the file may not be read.
    """
    for folder in folders:
        path = log_path(folder / run_id, step_run_id)
        try:
            if not path.parent.is_symlink():
                return os.fdopen(open_regular(str(path))[0], "rb")
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise StoreError(f"the log {path} cannot be read: {error.strerror}") from error
    return None


class StepLog:
    """The log of one step run. Safe to write from threads; never raises into the step for a full disk, but says so once on close.

    Args:
        folder: That of the run's logs; made by the first write.
        step_run_id: The step run.
        mode: Permissions of the file, of which the process's mask takes away.
    """

    def __init__(self, folder: Path, step_run_id: str, mode: int = PRIVATE) -> None:
        self._folder = folder
        self._step_run_id = step_run_id
        self._mode = mode
        self.failure: OSError | None = None
        self._descriptor: int | None = None
        self._pending = ""
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The file, whether it is there already or not."""
        return log_path(self._folder, self._step_run_id)

    def write(self, text: str) -> None:
        """Add text; whole lines go to the file at once."""
        with self._lock:
            pending = self._pending + text.replace("\r\n", "\n")
            end = pending.rfind("\n") + 1
            if end:
                self._append("".join(_last_state(line) + "\n" for line in pending[:end].split("\n")[:-1]))
            rest = pending[end:]
            # A return at the very end may be half of "\r\n": it is judged with what comes next.
            self._pending = rest if rest.endswith("\r") else _last_state(rest)

    def close(self) -> None:
        """Write what is left of the last line and close the file."""
        with self._lock:
            rest, self._pending = _last_state(self._pending), ""
            if rest:
                self._append(rest + "\n")
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _append(self, text: str) -> None:
        if self.failure is not None:
            return
        try:
            if self._descriptor is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, self._mode)
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            self.failure = error


def _last_state(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]


class _Tee(io.TextIOBase):
    def __init__(self, stream: TextIO, current: Callable[[], StepLog | None]) -> None:
        self.stream = stream
        self._current = current

    def write(self, text: str) -> int:
        log = self._current()
        if log is not None:
            log.write(text)
        self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self.stream, "encoding", None) or "utf-8"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)  # buffer, reconfigure and whatever else a stream of the user's offers


_tees = 0
_tee_lock = threading.Lock()
_restore: list[Callable[[], object]] = []


@contextlib.contextmanager
def teeing(current: Callable[[], StepLog | None], through: Callable[[TextIO], TextIO] | None = None) -> Iterator[None]:
    """Copy what is printed and logged to `current()`'s log while the block runs. Runs inside runs and in threads share one tee.

    `through` gives the stream that takes what was meant for a stream, such as one that keeps live lines below what is printed.
    """
    global _tees
    with _tee_lock:
        if _tees == 0:
            _install(current, through or (lambda stream: stream))
        _tees += 1
    try:
        yield
    finally:
        with _tee_lock:
            _tees -= 1
            if _tees == 0:
                while _restore:
                    _restore.pop()()


def _install(current: Callable[[], StepLog | None], through: Callable[[TextIO], TextIO]) -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # pythonw has no streams
            continue
        tee = _Tee(through(stream), current)
        setattr(sys, name, tee)
        _restore.append(partial(_put_back, name, stream, tee))
        # Handlers made before the run hold the stream itself.
        for handler in _stream_handlers():
            if handler.stream is stream:
                handler.setStream(tee)
                _restore.append(partial(_put_handler_back, handler, stream, tee))


def _put_back(name: str, stream: TextIO, tee: _Tee) -> None:
    if getattr(sys, name) is tee:  # else somebody redirected the stream meanwhile, and it is theirs
        setattr(sys, name, stream)


def _put_handler_back(handler: "logging.StreamHandler[Any]", stream: TextIO, tee: _Tee) -> None:
    if handler.stream is tee:
        handler.setStream(stream)


def _stream_handlers() -> Iterator["logging.StreamHandler[Any]"]:
    loggers = [logging.root, *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    for logger in loggers:
        for handler in logger.handlers:
            # A handler that looks its stream up at each record, as logging's own last resort does, meets the tee by itself.
            looks_up = isinstance(getattr(type(handler), "stream", None), property)
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler) and not looks_up:
                yield handler
