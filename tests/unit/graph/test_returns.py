"""Which literal tuples a body returns: read from the source, or from the bytecode."""

import contextlib
import types
from collections.abc import Callable
from typing import Any

import pytest

from lineal.graph import returns
from lineal.graph.returns import literal_returns

# fmt: off
CASES: dict[str, tuple[str, list[int | None]]] = {
    "plain": ("    return 1, a", [2]),
    "in parentheses": ("    return (a, 2, 3)", [3]),
    "all constant": ("    return 1, 2", [2]),
    "over lines": ("    return (\n        a,\n        2,\n    )", [2]),
    "one element": ("    return (a,)", []),
    "empty": ("    return ()", []),
    "a name": ("    pair = (a, 2)\n    return pair", []),
    "a call": ("    return tuple([a, 2])", []),
    "an argument": ("    return max((a, 2))", []),
    "nothing": ("    return", []),
    "no return": ("    a = 1", []),
    "branches": ("    if a:\n        return 1, a\n    else:\n        return a, 2, 3", [2, 3]),
    "nested function": ("    def g():\n        return 1, a\n    return g()", []),
    "nested class": ("    class C:\n        def g(self):\n            return 1, a\n    return C", []),
    "lambda": ("    return lambda: (1, a)", []),
    "unpacking": ("    a, b = b, a\n    return a", []),
    "loop": ("    for x in a:\n        while x:\n            return x, a", [2]),
    "expression thrown away": ("    (a, 2)\n    return None", []),
    "stored": ("    a[0] = (1, b)\n    return a", []),
    "match": ("    match a:\n        case 1:\n            return a, 2\n        case _:\n            return a", [2]),
}
SOURCE_ONLY: dict[str, tuple[str, list[int | None]]] = {
    "with": ("    with a:\n        return a, 2", [2]),
    "try": ("    try:\n        return a, 2\n    finally:\n        print(a)", [2]),
    "star": ("    return a, *b", [None]),
    "only a star": ("    return (*b,)", []),
    "text with less indentation": ('    text = """\nleft\n"""\n    return text, a', [2]),
}
# fmt: on


def made(body: str) -> Callable[..., Any]:
    """Give a function with this body and without a source file."""
    space: dict[str, Any] = {}
    exec(f"def f(a=0, b=()):\n{body}\n", space)
    function: Callable[..., Any] = space["f"]
    return function


def with_source(body: str, monkeypatch: pytest.MonkeyPatch, indent: str = "") -> list[int | None]:
    """Read a body as if it stood in a file, with the decorators that a step has."""
    lines = f"@decorated\n@decorated(name='x')\ndef f(a=0, b=()):\n{body}\n"
    text = "".join(f"{indent}{line}" for line in lines.splitlines(keepends=True)) if '"""' not in body else lines
    monkeypatch.setattr(returns.inspect, "getsource", lambda function: text)
    return literal_returns(made(body))


@pytest.mark.parametrize(("body", "found"), [*CASES.values(), *SOURCE_ONLY.values()], ids=[*CASES, *SOURCE_ONLY])
@pytest.mark.parametrize("indent", ["", "        "], ids=["module level", "inside"])
def test_from_the_source(body: str, found: list[int | None], indent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only literal tuples of two or more in the function's own body count."""
    assert with_source(body, monkeypatch, indent) == found


@pytest.mark.parametrize(("body", "found"), CASES.values(), ids=CASES)
def test_from_the_bytecode(body: str, found: list[int | None]) -> None:
    """Without source the same answer; it names each literal return once."""
    assert sorted(literal_returns(made(body)), key=str) == sorted(found, key=str)


def test_a_definition_inside_another_with_text_at_the_margin() -> None:
    """The text of a string literal does not confuse the reading of an indented definition."""

    def f(a: int) -> tuple[str, int]:
        text = """
at the margin
"""
        return text, a

    assert literal_returns(f) == [2]


def test_a_file_that_was_edited_since() -> None:
    """When the file shows another function at that place, the function that runs counts."""

    def f(a: int) -> tuple[int, int]:
        return a, 1

    moved = types.FunctionType(f.__code__.replace(co_name="another", co_firstlineno=f.__code__.co_firstlineno), {})
    assert literal_returns(moved) == [2]
    with contextlib.suppress(OSError):
        far = types.FunctionType(f.__code__.replace(co_firstlineno=1), {})
        assert literal_returns(far) == [2]
