"""Digests: fixed vectors, and the differences that must be seen."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from enum import IntEnum

import blake3
import numpy as np
import pytest

from lineal.model import digest
from lineal.model.records import FileEntry

VECTORS: list[tuple[object, bytes]] = [
    (None, b"n0:"),
    (True, b"T0:"),
    (False, b"F0:"),
    (0, b"i1:0"),
    (255, b"i2:ff"),
    (-255, b"i3:-ff"),
    (1.5, b"f8:\x3f\xf8\x00\x00\x00\x00\x00\x00"),
    (float("nan"), b"f8:\x7f\xf8\x00\x00\x00\x00\x00\x00"),
    ("", b"s0:"),
    ("aé", b"s3:a\xc3\xa9"),
    ("\udc80", b"s3:\xed\xb2\x80"),
    (b"\x00:", b"b2:\x00:"),
    ([], b"l0:"),
    ((), b"t0:"),
    ({}, b"d0:"),
    (set(), b"S0:"),
    (frozenset(), b"Z0:"),
    ([1, "1"], b"l2:i1:1s1:1"),
    (("a", None), b"t2:s1:an0:"),
    ({"b": 1, "a": 2}, b"d2:s1:ai1:2s1:bi1:1"),
    ({2, 1}, b"S2:i1:1i1:2"),
    (frozenset({"a"}), b"Z1:s1:a"),
    ("x" * 255, b"s255:" + b"x" * 255),
    ("x" * 256, b"s256:" + b"x" * 256),
    ([None] * 300, b"l300:" + b"n0:" * 300),
    (b"y" * 1000, b"b1000:" + b"y" * 1000),
]


@pytest.mark.parametrize(("value", "encoded"), VECTORS, ids=[repr(value)[:20] for value, _ in VECTORS])
def test_the_encoding_never_changes(value: object, encoded: bytes) -> None:
    """Stored keys stay valid: these bytes are part of the format, also on both sides of each fast path's limit."""
    assert digest.encode(value) == encoded


def test_a_digest_is_blake3_of_the_tagged_tuple() -> None:
    """Anyone can compute a digest without Lineal."""
    assert digest.of("tag/1", 1, "a") == blake3.blake3(b"t3:s5:tag/1i1:1s1:a").hexdigest()


CALL = ("code", {"lr": 0.1}, {"data": "d1"}, {"output": "json/1"}, {"policy": 1})


def test_known_digests() -> None:
    """Vectors over everything at once: a change here breaks every store that exists."""
    files = [("data.json", 10, "ab" * 32), ("a/b.npy", 0, "cd" * 32)]
    assert digest.of_object(files) == "792107c1f0b130db732defb474c859bedcd7f761badb3ce5472be8a2c0a22ffe"
    assert digest.of_call(*CALL) == "c30dbc8980347ba2b66507413ecba24bed1dfa603986076822c8472489c9a3c0"


ALL_DIFFERENT = [
    1, 1.0, True, "1", b"1", "True", None, "None", "", b"", 0, 0.0, -0.0, False, [], (), {}, set(), frozenset(), [1], (1,), {1}, frozenset({1}),
    ["ab", "c"], ["a", "bc"], [["ab"], "c"], ["ab", ["c"]], {"a": 1}, {"a": "1"}, {"a": True}, {1: "a"}, [("a", 1)], float("inf"), float("-inf"),
    float("nan"), 2**64, -(2**64), "é", "e\u0301", [[], []], [[[]]], {"a": {}}, {"a": []}, {"a": None},
]  # fmt: skip


def test_values_of_different_type_or_shape_differ() -> None:
    """`1`, `1.0`, `True`, `"1"` and `b"1"` are five values, and a list cannot be cut in another place unnoticed."""
    encodings = [digest.encode(value) for value in ALL_DIFFERENT]
    assert len(set(encodings)) == len(encodings)


def test_the_number_and_order_of_parts_matter() -> None:
    """Two argument lists never share a digest."""
    digests = [
        digest.of("t"),
        digest.of("t", None),
        digest.of("t", "a", "b"),
        digest.of("t", "b", "a"),
        digest.of("t", ("a", "b")),
        digest.of("u"),
    ]
    assert len(set(digests)) == len(digests)


def test_the_order_of_insertion_does_not_matter() -> None:
    """A dict is what it holds; so is a set."""
    assert digest.encode({"a": 1, "b": 2, 3: "c"}) == digest.encode({3: "c", "b": 2, "a": 1})
    assert digest.encode({"a", "b", 1, None}) == digest.encode({None, 1, "b", "a"})


def test_keys_that_encode_alike_are_put_in_order_by_what_they_hold() -> None:
    """Two NaNs are two keys of a dict but encode alike: the order in which they came must not show."""
    one, two = float("nan"), float("nan")
    assert digest.encode({one: 1, two: 2}) == digest.encode({two: 2, one: 1})


def test_all_nans_are_one_value() -> None:
    """The payload of a NaN is nothing that a user can see."""
    assert digest.encode(float("nan")) == digest.encode(-float("nan"))


def test_integers_of_any_size() -> None:
    """Python refuses decimal text of more than 4,300 digits; a digest does not need it."""
    assert len({digest.of("i", 10**5000), digest.of("i", 10**5000 + 1), digest.of("i", -(10**5000))}) == 3


class Number(IntEnum):
    """An int that is more than an int."""

    ONE = 1


class Text(str):
    """A str that is more than a str."""

    __slots__ = ()


@pytest.mark.parametrize("value", [object(), Number.ONE, Text("a"), np.float64(1), np.int64(1), 1j, bytearray(b"a"), range(3), len])
@pytest.mark.parametrize(
    "wrap", [lambda v: v, lambda v: [v], lambda v: {"a": v}, lambda v: (1, [v])], ids=["bare", "list", "dict", "nested"]
)
def test_what_is_not_plain_is_refused(value: object, wrap: Callable[[object], object]) -> None:
    """A subclass may hold more than its base shows, so nothing is encoded as something else. The message names the type."""
    with pytest.raises(TypeError, match=type(value).__qualname__):
        digest.of("t", wrap(value))


def test_a_key_that_is_not_plain_is_refused() -> None:
    """Keys follow the same rule as values."""
    with pytest.raises(TypeError, match="Number"):
        digest.encode({Number.ONE: 1})


def test_endless_nesting_is_refused() -> None:
    """A list that contains itself gives an error that says so, not the interpreter's own."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="contains itself"):
        digest.of("t", endless)


def test_the_digest_of_bytes_is_that_of_the_file() -> None:
    """`b3sum` of a stored file gives the same text."""
    assert digest.of_bytes(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert digest.of_bytes(memoryview(b"abc")) == blake3.blake3(b"abc").hexdigest()


def test_an_object_is_its_listing_in_any_order() -> None:
    """The same files give the same digest, whether they come as records or as tuples; a name, a size or a content changes it."""
    files = [FileEntry("a", 1, "d1"), FileEntry("b", 2, "d2")]
    same = [("b", 2, "d2"), ("a", 1, "d1")]
    assert digest.of_object(files) == digest.of_object(same) == digest.of_object(iter(same))
    others = [[("a", 1, "d1")], [("a", 1, "d1"), ("b", 3, "d2")], [("a", 1, "d1"), ("c", 2, "d2")], [("a", 1, "d2"), ("b", 2, "d1")], []]
    assert len({digest.of_object(other) for other in [*others, same]}) == len(others) + 1


@pytest.mark.parametrize("position", range(5))
def test_every_ingredient_of_a_call_enters_its_key(position: int) -> None:
    """Changing any one of code, parameters, inputs, outputs and policy changes the key."""
    changed: list[object] = list(CALL)
    changed[position] = "other" if position == 0 else {"x": "y"}
    assert digest.of_call(*changed) != digest.of_call(*CALL)  # type: ignore[arg-type]


def test_a_parameter_is_no_input() -> None:
    """The same text as a parameter and as an input's digest are different calls."""
    assert digest.of_call("c", {"a": "d"}, {}, {}, {}) != digest.of_call("c", {}, {"a": "d"}, {}, {})


def test_the_key_does_not_depend_on_the_hash_seed() -> None:
    """Two processes with other hash seeds find each other's results."""
    code = (
        "from lineal.model import digest;"
        "print(digest.of_call('c', {'a': {'x', 'y', 'z', 1, None}, 'b': frozenset('qwertyuiop')}, {'d': 'e'}, {'o': 'p'}, {}))"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64


def test_text_and_digest_are_not_confused_with_another_hash() -> None:
    """The algorithm is BLAKE3, not another one with digests of the same length."""
    assert digest.of_bytes(b"abc") != hashlib.sha256(b"abc").hexdigest()
