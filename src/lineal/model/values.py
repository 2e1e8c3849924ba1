"""Typed JSON: one exact codec for plain Python values, for parameters and for the format `json/1`.

Text, numbers, true, false, null, lists, and dictionaries whose keys are text are plain JSON, for any tool to open. Everything else
is an object that says what it is, `{"$type": "tuple", "items": [1, 2]}`; a dictionary that itself has a key `$type` is written that
way too, so nothing collides. What comes back is equal and of exactly the same types, dictionaries in the same order.

`identity` gives the same content for a cache key: there the order of dictionaries and sets makes no difference.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from lineal.errors import MaterializerError, NotPlain
from lineal.model.records import Json
from lineal.model.values_read import ForeignReader, Reader
from lineal.model.values_types import ATOMS, TAG
from lineal.model.values_write import DEEPEST, LEVELS, NESTING, Foreign, Writer, holds, is_held, parts_of

__all__ = [
    "ATOMS",
    "DEEPEST",
    "LEVELS",
    "NESTING",
    "NotPlain",
    "dumps",
    "from_json",
    "holds",
    "identity",
    "is_held",
    "loads",
    "parse",
    "parts_of",
    "text",
    "to_json",
]

_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode
_decode: Final = json.JSONDecoder().decode
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_IDENTICAL: Final = _SCALARS | {bytes}
_STR: Final = frozenset({str})


def to_json(value: Any, *, name: str = "", foreign: Foreign | None = None) -> Json:
    """Give a value as typed JSON: dicts, lists, text, numbers, booleans and None.

    Args:
        value: What to write. Its parts may nest 10,000 levels deep, members of sets and keys of dictionaries 32.
        name: What the path in an error starts with, such as a parameter's name.
        foreign: Writes what the codec does not know, such as arrays inside a list.

    Raises NotPlain, with the path to the value, for what cannot be held and for cyclic values.
    """
    return Writer(name, foreign=foreign).run(value)


def from_json(node: Json, type_: Any = None, *, foreign: ForeignReader | None = None) -> Any:
    """Give the value of typed JSON; private to the caller.

    Args:
        node: What `to_json` gave.
        type_: The reader's annotation. Its classes are used for stored ones of the same name; others must be imported already.
        foreign: Reads what `to_json` left to its `foreign`.

    Raises MaterializerError when the node is none of ours, or names a class that is not loaded in this process.
    """
    return Reader(type_, foreign).run(node)


def dumps(value: Any) -> bytes:
    """Give a value as the bytes of compact typed JSON in UTF-8, the same for equal values. Raises NotPlain as `to_json` does."""
    scalar = _SCALAR_TEXT.get(type(value))
    if scalar is not None:
        try:
            return scalar(value)
        except ValueError:
            pass  # not a number, too many digits, a lone surrogate: written with a tag
    elif is_plain_json(value):
        try:
            return _encode(value).encode()
        except ValueError:
            pass
    return text(to_json(value))


def text(node: Json) -> bytes:
    """Give typed JSON as the bytes of its compact text. Raises NotPlain for an attribute whose name is no text."""
    try:
        return _encode(node).encode()
    except UnicodeEncodeError as error:  # values and keys are tagged where need be; names of attributes are not
        raise NotPlain(f"the name of an attribute holds a lone surrogate, which cannot be written: {error}") from error


def loads(data: bytes, type_: Any = None) -> Any:
    """Give the value of what `dumps` gave. See `from_json`."""
    node = parse(data)
    # No tag, nothing to do. As text the tag would have its quotes escaped, so only a key or a whole text can look like it.
    return node if b'"$type"' not in data else from_json(node, type_)


def parse(data: bytes) -> Json:
    """Give the JSON of bytes. Raises MaterializerError when they are none."""
    try:
        return _decode(data.decode())
    except RecursionError as error:
        raise MaterializerError("the JSON is nested too deep to be one that Lineal wrote") from error
    except ValueError as first:
        try:
            return json.loads(data, parse_int=_any_int)  # more digits than this process allows, written by one that allows more
        except ValueError:
            raise MaterializerError(f"these bytes are not JSON: {first}") from first


def identity(value: Any, *, name: str = "") -> Any:
    """Give a plain structure that `lineal.model.digest.of` takes and that is the same for equal values only.

    The order of dictionaries and sets makes no difference, that of lists does. Types are told apart: `1`, `1.0`, `True`, `"1"`,
    a tuple and a list, instances of two classes. Raises NotPlain as `to_json` does.
    """
    if type(value) in _IDENTICAL or is_plain_json(value):
        return value
    return Writer(name, identity=True).run(value)


def is_plain_json(value: Any, levels: int = LEVELS) -> bool:
    """Tell whether a value is nothing but a few levels of lists and text-keyed dictionaries of scalars, which JSON holds as they are."""
    if type(value) is dict:
        if not _STR.issuperset(map(type, value)) or TAG in value:
            return False
        parts: Collection[Any] = value.values()
    elif type(value) is list:
        parts = value
    else:
        return False
    if _SCALARS.issuperset(map(type, parts)):
        return True
    return levels > 1 and all(type(part) in _SCALARS or is_plain_json(part, levels - 1) for part in parts)


def _float_text(value: float) -> bytes:
    if not math.isfinite(value):
        raise ValueError("not a number of JSON")
    return repr(value).encode()


_SCALAR_TEXT: Final[Mapping[type, Callable[[Any], bytes]]] = {
    str: lambda value: _encode(value).encode(),
    int: lambda value: int.__repr__(value).encode(),
    float: _float_text,
    bool: lambda value: b"true" if value else b"false",
    type(None): lambda value: b"null",
}


def _any_int(digits: str) -> int:
    return int(digits) if len(digits) < 640 else int(Decimal(digits))
