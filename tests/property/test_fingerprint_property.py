"""Fingerprints of random programs, values and changes."""

import copy
import itertools
import linecache
import random
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lineal.engine import fingerprint as module_under_test
from lineal.engine.code.values import Reducer
from lineal.engine.fingerprint import fingerprint

NUMBERS = itertools.count()


def load(text: str) -> dict[str, Any]:
    """Run a text as a cell of a notebook and give its names."""
    name = f"<ipython-input-{next(NUMBERS)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), namespace)
    return namespace


def program(calls: list[list[int]], amounts: list[int], order: list[int], noise: list[str]) -> str:
    """Give a program in which function number n returns its amount and calls `calls[n]`."""
    texts = []
    for number in order:
        called = "".join(f" + f{other}(x)" for other in calls[number])
        texts.append(f"{noise[number]}\ndef f{number}(x):\n    return x * RATE{number}{called}\nRATE{number} = {amounts[number]}\n")
    return "".join(texts)


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """Give a call graph, with cycles, and an amount for each function."""
    size = draw(st.integers(1, 7))
    calls = draw(st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size))
    return calls, draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))


def reached(calls: list[list[int]], start: int) -> set[int]:
    """Give the functions that a function reaches, itself included."""
    found: set[int] = set()
    waiting = [start]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += calls[number]
    return found


@given(programs(), st.data())
def test_an_edit_changes_exactly_what_reaches_it(made: tuple[list[list[int]], list[int]], data: st.DataObject) -> None:
    """For any call graph: another amount in one function changes the functions that reach it, and no other."""
    calls, amounts = made
    size = len(calls)
    edited = data.draw(st.integers(0, size - 1))
    plain, quiet = list(range(size)), [""] * size
    before = load(program(calls, amounts, plain, quiet))
    after = load(program(calls, [amount + (number == edited) for number, amount in enumerate(amounts)], plain, quiet))
    for number in range(size):
        changed = fingerprint(before[f"f{number}"]).digest != fingerprint(after[f"f{number}"]).digest
        assert changed == (edited in reached(calls, number))


@given(programs(), st.randoms(use_true_random=False))
def test_order_and_remarks_change_nothing(made: tuple[list[list[int]], list[int]], chance: random.Random) -> None:
    """For any call graph: definitions in any order, with blank lines and comments between them, have the same fingerprints."""
    calls, amounts = made
    order = list(range(len(calls)))
    before = load(program(calls, amounts, order, [""] * len(order)))
    chance.shuffle(order)
    after = load(program(calls, amounts, order, [chance.choice(["\n\n", "# a remark\n", "import json\n", ""]) for _ in order]))
    for number in order:
        assert fingerprint(before[f"f{number}"]).digest == fingerprint(after[f"f{number}"]).digest


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(max_size=4)
    | st.complex_numbers(allow_nan=False)
)
KEYS = st.booleans() | st.integers(-2, 2) | st.text(max_size=2)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.frozensets(KEYS, max_size=3)
        | st.sets(KEYS, max_size=3)
    ),
    max_leaves=8,
)


def canonical(value: Any) -> Any:
    """Say plainly when two values are the same: types, contents, and the order of all but sets."""
    kind = type(value).__name__
    if isinstance(value, list | tuple):
        return (kind, [canonical(item) for item in value])
    if isinstance(value, dict):
        return (kind, [(canonical(key), canonical(item)) for key, item in value.items()])
    if isinstance(value, set | frozenset):
        return (kind, sorted(map(repr, map(canonical, value))))
    return (kind, repr(value))


def digest_of(value: Any) -> str:
    """Give the digest of a value that holds no code."""
    return Reducer(lambda piece: [], lambda text: None).digest(value, "")


@given(VALUES, VALUES)
def test_values_have_one_digest_exactly_if_they_are_the_same(one: Any, other: Any) -> None:
    """No two different values meet, and a copy has the digest of the original."""
    assert (digest_of(one) == digest_of(other)) == (canonical(one) == canonical(other))
    assert digest_of(copy.deepcopy(one)) == digest_of(one)


LIVE = """
RATE, OPTIONS = 1, {"a": [1]}
class Model:
    size = 1
    def run(self, x):
        return x
def make(n):
    def inner():
        return n
    def set_to(value):
        nonlocal n
        n = value
    return inner, set_to
inner, set_to = make(1)
model = Model()
def helper(x=1, *, y=[]):
    return x, RATE
def other(self=None, x=None):
    return OPTIONS
TABLE = {"a": helper}
def step(x):
    return helper(), model.run(x), inner(), TABLE["a"](), sum(OPTIONS)
"""

CHANGES: list[Callable[[dict[str, Any], int], object]] = [
    lambda m, n: m.update(RATE=n),
    lambda m, n: m["OPTIONS"]["a"].append(n),
    lambda m, n: m["OPTIONS"].clear() or m["OPTIONS"].update(a=[n]),
    lambda m, n: m.update(helper=m["other"]),
    lambda m, n: m["TABLE"].update(a=m["other"]),
    lambda m, n: m["TABLE"].update(a=lambda: n),
    lambda m, n: setattr(m["Model"], "size", n),
    lambda m, n: setattr(m["Model"], "run", m["other"]),
    lambda m, n: setattr(m["Model"], "run", lambda self, x: n),
    lambda m, n: setattr(m["Model"], f"more{n}", [n]),
    lambda m, n: setattr(m["model"], "size", n),
    lambda m, n: m.update(model=m["Model"]()),
    lambda m, n: m["set_to"](n),
    lambda m, n: setattr(m["other"], "__defaults__", (n,)),
    lambda m, n: m["helper"].__kwdefaults__ and m["helper"].__kwdefaults__.update(y=n),
    lambda m, n: m.update(sum=m["other"]) if n % 2 else m.pop("sum", None),
]


@given(st.lists(st.tuples(st.integers(0, len(CHANGES) - 1), st.integers(0, 2)), max_size=12))
def test_memory_never_answers_what_a_fresh_look_would_not(steps: list[tuple[int, int]]) -> None:
    """After any series of changes in the living program, the quick answer is the slow one."""
    live = load(LIVE)
    for number, amount in steps:
        fingerprint(live["step"])
        CHANGES[number](live, amount)
        quick = fingerprint(live["step"])
        module_under_test._known.clear()
        assert quick == fingerprint(live["step"])
