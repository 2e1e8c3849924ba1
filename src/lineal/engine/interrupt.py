"""Ctrl-C during a run: the first one stops after the commit that is under way, the second one at once."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """While entered, and in the main thread, turns SIGINT into a KeyboardInterrupt that never lands inside a shielded block."""

    def __init__(self) -> None:
        self._depth = 0
        self.shields = 0
        self.pending = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if previous is signal.default_int_handler:  # a handler of the user's own stays in charge
                self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        if self._depth == 0 and self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.shields and not self.pending:
            self.pending = True
            return
        raise KeyboardInterrupt

    def shield(self) -> "_Shield":
        """Put off a first Ctrl-C until the block has ended: `with interrupts.shield(): ...`."""
        return _Shield(self)


class _Shield:
    __slots__ = ("_interrupts",)

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def __enter__(self) -> None:
        self._interrupts.shields += 1

    def __exit__(self, *_: object) -> None:
        held = self._interrupts
        held.shields -= 1
        if held.pending and not held.shields:
            held.pending = False
            raise KeyboardInterrupt
