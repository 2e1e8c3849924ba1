"""Annotations and values as messages name them."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_BARE = frozenset({"builtins", "__main__", "typing", "typing_extensions", "types", "collections", "collections.abc"})


def describe(annotation: Any) -> str:
    """Give an annotation as a user would write it: `int | None`, `dict[str, pandas.DataFrame]`."""
    if annotation is None or annotation is types.NoneType:
        return "None"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return describe(arguments[0])
    if origin is Union or origin is types.UnionType:
        return " | ".join(map(describe, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None and arguments:
        return f"{describe(origin)}[{', '.join(map(describe, arguments))}]"
    return _name_of(annotation)


def _name_of(annotation: Any) -> str:
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):  # the arguments of a Callable
        return f"[{', '.join(map(describe, annotation))}]"
    if isinstance(annotation, type):
        name = annotation.__qualname__.rpartition("<locals>.")[2]
        return name if annotation.__module__ in _BARE else f"{annotation.__module__}.{name}"
    given = getattr(annotation, "__name__", None)
    return given if isinstance(given, str) else repr(annotation).removeprefix("typing.")


_SHORT = frozenset({int, float, complex, bool, str, bytes})
_SIZED = (list, tuple, set, frozenset, dict)


def describe_value(value: object) -> str:
    """Give the type of a value, and the value when it is short: `str 'no'`, `list of 3`, `pandas.DataFrame`. Never a long text."""
    if value is None:
        return "None"
    kind = describe(type(value))
    if type(value) in _SHORT:
        if isinstance(value, int) and value.bit_length() > 100:
            return f"{kind} of {value.bit_length()} bits"
        text = repr(value[:40] if isinstance(value, str | bytes) else value)
        return f"{kind} {text}{'...' if isinstance(value, str | bytes) and len(value) > 40 else ''}"
    return f"{kind} of {len(value)}" if isinstance(value, _SIZED) else kind
