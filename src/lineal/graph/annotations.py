"""Annotations as keys and as aliases: what was worked out for each is remembered, and aliases are opened."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin

T = TypeVar("T")

_REMEMBERED = 4096


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
