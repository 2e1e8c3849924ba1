"""What is worth knowing about instances of dataclasses, pydantic models, attrs classes, namedtuples and enums: their schema.

The values themselves are typed JSON (`lineal.model.values`), saved by `json/1` or `container/1`.
"""

import typing
from collections.abc import Mapping
from typing import Any

from lineal.model.records import Json
from lineal.model.scripts import module_of
from lineal.model.values_classes import ENUM, class_name, describe

MOST_FIELDS = 200
"""How many fields a schema names at most."""


def is_structured(cls: type) -> bool:
    """Tell whether instances of a class are held field by field."""
    return describe(cls) is not None


def schema(value: Any) -> Mapping[str, Json]:
    """Give the class of an instance and the type of each field: `{"class": "train:Config", "fields": {"lr": "float"}}`."""
    cls = type(value)
    shape = describe(cls)
    if shape is None:
        return {}
    facts: dict[str, Json] = {"class": class_name(cls), "kind": shape.kind}
    if shape is ENUM:
        return {**facts, "members": list(cls.__members__)[:MOST_FIELDS]}
    annotations = _annotations(cls)
    names = list(shape.read(value)["fields"])[:MOST_FIELDS]
    return {**facts, "fields": {name: _shown(annotations.get(name, Any)) for name in names}}


def _annotations(cls: type) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except Exception:  # names that cannot be read here; as they are written then
        return getattr(cls, "__annotations__", {})


def _shown(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return (
            annotation.__qualname__
            if annotation.__module__ in ("builtins", "typing")
            else f"{module_of(annotation)}.{annotation.__qualname__}"
        )
    return str(annotation).replace("typing.", "")
