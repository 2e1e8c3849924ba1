"""Named statements."""

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
    left = {name: part for name, sql in SQL.items() for part in ("{", "}") if part in sql.replace("{where}", "").replace("{order}", "")}
    assert left == {}
