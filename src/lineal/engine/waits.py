"""Calls of a run that wait for another run, or another step of this one, which is making the same result."""

import time
from dataclasses import dataclass, field

from lineal.engine.claims import Claims
from lineal.graph.plan import Call
from lineal.metadata_store.base import MetadataStore

LEASE = 30.0
"""Seconds without a sign of life from the run that makes a result, after which nobody waits for it any more: three of its heartbeats."""

LOOK = 5.0  # seconds between two looks for a sign of life
_SHORTEST, _LONGEST = 0.002, 0.2  # seconds between two attempts


@dataclass(slots=True)
class _Waiting:
    call: Call
    key: str
    seen: float = field(default_factory=time.monotonic)
    looked: float = field(default_factory=time.monotonic)
    beat: int | None = None


class Waits:
    """One run's claims, and its calls that wait for those of others.

    Args:
        claims: The claims of this process; None to compute without asking.
        metadata: Where runs leave their signs of life.
    """

    def __init__(self, claims: Claims | None, metadata: MetadataStore) -> None:
        self._claims = claims
        self._metadata = metadata
        self._held: dict[int, str] = {}
        self._free: set[int] = set()
        self._waiting: dict[int, _Waiting] = {}
        self._pause = _SHORTEST

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def claim(self, call: Call, key: str) -> bool:
        """Claim the result of a call, before the cache is asked: who looks first and claims then makes again what was made in between.

        False when somebody else has the claim, so that the call must wait unless the cache knows the result: `due` gives it back.
        """
        if self._claims is None or call.position in self._held or call.position in self._free:
            return True
        if self._claims.take(key):
            self._held[call.position] = key
            return True
        self._waiting[call.position] = _Waiting(call, key)
        self._pause = _SHORTEST
        return False

    def maker(self, key: str) -> str | None:
        """Give the name of the run that is making a result; None while it is not recorded yet."""
        run = self._metadata.find_running(key)
        return None if run is None else run.name

    def ended(self, call: Call) -> None:
        """Give up the claim of a call that has ended, or let it wait no longer; nothing when it had none."""
        if self._waiting:
            self._waiting.pop(call.position, None)
        if self._held and self._claims is not None:
            key = self._held.pop(call.position, None)
            if key is not None:
                self._claims.drop(key)
                self._pause = 0.0  # a call of this very run may wait for it

    def pause(self) -> None:
        """Wait until it is time to ask again: at first soon, then ever more rarely."""
        time.sleep(self._pause)
        self._pause = min(max(self._pause * 1.5, _SHORTEST), _LONGEST)

    def due(self) -> list[Call]:
        """Give the waiting calls that may go on, their claims taken: what they wait for was made, failed, or will not come."""
        assert self._claims is not None or not self._waiting
        ready = []
        refused: set[str] = set()
        for position, waiting in list(self._waiting.items()):
            if self._claims is not None and waiting.key not in refused and self._claims.take(waiting.key):
                refused.add(waiting.key)
                self._held[position] = waiting.key
            elif self._is_lost(waiting):
                self._free.add(position)
            else:
                refused.add(waiting.key)
                continue
            del self._waiting[position]
            ready.append(waiting.call)
        return ready

    def forget(self) -> None:
        """Let no call wait any more: they are started anew."""
        self._waiting.clear()

    def end(self) -> None:
        """Give up everything: the run has ended."""
        self._waiting.clear()
        if self._claims is not None:
            for key in self._held.values():
                self._claims.drop(key)
            self._held.clear()
            self._claims.rest()

    def _is_lost(self, waiting: _Waiting) -> bool:
        """Tell whether the run that makes the result has been silent for too long. By changes, not by clocks, which may jump."""
        now = time.monotonic()
        if now - waiting.looked >= min(LOOK, LEASE / 3):
            waiting.looked = now
            run = self._metadata.find_running(waiting.key)
            beat = None if run is None else run.heartbeat
            if beat is not None and beat != waiting.beat:
                waiting.beat, waiting.seen = beat, now
        return now - waiting.seen > LEASE
