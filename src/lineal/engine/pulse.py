"""A run's heartbeat: renews its lease, and shows steps as running once they have been for a while.

A step that ends within half a second is written once, when it ends; only longer ones pay for a second transaction. One thread beats for
all runs of this process on a metadata store, and stays for a moment after the last: a short run does not pay for a thread of its own.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from lineal.errors import NotFound
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import StepRunRecord

TICK = 0.5
RENEWAL = 10.0
_log = logging.getLogger("lineal")


class Pulse:
    """The heartbeat of one run, from `start` to `stop`.

    Args:
        metadata: Where facts live.
        run_id: The run.
        begin: Records the run when it is not recorded yet; it may raise StoreError.
        sign: Is called at each beat and costs little.
    """

    def __init__(self, metadata: MetadataStore, run_id: str, begin: Callable[[], None], sign: Callable[[], None]) -> None:
        self._begin = begin
        self._sign = sign
        self._metadata = metadata
        self._run_id = run_id
        self._running: dict[str, StepRunRecord] = {}
        self._shown: set[str] = set()
        self._lock = threading.Lock()
        self._renewed = 0.0
        self._beats = False

    @property
    def running(self) -> Mapping[str, StepRunRecord]:
        """The steps that run now, by id."""
        return MappingProxyType(self._running)

    def start(self) -> None:
        """Begin to beat."""
        self._renewed, self._beats = time.monotonic(), True
        _Heart.of(self._metadata, self)

    def started(self, step_run: StepRunRecord) -> None:
        """Note that a step runs."""
        self._running[step_run.id] = step_run

    def ended(self, step_run_id: str) -> None:
        """Note that a step has ended. After this the pulse writes nothing about it."""
        with self._lock:  # waits for a beat that is being written, so that it cannot come after the step's commit
            self._running.pop(step_run_id, None)

    def stop(self) -> None:
        """End the heartbeat and wait for a beat that is being written."""
        with self._lock:
            self._beats = False

    @property
    def beats(self) -> bool:
        """Whether it was started and not stopped."""
        return self._beats

    def beat(self) -> None:
        """Write what is due. Never raises: other runs beat in the same thread, and this one meets the same trouble itself and reports it."""
        with self._lock:
            if not self._beats:
                return
            try:
                self._sign()
                self._write()
            except NotFound:
                self._beats = False  # somebody took the run for dead, and deleted it
                _log.warning("run %s is not recorded any more; its heartbeat ends", self._run_id)
            except Exception as error:
                _log.warning("heartbeat of run %s failed: %s", self._run_id, error)

    def _write(self) -> None:
        self._begin()
        now = time.time_ns() // 1000
        new = [each for each in list(self._running.values()) if each.id not in self._shown and now - (each.started or now) > TICK * 1e6]
        if new or time.monotonic() - self._renewed >= RENEWAL:
            self._metadata.heartbeat(self._run_id, now, new)
            self._shown.update(each.id for each in new)
            self._renewed = time.monotonic()


class _Heart(threading.Thread):
    """The thread that beats for the runs on one metadata store. A store that does not answer holds up its own runs' beats alone."""

    def __init__(self, metadata: MetadataStore) -> None:
        super().__init__(name="lineal-pulse", daemon=True)
        self._metadata = metadata
        self._pulses: set[Pulse] = set()

    @staticmethod
    def of(metadata: MetadataStore, pulse: Pulse) -> None:
        """Let a pulse beat."""
        with _lock:
            heart = _hearts.get(id(metadata))  # a heart holds its store, so the address means no other one
            if heart is None or not heart.is_alive():
                heart = _Heart(metadata)
                heart._pulses.add(pulse)
                heart.start()
                _hearts[id(metadata)] = heart
            else:
                heart._pulses.add(pulse)

    def run(self) -> None:
        """Beat until there has been nothing to beat for during a tick."""
        while True:
            time.sleep(TICK)
            with _lock:
                self._pulses = {pulse for pulse in self._pulses if pulse.beats}
                pulses = list(self._pulses)
                if not pulses:
                    if _hearts.get(id(self._metadata)) is self:
                        del _hearts[id(self._metadata)]
                    break
            for pulse in pulses:
                pulse.beat()
        self._metadata.release_thread()


_lock = threading.Lock()
_hearts: dict[int, _Heart] = {}


def _begin_anew() -> None:
    """Forget, in a forked child, the threads that it does not have."""
    global _lock  # the parent's may be held for ever
    _lock = threading.Lock()
    _hearts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
