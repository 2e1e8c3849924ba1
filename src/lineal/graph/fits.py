"""Whether a value fits an annotation, and where it does not."""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from lineal.graph.annotations import unalias
from lineal.graph.compiled import CONTAINERS, anything, anything_but_none, check_of, is_container
from lineal.graph.describe import describe, describe_value

ELEMENTS = 10_000
"""How many elements of one value are looked at."""


def accepts(annotation: Any, value: object) -> bool:
    """Tell whether a value fits an annotation. What takes any value: MISSING, Any, object, and what cannot be judged from a value.

    A protocol or a user's abstract class takes any value but None: what implements it need not say so. Abstract classes of the
    standard library answer for themselves. `int` fits `float` and both fit `complex`; numpy scalars fit their Python kind.
    """
    try:
        return check_of(annotation)(value, [ELEMENTS])
    except RecursionError:  # nested deeper than Python can follow: what could be seen did fit
        return True


def takes_anything(annotation: Any) -> bool:
    """Tell whether an annotation says nothing about the type, so that a value is taken as it is."""
    return check_of(annotation) in (anything, anything_but_none)


def mismatch(annotation: Any, value: object) -> str:
    """Say how a value does not fit: `must be list[int], got list of 9`, and where inside: `: [3] must be int, got str 'a'`."""
    path, wanted, found = "", annotation, value
    while (wrong := _wrong_element(wanted, found)) is not None:
        path += wrong[0]
        _, wanted, found = wrong
    inside = f": {path.strip()} must be {describe(wanted)}, got {describe_value(found)}" if path else ""
    return f"must be {describe(annotation)}, got {describe_value(value)}{inside}"


def _wrong_element(annotation: Any, value: Any) -> tuple[str, Any, object] | None:
    annotation = _without_wrappers(annotation, value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not arguments or type(value) not in CONTAINERS or not is_container(origin) or not isinstance(value, origin):
        return None
    if issubclass(origin, Mapping) and len(arguments) == 2:
        pairs = [(f" key {key!r:.40}", arguments[0], key) for key in value]
        pairs += [(f"[{key!r:.40}]", arguments[1], item) for key, item in value.items()]
    elif origin is tuple and arguments[-1] is not Ellipsis:
        if len(value) != len(arguments):
            return None
        pairs = [(f"[{index}]", arguments[index], item) for index, item in enumerate(value)]
    else:
        pairs = [(f"[{index}]", arguments[0], item) for index, item in enumerate(value)]
    return next((pair for pair in pairs if not accepts(pair[1], pair[2])), None)


def _without_wrappers(annotation: Any, value: object) -> Any:
    while True:
        annotation = unalias(annotation)
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation = arguments[0]
        elif (
            origin in (Union, types.UnionType) and len(some := [a for a in arguments if a is not types.NoneType]) == 1 and value is not None
        ):
            annotation = some[0]
        else:
            return annotation
