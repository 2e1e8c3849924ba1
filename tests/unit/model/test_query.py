"""The language of questions about metadata."""

import math
from datetime import UTC, datetime

import pytest

from lineal.errors import UsageError
from lineal.model.query import MAX_COMPARISONS, MAX_DEPTH, MAX_LENGTH, And, Compare, Exists, Not, Or, parse_query
from lineal.testing.query import matches

A, B, C = (Compare((key,), "==", 1) for key in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("accuracy > 0.9 and split == 'test'", And((Compare(("accuracy",), ">", 0.9), Compare(("split",), "==", "test")))),
        ("a == 1 or b == 1 and c == 1", Or((A, And((B, C))))),
        ("(a == 1 or b == 1) AND NOT c == 1", And((Or((A, B)), Not(C)))),
        ("not not a exists", Not(Not(Exists(("a",))))),
        ("scores.`val loss`.x <= -1e-3", Compare(("scores", "val loss", "x"), "<=", -0.001)),
        ("a != 1", And((Exists(("a",)), Not(A)))),
        ("a in [1, 'x', null]", Or((A, Compare(("a",), "==", "x"), Compare(("a",), "==", None)))),
        ("a not in []", And((Exists(("a",)), Not(Or(()))))),
        (r"""a == 'it\'s' or a == "\"\\" """, Or((Compare(("a",), "==", "it's"), Compare(("a",), "==", '"\\')))),
        ("a == True", Compare(("a",), "==", True)),
        ("a > 2026-06-01", Compare(("a",), ">", datetime(2026, 6, 1, tzinfo=UTC))),
        ("a > 2026-06-01T02:30+02:00", Compare(("a",), ">", datetime(2026, 6, 1, 0, 30, tzinfo=UTC))),
        ("a == 36893488147419103232", Compare(("a",), "==", float(1 << 65))),
        ("ärger == 1", Compare(("ärger",), "==", 1)),
    ],
)
def test_a_query_becomes_a_tree(text: str, tree: object) -> None:
    """Not binds tighter than and, and tighter than or; != and not in ask for the key as well."""
    parsed = parse_query(text)
    assert parsed == tree
    assert repr(parsed) == repr(tree)  # True is not 1 here


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy = 0.9", "character 10: '=' cannot be read here; equality is written ==. Here: accuracy  --> = 0.9"),
        ("a ==", "character 5: expected a number, a 'text', true, false, null or a time, got the end. Here: a == -->"),
        ("a == 1 b == 2", "character 8: expected and, or, or the end, got 'b'. Here: a == 1  --> b == 2"),
        ("a > true", "character 3: > needs a value that has an order"),
        ("a > nan", "character 3: > needs a value that has an order"),
        ("a == 'x", "the text does not end"),
        ("a == 2026-13-01", "2026-13-01 is not a time"),
        ("0.9 < a", "expected a key, not or \\("),
        ("val-loss == 1", "backquotes"),
        ("a not 3", "expected in, got '3'"),
        ("(a == 1", "expected \\), got the end"),
        ("a in [1 2]", "expected ,, got '2'"),
        ("'; DROP TABLE versions --", "cannot be read here"),
        ("", "expected a key"),
    ],
)
def test_an_error_shows_the_place(text: str, message: str) -> None:
    """With what was expected, what came, and an arrow."""
    with pytest.raises(UsageError, match=message if "\\" in message else message.replace("(", r"\(").replace(")", r"\)")):
        parse_query(text)


def test_a_long_query_is_cut_in_its_error() -> None:
    """The message stays one that a person can read."""
    with pytest.raises(UsageError) as caught:
        parse_query("a == 1 and " * 90 + "? " + "x" * 1000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MAX_DEPTH + 1),
        "not " * 2000,
        " or ".join(["a == 1"] * (MAX_COMPARISONS + 1)),
        f"a in [{'1,' * 300}1]",
        " " * (MAX_LENGTH + 1),
    ],
)
def test_queries_have_bounds(text: str) -> None:
    """A query from outside cannot cost more than a moment."""
    with pytest.raises(UsageError, match="at most"):
        parse_query(text)


@pytest.mark.parametrize(
    "text", ["(" * MAX_DEPTH + "a == 1" + ")" * MAX_DEPTH, " or ".join(["a == 1"] * MAX_COMPARISONS), "a == 1" + " " * (MAX_LENGTH - 6)]
)
def test_queries_at_the_bounds_are_read(text: str) -> None:
    """The bounds are what is said, and not one less."""
    assert parse_query(text)


def test_a_query_is_text() -> None:
    """A dict, as other systems have it, is refused with the form that works."""
    with pytest.raises(UsageError, match=r"accuracy > 0\.9"):
        parse_query({"accuracy": 1})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n == 1", True), ("n == 1.0", True), ("n == '1'", False), ("n == true", False), ("yes == true", True), ("yes == 1", False),
        ("no == null", True), ("gone == null", False), ("gone != 1", False), ("not gone == 1", True), ("n != 'a'", True),
        ("bad == nan", True), ("bad < 1", False), ("big > 1e300", True), ("deep.x == 2", True), ("n.x exists", False), ("t < 'b'", True),
    ],
)  # fmt: skip
def test_kinds_are_told_apart(text: str, expected: bool) -> None:
    """A number is no text, true is not 1, what is not there compares with nothing."""
    metadata = {"n": 1, "yes": True, "no": None, "bad": math.nan, "big": math.inf, "deep": {"x": 2}, "t": "a"}
    assert matches(parse_query(text), metadata) is expected
