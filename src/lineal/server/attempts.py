"""How often somebody may try to sign in: a few times at once, then after a wait that doubles.

Counted per account and per address, whichever waits longer. An attempt is counted before it is made and given back when it was right, so
that many at the same moment are no way around it.
"""

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import Final

from lineal.server.access import SignInRefused, TooManyAttempts

FREE: Final = 5
"""Attempts without a wait."""

LONGEST: Final = 300.0
"""Seconds of the longest wait: long enough for guessing to be hopeless, short enough that nobody is kept out of an account for long."""

FORGOTTEN: Final = 3600.0
"""Seconds without an attempt after which the earlier ones count no more."""

MOST: Final = 10_000
"""Accounts and addresses that are remembered; beyond, those that were tried longest ago are forgotten."""


class Attempts:
    """Counts attempts by key, in memory. Safe to use from threads.

    Args:
        clock: Seconds that only grow.
        free: Attempts without a wait.
    """

    def __init__(self, clock: Callable[[], float], free: int = FREE) -> None:
        self._clock = clock
        self._free = free
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def attempt(self, *keys: str) -> Iterator[None]:
        """Count an attempt, and give it back unless what runs inside raises SignInRefused. Raises TooManyAttempts during a wait."""
        with self._lock:
            now = self._clock()
            wait = max(self._wait(key, now) for key in keys)
            if wait > 0:
                raise TooManyAttempts(f"too many attempts to sign in; try again in {math.ceil(wait)} s", wait)
            before = {key: self._recent(key, now) for key in keys}
            for key in keys:
                self._counts.pop(key, None)  # to the end: the order is that of the last attempt
                self._counts[key] = (before[key] + 1, now)
            while len(self._counts) > MOST:
                del self._counts[next(iter(self._counts))]
        try:
            yield
        except SignInRefused:
            raise
        except BaseException:
            self._give_back(keys)
            raise
        self._give_back(keys)

    def count(self, *keys: str) -> None:
        """Count something that is not given back. Raises TooManyAttempts during a wait."""
        with contextlib.suppress(SignInRefused), self.attempt(*keys):
            raise SignInRefused

    def forget(self, key: str) -> None:
        """Let a key begin anew."""
        with self._lock:
            self._counts.pop(key, None)

    def _give_back(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            for key in keys:
                count, last = self._counts.get(key, (0, 0.0))
                if count > 1:
                    self._counts[key] = (count - 1, last)
                else:
                    self._counts.pop(key, None)

    def _recent(self, key: str, now: float) -> int:
        count, last = self._counts.get(key, (0, 0.0))
        return count if now - last < FORGOTTEN else 0

    def _wait(self, key: str, now: float) -> float:
        beyond = self._recent(key, now) - self._free
        return 0.0 if beyond < 0 else self._counts[key][1] + min(2.0 ** min(beyond, 30), LONGEST) - now
