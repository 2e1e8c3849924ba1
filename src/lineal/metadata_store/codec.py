"""Facts as JSON and back, for every type that the protocol of metadata stores names, made from its annotations.

A dataclass becomes an object without the fields that have their default, a NamedTuple a list, bytes become base64; everything else is
what JSON has for it. Reading is strict: a field that is not known, a missing one and a value of another type are refused, so nothing is
made of what somebody sent but the records that are asked for. What a record keeps as JSON goes through as it is.
"""

import base64
import binascii
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from lineal.errors import UsageError
from lineal.model.operation import Schema

Convert = Callable[[Any], Any]


class Codec(NamedTuple):
    """How values of one type are written as plain JSON values, and read back. `decode` raises UsageError that says where it went wrong;
    `schema` says as JSON Schema what is written, each record under its name as `title`.
    """

    encode: Convert
    decode: Convert
    schema: Schema


class _Wrong(Exception):
    """What was read is not of its type; the path to it grows on the way out."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path = ""

    def inside(self, part: str) -> "_Wrong":
        self.path = f"{part}{self.path}"
        return self


def codec_of(type_: Any, what: str) -> Codec:
    """Give the codec of a type. `what` names the value in errors.

    Raises TypeError for a type that cannot be sent.
    """
    encode, decode, schema = _codec(type_)

    def checked(value: Any) -> Any:
        try:
            return decode(value)
        except _Wrong as wrong:
            raise UsageError(f"{what}{wrong.path} {wrong.what}") from None

    return Codec(encode, checked, schema)


@lru_cache(512)
def _codec(type_: Any) -> Codec:
    if type_ is Any:
        return Codec(_same, _same, {})
    if type_ in _LEAVES:
        return Codec(_same, _exactly(type_), _LEAVES[type_])
    if type_ is bytes:
        return Codec(lambda value: base64.b64encode(value).decode("ascii"), _bytes, {"type": "string", "contentEncoding": "base64"})
    if type_ is type(None) or type_ is None:
        return Codec(_same, _none, {"type": "null"})
    if isinstance(type_, type) and issubclass(type_, Enum):
        return Codec(lambda value: type_(value).value, _member(type_), {"enum": [each.value for each in type_]})
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin is None:
        return _record(type_, {})
    if origin is typing.Literal:
        return Codec(_same, _one_of(arguments), {"enum": list(arguments)})
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin in _SEQUENCES:
        return _many(_codec(arguments[0]), _SEQUENCES[origin])
    if origin in (dict, Mapping) and arguments[0] is str:
        return _mapping(_codec(arguments[1]))
    return _record(origin, dict(zip(getattr(origin, "__parameters__", ()), arguments, strict=False)))


_INT = 1 << 63
_LEAVES: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": -_INT, "maximum": _INT - 1},
    bool: {"type": "boolean"},
    float: {"type": ["number", "object"]},  # an object for one that is not finite
}
_SEQUENCES: dict[Any, Callable[[list[Any]], Any]] = {list: list, Sequence: list, set: set}


def _same(value: Any) -> Any:
    return value


def _exactly(type_: type) -> Convert:
    def decode(value: Any) -> Any:
        if type(value) is not type_:
            raise _Wrong(f"must be {_NAMES[type_]}, got {_shown(value)}")
        if isinstance(value, int) and not -_INT <= value < _INT:
            raise _Wrong("must fit into 64 bits, and does not")
        return value

    return decode


_NAMES: dict[type, str] = {str: "a str", int: "an int", bool: "a bool", float: "a float"}


def _none(value: Any) -> None:
    if value is not None:
        raise _Wrong(f"must be null, got {_shown(value)}")


def _bytes(value: Any) -> bytes:
    if type(value) is not str:
        raise _Wrong(f"must be base64, got {_shown(value)}")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _Wrong("must be base64, and is not") from None


def _member(type_: type[Enum]) -> Convert:
    members = {member.value: member for member in type_}

    def decode(value: Any) -> Any:
        if type(value) is not str or value not in members:
            raise _Wrong(f"must be one of {', '.join(members)}, got {_shown(value)}")
        return members[value]

    return decode


def _one_of(allowed: tuple[Any, ...]) -> Convert:
    def decode(value: Any) -> Any:
        if type(value) is not str or value not in allowed:
            raise _Wrong(f"must be one of {', '.join(map(str, allowed))}, got {_shown(value)}")
        return value

    return decode


def _union(arguments: tuple[Any, ...]) -> Codec:
    kinds = [each for each in arguments if each is not type(None)]
    if len(kinds) < len(arguments):
        inner = _codec(kinds[0]) if len(kinds) == 1 else _union(tuple(kinds))
        return Codec(
            lambda value: None if value is None else inner.encode(value),
            lambda value: None if value is None else inner.decode(value),
            {"anyOf": [inner.schema, {"type": "null"}]},
        )
    codecs = {kind: _codec(kind) for kind in kinds}
    if not all(is_dataclass(kind) for kind in kinds):
        raise TypeError(f"only records can be told apart in a union, got {arguments}")
    named = {kind.__name__: codec for kind, codec in codecs.items()}

    def decode(value: Any) -> Any:
        if type(value) is not list or len(value) != 2 or type(value[0]) is not str or value[0] not in named:
            raise _Wrong(f"must be one of {', '.join(named)} with its record, got {_shown(value)}")
        return named[value[0]].decode(value[1])

    schema = {"anyOf": [_row_schema([{"const": name}, codec.schema]) for name, codec in named.items()]}
    return Codec(lambda value: [type(value).__name__, codecs[type(value)].encode(value)], decode, schema)


def _listed(value: Any) -> list[Any]:
    if type(value) is not list:
        raise _Wrong(f"must be a list, got {_shown(value)}")
    return value


def _many(inner: Codec, make: Callable[[list[Any]], Any]) -> Codec:
    encode, decode, schema = inner
    listed: Schema = {"type": "array", "items": schema}

    def read(value: Any) -> Any:
        found: list[Any] = []
        try:
            for item in _listed(value):
                found.append(decode(item))  # noqa: PERF401 - the length says which one was wrong
        except _Wrong as wrong:
            raise (wrong.inside(f"[{len(found)}]") if type(value) is list else wrong) from None
        return make(found)

    if encode is _same:
        return Codec(list, read, listed)
    return Codec(lambda value: [encode(item) for item in value], read, listed)


def _tuple(arguments: tuple[Any, ...]) -> Codec:
    if len(arguments) == 2 and arguments[1] is ...:
        return _many(_codec(arguments[0]), tuple)
    return _row([_codec(each) for each in arguments], [f"[{place}]" for place in range(len(arguments))], tuple)


def _row(codecs: Sequence[Codec], names: Sequence[str], make: Callable[[list[Any]], Any]) -> Codec:
    size = len(codecs)

    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != size:
            raise _Wrong(f"must be a list of {size} values, got {_shown(value)}")
        found: list[Any] = []
        try:
            for codec, item in zip(codecs, value, strict=True):
                found.append(codec.decode(item))
        except _Wrong as wrong:
            raise wrong.inside(names[len(found)]) from None
        return make(found)

    schema = _row_schema([codec.schema for codec in codecs])
    if all(codec.encode is _same for codec in codecs):
        return Codec(list, read, schema)
    return Codec(lambda value: [codec.encode(item) for codec, item in zip(codecs, value, strict=True)], read, schema)


def _row_schema(parts: list[Schema]) -> Schema:
    return {"type": "array", "prefixItems": parts, "items": False, "minItems": len(parts), "maxItems": len(parts)}


def _mapping(inner: Codec) -> Codec:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise _Wrong(f"must be an object, got {_shown(value)}")
        found: dict[str, Any] = {}
        for name, item in value.items():
            try:
                found[name] = inner.decode(item)
            except _Wrong as wrong:
                raise wrong.inside(f"[{name!r}]") from None
        return found

    schema: Schema = {"type": "object", "additionalProperties": inner.schema}
    if inner.encode is _same:
        return Codec(dict, read, schema)
    return Codec(lambda value: {name: inner.encode(item) for name, item in value.items()}, read, schema)


def _record(type_: Any, chosen: Mapping[Any, Any]) -> Codec:
    """Give the codec of a dataclass or a NamedTuple; `chosen` are the types that stand for its type variables."""
    is_object = is_dataclass(type_)
    if not (is_object or hasattr(type_, "_fields")):
        raise TypeError(f"{type_!r} is none of the types that can be sent")
    hints = {name: _chosen(hint, chosen) for name, hint in typing.get_type_hints(type_).items()}
    if not is_object:
        names = type_._fields
        return _row([_codec(hints[name]) for name in names], [f".{name}" for name in names], lambda found: type_(*found))
    codecs = {each.name: _codec(hints[each.name]) for each in fields(type_)}
    defaults = {each.name: _default(each) for each in fields(type_)}

    def encode(value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, codec in codecs.items():
            item = getattr(value, name)
            default = defaults[name]
            if item is not default and (item or default or type(item) is not type(default)):  # empty ones need not be the same object
                found[name] = codec.encode(item)
        return found

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _Wrong(f"must be the record of a {type_.__name__}, got {_shown(value)}")
        found: dict[str, Any] = {}
        for name, item in value.items():
            if name not in codecs:
                raise _Wrong(
                    f"has the field {_shown(name)}, which no {type_.__name__} has here; is the other side another version of Lineal?"
                )
            try:
                found[name] = codecs[name].decode(item)
            except _Wrong as wrong:
                raise wrong.inside(f".{name}") from None
        missing = [name for name, default in defaults.items() if default is MISSING and name not in found]
        if missing:
            raise _Wrong(f"lacks {', '.join(missing)}, which a {type_.__name__} has")
        return type_(**found)

    properties = {name: codec.schema for name, codec in codecs.items()}
    required = [name for name, default in defaults.items() if default is MISSING]
    return Codec(encode, read, object_schema(properties, required) | {"title": type_.__name__})


def object_schema(properties: Schema, required: list[str]) -> Schema:
    """Give the schema of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _default(each: Any) -> Any:
    return each.default if each.default_factory is MISSING else each.default_factory()


def _chosen(hint: Any, chosen: Mapping[Any, Any]) -> Any:
    parameters = getattr(hint, "__parameters__", ())
    if not chosen or not parameters:
        return chosen.get(hint, hint) if chosen else hint
    return hint[tuple(chosen[each] for each in parameters)]


def _shown(value: Any) -> str:
    text = ascii(value) if value is None or isinstance(value, bool | int | float | str) else f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
