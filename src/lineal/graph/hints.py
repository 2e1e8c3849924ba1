"""Annotations as they stand at a function: text is evaluated there, and what is no annotation is refused."""

import contextlib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from lineal.errors import DefinitionError
from lineal.graph.describe import describe

_NOT_TYPES = (tuple, list, dict, set, int, float, bytes, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)


def resolve(function: Callable[..., Any], of: str, *, returns: bool = True) -> dict[str, Any]:
    """Give the annotations of a plain function by argument, and under "return"; text is evaluated where the function is defined.

    Args:
        function: A function made with `def`.
        of: What the function makes, for messages: "step 'train'".
        returns: Whether the return annotation matters; when not it may be anything.

    Raises DefinitionError, naming step and argument, for an annotation that cannot be resolved or is no type.
    """
    resolved = {}
    scope: dict[str, Any] | None = None
    for name, raw in _raw_annotations(function, of).items():
        if name == "return" and not returns:
            continue
        if isinstance(raw, type):
            resolved[name] = raw
            continue
        if scope is None:
            scope = _scope_of(function)
        place = "its return" if name == "return" else f"the argument {name!r}"
        resolved[name] = hint = _evaluate(raw, function, scope, f"{of}: the annotation %s of {place}")
        if isinstance(hint, _NOT_TYPES):
            remedy = f"; write tuple[{', '.join(map(describe, hint))}]" if isinstance(hint, tuple) else ""
            raise DefinitionError(f"{of}: the annotation of {place} must be a type, got {hint!r}{remedy}")
    return resolved


def _raw_annotations(function: Callable[..., Any], of: str) -> Mapping[str, Any]:
    try:
        return inspect.get_annotations(function)
    except Exception as error:  # Python 3.14 evaluates annotations here, with whatever they raise
        raise DefinitionError(f"{of}: its annotations cannot be resolved: {error}; {_REMEDY}") from error


_REMEDY = "import or define at run time what it names, not under `if TYPE_CHECKING:`"


def _evaluate(raw: Any, function: Callable[..., Any], scope: dict[str, Any], subject: str) -> Any:
    def holder() -> None: ...

    holder.__annotations__ = {"it": raw}
    try:
        return typing.get_type_hints(holder, function.__globals__, scope, include_extras=True)["it"]
    except Exception as error:  # evaluating an annotation runs the user's code, which may raise anything
        shown = repr(raw) if isinstance(raw, str) else describe(raw)
        raise DefinitionError(f"{subject % shown} cannot be resolved: {error}; {_REMEDY}") from error


def _scope_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Give the names that hide those of the module where a function stands."""
    parameters = {parameter.__name__: parameter for parameter in getattr(function, "__type_params__", ())}
    return _locals_around(function) | parameters | _closure_of(function)


def _closure_of(function: Callable[..., Any]) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # empty: the name is bound after the definition, as a recursive function's own is
            found[name] = cell.cell_contents
    return found


def _locals_around(function: Callable[..., Any]) -> dict[str, Any]:
    """Give the names of the functions and classes around a definition that is being made; inner ones win.

    A type that is local to the definer, and that the function's own code does not use, is known to the definer's frame only.
    """
    found: dict[str, Any] = {}
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals is function.__globals__ and function.__qualname__.startswith(f"{frame.f_code.co_qualname}."):
            found = frame.f_locals | found
        frame = frame.f_back
    return found
