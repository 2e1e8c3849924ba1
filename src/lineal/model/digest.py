"""Every hash formula of Lineal, in one file.

A digest is BLAKE3 over one canonical encoding in which each value carries a tag for its type and a length, so that no two
different values, and no two argument lists of different shape, share an encoding: `1`, `1.0`, `True`, `"1"` and `b"1"` all
differ, and `("ab", "c")` is not `("a", "bc")`. Dictionaries and sets are ordered by the encoding of their keys, so neither
insertion order nor the hash seed matters; lists and tuples keep their order and differ from each other.

The text form is 64 lower-case hexadecimal digits. The store's identity file names the algorithm.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from blake3 import blake3

CHUNK = 1 << 20


def of(tag: str, *parts: object) -> str:
    """Give the digest of a tagged tuple of parts: 64 hexadecimal digits.

    Parts may be None, bool, int, float, str, bytes, and lists, tuples, sets, frozensets and dicts of such. Raises TypeError for others.
    """
    out: list[bytes] = []
    _encode((tag, *parts), out)
    return blake3(b"".join(out)).hexdigest()


def of_bytes(data: Any) -> str:
    """Give the digest of plain bytes, the same as of a file that holds them."""
    return blake3(data).hexdigest()


def of_object(files: Iterable[tuple[str, int, str]]) -> str:
    """Give the digest of an object from its listing: (relative POSIX path, size in bytes, file digest), in any order."""
    return of("object/1", sorted((path, size, digest) for path, size, digest in files))


def of_call(
    code: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, str],
    policy: Mapping[str, Any],
) -> str:
    """Give the cache key of a call: what code runs, on which values, stored how (`design.md`, section 7)."""
    return of("step/1", code, dict(parameters), dict(inputs), dict(outputs), dict(policy))


def encode(value: object) -> bytes:
    """Give the canonical encoding of a value, for use as a part or for a comparison."""
    out: list[bytes] = []
    _encode(value, out)
    return b"".join(out)


def _frame(tag: bytes, payload: bytes, out: list[bytes]) -> None:
    out.append(b"%s%d:" % (tag, len(payload)))
    out.append(payload)


def _encode_str(value: Any, out: list[bytes]) -> None:
    _frame(b"s", value.encode("utf-8", "surrogatepass"), out)


def _encode_bytes(value: Any, out: list[bytes]) -> None:
    _frame(b"b", value, out)


def _encode_int(value: Any, out: list[bytes]) -> None:
    # Hexadecimal: decimal text of huge integers is refused by Python above 4,300 digits.
    _frame(b"i", b"%x" % value if value >= 0 else b"-%x" % -value, out)


def _encode_float(value: Any, out: list[bytes]) -> None:
    # All NaNs are one value here: their payload bits are not part of what a user can see. -0.0 and 0.0 differ.
    out.append(b"f8:" + (struct.pack(">d", value) if value == value else b"\x7f\xf8" + bytes(6)))


def _encode_bool(value: Any, out: list[bytes]) -> None:
    out.append(b"T0:" if value else b"F0:")


def _encode_none(value: Any, out: list[bytes]) -> None:
    out.append(b"n0:")


def _encode_list(value: Any, out: list[bytes]) -> None:
    out.append(b"l%d:" % len(value))
    for item in value:
        _encode(item, out)


def _encode_tuple(value: Any, out: list[bytes]) -> None:
    out.append(b"t%d:" % len(value))
    for item in value:
        _encode(item, out)


def _encode_dict(value: Any, out: list[bytes]) -> None:
    out.append(b"d%d:" % len(value))
    for key, item in sorted(((encode(key), item) for key, item in value.items()), key=_first):
        out.append(key)
        _encode(item, out)


def _encode_set(value: Any, out: list[bytes]) -> None:
    out.append(b"S%d:" % len(value))
    out.extend(sorted(encode(item) for item in value))


def _encode_frozenset(value: Any, out: list[bytes]) -> None:
    out.append(b"Z%d:" % len(value))
    out.extend(sorted(encode(item) for item in value))


def _first(pair: tuple[bytes, object]) -> bytes:
    return pair[0]


_ENCODERS = {
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


def _encode(value: object, out: list[bytes]) -> None:
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise TypeError(f"cannot digest a {type(value).__module__}.{type(value).__qualname__}: only plain values enter a digest")
    encoder(value, out)
