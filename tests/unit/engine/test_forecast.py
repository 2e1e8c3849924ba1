"""What a run would cost, from what the same steps did before."""

import json
from datetime import timedelta
from typing import Any

import pytest

from lineal.engine.forecast import Cost, Forecast, Load, costs, forecast
from lineal.model.records import EarlierStepRun
from lineal.model.states import Prospect
from lineal.testing.records import a_run, a_step_run

RUNS, DEPENDS, CACHED, FAILS = Prospect.RUNS, Prospect.DEPENDS, Prospect.CACHED, Prospect.FAILS
GB = 10**9


def earlier(name: str, origin: str, seconds: float | None, size: int = 0, step: str = "train") -> EarlierStepRun:
    return EarlierStepRun(a_step_run(a_run(), name, step=step), origin, None if seconds is None else int(seconds * 1e9), size)


def load(name: str, state: Prospect, seconds: float | None = None, size: int = 0, upstream: tuple[str, ...] = ()) -> Load:
    return Load(name, state, None if seconds is None else Cost(seconds, size), upstream)


def test_a_step_costs_the_median_of_what_it_did_and_a_result_given_again_counts_once() -> None:
    history = [
        earlier("train", "c", 9.0, 30),
        earlier("train", "c", 9.0, 30),
        earlier("train", "b", 2.0, 20),
        earlier("train", "gone", None),
        earlier("train_2", "a", 1.0, 10),
    ]
    found = costs(history)
    assert found["train"] == Cost(5.5, 25)
    assert found["train_2"] == Cost(1.0, 10)
    assert found["step:train"] == Cost(2.0, 20)  # for a call that there was not before


def test_what_would_run_and_what_may() -> None:
    made = forecast(
        [
            load("a", CACHED, 100.0, GB),
            load("b", RUNS, 60.0, GB, ("a",)),
            load("c", DEPENDS, 180.0, GB // 5, ("b",)),
            load("d", RUNS, None, 0, ("b",)),
            load("e", FAILS),
        ],
        1,
    )
    assert made == Forecast(5, 2, 1, timedelta(seconds=60), timedelta(seconds=240), GB, GB + GB // 5, ("d",))
    assert str(made) == (
        "2 of 5 steps would run, 1 more may, about 60 s to 4 min, 1.0 GB to 1.2 GB new, without 1 step that never ran before"
    )
    assert json.loads(json.dumps(made.to_json()))["duration"] == 60.0


def test_steps_that_run_at_once_take_as_long_as_the_longest_chain_or_all_work_shared() -> None:
    wide = [load(str(n), RUNS, 10.0) for n in range(8)]
    assert forecast(wide, 4).duration == timedelta(seconds=20)
    assert forecast([*wide, load("x", RUNS, 15.0, 0, ("0",))], 100).duration == timedelta(seconds=25)
    assert forecast(wide, 1).duration == timedelta(seconds=80)


@pytest.mark.parametrize(
    ("loads", "said"),
    [
        ([load("a", CACHED)], "none of 1 step would run: every result is there"),
        ([load("a", RUNS)], "1 of 1 step would run, time and bytes unknown"),
        ([load("a", RUNS, 0.012, 87)], "1 of 1 step would run, about 12 ms, 87 B new"),
        ([load("a", RUNS, 240.0, 1_200_000_000)], "1 of 1 step would run, about 4 min, 1.2 GB new"),
        ([load("a", DEPENDS, 3.21, 5000)], "0 of 1 step would run, 1 more may, up to 3.2 s, up to 5.0 kB new"),
        ([load("a", RUNS, 7500.0), load("b", CACHED)], "1 of 2 steps would run, about 2.1 h, 0 B new"),
        ([], "none of 0 steps would run: every result is there"),
    ],
)
def test_it_is_said_in_a_sentence(loads: list[Load], said: str) -> None:
    assert str(forecast(loads, 1)) == said


def test_json_has_a_null_for_what_is_not_known() -> None:
    told: dict[str, Any] = forecast([load("a", RUNS)], 1).to_json()
    assert (told["duration"], told["longest"], told["size"], told["largest"], told["unknown"]) == (None, None, None, None, ["a"])
