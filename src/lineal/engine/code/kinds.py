"""What kind of thing a live value is, asked of its type: a proxy answers `isinstance` for what it stands for, or raises."""

from types import FunctionType, ModuleType
from typing import Any, TypeGuard


def is_function(value: object) -> TypeGuard[FunctionType]:
    """Tell whether a value is a function written in Python."""
    return issubclass(type(value), FunctionType)


def is_class(value: object) -> TypeGuard[type]:
    """Tell whether a value is a class."""
    return issubclass(type(value), type)


def is_module(value: object) -> TypeGuard[ModuleType]:
    """Tell whether a value is a module."""
    return issubclass(type(value), ModuleType)


def asked(value: object, name: str) -> Any:
    """Give an attribute of a value, None when it has none or fails to give it."""
    try:
        return getattr(value, name, None)
    except Exception:  # whatever the value's own code raises
        return None
