"""What a plan says comes true, for any graph of steps and any edit of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineal import pipeline, step


@step(name="node")
def summed(parts: list[int], salt: int) -> int:
    return (sum(parts) + salt) % 3  # few values, so that a step that runs again often gives what it gave before


@step(name="node")
def multiplied(parts: list[int], salt: int) -> int:
    product = 1
    for part in parts:
        product *= part + 1
    return (product + salt) % 3


CODES = [summed, multiplied]


class Node(NamedTuple):
    """A call: the earlier ones that it takes, a parameter, which code it has, whether it is cached, what it runs after, whether the body looks."""

    parents: Sequence[int]
    salt: int
    code: int
    cached: bool
    after: Sequence[int]
    looked_at: bool


@st.composite
def nodes(draw: st.DrawFn, place: int) -> Node:
    earlier = st.lists(st.integers(0, place - 1), max_size=2, unique=True) if place else st.just([])
    rarely = st.integers(0, 7).map(lambda n: n == 0)
    return Node(
        draw(earlier),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 1)),
        not draw(rarely),
        draw(earlier) if draw(rarely) else [],
        draw(rarely),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[list[Node]]:
    """Give the graphs of several runs, each an edit of the one before."""
    size = draw(st.integers(1, 6))
    graphs = [[draw(nodes(place)) for place in range(size)]]
    for _ in range(draw(st.integers(1, 3))):
        edited = draw(st.sets(st.integers(0, size - 1), max_size=2))
        graphs.append([draw(nodes(place)) if place in edited else node for place, node in enumerate(graphs[-1])])
    return graphs


@pipeline
def graph(of: Any) -> None:
    made: list[Any] = []
    for node in (Node(*each) for each in of):
        call: Any = CODES[node.code].with_options(enable_cache=node.cached)
        made.append(call([made[place] for place in node.parents], node.salt, after=[made[place] for place in node.after]))
        if node.looked_at:
            made[-1].load()


@pytest.fixture(autouse=True)
def fast(lineal_home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_DURABILITY", "off")
    monkeypatch.setenv("LINEAL_QUIET", "1")


@settings(max_examples=60)
@given(histories())
def test_what_a_plan_says_comes_true(graphs: list[list[Node]]) -> None:
    """What it calls cached is cached, what it says runs does run, and nothing else runs but what it said depends on these.

    The one thing that spares a step that was said to run is another step of the same run that makes the very same result first.
    """
    for nodes_of_run in graphs:
        plan = graph.plan([list(node) for node in nodes_of_run])
        steps = graph([list(node) for node in nodes_of_run]).steps
        ran = {each.cache_key for each in steps.values() if each.status == "completed"}
        assert list(plan.steps) == list(steps)[: len(plan.steps)]
        assert plan.stopped_at is not None or len(plan.steps) == len(steps)
        for name, planned in plan.steps.items():
            came, is_made_meanwhile = steps[name].status, steps[name].cache_key in ran
            if planned.state == "cached":
                assert came == "cached"
                assert is_made_meanwhile or planned.cached_from == steps[name].cached_from.run.name
            if planned.state == "runs":
                assert came == "completed" or (planned.upstream and is_made_meanwhile)
            if planned.state == "depends":
                assert any(plan.steps[other].state != "cached" for other in planned.depends_on)
            if planned.state == "cached" and not is_made_meanwhile:
                assert steps[name].why == list(planned.why)
        assert plan.forecast.runs + plan.forecast.may_run >= (plan.stopped_at is None) * len(ran)
