"""JSON as stored: canonical (sorted keys, no spaces, ASCII), standard, and the same value when read again.

Standard JSON has no NaN and no infinities, and databases refuse texts that hold them, so such a float is written as
`{"$float": "nan"}`; a user's own key that begins with `$` gets one `$` more. Non-ASCII characters, NUL and lone surrogates are
escapes, which every database keeps.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from lineal.errors import UsageError

MAX_LENGTH = 16 << 20
"""Longest text in characters."""

MAX_DEPTH = 200
"""Deepest nesting, well below what the reading side's recursion can take."""

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_encode_as_it_is = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().raw_decode
_FLOAT = "$float"


def dump(value: Any, what: str = "value") -> str:
    """Give the text of a value that JSON can hold, floats of any kind included.

    Raises UsageError, naming `what`, for a value of another type, a circle, nesting deeper than MAX_DEPTH or a text longer than MAX_LENGTH.
    """
    text = _text(value, what, _encode)
    if len(text) > 2 * MAX_DEPTH and text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value, what)
    if len(text) > MAX_LENGTH:
        raise UsageError(f"{what} has {len(text)} characters as JSON, at most {MAX_LENGTH} are kept; save it as an artifact instead")
    return text


def dump_whole(value: Any, what: str) -> str:
    """Give the text of something that holds many such values, in the order in which it has them and of any length.

    Raises UsageError as `dump` does; how deep a value nests is for whoever keeps it to look at.
    """
    return _text(value, what, _encode_as_it_is)


def _text(value: Any, what: str, encode: Callable[[Any], str]) -> str:
    try:
        try:
            text = encode(value)
            if '"$' in text:
                text = encode(_escaped(value))
        except ValueError as error:
            if "Circular" in str(error):
                raise
            text = encode(_escaped(value))  # NaN or an infinity
    except (TypeError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(
            f"{what} cannot be kept as JSON: {reason}; give numbers, strings, booleans, None, lists and dicts of such"
        ) from error
    return text


def load(text: str) -> Any:
    """Give the value of a stored text."""
    text = text.strip()  # a request's; a stored one has no spaces around it, for which `decode` would look by patterns
    value, end = _decode(text)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return _unescaped(value) if '"$' in text else value


def _escaped(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: str(float(value))}
    if isinstance(value, Mapping):
        return {f"${key}" if isinstance(key, str) and key.startswith("$") else key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value


def _unescaped(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_FLOAT}:
            return float(value[_FLOAT])
        return {key[1:] if key.startswith("$$") else key: _unescaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return value


_LEAVES = frozenset({str, int, float, bool, type(None)})


def _check_depth(value: Any, what: str) -> None:
    level, depth = [value] if isinstance(value, Mapping | list | tuple) else [], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UsageError(f"{what} is nested more than {MAX_DEPTH} levels deep; save it as an artifact instead")
        children = [item.values() if isinstance(item, Mapping) else item for item in level]
        # Most items are text and numbers, and to ask an abstract class about each would cost more than to write it.
        level = [item for items in children for item in items if type(item) not in _LEAVES and isinstance(item, Mapping | list | tuple)]
