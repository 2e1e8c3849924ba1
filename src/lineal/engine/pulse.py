"""A run's heartbeat: renews its lease, and shows steps as running once they have been for a while.

A step that ends within half a second is written once, when it ends; only longer ones pay for a second transaction.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from lineal.errors import StoreError
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import StepRunRecord

TICK = 0.5
RENEWAL = 10.0
_log = logging.getLogger("lineal")


class Pulse:
    """The heartbeat of one run, in a thread of its own from `start` to `stop`. `sign` is called at each beat and costs little."""

    def __init__(self, metadata: MetadataStore, run_id: str, sign: Callable[[], None]) -> None:
        self._sign = sign
        self._metadata = metadata
        self._run_id = run_id
        self._running: dict[str, StepRunRecord] = {}
        self._shown: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> Mapping[str, StepRunRecord]:
        """The steps that run now, by id."""
        return MappingProxyType(self._running)

    def start(self) -> None:
        """Begin to beat."""
        self._thread = threading.Thread(target=self._beat, name="lineal-pulse", daemon=True)
        self._thread.start()

    def started(self, step_run: StepRunRecord) -> None:
        """Note that a step runs."""
        self._running[step_run.id] = step_run

    def ended(self, step_run_id: str) -> None:
        """Note that a step has ended. After this the pulse writes nothing about it."""
        with self._lock:  # waits for a beat that is being written, so that it cannot come after the step's commit
            self._running.pop(step_run_id, None)

    def stop(self) -> None:
        """End the heartbeat and wait for a beat that is being written."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def _beat(self) -> None:
        renewed = time.monotonic()
        while not self._stop.wait(TICK):
            self._sign()
            with self._lock:
                now = time.time_ns() // 1000
                new = [
                    each for each in list(self._running.values()) if each.id not in self._shown and now - (each.started or now) > TICK * 1e6
                ]
                if not new and time.monotonic() - renewed < RENEWAL:
                    continue
                try:
                    self._metadata.heartbeat(self._run_id, now, new)
                except StoreError as error:  # the run itself will meet the same trouble and report it
                    _log.warning("heartbeat of run %s failed: %s", self._run_id, error)
                    continue
                self._shown.update(each.id for each in new)
                renewed = time.monotonic()
        self._metadata.release_thread()
