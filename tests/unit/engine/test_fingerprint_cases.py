"""What changes a step's fingerprint and what does not, case by case, with real files and fresh processes.

The list is the table of `docs/caching.md`: a test compares them. Print it with `python tests/unit/engine/test_fingerprint_cases.py`.
"""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

CHANGES, SAME, NOTED = "changes", "same", "same, and said so"

# One process for many projects: what a project brought is forgotten before the next.
IMPORT = """
import importlib, json, sys
from lineal.engine.fingerprint import fingerprint
dumps = json.dumps
for place in sys.argv[1:]:
    known = set(sys.modules)
    sys.path.insert(0, place)
    steps = importlib.import_module("steps")
    print(dumps(fingerprint(steps.step).to_json()), flush=True)
    sys.path.remove(place)
    for name in set(sys.modules) - known:
        spec = sys.modules[name].__spec__
        places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
        if any(str(path).startswith(place) for path in places):
            del sys.modules[name]
"""
CELLS = """
import __main__, json, linecache, sys
from pathlib import Path
from lineal.engine.fingerprint import fingerprint
for path in sorted(Path(sys.argv[1]).glob("cell*")):
    text, name = path.read_text(), f"<ipython-input-{path.name}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), vars(__main__))
print(json.dumps(fingerprint(__main__.step).to_json()))
"""
SCRIPT = """
if __name__ == "__main__":
    import json
    from lineal.engine.fingerprint import fingerprint
    print(json.dumps(fingerprint(step).to_json()))
"""


@dataclass(frozen=True)
class How:
    """How a project is run: as an imported module, a script, cells of a notebook, or from a zip archive; in a process of its own or not."""

    mode: str = "import"
    folder: str = "project"
    seed: str = "0"
    elsewhere: bool = False
    options: tuple[str, ...] = ()
    alone: bool = True


SHARED = How(alone=False)
ALONE = (How(), How())


@dataclass(frozen=True)
class Case:
    """An edit and what becomes of the key."""

    what: str
    effect: str
    before: dict[str, str]
    after: dict[str, str]
    runs: tuple[How, How]


CASES: list[Case] = []


def case(what: str, effect: str, files: dict[str, str] | str, *edits: tuple[str, str], runs: tuple[How, How] = (SHARED, SHARED)) -> None:
    """Add a case. Each edit replaces a text that occurs in one of the files."""
    before = {name: dedent(text).lstrip("\n") for name, text in ({"steps.py": files} if isinstance(files, str) else files).items()}
    after = dict(before)
    for old, new in edits:
        names = [name for name, text in after.items() if old in text]
        assert len(names) == 1, f"{what}: {old!r} is in {names}"
        after[names[0]] = after[names[0]].replace(old, new)
    CASES.append(Case(what, effect, before, after, runs))


# The step itself

STEP = "def step(x):\n    return x + 1\n"
case("the body of the step", CHANGES, STEP, ("x + 1", "x + 2"))
case("the name of a parameter", CHANGES, "def step(x):\n    return 1\n", ("(x)", "(y)"))
case("a comment", SAME, STEP, ("    return", "    # a remark\n    return"))
case("a docstring", SAME, STEP, ("    return", '    """Explain."""\n    return'))
case(
    "formatting: line breaks, quotes, parentheses",
    SAME,
    "def step(x):\n    return [x, 'a' + 'b']\n",
    ("[x, 'a' + 'b']", '[\n        x,\n        ("a" + "b"),\n    ]'),
)
case("a number written otherwise", SAME, "def step(x):\n    return x * 1000\n", ("1000", "1_000"))
case("a number of another type", CHANGES, "def step(x):\n    return x * 1\n", ("* 1", "* 1.0"))
case("the annotation of a parameter", SAME, "def step(x: int):\n    return x\n", ("x: int", "x: float"))
case("the annotation of the result", SAME, "def step(x) -> int:\n    return x\n", ("-> int", "-> float"))
case("the annotation of a local variable", SAME, "def step(x):\n    y = x\n    return y\n", ("y = x", "y: int = x"))
case("a default argument", CHANGES, "def step(x=1):\n    return x\n", ("x=1", "x=2"))
case("a keyword-only default", CHANGES, "def step(*, x=1):\n    return x\n", ("x=1", "x=2"))
case("a constant that is a default", CHANGES, "RATE = 1\ndef step(x=RATE):\n    return x\n", ("RATE = 1", "RATE = 2"))
case("a default written otherwise with the same value", SAME, "def step(x=4):\n    return x\n", ("x=4", "x=2 + 2"))
case("the message of an assertion", CHANGES, "def step(x):\n    assert x, 'a'\n", ("'a'", "'b'"))
case("the text of an f-string", CHANGES, "def step(x):\n    return f'{x} a'\n", ("} a", "} b"))
case("a pattern of `match`", CHANGES, "def step(x):\n    match x:\n        case 1: return 2\n", ("case 1", "case 3"))
case("`async def` for `def`", CHANGES, STEP, ("def step", "async def step"))
case(
    "options of `@step` of Lineal",
    SAME,
    "from lineal import step as as_step\nLIMIT = 1\n@as_step(enable_cache=True, tags=['a'])\ndef step(x):\n    return x\n",
    ("enable_cache=True, tags=['a']", "name='other', extra={'limit': LIMIT}"),
)
case("`@step` itself, added", SAME, "from lineal import step as as_step\ndef step(x):\n    return x\n", ("def step", "@as_step\ndef step"))
case(
    "the place of the step in its file",
    SAME,
    "A = 1\ndef other():\n    return 1\n\ndef step(x):\n    return x\n",
    ("A = 1\n", "\n\n\nA = 1\n"),
)

# Where nothing changes

HELPED = "def helper(x):\n    return x + 1\n\ndef step(x):\n    return helper(x)\n"
case("the order of the definitions", SAME, HELPED, (HELPED, "def step(x):\n    return helper(x)\n\ndef helper(x):\n    return x + 1\n"))
case("a function that the step does not reach", SAME, "def other():\n    return 1\n" + STEP, ("return 1", "return 2"))
case("a constant that the step does not reach", SAME, "OTHER = 1\n" + STEP, ("OTHER = 1", "OTHER = 2"))
case(
    "a module constant that a local variable hides",
    SAME,
    "rate = 1\ndef step():\n    rate = 5\n    return rate\n",
    ("rate = 1", "rate = 2"),
)
case("a module constant that a comprehension hides", SAME, "i = 1\ndef step(x):\n    return [i for i in x]\n", ("i = 1", "i = 2"))
case("an import that is not used", SAME, STEP, ("def step", "import json\n\ndef step"))
case(
    "imports under `TYPE_CHECKING`",
    SAME,
    "from typing import TYPE_CHECKING\n" + STEP,
    ("\ndef", "\nif TYPE_CHECKING:\n    import json\ndef"),
)
case(
    "the hash seed",
    SAME,
    "NAMES = {'a', 'b', 'c', 'd', 'e'}\ndef step(x):\n    return x in NAMES or x in {'f', 'g', 'h'}\n",
    runs=(How(seed="1"), How(seed="2")),
)
case("the working directory", SAME, HELPED, runs=(How(), How(elsewhere=True)))
case("the folder of the project", SAME, HELPED, runs=(How(), How(folder="moved")))
case("the script run directly or imported", SAME, HELPED + SCRIPT, runs=(How(), How("script")))
case("assertions switched off with `-O`", SAME, HELPED, runs=(How(), How(options=("-O",))))
case("bytecode not written", SAME, HELPED, runs=(How(), How(options=("-B",))))

# Helpers, near and far

case("a helper in the same module", CHANGES, HELPED, ("x + 1", "x + 2"))
case("a comment and a docstring in a helper", SAME, HELPED, ("    return x + 1", '    """Explain."""\n    return x + 1  # a remark'))
case("the annotations of a helper", SAME, HELPED, ("def helper(x)", "def helper(x: int) -> int"))
case("the name of a helper", CHANGES, HELPED, ("def helper(x)", "def aid(x)"), ("return helper(x)", "return aid(x)"))
FAR = {
    "steps.py": "from near import near\n\ndef step(x):\n    return near(x)\n",
    "near.py": "import far\n\ndef near(x):\n    return far.far(x)\n",
    "far.py": "RATE = 1\n\ndef far(x):\n    return x * RATE\n\ndef unused():\n    return 1\n",
}
case("a helper two modules away", CHANGES, FAR, ("x * RATE", "x / RATE"))
case("a constant two modules away", CHANGES, FAR, ("RATE = 1", "RATE = 2"))
case("an unused function two modules away", SAME, FAR, ("return 1", "return 2"))
AS = {"steps.py": "import tools as t\n\ndef step(x):\n    return t.helper(x)\n", "tools.py": "def helper(x):\n    return x + 1\n"}
case("a helper by `import … as`", CHANGES, AS, ("x + 1", "x + 2"))
FROM = {"steps.py": "from tools import helper as h\n\ndef step(x):\n    return h(x)\n", "tools.py": "def helper(x):\n    return x + 1\n"}
case("a helper by `from … import … as`", CHANGES, FROM, ("x + 1", "x + 2"))
STAR = {"steps.py": "from tools import *\n\ndef step(x):\n    return helper(x)\n", "tools.py": "def helper(x):\n    return x + 1\n"}
case("a helper by star import", CHANGES, STAR, ("x + 1", "x + 2"))
PACKAGE = {
    "steps.py": "import pkg.sub.deep\n\ndef step(x):\n    return pkg.sub.deep.helper(x)\n",
    "pkg/__init__.py": "",
    "pkg/sub/__init__.py": "",
    "pkg/sub/deep.py": "from ..tools import aid\n\ndef helper(x):\n    return aid(x)\n",
    "pkg/tools.py": "def aid(x):\n    return x + 1\n",
}
case("a helper by relative import in a package", CHANGES, PACKAGE, ("x + 1", "x + 2"))
EXPORT = {
    "steps.py": "from pkg import helper\n\ndef step(x):\n    return helper(x)\n",
    "pkg/__init__.py": "from pkg.inner import helper\n",
    "pkg/inner.py": "def helper(x):\n    return x + 1\n",
}
case("a helper that a package exports", CHANGES, EXPORT, ("x + 1", "x + 2"))
SPACE = {
    "steps.py": "from space.part import helper\n\ndef step(x):\n    return helper(x)\n",
    "space/part.py": "def helper(x):\n    return x + 1\n",
}
case("a helper in a namespace package", CHANGES, SPACE, ("x + 1", "x + 2"))
TRY = {
    "steps.py": "try:\n    from fast_one import helper\nexcept ImportError:\n    from slow_one import helper\n\ndef step(x):\n    return helper(x)\n",
    "slow_one.py": "def helper(x):\n    return x + 1\n",
}
case("a helper by conditional import", CHANGES, TRY, ("x + 1", "x + 2"))
case(
    "the branch that a conditional import takes",
    CHANGES,
    {**TRY, "fast_two.py": "def helper(x):\n    return x\n"},
    ("fast_one", "fast_two"),
)
LOCAL = {
    "steps.py": "def step(x):\n    from tools import helper\n    return helper(x)\n",
    "tools.py": "def helper(x):\n    return x + 1\n\ndef unused():\n    return 1\n",
}
case("a helper imported inside the function", CHANGES, LOCAL, ("x + 1", "x + 2"))
case("an unused function of a module imported inside the function", SAME, LOCAL, ("return 1", "return 2"))
LOCAL_RELATIVE = {
    "steps.py": "from pkg.mod import run\n\ndef step(x):\n    return run(x)\n",
    "pkg/__init__.py": "",
    "pkg/mod.py": "def run(x):\n    from . import tools as t\n    return t.helper(x)\n",
    "pkg/tools.py": "def helper(x):\n    return x + 1\n",
}
case("a helper imported relatively inside a function", CHANGES, LOCAL_RELATIVE, ("x + 1", "x + 2"))
EFFECT = {"steps.py": "def step(x):\n    import effects\n    return x\n", "effects.py": "def anything():\n    return 1\n"}
case("a module that is imported for its effect", CHANGES, EFFECT, ("return 1", "return 2"))
LAZY = {
    "steps.py": "import tools\n\ndef step(x):\n    return tools.helper(x)\n",
    "tools.py": "def __getattr__(name):\n    import real\n    return real.helper\n",
    "real.py": "def helper(x):\n    return x + 1\n",
}
case("a helper behind a module's `__getattr__`", CHANGES, LAZY, ("x + 1", "x + 2"))
case(
    "mutual recursion",
    CHANGES,
    "def a(x):\n    return b(x)\ndef b(x):\n    return a(x) + 1\ndef step(x):\n    return a(x)\n",
    ("+ 1", "+ 2"),
)
case(
    "another step that the step calls",
    CHANGES,
    "from lineal import step as as_step\n@as_step\ndef other(x: int) -> int:\n    return x + 1\ndef step(x):\n    return other(x)\n",
    ("x + 1", "x + 2"),
)
case("a helper in a zip archive", CHANGES, FAR, ("x * RATE", "x / RATE"), runs=(How("zip"), How("zip", folder="other")))
case("the archive's place", SAME, FAR, runs=(How("zip"), How("zip", folder="other")))

# Functions in all their forms

case("a lambda", CHANGES, "helper = lambda x: x + 1\ndef step(x):\n    return helper(x)\n", ("x + 1", "x + 2"))
case(
    "one of two lambdas on a line", CHANGES, "a, b = lambda x: x + 1, lambda x: x * 2\ndef step(x):\n    return b(x)\n", ("x * 2", "x * 3")
)
case(
    "the other of two lambdas on a line",
    SAME,
    "a, b = lambda x: x + 1, lambda x: x * 2\ndef step(x):\n    return b(x)\n",
    ("x + 1", "x + 3"),
)
case(
    "a lambda made in a comprehension",
    CHANGES,
    "helpers = [lambda x: x + n for n in (1, 2)]\ndef step(x):\n    return helpers[0](x)\n",
    ("x + n", "x * n"),
)
case("a nested function", CHANGES, "def step(x):\n    def inner(y):\n        return y + 1\n    return inner(x)\n", ("y + 1", "y + 2"))
case(
    "the default of a nested function", CHANGES, "def step(x):\n    def inner(y=1):\n        return y\n    return inner()\n", ("y=1", "y=2")
)
case(
    "a helper that only a comprehension calls",
    CHANGES,
    "def helper(x):\n    return x + 1\ndef step(x):\n    return {k: [helper(i) for i in x] for k in x}\n",
    ("x + 1", "x + 2"),
)
case("a generator", CHANGES, "def numbers(x):\n    yield x + 1\ndef step(x):\n    return list(numbers(x))\n", ("x + 1", "x + 2"))
CLOSURE = "def make(n):\n    def inner(x):\n        return x + n\n    return inner\nhelper = make(1)\ndef step(x):\n    return helper(x)\n"
case("the value that a closure holds", CHANGES, CLOSURE, ("make(1)", "make(2)"))
case("the function that a closure is", CHANGES, CLOSURE, ("x + n", "x * n"))
case(
    "a function that a closure holds",
    CHANGES,
    "def add(x):\n    return x + 1\ndef make(f):\n    return lambda x: f(x)\nhelper = make(add)\ndef step(x):\n    return helper(x)\n",
    ("x + 1", "x + 2"),
)
PARTIAL = (
    "from functools import partial\ndef add(x, n):\n    return x + n\nhelper = partial(add, n=1)\ndef step(x):\n    return helper(x)\n"
)
case("the function in a `partial`", CHANGES, PARTIAL, ("x + n", "x * n"))
case("an argument in a `partial`", CHANGES, PARTIAL, ("n=1", "n=2"))
DECORATED = "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def wrapper(x):\n        return f(x) * 2\n    return wrapper\n@twice\ndef helper(x):\n    return x + 1\ndef step(x):\n    return helper(x)\n"
case("a decorator of the user", CHANGES, DECORATED, ("* 2", "* 3"))
case("a function under a decorator", CHANGES, DECORATED, ("x + 1", "x + 2"))
case(
    "a decorator on the step",
    CHANGES,
    DECORATED.replace("helper", "h").replace("def step(x):\n    return h(x)\n", "@twice\ndef step(x):\n    return x\n"),
    ("* 2", "* 3"),
)
OPTION = "def times(n):\n    def decorate(f):\n        def wrapper(x):\n            return f(x) * n\n        return wrapper\n    return decorate\n@times(2)\ndef helper(x):\n    return x\ndef step(x):\n    return helper(x)\n"
case("the argument of a decorator", CHANGES, OPTION, ("@times(2)", "@times(3)"))
case(
    "a function under `lru_cache`",
    CHANGES,
    "from functools import lru_cache\n@lru_cache\ndef helper(x):\n    return x + 1\ndef step(x):\n    return helper(x)\n",
    ("x + 1", "x + 2"),
)
case(
    "a function under `contextmanager`",
    CHANGES,
    "from contextlib import contextmanager\n@contextmanager\ndef opened(x):\n    yield x + 1\ndef step(x):\n    with opened(x) as y:\n        return y\n",
    ("x + 1", "x + 2"),
)
SINGLE = "from functools import singledispatch\n@singledispatch\ndef helper(x):\n    return x\n@helper.register\ndef _(x: int):\n    return x + 1\ndef step(x):\n    return helper(x)\n"
case("a function registered with `singledispatch`", CHANGES, SINGLE, ("x + 1", "x + 2"))
MEMO = 'import functools\nclass Memo:\n    def __init__(self, f):\n        functools.update_wrapper(self, f)\n        self.size = 1\n    def __call__(self, x):\n        return self.__wrapped__(x) * self.size\n@Memo\ndef helper(x):\n    """Explain."""\n    return x + 1\ndef step(x):\n    return helper(x)\n'
case("a function under a class used as a decorator", CHANGES, MEMO, ("x + 1", "x + 2"))
case("the state of a decorator that is an object", CHANGES, MEMO, ("size = 1", "size = 2"))
case("the docstring of a function under such a decorator", SAME, MEMO, ("Explain.", "Say more."))
DISPATCH = "def a(x):\n    return x + 1\ndef b(x):\n    return x * 2\nACTIONS = {'a': a}\ndef step(x):\n    return ACTIONS['a'](x)\n"
case("a function in a dictionary", CHANGES, DISPATCH, ("x + 1", "x + 2"))
case("which function a dictionary holds", CHANGES, DISPATCH, ("{'a': a}", "{'a': b}"))
case(
    "a function in a list in an object",
    CHANGES,
    "class Box:\n    pass\ndef a(x):\n    return x + 1\nbox = Box()\nbox.actions = [a]\ndef step(x):\n    return box.actions[0](x)\n",
    ("x + 1", "x + 2"),
)
case(
    "a bound method kept in a name",
    CHANGES,
    "class Model:\n    def run(self, x):\n        return x + 1\nrun = Model().run\ndef step(x):\n    return run(x)\n",
    ("x + 1", "x + 2"),
)
case("a function made by `exec`", CHANGES, "exec('def helper(x): return x + 1')\ndef step(x):\n    return helper(x)\n", ("x + 1", "x + 2"))
case(
    "what a function made by `exec` calls",
    CHANGES,
    "def add(x):\n    return x + 1\nexec('def helper(x): return add(x)')\ndef step(x):\n    return helper(x)\n",
    ("x + 1", "x + 2"),
)
case(
    "a name replaced at run time (monkeypatching)",
    CHANGES,
    {
        "steps.py": "import tools\ndef mine(x):\n    return x + 1\ntools.helper = mine\ndef step(x):\n    return tools.helper(x)\n",
        "tools.py": "def helper(x):\n    return x\n",
    },
    ("x + 1", "x + 2"),
)
case(
    "the function that a replaced name held before",
    SAME,
    {
        "steps.py": "import tools\ntools.helper = lambda x: x\ndef step(x):\n    return tools.helper(x)\n",
        "tools.py": "def helper(x):\n    return x + 1\n",
    },
    ("x + 1", "x + 2"),
)
case(
    "a function put into a module of the standard library",
    CHANGES,
    "import json\ndef mine(x):\n    return x + 1\njson.dumps = mine\ndef step(x):\n    return json.dumps(x)\n",
    ("x + 1", "x + 2"),
    runs=ALONE,
)
case("a function that hides a builtin", CHANGES, STEP.replace("x + 1", "len(x)"), ("def step", "def len(x):\n    return 3\ndef step"))
case(
    "the docstring of a function whose `__doc__` is read",
    CHANGES,
    "def helper():\n    'a'\ndef step(x):\n    return helper.__doc__\n",
    ("'a'", "'b'"),
)
case(
    "an attribute set on a function and read",
    CHANGES,
    "def helper():\n    return 1\nhelper.limit = 1\ndef step(x):\n    return helper.limit\n",
    ("limit = 1", "limit = 2"),
)

# Classes

CLASS = 'class Base:\n    def base(self, x):\n        return x + 1\nclass Model(Base):\n    """Explain."""\n    size = 1\n    def run(self, x):\n        return self.base(x) * 2\n    @property\n    def area(self):\n        return self.size * 5\n    @staticmethod\n    def still(x):\n        return x * 6\n    @classmethod\n    def made(cls):\n        return cls() or 7\ndef step(x):\n    return Model().run(x)\n'
case("a method", CHANGES, CLASS, ("* 2", "* 3"))
case("a method of a base class", CHANGES, CLASS, ("x + 1", "x + 2"))
case("a class attribute", CHANGES, CLASS, ("size = 1", "size = 2"))
case("a property", CHANGES, CLASS, ("* 5", "* 4"))
case("a static method", CHANGES, CLASS, ("* 6", "* 4"))
case("a class method", CHANGES, CLASS, ("or 7", "or 8"))
case("the docstring of a class", SAME, CLASS, ("Explain.", "Say more."))
case(
    "the order of methods",
    SAME,
    "class Model:\n    def a(self): return 1\n    def b(self): return 2\ndef step(x):\n    return Model().a()\n",
    ("    def a(self): return 1\n    def b(self): return 2\n", "    def b(self): return 2\n    def a(self): return 1\n"),
)
case(
    "the annotation of an attribute of a plain class",
    SAME,
    "class Model:\n    size: int = 1\ndef step(x):\n    return Model.size\n",
    (": int", ": float"),
)
case(
    "the base class of a class",
    CHANGES,
    "class A:\n    pass\nclass B:\n    pass\nclass Model(A):\n    pass\ndef step(x):\n    return Model()\n",
    ("Model(A)", "Model(B)"),
)
case(
    "a metaclass",
    CHANGES,
    "class Meta(type):\n    def __call__(cls):\n        return 1\nclass Model(metaclass=Meta):\n    pass\ndef step(x):\n    return Model()\n",
    ("return 1", "return 2"),
)
case(
    "a cached property",
    CHANGES,
    "from functools import cached_property\nclass Model:\n    @cached_property\n    def size(self):\n        return 1\ndef step(x):\n    return Model().size\n",
    ("return 1", "return 2"),
)
case(
    "a method replaced at run time",
    CHANGES,
    "class Model:\n    def run(self, x):\n        return x\ndef mine(self, x):\n    return x + 1\nModel.run = mine\ndef step(x):\n    return Model().run(x)\n",
    ("x + 1", "x + 2"),
)
DATA = "from dataclasses import dataclass\n@dataclass\nclass Config:\n    size: int = 1\n    name: str = 'a'\n    def total(self):\n        return self.size * 2\ndef step(x):\n    return Config(x)\n"
case("the default of a dataclass field", CHANGES, DATA, ("int = 1", "int = 2"))
case("the annotation of a dataclass field", CHANGES, DATA, ("size: int", "size: float"))
case(
    "the order of dataclass fields", CHANGES, DATA, ("    size: int = 1\n    name: str = 'a'\n", "    name: str = 'a'\n    size: int = 1\n")
)
case("an option of `@dataclass`", CHANGES, DATA, ("@dataclass\n", "@dataclass(frozen=True)\n"))
case(
    "a default factory of a dataclass",
    CHANGES,
    "from dataclasses import dataclass, field\ndef make():\n    return [1]\n@dataclass\nclass Config:\n    sizes: list = field(default_factory=lambda: make())\ndef step(x):\n    return Config()\n",
    ("[1]", "[2]"),
)
ARGUMENT = DATA.replace("def step(x):\n    return Config(x)\n", "def step(x: Config):\n    return x.total()\n")
case("a method of a class that the step's argument is annotated with", CHANGES, ARGUMENT, ("* 2", "* 3"))
case("the same, in `Optional` and as text", CHANGES, ARGUMENT.replace("x: Config", "x: 'Config | None'"), ("* 2", "* 3"))
case(
    "a field of a `NamedTuple`",
    CHANGES,
    "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\ndef step(x):\n    return P(x)\n",
    ("x: int", "x: float"),
)
case(
    "a field of a `TypedDict`",
    CHANGES,
    "from typing import TypedDict\nclass P(TypedDict):\n    x: int\ndef step(x):\n    return P(x=x)\n",
    ("x: int", "x: float"),
)
case(
    "a field of a named tuple made by a call",
    CHANGES,
    "from collections import namedtuple\nP = namedtuple('P', 'a b')\ndef step(x):\n    return P(1, 2)\n",
    ("'a b'", "'a c'"),
)
case(
    "a constraint of a pydantic field",
    CHANGES,
    "from pydantic import BaseModel, Field\nclass P(BaseModel):\n    x: int = Field(1, gt=0)\ndef step(x):\n    return P(x=x)\n",
    ("gt=0", "gt=1"),
)
case(
    "a validator of a pydantic model",
    CHANGES,
    "from pydantic import BaseModel, field_validator\nclass P(BaseModel):\n    x: int\n    @field_validator('x')\n    @classmethod\n    def check(cls, v):\n        return v + 1\ndef step(x):\n    return P(x=x)\n",
    ("v + 1", "v + 2"),
)
case(
    "an attrs class",
    CHANGES,
    "import attrs\n@attrs.define\nclass P:\n    x: int = attrs.field(default=1)\ndef step(x):\n    return P()\n",
    ("default=1", "default=2"),
)
case(
    "the value of an enum member",
    CHANGES,
    "from enum import Enum\nclass Color(Enum):\n    RED = 1\n    BLUE = 2\ndef step(x):\n    return Color.RED\n",
    ("RED = 1", "RED = 3"),
)
case(
    "a method of an enum",
    CHANGES,
    "from enum import Enum\nclass Color(Enum):\n    RED = 1\n    def shade(self):\n        return self.value + 1\ndef step(x):\n    return Color.RED.shade()\n",
    ("+ 1", "+ 2"),
)
case(
    "a class made inside a function",
    CHANGES,
    "def step(x):\n    class Inner:\n        def run(self):\n            return 1\n    return Inner().run()\n",
    ("return 1", "return 2"),
)
case(
    "a class made by `type()`",
    CHANGES,
    "def run(self):\n    return 1\nModel = type('Model', (), {'run': run})\ndef step(x):\n    return Model().run()\n",
    ("return 1", "return 2"),
)
case(
    "an object with `__call__`",
    CHANGES,
    "class Model:\n    def __call__(self, x):\n        return x + 1\nmodel = Model()\ndef step(x):\n    return model(x)\n",
    ("x + 1", "x + 2"),
)
case(
    "the state of an object",
    CHANGES,
    "class Model:\n    def __init__(self, n):\n        self.n = n\nmodel = Model(1)\ndef step(x):\n    return model.n\n",
    ("Model(1)", "Model(2)"),
)

# Values

RATE = "RATE = 0.1\ndef step(x):\n    return x * RATE\n"
case("a module constant", CHANGES, RATE, ("0.1", "0.2"))
case("the line of a module constant", SAME, RATE, ("RATE = 0.1", "# a remark\n\nRATE = 0.1"))
case("a module constant computed otherwise", SAME, "RATE = 4\ndef step(x):\n    return x * RATE\n", ("= 4", "= 2 * 2"))
case("the type of a constant: `1`, `1.0`, `True`", CHANGES, "RATE = 1\ndef step(x):\n    return x * RATE\n", ("= 1", "= True"))
case(
    "a constant by `from … import`",
    CHANGES,
    {"steps.py": "from conf import RATE\ndef step(x):\n    return x * RATE\n", "conf.py": "RATE = 1\n"},
    ("= 1", "= 2"),
)
case(
    "a dictionary that is changed after it was made",
    CHANGES,
    "OPTIONS = {}\nOPTIONS['a'] = {'b': [1]}\ndef step(x):\n    return OPTIONS['a']\n",
    ("[1]", "[2]"),
)
case(
    "the order of a dictionary",
    CHANGES,
    "OPTIONS = {'a': 1, 'b': 2}\ndef step(x):\n    return list(OPTIONS)\n",
    ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
)
case("the order of a set", SAME, "NAMES = {'a', 'b'}\ndef step(x):\n    return x in NAMES\n", ("{'a', 'b'}", "{'b', 'a'}"))
case(
    "a global that the step declares and reads",
    CHANGES,
    "COUNT = 1\ndef step(x):\n    global COUNT\n    COUNT += 1\n    return COUNT\n",
    ("COUNT = 1", "COUNT = 2"),
)
case("a global that the step only sets", SAME, "COUNT = 1\ndef step(x):\n    global COUNT\n    COUNT = x\n", ("COUNT = 1", "COUNT = 2"))
case("a numpy array", CHANGES, "import numpy as np\nWEIGHTS = np.array([1.0, 2.0])\ndef step(x):\n    return WEIGHTS @ x\n", ("2.0", "3.0"))
case(
    "the type of a numpy array",
    CHANGES,
    "import numpy as np\nWEIGHTS = np.array([1, 2], 'i4')\ndef step(x):\n    return WEIGHTS @ x\n",
    ("'i4'", "'u4'"),
)
case(
    "a cell of a data frame",
    CHANGES,
    "import pandas as pd\nTABLE = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\ndef step(x):\n    return TABLE.merge(x)\n",
    ("'y'", "'z'"),
)
case(
    "a path, a date, a pattern",
    CHANGES,
    "import datetime, pathlib, re\nTHINGS = [pathlib.PurePosixPath('a'), datetime.date(2024, 1, 1), re.compile('b')]\ndef step(x):\n    return THINGS\n",
    ("'b'", "'c'"),
)
case(
    "a logger",
    SAME,
    "import logging\nlog = logging.getLogger('a')\ndef step(x):\n    log.info('x')\n",
    ("log = ", "logging.basicConfig()\nlog = "),
)

case(
    "the name of a logger, as in `getLogger(__name__)`",
    SAME,
    "import logging\nlog = logging.getLogger('a')\ndef step(x):\n    log.info('x')\n",
    ("'a'", "'b'"),
)
case(
    "`__name__` and `__file__`, in another folder or run as a script",
    SAME,
    "def step(x):\n    return __name__, __file__\n" + SCRIPT,
    runs=(How(), How("script", folder="moved")),
)
case(
    "the state of `random` behind a name imported from it",
    SAME,
    "import random\nfrom random import randint\nrandom.seed(1)\ndef step(x):\n    return randint(1, x)\n",
    ("seed(1)", "seed(2)"),
)
case(
    "the state of a generator of random numbers of one's own",
    CHANGES,
    "import random\nrng = random.Random(1)\ndef step(x):\n    return rng.random()\n",
    ("(1)", "(2)"),
)
case(
    "the environment",
    SAME,
    "import os\nfrom os import environ\nos.environ['LIMIT'] = '1'\ndef step(x):\n    return environ['LIMIT']\n",
    ("'1'", "'2'"),
    runs=ALONE,
)
case(
    "a constant of the standard library by another name",
    CHANGES,
    "from math import pi as c\ndef step(x):\n    return x * c\n",
    ("import pi", "import e"),
)

# Names that are computed

case(
    "a helper by `getattr` with a literal name",
    CHANGES,
    {**AS, "steps.py": "import tools\ndef step(x):\n    return getattr(tools, 'helper')(x)\n"},
    ("x + 1", "x + 2"),
)
case(
    "a helper by `getattr` on an own module with a computed name",
    CHANGES,
    {**AS, "steps.py": "import tools\ndef step(x):\n    return getattr(tools, x)(x)\n"},
    ("x + 1", "x + 2"),
)
case(
    "a helper by `globals()[…]` with a literal name",
    CHANGES,
    HELPED.replace("return helper(x)", "return globals()['helper'](x)"),
    ("x + 1", "x + 2"),
)
case(
    "a helper by `import_module` with a literal name",
    CHANGES,
    {**AS, "steps.py": "import importlib\ndef step(x):\n    return importlib.import_module('tools').helper(x)\n"},
    ("x + 1", "x + 2"),
)
case(
    "a helper by `globals()[…]` with a computed name",
    NOTED,
    HELPED.replace("return helper(x)", "return globals()[x](x)"),
    ("x + 1", "x + 2"),
)
case(
    "a helper by `import_module` with a computed name",
    NOTED,
    {**AS, "steps.py": "import importlib\ndef step(x):\n    return importlib.import_module(x).helper(x)\n"},
    ("x + 1", "x + 2"),
)
case(
    "a helper by `getattr` on an object with a computed name",
    NOTED,
    HELPED.replace("return helper(x)", "return getattr(x, x.name)()"),
    ("x + 1", "x + 2"),
)
case(
    "a helper that only the text given to `eval` names",
    NOTED,
    HELPED.replace("return helper(x)", "return eval('helper(x)')"),
    ("x + 1", "x + 2"),
)
case(
    "a helper that only the text given to `exec` names", NOTED, HELPED.replace("return helper(x)", "exec('helper(x)')"), ("x + 1", "x + 2")
)
case(
    "a global whose value cannot be taken, such as a generator",
    NOTED,
    "SOURCE = (i for i in range(3))\ndef step(x):\n    return next(SOURCE)\n",
    ("range(3)", "range(4)"),
)

# What others wrote

LIBRARY = {
    "steps.py": "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'site-packages'))\nimport grid_tools\ndef step(x):\n    return grid_tools.go(x)\n",
    "site-packages/grid_tools/__init__.py": "def go(x):\n    return x + 1\n",
    "site-packages/Grid.Tools-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Grid.Tools\nVersion: 1.0\n",
    "site-packages/Grid.Tools-1.0.dist-info/RECORD": "grid_tools/__init__.py,,\nGrid.Tools-1.0.dist-info/METADATA,,\n",
}
case("the version of a third-party distribution that the code names", CHANGES, LIBRARY, ("Version: 1.0", "Version: 1.1"), runs=ALONE)
case("the files of a third-party distribution, version unchanged", SAME, LIBRARY, ("x + 1", "x + 2"), runs=ALONE)
case(
    "the version of a distribution that the code does not name",
    SAME,
    {**LIBRARY, "steps.py": LIBRARY["steps.py"].replace("grid_tools.go(x)", "x")},
    ("Version: 1.0", "Version: 1.1"),
    runs=ALONE,
)
INSIDE = {
    **LIBRARY,
    "steps.py": LIBRARY["steps.py"].replace("import grid_tools\n", "").replace("    return", "    import grid_tools\n    return"),
}
case("the version of a distribution imported inside the function", CHANGES, INSIDE, ("Version: 1.0", "Version: 1.1"), runs=ALONE)
case(
    "which function of the standard library a name stands for",
    CHANGES,
    "from math import sin as f\ndef step(x):\n    return f(x)\n",
    ("import sin", "import cos"),
)
case("an alias of the standard library", CHANGES, "import math as m\ndef step(x):\n    return m.sqrt(x)\n", ("math as", "cmath as"))

SINGLETON = {
    **LIBRARY,
    "steps.py": LIBRARY["steps.py"]
    .replace("import grid_tools\n", "from grid_tools import state\nstate.count = 1\n")
    .replace("grid_tools.go(x)", "state.count"),
    "site-packages/grid_tools/__init__.py": "class State:\n    pass\nstate = State()\n",
}
case("the state of an object that a third party offers by name", SAME, SINGLETON, ("count = 1", "count = 2"), runs=ALONE)
case("the version of the distribution that offers such an object", CHANGES, SINGLETON, ("Version: 1.0", "Version: 1.1"), runs=ALONE)
APP = {
    **LIBRARY,
    "steps.py": LIBRARY["steps.py"]
    .replace("def step", "app = grid_tools.App()\napp.log = iter([1])\n@app.task\ndef helper(x):\n    return x + 10\ndef step")
    .replace("grid_tools.go(x)", "helper(x)"),
    "site-packages/grid_tools/__init__.py": "class App:\n    def task(self, f):\n        return lambda x: f(x)\n",
}
case("a function under a method of a third party's object, as `@app.task`", CHANGES, APP, ("x + 10", "x + 20"), runs=ALONE)
case("what else such an object holds", SAME, APP, ("iter([1])", "iter([2])"), runs=ALONE)

# Notebooks

NOTEBOOK = {"cell1": "RATE = 1\ndef helper(x):\n    return x * RATE\n", "cell2": "def step(x):\n    return helper(x)\n", "cell3": "\n"}
BOTH = (How("cells"), How("cells"))
case("a helper in a cell", CHANGES, NOTEBOOK, ("x * RATE", "x / RATE"), runs=BOTH)
case("a comment in a cell", SAME, NOTEBOOK, ("    return x *", "    # a remark\n    return x *"), runs=BOTH)
case("a constant in a cell", CHANGES, NOTEBOOK, ("RATE = 1", "RATE = 2"), runs=BOTH)
AGAIN = {**NOTEBOOK, "cell3": "def helper(x):\n    return x + 1\n"}
case("a helper that a later cell defines again", CHANGES, AGAIN, ("x + 1", "x + 2"), runs=BOTH)
case("the earlier definition of such a helper", SAME, AGAIN, ("x * RATE", "x / RATE"), runs=BOTH)
CELL_CLASS = {
    "cell1": "from dataclasses import dataclass\n@dataclass\nclass Config:\n    size: int = 1\n",
    "cell2": "def step(x):\n    return Config()\n",
}
case("a dataclass in a cell", CHANGES, CELL_CLASS, ("size: int", "size: float"), runs=BOTH)


def write(folder: Path, files: dict[str, str], how: How) -> Path:
    """Write a project and give the place that it is run from."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if how.mode != "zip":
        return folder
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        for name in files:
            archive.write(folder / name, name)
            (folder / name).unlink()
    return folder / "app.zip"


def start(places: list[Path], how: How, cwd: Path) -> "subprocess.Popen[str]":
    """Start a process that prints the fingerprint of the step of each project."""
    program = {"script": [str(places[0] / "steps.py")], "cells": ["-c", CELLS]}.get(how.mode, ["-c", IMPORT])
    command = [sys.executable, *how.options, *program, *map(str, places)]
    environment = {**os.environ, "PYTHONHASHSEED": how.seed}
    return subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """Give what the process printed."""
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Run the cases that need no process of their own: all projects as they are in one process, all as edited in another."""
    folder = tmp_path_factory.mktemp("cases")
    cases = [case for case in CASES if not case.runs[0].alone]
    before = [write(folder / str(number) / "before", case.before, SHARED) for number, case in enumerate(cases)]
    after = [write(folder / str(number) / "after", case.after, SHARED) for number, case in enumerate(cases)]
    processes = [start(places, SHARED, folder) for places in (before, after)]
    printed = [finish(process) for process in processes]
    return {case.what: pair for case, pair in zip(cases, zip(*printed, strict=True), strict=True)}


def run_alone(case: Case, folder: Path) -> tuple[dict[str, Any], ...]:
    """Run a case in two fresh processes."""
    processes = []
    for name, files, how in zip(("before", "after"), (case.before, case.after), case.runs, strict=True):
        place = write(folder / name / how.folder, files, how)
        processes.append(start([place], how, folder if how.elsewhere else folder / name / how.folder))
    return tuple(finish(process)[0] for process in processes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_edit(case: Case, shared: dict[str, tuple[dict[str, Any], ...]], tmp_path: Path) -> None:
    """The key changes when it must, stays when it may, and what cannot be followed is said."""
    before, after = run_alone(case, tmp_path) if case.runs[0].alone else shared[case.what]
    assert (before["digest"] != after["digest"]) == (case.effect == CHANGES), (before, after)
    if case.effect == NOTED:
        assert before["not_followed"] != []
    elif "exec" not in case.what:
        assert [note for note in before["not_followed"] if "getattr with a computed name" not in note] == []


def rows() -> list[str]:
    """Give the rows of the table."""
    return [f"| {case.what} | {case.effect} |" for case in CASES]


def test_the_documentation_lists_these_cases() -> None:
    """The table in the documentation is this list."""
    page = Path(__file__).parents[3] / "docs" / "caching.md"
    found = [
        line
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and line.endswith((f"{CHANGES} |", f"{SAME} |", f"{NOTED} |"))
    ]
    assert found == rows()
    assert len(found) >= 60
    assert len({case.what for case in CASES}) == len(CASES)


if __name__ == "__main__":
    print("\n".join(rows()))
