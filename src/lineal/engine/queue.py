"""Which calls of a run can start now."""

import heapq
from collections.abc import Container, Mapping

from lineal.graph.plan import Call


class Queue:
    """The calls whose upstream has ended, as a heap of positions, so that they start in the order of the definition.

    Args:
        todo: Calls that have not ended, by position.
        ended: Positions of the calls that have.
    """

    def __init__(self, todo: Mapping[int, Call], ended: Container[int]) -> None:
        self._waiting: dict[int, int] = {}
        self._followers: dict[int, list[int]] = {}
        for position, call in todo.items():
            needs = {earlier.position for earlier in call.upstream() if earlier.position not in ended}
            self._waiting[position] = len(needs)
            for need in needs:
                self._followers.setdefault(need, []).append(position)
        self.ready = [position for position, count in self._waiting.items() if not count]
        heapq.heapify(self.ready)

    def pop(self) -> int:
        """Take the position of the first call that can start. Raises IndexError when there is none."""
        return heapq.heappop(self.ready)

    def release(self, call: Call) -> None:
        """Note that a call has ended: what waited for it alone can start."""
        for position in self._followers.pop(call.position, ()):
            self._waiting[position] -= 1
            if not self._waiting[position]:
                heapq.heappush(self.ready, position)
