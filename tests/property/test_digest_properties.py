"""Digests over any plain value: equal values have equal encodings, different ones differ."""

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from lineal.model import digest

TEXT = st.text(st.characters(), max_size=300)  # surrogates too
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=300)
KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(max_size=9)
PLAIN = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=5)
        | st.sets(KEYS, max_size=5)
        | st.frozensets(KEYS, max_size=5)
    ),
    max_leaves=12,
)


def typed(value: object) -> object:
    """Give a form that is equal exactly for values that must have the same digest: built another way than the encoder."""
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else struct.pack("<d", value))
    if isinstance(value, list | tuple):
        return (type(value), [typed(item) for item in value])
    if isinstance(value, dict):
        return (dict, sorted(((repr(typed(key)), repr(typed(item))) for key, item in value.items())))
    if isinstance(value, set | frozenset):
        return (type(value), sorted(repr(typed(item)) for item in value))
    return (type(value), value)


def reference(value: object) -> bytes:
    """Encode by the description of the format alone, without any of the encoder's shortcuts."""
    head = {str: "s", bytes: "b", int: "i", list: "l", tuple: "t", dict: "d", set: "S", frozenset: "Z"}
    if value is None:
        return b"n0:"
    if isinstance(value, bool):
        return b"T0:" if value else b"F0:"
    if isinstance(value, float):
        return b"f8:" + (bytes.fromhex("7ff8000000000000") if math.isnan(value) else struct.pack(">d", value))
    if isinstance(value, int):
        payload = format(value, "x").encode()
    elif isinstance(value, str):
        payload = value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        payload = value
    else:
        assert isinstance(value, list | tuple | dict | set | frozenset)
        if isinstance(value, dict):
            parts = [key + item for key, item in sorted((reference(key), reference(item)) for key, item in value.items())]
        else:
            parts = [reference(item) for item in value]
        if isinstance(value, set | frozenset):
            parts.sort()
        return f"{head[type(value)]}{len(value)}:".encode() + b"".join(parts)
    return f"{head[type(value)]}{len(payload)}:".encode() + payload


@given(PLAIN)
def test_the_fast_encoder_equals_the_plain_one(value: object) -> None:
    """Shortcuts skip work and change nothing."""
    assert digest.encode(value) == reference(value)


@given(PLAIN, PLAIN)
def test_encodings_are_equal_exactly_when_values_are(one: object, other: object) -> None:
    """No two different values share an encoding."""
    assert (digest.encode(one) == digest.encode(other)) == (repr(typed(one)) == repr(typed(other)))


@given(st.lists(PLAIN, max_size=4), st.lists(PLAIN, max_size=4))
def test_no_encoding_begins_another(one: list[object], other: list[object]) -> None:
    """Encodings laid end to end can be cut in one way only, which is what makes nested ones unambiguous."""
    assert (b"".join(map(digest.encode, one)) == b"".join(map(digest.encode, other))) == (digest.encode(one) == digest.encode(other))


@given(st.dictionaries(KEYS, ATOMS, max_size=8), st.randoms())
def test_the_order_of_a_dict_does_not_matter(value: dict[object, object], random: object) -> None:
    """However a dict was filled, it has one encoding."""
    items = list(value.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert digest.encode(dict(items)) == digest.encode(value)


@given(st.lists(st.tuples(TEXT, st.integers(0), st.text("0123456789abcdef", min_size=4, max_size=4)), max_size=6), st.randoms())
def test_the_order_of_a_listing_does_not_matter(files: list[tuple[str, int, str]], random: object) -> None:
    """An object's digest is over the set of its files."""
    shuffled = list(files)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest.of_object(shuffled) == digest.of_object(files)
