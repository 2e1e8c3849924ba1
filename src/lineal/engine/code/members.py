"""What of a live class counts: its own members, without what Python, dataclasses and enums add to it."""

from collections.abc import Iterator
from enum import Enum
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from lineal.engine.code.kinds import is_function

# A class with one of these has methods that were generated from what its body says.
_GENERATES = ("__dataclass_fields__", "_fields", "__attrs_attrs__")
_ANNOTATING = ("__annotate__", "__annotate_func__")  # since Python 3.14; what they give is in the class's body
_NOT_SAID = (GetSetDescriptorType, MemberDescriptorType)  # slots, __dict__, __weakref__


def members_of(cls: type) -> Iterator[tuple[str, Any]]:
    """Give the members that count, by name in order."""
    names = vars(cls)
    generates = any(mark in names for mark in _GENERATES)
    values = {name: member.value for name, member in cls.__members__.items()} if issubclass(cls, Enum) else {}
    for name in sorted(names):
        value = names[name]
        if name in values or name.startswith("_abc_") or issubclass(type(value), _NOT_SAID) or type(value).__name__ == "_tuplegetter":
            continue
        if issubclass(cls, Enum) and name.startswith("_") and name.endswith("_") and not _function_of(value):
            continue
        if name.startswith("__") and name.endswith("__"):
            function = _function_of(value)
            if function is None or name in _ANNOTATING or (generates and function.__code__.co_filename.startswith("<")):
                continue
        yield name, value
    yield from sorted(values.items())


def _function_of(value: Any) -> FunctionType | None:
    """Give the innermost function of a method; those that dataclasses generate come wrapped."""
    value = value.__func__ if type(value) in (staticmethod, classmethod) else value
    seen = set()
    while is_function(value) and id(value) not in seen:
        seen.add(id(value))
        inner = value.__dict__.get("__wrapped__")
        if inner is None:
            return value
        value = inner
    return value if is_function(value) else None
