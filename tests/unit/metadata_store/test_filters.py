"""Filters and sort orders."""

import pytest

from lineal.errors import UsageError
from lineal.metadata_store.filters import SORTS, fields, like, order, where


def test_values_are_bound_and_never_part_of_the_statement() -> None:
    """Whatever stands in a value, the statement's text is the same."""
    harmless, _ = where("versions", {"artifact": "a", "tag": ["x", "y"]})
    hostile, parameters = where("versions", {"artifact": "a'; DROP TABLE runs --", "tag": ["x' OR 1=1", "y"]})
    assert hostile == harmless
    assert parameters == ["a'; DROP TABLE runs --", "x' OR 1=1", "y"]
    assert hostile.count("?") == 3


def test_like_escapes_all_but_the_star() -> None:
    """`%`, `_` and the escape itself stand for themselves."""
    assert like(r"50%_\*") == r"50\%\_\\%"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("runs", "pipeline name status tag metadata created_after created_before"),
        ("versions", "artifact name version tag data_type type pipeline step run metadata created_after created_before"),
        ("step_runs", "name step status pipeline run metadata created_after created_before"),
        ("artifacts", "name tag data_type type"),
    ],
)
def test_fields_are_those_of_the_contract(listed: str, expected: str) -> None:
    """What base.py promises, no more and no less."""
    assert set(fields(listed)) == set(expected.split())


def test_order_ends_with_the_row_so_that_pages_do_not_overlap() -> None:
    """Equal values would otherwise come in any order, differently for each page."""
    assert order("runs", "-name") == "r.name DESC, r.id DESC"
    assert order("versions", "created") == "v.id ASC"
    for listed, sorts in SORTS.items():
        assert all(order(listed, sort).endswith("ASC") for sort in sorts)


@pytest.mark.parametrize(
    "given", [{"created_after": 1.5}, {"created_before": True}, {"created_after": 1 << 63}, {"tag": [1]}, {"version": 1.0}]
)
def test_values_of_the_wrong_type_are_refused(given: dict[str, object]) -> None:
    """A time as text or a float would compare without an error and be wrong."""
    with pytest.raises(UsageError, match=next(iter(given))):
        where("versions", given)


def test_filters_have_bounds() -> None:
    """A pattern or list that would keep the database busy is refused; stars in a row are one star."""
    assert where("runs", {"name": "a" + "*" * 5000})[1] == ["a%"]
    for filters in ({"name": "a*" * 9}, {"name": "a" * 300}, {"status": ["running"] * 1001}):
        with pytest.raises(UsageError, match="at most"):
            where("runs", filters)
