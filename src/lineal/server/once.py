"""Requests that are made again because their answer was lost: they are done once, and get the first answer again."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from lineal.errors import KeyReused, LinealError

SECONDS: Final = 600.0
"""How long an answer is kept; a client gives up long before."""

MOST_BYTES: Final = 32 << 20
"""Bytes of answers that are kept; the oldest go first, and then it is the ids in a request that keep it from being done twice."""

MOST: Final = 20_000

LONGEST_KEY: Final = 200
"""Characters of a key."""


@dataclass(slots=True)
class _Kept:
    request: bytes
    until: float
    answer: "Future[bytes]"
    size: int = 0


class Once:
    """Keeps answers by the key that a client made up for one call; safe to use from threads.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def answer(self, key: str, request: bytes, work: Callable[[], bytes]) -> bytes:
        """Give what `work` gives, or what it gave, or raised, for that key; waits for one that is at it.

        `request` tells requests apart: raises KeyReused when the key came with another one before.
        """
        with self._lock:
            self._drop()
            known = self._kept.get(key)
            if known is None:
                mine = self._kept[key] = _Kept(request, self._clock() + SECONDS, Future())
        if known is not None:
            if known.request != request:
                raise KeyReused("the Idempotency-Key was sent with another request before; a key stands for one call: make up a new one")
            return known.answer.result()
        try:
            found = work()
        except BaseException as error:
            if not isinstance(error, LinealError):  # nobody knows what became of it: the next attempt finds out
                with self._lock:
                    self._kept.pop(key, None)
            mine.answer.set_exception(error)
            raise
        with self._lock:
            mine.size = len(found)
            self._bytes += mine.size
        mine.answer.set_result(found)
        return found

    def _drop(self) -> None:
        now = self._clock()
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            if oldest.until > now and self._bytes <= MOST_BYTES and len(self._kept) < MOST:
                return
            if not oldest.answer.done():  # it is waited for
                return
            del self._kept[key]
            self._bytes -= oldest.size
