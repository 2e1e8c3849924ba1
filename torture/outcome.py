"""What a class of faults came to."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Outcome:
    """Trials of one class of faults.

    Attributes:
        name: What was done.
        trials: How often.
        points: Of how many different moments or places each trial was one.
        facts: What else was counted or measured.
        violations: What should not have been; each names its trial, so that it can be done again.
    """

    name: str
    trials: int = 0
    points: int = 0
    facts: dict[str, float | str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def count(self, fact: str, by: float = 1) -> None:
        """Add to one of the facts."""
        self.facts[fact] = float(self.facts.get(fact, 0)) + by


def shuffled_until(things: list[T], seed: str, deadline: float) -> Iterator[T]:
    """Give these in an order that depends on the seed alone, until the moment `deadline` of the monotonic clock has come."""
    things = list(things)
    random.Random(seed).shuffle(things)
    for thing in things:
        if time.monotonic() > deadline:
            return
        yield thing
