"""One thread beats for all runs on a store, as long as one goes on."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from lineal import pipeline, step
from lineal.engine import pulse
from lineal.engine.pulse import Pulse
from lineal.errors import NotFound, StoreError
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import StepRunRecord
from lineal.testing.records import a_run, a_step_run


class Beaten:
    """A store that notes its heartbeats, and fails those of one run."""

    def __init__(self, broken: str = "", error: Exception | None = None) -> None:
        self.broken = broken
        self.error = error or StoreError("busy")
        self.beats: list[tuple[str, list[str]]] = []
        self.released = threading.Event()

    def heartbeat(self, run_id: str, now: int, running: Sequence[StepRunRecord] = ()) -> None:
        if run_id == self.broken:
            raise self.error
        self.beats.append((run_id, [each.name for each in running]))

    def release_thread(self) -> None:
        self.released.set()


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "TICK", 0.02)
    monkeypatch.setattr(pulse, "RENEWAL", 0.05)


def a_pulse(store: Beaten, run_id: str, begin: Callable[[], None] = lambda: None, sign: Callable[[], None] = lambda: None) -> Pulse:
    return Pulse(cast("MetadataStore", store), run_id, begin, sign)


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def hearts() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "lineal-pulse"]


def test_runs_on_one_store_share_a_thread_which_ends_after_the_last() -> None:
    """Each is renewed; one that has stopped is not."""
    before = len(hearts())
    store = Beaten()
    pulses = [a_pulse(store, name) for name in "abc"]
    for each in pulses:
        each.start()
    assert len(hearts()) == before + 1
    until(lambda: {"a", "b", "c"} <= {name for name, _ in store.beats})
    pulses[0].stop()
    store.beats.clear()
    until(lambda: len(store.beats) > 4)
    assert "a" not in {name for name, _ in store.beats}
    for each in pulses[1:]:
        each.stop()
    assert store.released.wait(20)
    later = a_pulse(store, "later")
    later.start()
    until(lambda: store.beats[-1][0] == "later")
    later.stop()


def test_a_step_is_shown_once_when_it_has_run_for_a_while() -> None:
    """And not at all when it ended before."""
    store = Beaten()
    run = a_run()
    each = a_pulse(store, run.id)
    short, long = a_step_run(run, "short", started=time.time_ns() // 1000), a_step_run(run, "long", started=time.time_ns() // 1000)
    each.started(short)
    each.ended(short.id)
    each.started(long)
    each.start()
    until(lambda: len(store.beats) > 3)
    each.stop()
    assert [name for _, names in store.beats for name in names] == ["long"]


def test_a_beat_that_fails_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again at the next tick, and the others beat."""
    store = Beaten(broken="a")
    pulses = [a_pulse(store, "a"), a_pulse(store, "b")]
    for each in pulses:
        each.start()
    until(lambda: store.beats)
    store.broken = ""
    until(lambda: "a" in {name for name, _ in store.beats})
    for each in pulses:
        each.stop()
    assert "heartbeat of run a failed: busy" in caplog.text


def test_a_run_that_is_gone_ends_its_own_beats_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody took it for dead and deleted it. The other runs of the process go on, whatever an error it was."""
    store = Beaten(broken="a", error=NotFound("no run"))
    odd = Beaten(broken="c", error=RuntimeError("odd"))
    pulses = [a_pulse(store, "a"), a_pulse(store, "b"), a_pulse(odd, "c"), a_pulse(odd, "d")]
    for each in pulses:
        each.start()
    until(lambda: not pulses[0].beats)
    store.beats.clear()
    until(lambda: store.beats and odd.beats)
    assert [each.beats for each in pulses] == [False, True, True, True]
    for each in pulses:
        each.stop()
    assert caplog.text.count("run a is not recorded any more") == 1
    assert "heartbeat of run c failed: odd" in caplog.text


def test_a_thread_that_does_not_live_is_replaced() -> None:
    """Whatever kept it from starting, or ended it."""
    store = Beaten()
    pulse._hearts[id(store)] = pulse._Heart(cast("MetadataStore", store))
    each = a_pulse(store, "run")
    each.start()
    until(lambda: store.beats)
    each.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_heart_of_its_own() -> None:
    """The parent's thread is not there in the child, and its lock may have been held."""
    store = Beaten()
    parent = a_pulse(store, "parent")
    parent.start()
    with pulse._lock:
        child = os.fork()
        if not child:
            store.beats.clear()
            a_pulse(store, "child").start()
            end = time.monotonic() + 20
            while not store.beats and time.monotonic() < end:
                time.sleep(0.01)
            os._exit(0 if store.beats and store.beats[0][0] == "child" else 1)
    assert os.waitpid(child, 0)[1] == 0
    parent.stop()


def test_short_runs_in_a_row_start_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a tick to end, and the next run finds it."""
    monkeypatch.setattr(pulse, "TICK", 5.0)
    started = []
    start = threading.Thread.start

    def noted(self: threading.Thread) -> None:
        if self.name == "lineal-pulse":
            started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", noted)

    @step
    def one() -> int:
        return 1

    @pipeline
    def short() -> None:
        one()

    for _ in range(5):
        short()
    assert len(started) == 1
