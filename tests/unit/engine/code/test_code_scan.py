"""Which outer names the units of a file use, and what of a text counts."""

import ast
from textwrap import dedent

import pytest

from lineal.engine.code.scan import Unit, scan

CHAINS = {
    "a global": ("def f():\n    return g", ["g"]),
    "attributes": ("def f():\n    return a.b.c(1).d", ["a.b.c"]),
    "a parameter": ("def f(a, /, b, *c, d, **e):\n    return a, b, c, d, e", []),
    "a local name": ("def f():\n    a = b\n    return a", ["b"]),
    "bound later": ("def f():\n    use(a)\n    a = 1", ["use"]),
    "for, with, except, walrus, del": (
        "def f():\n    for a in x: pass\n    with y as b: pass\n    try: pass\n    except E as c: c\n    if (d := z): del a\n    return a, b, d",
        ["E", "x", "y", "z"],
    ),
    "match": ("def f(x):\n    match x:\n        case [a, *b] | {'k': a, **b}: return a, b\n        case K(c) as d: return c, d", ["K"]),
    "a global that is declared": ("def f():\n    global a\n    a = a + 1", [":a"]),
    "a global that is only set": ("def f():\n    global a\n    a = 1", []),
    "an attribute that is set": ("def f():\n    conf.rate = 1", ["conf.="]),
    "an attribute that is augmented": ("def f():\n    conf.rate += 1", ["conf.=", "conf.rate"]),
    "a comprehension": ("def f():\n    return [a + b for a in c if a for d in a]", ["b", "c"]),
    "the first iterable of a comprehension": ("def f():\n    return [a for a in a]", ["a"]),
    "a walrus in a comprehension": ("def f():\n    return [b for a in c if (b := a)], b", ["c"]),
    "a nested function": ("def f():\n    a = 1\n    def g(b=d):\n        return a, b, c\n    return g", ["c", "d"]),
    "a nested global": ("def f():\n    a = 1\n    def g():\n        global a\n        return a\n    return g", [":a"]),
    "nonlocal": ("def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = b\n    return g", ["b"]),
    "a nested class": (
        "def f():\n    class A(B):\n        a = c\n        def m(self):\n            return a, A\n    return A",
        ["B", "a", "c"],
    ),
    "a decorator inside": ("def f():\n    @deco(x)\n    def g(): pass", ["deco", "x"]),
    "a lambda": ("def f():\n    return lambda a, b=c: a + b + d", ["c", "d"]),
    "annotations": ("def f(a: B) -> C:\n    d: E = 1\n    e: F\n    return e", []),
    "an import inside": ("def f():\n    import a.b\n    return a.b.c", ["!0|a.b|^.b.c"]),
    "an import inside as": ("def f():\n    import a.b as x\n    return x.c", ["!0|a.b|.c"]),
    "a from-import inside": ("def f():\n    from ..a import b as c\n    return c.d", ["!2|a|b.d"]),
    "an import used by a nested function": ("def f():\n    import a\n    def g(): return a.b\n    return g", ["!0|a|^.b"]),
    "an import that is not used": ("def f():\n    import a", ["!0|a|^"]),
    "getattr": ("def f(x):\n    return getattr(m, 'a'), getattr(x, 'b')", ["m.a"]),
    "globals()": ("def f():\n    return globals()['a']", [":a"]),
    "import_module": ("def f():\n    return importlib.import_module('a.b')", ["!0|a.b|", "importlib.import_module"]),
    "an f-string": ("def f():\n    return f'{a:{b}} c'", ["a", "b"]),
    "await, async for, async with": ("async def f():\n    await a\n    async for b in c: b\n    async with d as e: e", ["a", "c", "d"]),
}


def units(text: str) -> dict[str, Unit]:
    """Read a text and give its units by qualified name."""
    return {unit.qualname: unit for unit in scan(ast.parse(dedent(text)), str).units}


@pytest.mark.parametrize(("text", "chains"), CHAINS.values(), ids=CHAINS)
def test_names_that_come_from_outside(text: str, chains: list[str]) -> None:
    """Exactly the names that the function does not bind itself, with the attributes that are read."""
    assert [".".join(chain) for chain in units(text)["f"].chains] == chains


def test_every_function_and_class_is_a_unit_with_its_lines() -> None:
    """Nested ones too, under the names that Python gives them; comprehensions leave no trace."""
    text = "@deco\n@other\ndef f():\n    def g():\n        pass\n    class A:\n        def m(self):\n            return [lambda: x for x in y]\nh = lambda: 1\n"
    assert {name: (unit.kind, unit.first, unit.last) for name, unit in units(text).items()} == {
        "f": ("function", 1, 8),
        "f.<locals>.g": ("function", 4, 5),
        "f.<locals>.A": ("class", 6, 8),
        "f.<locals>.A.m": ("function", 7, 8),
        "f.<locals>.A.m.<locals>.<lambda>": ("function", 8, 8),
        "<lambda>": ("function", 9, 9),
    }


def test_decorators_stand_apart_and_lineals_are_left_out() -> None:
    """With the chain that each begins with, and the names in it; those of Lineal however they are imported."""
    text = "import lineal as li\nfrom lineal import step\n@step(on_failure=alert)\n@li.step\n@a.deco(b)\n@c[0]\ndef f(): pass\n"
    unit = units(text)["f"]
    assert [(root, chains) for root, _, chains in unit.decorators] == [(("a", "deco"), [("a", "deco"), ("b",)]), ((), [("c",)])]
    assert unit.chains == []


def test_a_class_speaks_for_its_body_and_a_function_for_all_in_it() -> None:
    """Names in methods belong to the methods; those of bases, decorators and fields to the class."""
    text = "@deco\nclass A(Base, metaclass=Meta):\n    size: Type = value\n    make = lambda self: inner\n    def run(self):\n        return helper\n"
    assert units(text)["A"].chains == [("Base",), ("Meta",), ("Type",), ("deco",), ("inner",), ("value",)]
    assert units(text)["A.run"].chains == [("helper",)]


def test_what_cannot_be_followed_is_noted_with_its_line() -> None:
    """Only for the builtin, not for a parameter or method of the same name, nor when the name is a literal."""
    text = """
    def f(x, exec):
        eval(x)
        exec(x)
        x.eval(x)
        getattr(x, "a")
        lambda: getattr(x, x)
        __import__(x)
        globals()
        import sys, importlib
        importlib.import_module("." + x)
        return sys.modules[x]
    """
    assert units(text)["f"].notes == [
        ("eval", 3),
        ("__import__ with a computed name", 8),
        ("globals()", 9),
        ("import_module with a computed name", 11),
        ("sys.modules", 12),
        ("getattr with a computed name", 7),
    ]


SAME = {
    "docstrings": ("def f():\n    'a'\n    return 1", "def f():\n    return 1"),
    "lone constants": ("def f():\n    x = 1\n    'about x'\n    ...\n    return x", "def f():\n    x = 1\n    return x"),
    "pass": ("def f():\n    pass", "def f():\n    'a'"),
    "annotations of parameters": ("def f(a: int = 1, *b: str, **c: 'x') -> None: return a", "def f(a=1, *b, **c): return a"),
    "annotations of locals": ("def f():\n    a: int = 1\n    return a", "def f():\n    a = 1\n    return a"),
    "declarations of locals": ("def f():\n    a: int\n    return 1", "def f():\n    return 1"),
    "defaults": ("def f(a=1): return a", "def f(a=2): return a"),
}
OTHER = {
    "a constant's type": ("def f(): return 1", "def f(): return True"),
    "a name and a text": ("def f(): return a", "def f(): return 'a'"),
    "attribute and item": ("def f(): return a.b", "def f(): return a['b']"),
    "nesting": ("def f():\n    if a:\n        b()\n    c()", "def f():\n    if a:\n        b()\n        c()"),
    "else": ("def f():\n    for a in b: c()\n    else: d()", "def f():\n    for a in b: c()\n    d()"),
    "kind of parameter": ("def f(a, *, b): return a", "def f(a, b): return a"),
    "positional-only": ("def f(a, b): return a", "def f(a, /, b): return a"),
    "async comprehension": ("async def f(): return [a async for a in b]", "async def f(): return [a for a in b]"),
    "set and list": ("def f(): return {a}", "def f(): return [a]"),
    "comparison": ("def f(): return a < b", "def f(): return a <= b"),
    "nonlocal": (
        "def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2",
        "def f():\n    a = 1\n    def g():\n        a = 2",
    ),
    "default inside": ("def f():\n    return lambda a=1: a", "def f():\n    return lambda a=2: a"),
    "decorator inside": ("def f():\n    @a\n    def g(): pass", "def f():\n    @b\n    def g(): pass"),
    "a huge number": (f"def f(): return 0x1{'0' * 5000}", f"def f(): return 0x2{'0' * 5000}"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_a_function_does_not_say(one: str, other: str) -> None:
    """Texts that mean the same say the same."""
    assert units(one)["f"].says == units(other)["f"].says


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER)
def test_what_a_function_says(one: str, other: str) -> None:
    """Texts that mean something else say something else."""
    assert units(one)["f"].says != units(other)["f"].says


def test_annotations_count_where_a_class_reads_them() -> None:
    """With a decorator, a base or a keyword; as text or not."""
    for head in ("@d\nclass A:", "class A(B):", "class A(metaclass=M):"):
        assert units(f"{head}\n    x: int")["A"].says != units(f"{head}\n    x: str")["A"].says
        assert units(f"{head}\n    x: 'int'")["A"].says == units(f"{head}\n    x: int")["A"].says
    assert units("class A:\n    x: int")["A"].says == units("class A:\n    x: str")["A"].says


def test_module_level_names_know_their_lines_and_origin() -> None:
    """For the words of `why`."""
    found = scan(ast.parse("from .conf import RATE as R\nimport a.b\nX = (\n    1,\n)\nY: int = 2\nA, (B, C) = D\n"), str)
    assert found.assigned == {"X": (3, 5), "Y": (6, 6), "A": (7, 7), "B": (7, 7), "C": (7, 7)}
    assert found.imported == {"R": ["!1|conf|RATE"], "a": ["!0|a.b|^"]}
