"""Annotations: resolved where they are text, opened where they are aliases, and what was worked out for each remembered."""

import contextlib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

from lineal.errors import DefinitionError
from lineal.graph.describe import describe

T = TypeVar("T")

_REMEMBERED = 4096
_NOT_TYPES = (tuple, list, dict, set, int, float, bytes, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)


def per_annotation(make: Callable[[Any], T]) -> Callable[[Any], T]:
    """Remember what `make` gives for each annotation.

    By identity, which costs one lookup of an integer: annotations can be unhashable, and equal ones (`int | str` and `str | int`) can
    mean different things to a parser. The entry holds its annotation, so no other object can take the same identity.
    """
    known: dict[int, tuple[Any, T]] = {}

    def remembered(annotation: Any) -> T:
        entry = known.get(id(annotation))
        if entry is None:
            if len(known) >= _REMEMBERED:  # only annotations made anew at each call come to this
                known.clear()
            entry = known[id(annotation)] = (annotation, make(annotation))
        return entry[1]

    return remembered


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


def is_alias(annotation: Any) -> bool:
    """Tell whether this is an alias of PEP 695, from `typing` or from `typing_extensions`."""
    return type(annotation).__name__ == "TypeAliasType"


def unalias(annotation: Any) -> Any:
    """Give what a PEP 695 alias, bare or with arguments, stands for; anything else as it is."""
    while True:
        origin = get_origin(annotation)
        if is_alias(annotation):
            annotation = annotation.__value__
        elif is_alias(origin):
            given = dict(zip(origin.__type_params__, get_args(annotation), strict=False))
            value = origin.__value__
            wanted = getattr(value, "__parameters__", ())
            annotation = value[tuple(given.get(parameter, parameter) for parameter in wanted)] if wanted else value
        else:
            return annotation
