"""The route of one value stays short: frames, functions and statements, counted on a real run."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import lineal
from lineal import Client, pipeline, step
from lineal.metadata_store.connections import Connections

OWN = str(Path(lineal.__file__).parent)


@step
def make(n: int) -> np.ndarray:
    return np.arange(float(n))


@step
def double(array: np.ndarray) -> np.ndarray:
    return array * 2


@step
def add_one(n: int) -> int:
    return n + 1


@pipeline
def arrays(n: int) -> None:
    double(make(n))


@pipeline
def chain(n: int, length: int) -> None:
    for _ in range(length):
        n = add_one(n)


def own_frames(frame: FrameType | None) -> list[str]:
    names = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(OWN):
            names.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return names


class Watch:
    """What our own code does between a step's return and the first file opened for writing in the store."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self.functions: list[str] = []
        self.on = False

    def profile(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "return" and frame.f_code.co_name == "make" and frame.f_code.co_filename == __file__:
            self.on = True
        elif event == "call" and self.on and frame.f_code.co_filename.startswith(OWN):
            self.functions.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_qualname}")

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and self.on and "staging" in str(arguments[0]) and not isinstance(arguments[0], int):
            self.on = False
            self.stack = own_frames(sys._getframe(1))


_watch: list[Watch] = []
sys.addaudithook(lambda event, arguments: _watch[0].audit(event, arguments) if _watch and event == "open" else None)


@contextmanager
def watching() -> Iterator[Watch]:
    watch = Watch()
    _watch.append(watch)
    sys.setprofile(watch.profile)
    try:
        yield watch
    finally:
        sys.setprofile(None)
        _watch.clear()


def test_the_value_is_written_at_most_seven_own_frames_deep():
    arrays(3)  # what is loaded on first use is loaded
    with watching() as watch:
        arrays(4)
    assert watch.stack, "no write was seen"
    assert len(watch.stack) <= 7, watch.stack


def test_at_most_twelve_own_functions_run_between_the_steps_return_and_the_write():
    arrays(3)
    with watching() as watch:
        arrays(4)
    assert watch.functions, "no function was seen"
    distinct = sorted(set(watch.functions))
    assert len(distinct) <= 12, distinct


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[str]]:
    """Give a function that runs an action and gives the statements that SQLite saw."""
    seen: list[str] = []
    open_ = Connections._open

    def traced(self: Connections) -> sqlite3.Connection:
        connection = open_(self)
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(Connections, "_open", traced)

    def count(action: Callable[[], object]) -> list[str]:
        seen.clear()
        action()
        return list(seen)

    return count


def per_step(count: Callable[[Callable[[], object]], list[str]], start: int, cached: bool) -> float:
    """Statements of a step in a long chain: the difference of two lengths leaves out what a run costs once."""
    if cached:
        chain(start, 12)
    short = len(count(lambda: chain(start if cached else start + 1, 2)))
    long = len(count(lambda: chain(start if cached else start + 2, 12)))
    return (long - short) / 10


def test_a_fresh_step_takes_at_most_eight_statements(statements):
    chain(0, 2)
    assert per_step(statements, 1000, cached=False) <= 8


def test_a_visualization_takes_one_statement_more(statements):
    @pipeline
    def doubling(n: int, length: int) -> None:
        array = make(n)
        for _ in range(length):
            array = double(array)

    doubling(0, 1)
    short, long = (len(statements(lambda length=length: doubling(1000 + length, length))) for length in (2, 12))
    assert (long - short) / 10 <= 8 + 1


def test_a_scalar_pays_nothing_for_visualizations(statements):
    chain(0, 2)
    assert [text for text in statements(lambda: chain(5000, 3)) if "visualizations" in text] == []


def test_a_cached_step_takes_at_most_three_statements(statements):
    chain(0, 2)
    assert per_step(statements, 1000, cached=True) <= 3


def test_loading_a_version_in_hand_takes_no_statement(statements):
    arrays(3)
    chain(1, 1)
    version = Client().get_artifact_version("arrays::double::output")
    small = Client().get_artifact_version("chain::add_one::output")
    assert statements(version.load) == []
    assert statements(small.load) == []
    assert len(statements(lambda: Client().get_artifact_version("arrays::make::output").load())) == 1
