"""Named statements."""

import re

import pytest

from lineal.metadata_store.statements import SQL, parse


def test_parse_gives_statements_without_comments_and_with_earlier_parts() -> None:
    """A later statement includes an earlier one; what is filled at run time stays."""
    text = "-- about\n-- name: columns\n-- What is asked.\na, b\n\n-- name: all\n-- Everything.\nSELECT {columns}\nFROM t {where};\n"
    assert parse(text) == {"columns": "a, b", "all": "SELECT a, b\nFROM t {where}"}


def test_parse_refuses_a_name_that_is_there_twice() -> None:
    """The second would silently win."""
    with pytest.raises(ValueError, match="'x' is there twice"):
        parse("-- name: x\nSELECT 1;\n-- name: x\nSELECT 2;\n")


def test_only_what_filters_fill_is_left_open() -> None:
    """A misspelt include would reach the database."""
    filled = re.compile(r"\{(where|order|query|sign)\}")
    assert {name: sql for name, sql in SQL.items() if re.search(r"[{}]", filled.sub("", sql))} == {}
