"""The budgets of the house: how long, how deep, how tangled."""

import ast
import statistics
from graphlib import CycleError, TopologicalSorter
from typing import Any

LONGEST_MODULE = 500
MEDIAN_MODULE = 150
LONGEST_FUNCTION = 60
DEEPEST_IMPORT = 8

# Functions that may be longer than the limit: "module:function" -> why it is clearer in one piece.
LONG_FUNCTIONS: dict[str, str] = {}

# Modules that may import by name: -> why.
BY_NAME = {
    "lineal": "the public names are loaded on first use, so that `import lineal` stays fast",
    "lineal.cli.app": "each subcommand is loaded when it is used, so that `lineal --help` stays fast",
    "lineal.engine.remote": "a worker imports the user's module in which a step stands",
    "lineal.materializers.registry": "a library's materializers are loaded when the first value of one of its types appears",
}


def test_no_module_is_longer_than_the_limit(sources: list[Any]) -> None:
    """A module fits in a reader's head."""
    assert {s.module: s.lines for s in sources if s.lines > LONGEST_MODULE} == {}


def test_the_median_module_is_short(sources: list[Any]) -> None:
    """The limit is for exceptions; the middle stays small. Bare package files do not count."""
    assert statistics.median(s.lines for s in sources if s.lines > 3) <= MEDIAN_MODULE


def test_no_function_is_longer_than_the_limit(sources: list[Any]) -> None:
    """A function fits on a screen; exceptions are listed with a reason, and only as long as they are needed."""
    long = {}
    for source in sources:
        for name, node in source.functions():
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                long[f"{source.module}:{name}"] = lines
    assert {name: lines for name, lines in long.items() if not LONG_FUNCTIONS.get(name)} == {}
    assert set(LONG_FUNCTIONS) <= set(long)


def test_no_import_cycle(imports: dict[str, set[str]]) -> None:
    """Modules can be read, and replaced, one after the other."""
    cycle = None
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        cycle = error.args[1]
    assert cycle is None


def test_import_depth(runtime_imports: dict[str, set[str]]) -> None:
    """The longest chain of own modules, each importing the next, is short."""
    chains: dict[str, list[str]] = {}
    for module in TopologicalSorter(runtime_imports).static_order():
        chains[module] = [module, *max((chains[needed] for needed in runtime_imports[module]), key=len, default=[])]
    longest = max(chains.values(), key=len)
    assert len(longest) <= DEEPEST_IMPORT, " -> ".join(longest)


def test_no_own_import_hides_inside_a_function(sources: list[Any]) -> None:
    """What a module needs stands at its top, so the graph that the linter sees is the whole graph."""
    hidden = [
        f"{source.path}:{inner.lineno}"
        for source in sources
        for _, function in source.functions()
        for inner in ast.walk(function)
        if (isinstance(inner, ast.ImportFrom) and (inner.level or (inner.module or "").split(".")[0] == "lineal"))
        or (isinstance(inner, ast.Import) and any(alias.name.split(".")[0] == "lineal" for alias in inner.names))
    ]
    assert hidden == []


def test_only_the_listed_modules_import_by_name(sources: list[Any]) -> None:
    """`importlib` and `__import__` are the other way to hide an import."""
    by_name = {
        source.module
        for source in sources
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr == "import_module")
        or (isinstance(node, ast.Name) and node.id in ("import_module", "__import__"))
    }
    assert by_name <= set(BY_NAME)
