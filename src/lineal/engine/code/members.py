"""What of a live class counts: its own members, without what Python, dataclasses and enums add to it."""

from collections.abc import Iterator
from enum import Enum
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

# A class with one of these has methods that were generated from what its body says.
_GENERATES = ("__dataclass_fields__", "_fields", "__attrs_attrs__")
_NOT_SAID = (GetSetDescriptorType, MemberDescriptorType)  # slots, __dict__, __weakref__


def members_of(cls: type) -> Iterator[tuple[str, Any]]:
    """Give the members that count, by name in order."""
    names = vars(cls)
    generates = any(mark in names for mark in _GENERATES)
    values = {name: member.value for name, member in cls.__members__.items()} if issubclass(cls, Enum) else {}
    for name in sorted(names):
        value = names[name]
        if name in values or name.startswith("_abc_") or isinstance(value, _NOT_SAID) or type(value).__name__ == "_tuplegetter":
            continue
        if issubclass(cls, Enum) and name.startswith("_") and name.endswith("_") and not _function_of(value):
            continue
        if name.startswith("__") and name.endswith("__"):
            function = _function_of(value)
            if function is None or (generates and function.__code__.co_filename.startswith("<")):
                continue
        yield name, value
    yield from sorted(values.items())


def _function_of(value: Any) -> FunctionType | None:
    """Give the innermost function of a method; those that dataclasses generate come wrapped."""
    value = getattr(value, "__func__", value)
    seen = set()
    while isinstance(value, FunctionType) and id(value) not in seen:
        seen.add(id(value))
        inner = value.__dict__.get("__wrapped__")
        if inner is None:
            return value
        value = inner
    return value if isinstance(value, FunctionType) else None
