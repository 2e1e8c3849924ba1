"""Functions run in a forked child that may be killed: what they acknowledged until then, what they gave, and how they ended.

Libraries are imported once, so a trial costs tens of milliseconds.
"""

import atexit
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

DEADLINE = 120.0
"""Seconds after which a child hangs."""


@dataclass(slots=True)
class Ended:
    """How a child ended. `error` is the text of what it raised, `killed` whether a signal ended it, `acks` what it sent before."""

    value: Any = None
    error: str = ""
    killed: bool = False
    hung: bool = False
    acks: list[Any] = field(default_factory=list)


_sink: list[Connection] = []


def acknowledge(what: Any) -> None:
    """Tell the parent that something is done, so that it must stay."""
    for each in _sink:
        each.send(("ack", what))


@dataclass(slots=True)
class Child:
    """A child that is at work."""

    pid: int
    receiving: Connection

    def wait(self, seconds: float = DEADLINE) -> Ended:
        """Wait until it has ended, and kill it when it takes longer."""
        ended = Ended()
        limit = time.monotonic() + seconds
        while True:
            if not self.receiving.poll(max(0.0, limit - time.monotonic())):
                os.kill(self.pid, signal.SIGKILL)
                ended.hung = True
                break
            try:
                kind, what = self.receiving.recv()
            except EOFError:
                break
            if kind == "ack":
                ended.acks.append(what)
            elif kind == "value":
                ended.value = what
            else:
                ended.error = what
        self.receiving.close()
        _, status = os.waitpid(self.pid, 0)
        ended.killed = os.WIFSIGNALED(status)
        return ended


def start(home: Path, work: Callable[..., Any], *arguments: Any, **settings: str) -> Child:
    """Run `work(*arguments)` in a forked child whose home is `home`, up to the end of its exit functions."""
    assert threading.active_count() == 1, "a process with threads must not fork"
    receiving, sending = Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        receiving.close()
        _child(sending, home, work, arguments, settings)
    sending.close()
    return Child(pid, receiving)


def in_child(home: Path, work: Callable[..., Any], *arguments: Any, **settings: str) -> Ended:
    """Do what `start` does, and wait for the end."""
    return start(home, work, *arguments, **settings).wait()


def exit_functions() -> None:
    """Run what this process has registered for its end."""
    atexit._run_exitfuncs()


def _child(sending: Connection, home: Path, work: Callable[..., Any], arguments: tuple[Any, ...], settings: dict[str, str]) -> None:
    code = 1
    try:
        for name in list(os.environ):
            if name.startswith("LINEAL_"):
                del os.environ[name]
        os.environ.update({f"LINEAL_{name.upper()}": value for name, value in settings.items()}, LINEAL_HOME=str(home), LINEAL_QUIET="1")
        os.chdir(home.parent)
        _sink[:] = [sending]
        value = work(*arguments)
        exit_functions()
        sending.send(("value", pickle.loads(pickle.dumps(value))))
        code = 0
    except BaseException:
        sending.send(("error", traceback.format_exc(limit=-12)))
    finally:
        sending.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
