"""Small questions about live code."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

from lineal.engine.code.kinds import asked, is_class, is_function
from lineal.engine.code.origins import origin_of_file, origin_of_module
from lineal.engine.code.values import attributes, is_lineal


def layers_of(function: Any) -> Iterator[Any]:
    """Give a callable and what it wraps, outermost first."""
    seen: set[int] = set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        yield function
        if type(function) is partial:
            function = function.func
        elif type(function) is MethodType:
            function = function.__func__
        elif is_lineal(type(function)):
            function = asked(function, "__wrapped__")
        else:
            function = attributes(function).get("__wrapped__")


def defaults_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Give the default of each parameter that has one."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    # From the end, and not by name alone: who replaces the code of a function may leave it with more defaults than parameters.
    for place, value in enumerate(reversed(function.__defaults__ or ()), 1):
        yield names[-place] if place <= len(names) else f"-{place}", value
    yield from (function.__kwdefaults__ or {}).items()


def content_of(cell: CellType) -> Any:
    """Give what a closure cell holds, None when it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def items_of(content: Any) -> Iterable[Any]:
    """Give the items of a plain container, or the one thing that it is."""
    if type(content) is dict:
        return [*content, *content.values()]
    return content if type(content) in (list, tuple) else (content,)


def is_own(token: Any) -> bool:
    """Tell whether a token stands for the user's own code, or for something that holds some of it."""
    kind = token[0]
    if kind == "reference":
        return is_own(token[1])
    if kind in ("step", "wrapper", "method"):
        return isinstance(token[-1], list | tuple) and is_own(token[-1])
    return kind in ("own", "compiled") or (kind == "outside" and len(token) > 3) or (kind == "lineal" and len(token) > 2)


def is_standard(token: Any) -> bool:
    """Tell whether a token stands for code of the standard library that holds nothing of the user's."""
    return token[0] == "reference" and token[1][0] == "outside" and len(token[1]) == 3 and origin_of_module(token[1][1]) == "standard"


def is_from_lineal(value: Any, outside: tuple[str, ...]) -> bool:
    """Tell whether a name is one of Lineal's; `outside` is how it is written when it is a name in someone else's module."""
    if outside:
        return outside[0].partition(".")[0] == "lineal"
    if is_function(value):
        return origin_of_file(value.__code__.co_filename) == "lineal"
    return is_lineal(value if is_class(value) else type(value))


def loaded_module(module: str | None) -> ModuleType | None:
    """Give a module by name if it is loaded."""
    return sys.modules.get(module) if isinstance(module, str) else None


def key_of(module: str, name: str) -> str:
    """Give the key of a part: `prep.clean`, `prep:Cleaner.run`."""
    if not module or not name:
        return name or module
    return f"{module}:{name}" if "." in name else f"{module}.{name}"


def member_key(owner: str, name: str) -> str:
    """Give the key of a member of the class with the key `owner`."""
    if ":" in owner:
        return f"{owner}.{name}"
    module, _, last = owner.rpartition(".")
    return f"{module}:{last}.{name}"
