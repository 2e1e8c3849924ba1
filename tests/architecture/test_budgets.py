"""The budgets of the house: how long, how deep, how tangled."""

import ast
import statistics
from graphlib import CycleError, TopologicalSorter
from typing import Any

LONGEST_MODULE = 500
MEDIAN_MODULE = 150
LONGEST_FUNCTION = 60
DEEPEST_IMPORT = 8  # rooms; see docs/decisions/0002-import-depth-by-rooms.md
DEEPEST_INSIDE = 8  # modules of one room

# Functions that may be longer than the limit: "module:function" -> why it is clearer in one piece.
LONG_FUNCTIONS: dict[str, str] = {}

# Modules that may import by name: -> why.
BY_NAME = {
    "lineal": "the public names are loaded on first use, so that `import lineal` stays fast",
    "lineal.cli.app": "each subcommand is loaded when it is used, so that `lineal --help` stays fast",
    "lineal.engine.code.resolve": "a module that a step imports in its body is the user's, and its code is part of what the step does",
    "lineal.engine.dependencies": "a cache policy may name a module of the user's, whose code is then part of what counts",
    "lineal.engine.origin": "the pipeline of an earlier run is found by importing the user's module in which it stands",
    "lineal.engine.recall": "a stored step is found by importing the user's module in which it stands",
    "lineal.engine.remote": "a worker imports the user's module in which a step stands",
    "lineal.materializers": "the public names are loaded on first use: whoever needs a module of the room needs none of the others",
    "lineal.materializers.registry": "a library's materializers are loaded when the first value of one of its types appears",
    "lineal.materializers.sklearn": "of the modules on its list only those that a model names are loaded, to see that it names their own",
    "lineal.views.replay": "a debugger is named by the user and loaded only when one is wanted",
    "lineal.testing": "the suites need pytest, which is loaded when one of them is named",
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
    """The longest chain of rooms, each importing the next, is short, and so is the longest chain inside a room."""
    between: dict[str, set[str]] = {}
    inside: dict[str, set[str]] = {}
    for module, needed in runtime_imports.items():
        own = _room(module)
        between.setdefault(own, set()).update(_room(each) for each in needed if _room(each) != own)
        inside[module] = {each for each in needed if _room(each) == own}
    for graph, limit in ((between, DEEPEST_IMPORT), (inside, DEEPEST_INSIDE)):
        longest = _longest_chain(graph)
        assert len(longest) <= limit, " -> ".join(longest)


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _longest_chain(graph: dict[str, set[str]]) -> list[str]:
    chains: dict[str, list[str]] = {}
    for node in TopologicalSorter(graph).static_order():
        chains[node] = [node, *max((chains[needed] for needed in graph.get(node, ())), key=len, default=[])]
    return max(chains.values(), key=len)


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
