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


def in_child(home: Path, work: Callable[..., Any], *arguments: Any, **settings: str) -> Ended:
    """Run `work(*arguments)` in a forked child whose home is `home`, up to the end of its exit functions."""
    assert threading.active_count() == 1, "a process with threads must not fork"
    receiving, sending = Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        receiving.close()
        _child(sending, home, work, arguments, settings)
    sending.close()
    ended = Ended()
    limit = time.monotonic() + DEADLINE
    while True:
        if not receiving.poll(max(0.0, limit - time.monotonic())):
            os.kill(pid, signal.SIGKILL)
            ended.hung = True
            break
        try:
            kind, what = receiving.recv()
        except EOFError:
            break
        if kind == "ack":
            ended.acks.append(what)
        elif kind == "value":
            ended.value = what
        else:
            ended.error = what
    receiving.close()
    _, status = os.waitpid(pid, 0)
    ended.killed = os.WIFSIGNALED(status)
    return ended


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
