"""Chooses how two values are compared: as what both of them are."""

from collections.abc import Sequence
from typing import Any

from lineal.compare.arrays import as_array, compare_arrays
from lineal.compare.base import Comparison
from lineal.compare.models import compare_models, has_parameters
from lineal.compare.plain import compare_plain
from lineal.compare.tables import as_table, compare_tables
from lineal.compare.texts import compare_bytes, compare_text
from lineal.errors import UsageError


def compare_values(one: Any, other: Any, key: str | Sequence[str] | None = None) -> Comparison:
    """Compare two values.

    Args:
        one: The value before.
        other: The value after.
        key: Column, or columns, by which rows of tables are matched; by default the index.

    Raises UsageError for a key when they are no tables, or one that does not tell rows apart.
    """
    if key is None:
        return _compare(one, other)
    tables = as_table(one), as_table(other)
    if tables[0] is None or tables[1] is None:
        raise UsageError(f"key= says how rows of tables are matched; these are a {_name(one)} and a {_name(other)}")
    return compare_tables(tables[0], tables[1], key)


def _compare(one: Any, other: Any) -> Comparison:
    known = _known(one, other)
    if known is not None:
        return known
    if isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
        return compare_text(one, other)
    if isinstance(one, bytes) and isinstance(other, bytes):
        return compare_bytes(one, other)
    return compare_plain(one, other, _known)


def _known(one: Any, other: Any) -> Comparison | None:
    """Compare two values that are both tables, arrays or models; None when they are not."""
    tables = as_table(one), as_table(other)
    if tables[0] is not None and tables[1] is not None:
        return compare_tables(tables[0], tables[1], None)
    arrays = as_array(one), as_array(other)
    if arrays[0] is not None and arrays[1] is not None:
        return compare_arrays(*arrays)
    return compare_models(one, other, _known) if has_parameters(one) and has_parameters(other) else None


def _name(value: Any) -> str:
    return type(value).__qualname__
