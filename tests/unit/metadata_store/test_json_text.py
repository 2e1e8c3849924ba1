"""JSON as stored."""

import json
import math

import pytest

from lineal.errors import UsageError
from lineal.metadata_store.json_text import MAX_LENGTH, dump, load


def test_text_is_canonical_and_standard() -> None:
    """Sorted, without spaces, ASCII, and what any JSON reader takes, also with NaN in it."""
    assert dump({"b": 1, "a": [True, None, "ü\x00\ud800"]}) == '{"a":[true,null,"\\u00fc\\u0000\\ud800"],"b":1}'
    json.loads(dump({"x": math.nan}), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "value",
    [{"$float": "nan"}, {"$float": 1, "$": 2}, {"$$float": {"$float": "x"}}, {"a": "$float"}, ['"$'], math.inf, [-math.inf, {"a": 1e300}]],
)
def test_marks_do_not_clash_with_what_users_write(value: object) -> None:
    """Whatever looks like our own mark comes back as it was."""
    assert load(dump(value)) == value


def test_nan_comes_back() -> None:
    """Also beside a user's own key that looks like the mark."""
    found = load(dump({"x": [math.nan], "$float": math.nan}))
    assert math.isnan(found["x"][0])
    assert math.isnan(found["$float"])


def test_spaces_around_a_text_are_nothing_and_more_text_is_an_error() -> None:
    """A request may have the one; a text that was cut or joined must not be taken for what it begins with."""
    assert load(' \n{"a":[1]}\r\n') == {"a": [1]}
    for text in ('{"a":[1]}{}', '{"a":[1]', "", "1 2"):
        with pytest.raises(json.JSONDecodeError):
            load(text)


def test_what_cannot_be_held_is_refused_with_its_owner() -> None:
    """Other types, circles, abysses and masses end in a UsageError, never in a RecursionError."""
    circle: list[object] = []
    circle.append(circle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    medium: object = 1
    for _ in range(250):
        medium = {"a": medium, "b": []}
    for value in ({1, 2}, {"x": object()}, circle, deep, medium, {"a": math.nan, "b": circle}, "x" * MAX_LENGTH, {"a": 1, 2: "b"}):
        with pytest.raises(UsageError, match="metadata of 'model'"):
            dump(value, "metadata of 'model'")
    shallow = {"rows": [[n] for n in range(1000)]}
    assert load(dump(shallow)) == shallow
