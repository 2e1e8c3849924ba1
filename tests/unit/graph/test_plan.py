"""Plans: what a call needs, in which order, and what cannot be ordered."""

from typing import Any

import pytest

from lineal.errors import CallError
from lineal.graph.plan import Call, Collection, OutputRef, Parameter, VersionRef, check_order, needed_for, references
from lineal.graph.step import Options, OutputSpec, Signature, StepSpec
from lineal.model.records import ObjectRecord, VersionRecord

STEP = StepSpec("s", len, Signature((), (OutputSpec("output"),)))
VERSION = VersionRecord("id", "a", "1", 1, ObjectRecord("d", 0, ()), "m", "t", "data", "step", 0)


def call(position: int, inputs: dict[str, Any] | None = None, after: tuple[Call, ...] = ()) -> Call:
    """Give a call named after its position."""
    return Call(f"s_{position}", STEP, inputs or {}, after, Options(), position)


def ref(to: Call) -> OutputRef:
    """Give a reference to a call's output."""
    return OutputRef(to, "output")


def literal(value: Any) -> Parameter:
    """Give a parameter."""
    return Parameter(value, value, value)


def test_references_have_paths() -> None:
    """Each reference once, in the order of the definition, with the path that a user would write; literals are none."""
    first, second = ref(call(0)), ref(call(1))
    inputs = {
        "a": literal(1),
        "b": first,
        "c": Collection(list, {0: literal(1), 1: Collection(dict, {"k": second, 2: VersionRef(VERSION)}), 2: first}),
        "d": VersionRef(VERSION),
    }
    assert list(references(inputs)) == [
        ("b", first),
        ("c[1]['k']", second),
        ("c[1][2]", VersionRef(VERSION)),
        ("c[2]", first),
        ("d", VersionRef(VERSION)),
    ]


def test_upstream_is_data_and_order() -> None:
    """What must end before a call: where its data comes from, and what `after` names; stored versions need nothing."""
    a, b, c = call(0), call(1), call(2)
    d = call(3, {"x": ref(a), "y": Collection(tuple, {0: ref(b)}), "z": VersionRef(VERSION)}, (c,))
    assert set(d.upstream()) == {a, b, c}


def test_what_a_value_needs() -> None:
    """`handle.load()` runs only what the value depends on, in the order of the definition."""
    a = call(0)
    b = call(1, {"x": ref(a)})
    unrelated = call(2)
    d = call(3, {"x": ref(b), "y": ref(a)})
    later = call(4, {"x": ref(d)})
    assert needed_for(d) == [a, b, d]
    assert needed_for(unrelated) == [unrelated]
    assert needed_for(later) == [a, b, d, later]


def chain(length: int) -> list[Call]:
    """Give a plan in which each call needs the one before."""
    calls = [call(0)]
    for position in range(1, length):
        calls.append(call(position, {"x": ref(calls[-1])}))
    return calls


def test_deep_and_wide_plans() -> None:
    """Ten thousand steps in a row, and ten thousand between two, need no recursion."""
    deep = chain(10_000)
    assert needed_for(deep[-1]) == deep
    first = call(0)
    middle = [call(position, {"x": ref(first)}, (first,)) for position in range(1, 10_001)]
    last = call(10_001, {"x": Collection(list, {index: ref(each) for index, each in enumerate(middle)})})
    assert needed_for(last) == [first, *middle, last]
    deep[0].after = (call(20_000),)
    check_order(deep)
    check_order([first, *middle, last])


def test_deep_collections() -> None:
    """A list in a list in a list, five thousand times."""
    item: Any = ref(call(0))
    for _ in range(5000):
        item = Collection(list, {0: item})
    assert len(list(references({"x": item}))) == 1


def test_orders_that_can_be_kept() -> None:
    """`after` may point to later calls as long as something can begin."""
    a, b, c = chain(3)
    d = call(3)
    a.after = (d,)
    check_order([a, b, c, d])
    assert needed_for(c) == [a, b, c, d]
    check_order([])


def test_a_circle_is_named() -> None:
    """A circle can only be closed by `after`; the error names the steps in it."""
    a, b, c = chain(3)
    unrelated = call(3)
    a.after = (c,)
    with pytest.raises(CallError, match="wait for each other in a circle through `after`: s_0, s_1, s_2; remove one"):
        check_order([a, b, c, unrelated])


def test_a_step_that_waits_for_itself() -> None:
    """The smallest circle."""
    a = call(0)
    a.after = (a,)
    with pytest.raises(CallError, match="in a circle through `after`: s_0;"):
        check_order([a])


def test_calls_are_compared_by_identity() -> None:
    """Two calls with the same contents are two calls, and a call can be a key."""
    assert call(0) != call(0)
    assert len({call(0), call(0)}) == 2
