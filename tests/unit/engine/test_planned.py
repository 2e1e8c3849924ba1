"""What a plan tells of each step: reasons, where a cached result is from, and what the step cost before."""

import time
from typing import Any

import pytest

from lineal import Client, pipeline, step


@step
def slow(n: int) -> bytes:
    time.sleep(0.02)
    return b"x" * n


@step
def size(data: bytes, extra: int = 0) -> int:
    return len(data) + extra


@pipeline
def sizes(lengths: list[int]) -> None:
    for length in lengths:
        size(slow(length))


def test_cost_is_that_of_earlier_executions_of_the_call_else_of_the_step() -> None:
    sizes([100, 300])
    sizes([100, 300])
    slow_again, cached = (sizes.plan([1, 300]).steps[name] for name in ("slow", "slow_2"))
    assert slow_again.size == 100
    assert slow_again.duration is not None
    assert 0.02 <= slow_again.duration.total_seconds() < 10
    assert (cached.state, cached.duration, cached.size) == ("cached", None, None)
    plan = sizes.plan([1, 3, 2])
    assert plan.steps["slow_3"].size == 200  # there was no such call: the median of what the other calls of the step made
    assert plan.forecast.size == 100 + 300 + 200


def test_a_step_that_only_was_given_results_costs_what_the_step_that_made_them_did() -> None:
    @pipeline
    def other() -> None:
        slow(500)

    sizes([500])
    other()
    plan = other.with_options(enable_cache=False).plan()
    assert plan.steps["slow"].size == 500
    assert plan.forecast.duration is not None
    assert plan.forecast.duration.total_seconds() >= 0.02


def test_failed_step_runs_are_no_history() -> None:
    @step(name="size")
    def broken(data: bytes) -> int:
        raise ValueError("no")

    @pipeline(name="failing")
    def failing(fails: bool) -> None:
        (broken if fails else size)(slow(5))  # type: ignore[operator]

    with pytest.raises(ValueError, match="no"):
        failing(True)
    plan = failing.plan(False)
    assert {name: each.state.value for name, each in plan.steps.items()} == {"slow": "cached", "size": "runs"}
    assert plan.steps["size"].why == ("first time",)
    assert plan.forecast.unknown == ("size",)


def test_a_cached_step_tells_what_its_key_does_not_know(tmp_path: Any) -> None:
    (tmp_path / "data.txt").write_text("5")

    @step
    def read() -> int:
        return int((tmp_path / "data.txt").read_text())

    @pipeline
    def reading() -> None:
        read()

    reading()
    plan = reading.plan()
    assert plan.steps["read"].state == "cached"
    assert "file_dependencies" in plan.steps["read"].why[1]
    assert list(plan.steps["read"].why) == reading().steps["read"].why


def test_inputs_in_lists_are_known_one_by_one() -> None:
    @step
    def total(parts: list[int]) -> int:
        return sum(parts)

    @pipeline
    def flow(lengths: list[int]) -> None:
        total([size(slow(length)) for length in lengths])

    flow([1, 2])
    plan = flow.plan([1, 3])
    assert plan.steps["total"].depends_on == ("size_2",)
    assert plan.steps["total"].why == ("it runs unless `size_2` gives what it has worked on before",)
    assert Client().list_pipeline_runs().total == 1
