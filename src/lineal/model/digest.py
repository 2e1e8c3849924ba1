"""Every hash formula of Lineal, in one file.

A digest is BLAKE3 over one canonical encoding in which each value carries a tag for its type and a length, so that no two
different values, and no two argument lists of different shape, share an encoding: `1`, `1.0`, `True`, `"1"` and `b"1"` all
differ, and `("ab", "c")` is not `("a", "bc")`. Dictionaries and sets are ordered by the encoding of their keys, so neither
insertion order nor the hash seed matters; lists and tuples keep their order and differ from each other.

The text form is 64 lower-case hexadecimal digits. The store's identity file names the algorithm.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

from blake3 import blake3

CHUNK = 1 << 20


def of(tag: str, *parts: object) -> str:
    """Give the digest of a tagged tuple of parts: 64 hexadecimal digits.

    Parts may be None, bool, int, float, str, bytes, and lists, tuples, sets, frozensets and dicts of such. Raises TypeError for others,
    subclasses too, and ValueError for a nesting too deep to follow.
    """
    return blake3(encode((tag, *parts))).hexdigest()


def of_text(tag: str, text: str) -> str:
    """Give `of(tag, text)`, in half the time: it is asked for everything that a step's code reaches."""
    return blake3(b"t2:" + _encode_key(tag) + _encode_str(text)).hexdigest()


def of_bytes(data: Any) -> str:
    """Give the digest of plain bytes, the same as of a file that holds them."""
    return blake3(data).hexdigest()


def of_object(files: Iterable[tuple[str, int, str]]) -> str:
    """Give the digest of an object from its listing: (relative POSIX path, size in bytes, file digest), in any order."""
    # `of("object/1", [(path, size, digest), ...])`, written out: a folder has 100,000 of them.
    parts = [b"t3:" + _encode_str(path) + _encode_int(size) + _encode_str(digest) for path, size, digest in sorted(files)]
    return blake3(b"t2:" + _encode_key("object/1") + _head(b"l", len(parts)) + b"".join(parts)).hexdigest()


def of_call(
    code: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    policy: Mapping[str, Any],
) -> str:
    """Give the cache key of a call: what code runs, on which values, stored how (`design.md`, section 7)."""
    # `of("step/1", code, parameters, inputs, outputs, policy)`, written out: a cached step takes a tenth of its time for this.
    try:
        parts = _encode_dict(parameters) + _encode_dict(inputs) + _encode_names(tuple(outputs.items())) + _encode_dict(policy)
    except RecursionError:
        raise _too_deep() from None
    return blake3(_CALL + _encode_key(code) + parts).hexdigest()


def encode(value: object) -> bytes:
    """Give the canonical encoding of a value, for use as a part or for a comparison. Raises as `of` does."""
    try:
        return _ENCODERS[type(value)](value)
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> ValueError:
    return ValueError("cannot digest a value that is nested this deeply, or that contains itself")


# Each encoder gives the whole encoding of one value. Small heads are made once: making them would be half of the work.
_HEADS = {tag: tuple(b"%c%d:" % (tag, size) for size in range(256)) for tag in b"sbiltdSZ"}
_STR = _HEADS[ord("s")]
_NAN = b"f8:\x7f\xf8" + bytes(6)
_pack = struct.Struct(">d").pack


def _head(tag: bytes, size: int) -> bytes:
    return _HEADS[tag[0]][size] if size < 256 else b"%b%d:" % (tag, size)


def _encode_str(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    size = len(data)
    return (_STR[size] if size < 256 else b"s%d:" % size) + data


_encode_key = lru_cache(4096)(_encode_str)  # the names of arguments and outputs come again at every call


def _encode_bytes(value: bytes) -> bytes:
    return _head(b"b", len(value)) + value


def _encode_int(value: int) -> bytes:
    # Hexadecimal: decimal text of huge integers is refused by Python above 4,300 digits.
    data = b"%x" % value
    return _head(b"i", len(data)) + data


def _encode_float(value: float) -> bytes:
    # All NaNs are one value here: their payload bits are not part of what a user can see. -0.0 and 0.0 differ.
    return b"f8:" + _pack(value) if value == value else _NAN


def _encode_bool(value: bool) -> bytes:
    return b"T0:" if value else b"F0:"


def _encode_none(value: None) -> bytes:
    return b"n0:"


def _encode_each(values: Iterable[object]) -> list[bytes]:
    # Most parts are text: asking for it first spares a look-up each.
    return [_encode_str(value) if type(value) is str else _ENCODERS[type(value)](value) for value in values]


def _encode_list(value: list[object]) -> bytes:
    return _head(b"l", len(value)) + b"".join(_encode_each(value))


def _encode_tuple(value: tuple[object, ...]) -> bytes:
    return _head(b"t", len(value)) + b"".join(_encode_each(value))


def _encode_dict(value: Mapping[Any, object]) -> bytes:
    if not value:
        return b"d0:"
    pairs = [
        (_encode_key(key) if type(key) is str else _ENCODERS[type(key)](key))
        + (_encode_str(item) if type(item) is str else _ENCODERS[type(item)](item))
        for key, item in value.items()
    ]
    # No key's encoding begins another's, so whole pairs sort as their keys do; two NaNs, which encode alike, by their items.
    pairs.sort()
    return _head(b"d", len(pairs)) + b"".join(pairs)


@lru_cache(1024)
def _encode_names(pairs: tuple[tuple[str, str], ...]) -> bytes:
    return _encode_dict(dict(pairs))


_CALL = b"t6:" + _encode_str("step/1")


def _encode_set(value: set[object]) -> bytes:
    return _head(b"S", len(value)) + b"".join(sorted(_encode_each(value)))


def _encode_frozenset(value: frozenset[object]) -> bytes:
    return _head(b"Z", len(value)) + b"".join(sorted(_encode_each(value)))


class _Encoders(dict[type, Callable[[Any], bytes]]):
    """Encoders by exact type: a subclass may hold more than its base shows."""

    def __missing__(self, kind: type) -> NoReturn:
        raise TypeError(f"cannot digest a {kind.__module__}.{kind.__qualname__}: only plain values enter a digest")


_ENCODERS = _Encoders(
    {
        str: _encode_str,
        bytes: _encode_bytes,
        int: _encode_int,
        float: _encode_float,
        bool: _encode_bool,
        type(None): _encode_none,
        list: _encode_list,
        tuple: _encode_tuple,
        dict: _encode_dict,
        set: _encode_set,
        frozenset: _encode_frozenset,
    }
)
