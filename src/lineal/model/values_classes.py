"""Values of users' own classes as named fields: dataclasses, pydantic models, attrs classes, namedtuples and enums.

A class is recorded as `module:qualname` and found again among the classes of the reader's annotation, else among what this process
has imported already. Nothing that stored bytes name is ever imported or called: an instance is made bare and its fields are set.
"""

import dataclasses
import functools
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, EnumType
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from lineal.errors import MaterializerError
from lineal.model.scripts import module_of, script_name

Sections = dict[str, dict[str, Any]]
"""The state of an instance: attributes by name, under `fields`, `extra` (set beside the fields), `private` or `set` (pydantic)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How instances of a class are taken apart and made. `unequal` names sections that do not take part in equality."""

    kind: str
    read: Callable[[Any], Sections]
    make: Callable[[Any, Sections], Any]
    unequal: frozenset[str] = frozenset()


_MISSING: Final = object()
_HEAP_TYPE = 1 << 9  # set for classes that a `class` statement made
_shapes: WeakKeyDictionary[type, Shape | None] = WeakKeyDictionary()
_met: WeakValueDictionary[str, type] = WeakValueDictionary()  # classes inside functions can be found by no other way


def describe(cls: type) -> Shape | None:
    """Give the shape of a class whose instances are held field by field, None for any other class."""
    try:
        return _shapes[cls]
    except KeyError:
        shape = _shape(cls)
        if shape is not None:
            _met[class_name(cls)] = cls
        _shapes[cls] = shape
        return shape


def class_name(cls: type) -> str:
    """Give the name under which a class is recorded: `package.module:Outer.Inner`, the same whether a script is run or imported."""
    return f"{module_of(cls)}:{cls.__qualname__}"


def _shape(cls: type) -> Shape | None:
    if isinstance(cls, EnumType):
        return ENUM
    if issubclass(cls, tuple):
        plain = isinstance(getattr(cls, "_fields", None), tuple) and isinstance(getattr(cls, "_field_defaults", None), dict)
        return NAMEDTUPLE if plain and _solid_base(cls) is tuple and not getattr(cls, "__dictoffset__", 0) else None
    if _solid_base(cls) is not object:
        return None  # holds more than its attributes: a dataclass on top of dict, an exception
    if dataclasses.is_dataclass(cls):
        return DATACLASS
    if hasattr(cls, "__attrs_attrs__"):
        return ATTRS
    base_model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    return PYDANTIC if base_model is not None and issubclass(cls, base_model) else None


def _solid_base(cls: type) -> type:
    base: type = cls
    while base.__flags__ & _HEAP_TYPE:
        base = base.__base__ or object
    return base


def _read_attributes(value: Any, names: tuple[str, ...]) -> Sections:
    fields = {name: found for name in names if (found := getattr(value, name, _MISSING)) is not _MISSING}
    extra = {}
    for name, item in getattr(value, "__dict__", {}).items():
        cached = isinstance(getattr(type(value), name, None), functools.cached_property)  # made again when it is asked for
        if name not in fields and not cached and name != "_attrs_cached_hash":
            extra[name] = item
    return {"fields": fields, "extra": extra} if extra else {"fields": fields}


def _make_attributes(cls: type, sections: Sections, defaults: Mapping[str, Callable[[], Any] | None]) -> Any:
    value: Any = object.__new__(cls)
    for name, item in (_completed(cls, sections["fields"], defaults) | sections.get("extra", {})).items():
        object.__setattr__(value, name, item)
    return value


def _completed(cls: type, fields: dict[str, Any], defaults: Mapping[str, Callable[[], Any] | None]) -> dict[str, Any]:
    """Give one value for each field that the class has today: a field that came later takes its default."""
    gone = fields.keys() - defaults.keys()
    if gone:
        raise MaterializerError(
            f"{class_name(cls)} has no field {', '.join(sorted(gone))} any more, and the stored value has one; "
            "load it with the class as it was, or make the value again"
        )
    full = {}
    for name, default in defaults.items():
        if name in fields:
            full[name] = fields[name]
        elif default is not None:
            full[name] = default()
        else:
            raise MaterializerError(f"the stored {class_name(cls)} has no field {name!r}, which has no default; make the value again")
    return full


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _read_dataclass(value: Any) -> Sections:
    return _read_attributes(value, tuple(field.name for field in dataclasses.fields(value)))


def _make_dataclass(cls: Any, sections: Sections) -> Any:
    defaults: dict[str, Callable[[], Any] | None] = {}
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            defaults[field.name] = _constant(field.default)
        else:
            defaults[field.name] = None if field.default_factory is dataclasses.MISSING else field.default_factory
    return _make_attributes(cls, sections, defaults)


def _read_attrs(value: Any) -> Sections:
    return _read_attributes(value, tuple(attribute.name for attribute in type(value).__attrs_attrs__))


def _make_attrs(cls: Any, sections: Sections) -> Any:
    nothing = sys.modules["attr"].NOTHING
    defaults: dict[str, Callable[[], Any] | None] = {}
    for attribute in cls.__attrs_attrs__:
        default = attribute.default
        if default is nothing or getattr(default, "takes_self", False):
            defaults[attribute.name] = None
        else:
            defaults[attribute.name] = getattr(default, "factory", None) or _constant(default)
    return _make_attributes(cls, sections, defaults)


def _read_namedtuple(value: Any) -> Sections:
    return {"fields": dict(zip(value._fields, value, strict=True))}


def _make_namedtuple(cls: Any, sections: Sections) -> Any:
    given = {name: _constant(default) for name, default in cls._field_defaults.items()}
    full = _completed(cls, sections["fields"], {name: given.get(name) for name in cls._fields})
    return tuple.__new__(cls, full.values())


def _read_pydantic(value: Any) -> Sections:
    own = type(value).model_fields
    sections = {
        "fields": {name: item for name, item in value.__dict__.items() if name in own},
        "set": dict.fromkeys(sorted(value.model_fields_set), True),
        "extra": value.__pydantic_extra__,
        "private": value.__pydantic_private__,
    }
    return {name: section for name, section in sections.items() if section or name == "fields"}


def _make_pydantic(cls: Any, sections: Sections) -> Any:
    defaults: dict[str, Callable[[], Any] | None] = {
        name: None if field.is_required() else functools.partial(field.get_default, call_default_factory=True)
        for name, field in cls.model_fields.items()
    }
    value = cls.__new__(cls)
    value.__setstate__(
        {
            "__dict__": _completed(cls, sections["fields"], defaults),
            "__pydantic_fields_set__": set(sections.get("set", ())),
            "__pydantic_extra__": sections.get("extra", {}) if cls.model_config.get("extra") == "allow" else None,
            "__pydantic_private__": {**_private_defaults(cls), **sections.get("private", {})} if cls.__private_attributes__ else None,
        }
    )
    return value


def _private_defaults(cls: Any) -> dict[str, Any]:
    undefined = sys.modules["pydantic_core"].PydanticUndefined
    defaults = {name: private.get_default() for name, private in cls.__private_attributes__.items()}
    return {name: default for name, default in defaults.items() if default is not undefined}


def _read_enum(value: Any) -> Sections:
    name = value.name
    if name is not None and type(value).__members__.get(name) is value:
        return {"member": {"name": name}, "worth": {"value": value.value}}
    return {"member": {"value": value.value}}  # several flags at once


def _make_enum(cls: Any, sections: Sections) -> Any:
    member = sections["member"]
    if "name" not in member:
        return cls(member["value"])
    if member["name"] not in cls.__members__:
        raise MaterializerError(f"{class_name(cls)} has no member {member['name']!r}; it has {', '.join(cls.__members__)}")
    return cls.__members__[member["name"]]


ENUM: Final = Shape("enum", _read_enum, _make_enum)
NAMEDTUPLE: Final = Shape("namedtuple", _read_namedtuple, _make_namedtuple)
DATACLASS: Final = Shape("dataclass", _read_dataclass, _make_dataclass)
ATTRS: Final = Shape("attrs", _read_attrs, _make_attrs)
PYDANTIC: Final = Shape("pydantic", _read_pydantic, _make_pydantic, frozenset({"set"}))
SHAPES: Final[Mapping[str, Shape]] = {shape.kind: shape for shape in (ENUM, NAMEDTUPLE, DATACLASS, ATTRS, PYDANTIC)}


def find_class(name: str, kind: str, hints: Mapping[str, type]) -> type:
    """Give the class that a stored value names, without importing anything.

    Args:
        name: `module:qualname`, as recorded.
        kind: The kind of class that it must be, a key of SHAPES.
        hints: Classes that the reader's annotation holds, by name; they come first.

    Raises MaterializerError when no such class is loaded in this process.
    """
    cls = hints.get(name) or _loaded(name) or _namesake(name, hints) or _met.get(name)
    module = name.partition(":")[0]
    if cls is None:
        remedy = "pass the type to load" if module == "__main__" or "<locals>" in name else f"import {module} first, or pass the type"
        raise MaterializerError(f"the stored value is a {name.replace(':', '.')}, which is not loaded here: {remedy}")
    shape = describe(cls)
    if shape is None or shape.kind != kind:
        raise MaterializerError(f"{name} was stored as {kind}, and is none any more; load it with the class as it was")
    return cls


def _loaded(name: str) -> type | None:
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module) or (sys.modules.get("__main__") if module == script_name() else None)
    for part in path.split("."):
        # Not getattr: a module's __getattr__ may import what it is asked for.
        found = getattr(found, "__dict__", {}).get(part)
    return found if isinstance(found, type) else None


def _namesake(name: str, hints: Mapping[str, type]) -> type | None:
    """Give the one class of the annotation with that name in any module: it may have moved, and a notebook is no module at all."""
    path = name.partition(":")[2]
    same = {id(cls): cls for cls in hints.values() if cls.__qualname__ == path}
    return next(iter(same.values())) if len(same) == 1 else None


def classes_in(annotation: Any) -> dict[str, type]:
    """Give every class that an annotation reaches, also through type arguments and the fields of classes, by recorded name."""
    found: dict[str, type] = {}
    seen: set[int] = set()
    waiting = [annotation]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or each is None:
            continue
        seen.add(id(each))
        if isinstance(each, type) and not issubclass(each, Enum | str | int):
            waiting.extend(_field_types(each))
        if isinstance(each, type):
            found.setdefault(class_name(each), each)
        waiting.extend(_within(each))
    return found


def _within(annotation: Any) -> Iterator[Any]:
    yield from typing.get_args(annotation)
    for name in ("__origin__", "__supertype__", "__value__", "__bound__"):  # generic alias, NewType, type alias, TypeVar
        inner = getattr(annotation, name, None)
        if inner is not None:
            yield inner


def _field_types(cls: type) -> list[Any]:
    if describe(cls) is None and not typing.is_typeddict(cls):
        return []
    try:
        return list(typing.get_type_hints(cls).values())
    except Exception:
        return []  # a forward reference that cannot be read: the classes behind it are looked up among those loaded
