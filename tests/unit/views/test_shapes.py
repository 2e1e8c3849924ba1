"""The JSON of facts."""

import random

from lineal.model.text import moment
from lineal.views.shapes import time_text


def test_times_are_text_to_the_microsecond(seeded: random.Random) -> None:
    """The same text whether another time in the same second was asked for before or not, also before 1970."""
    assert time_text(None) is None
    assert time_text(-1) == "1969-12-31T23:59:59.999999Z"
    for _ in range(200):
        second = seeded.randrange(-10_000_000_000, 100_000_000_000) * 1_000_000
        for micros in (second, second + 999_999, second + seeded.randrange(1_000_000), second):
            assert time_text(micros) == moment(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
