"""How annotations and values are named in messages."""

import collections.abc
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar, Union

import numpy as np
import pandas as pd
import pytest

from lineal.graph.describe import describe, describe_value

T = TypeVar("T")
UserId = NewType("UserId", int)


class Outer:
    """Holds a class."""

    class Inner:
        """A class in a class."""


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (None, "None"),
        (type(None), "None"),
        (int, "int"),
        (Any, "Any"),
        (Optional[int], "int | None"),  # noqa: UP045
        (Union[int, str], "int | str"),  # noqa: UP007
        (int | None, "int | None"),
        (list[int], "list[int]"),
        (typing.List, "List"),  # noqa: UP006
        (dict[str, list[float] | None], "dict[str, list[float] | None]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Callable[[int, str], bool], "Callable[[int, str], bool]"),
        (Callable[..., Any], "Callable[..., Any]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Annotated[int, "name"], "int"),
        (collections.abc.Sequence[int], "Sequence[int]"),
        (type[int], "type[int]"),
        (T, "T"),
        (UserId, "UserId"),
        (pd.DataFrame, "pandas.DataFrame"),
        (np.float64, "numpy.float64"),
        (Outer.Inner, f"{__name__}.Outer.Inner"),
    ],
    ids=str,
)
def test_annotations_read_as_they_are_written(annotation: Any, text: str) -> None:
    """No `typing.`, no `<class ...>`; the library's name where it tells types apart."""
    assert describe(annotation) == text


def test_a_local_class_is_named_without_its_function() -> None:
    """`<locals>` says nothing to a user."""

    class Local:
        """A local class."""

    assert describe(Local) == f"{__name__}.Local"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (1, "int 1"),
        (True, "bool True"),
        (2.5, "float 2.5"),
        ("no", "str 'no'"),
        (b"x", "bytes b'x'"),
        ("y" * 50, f"str {'y' * 40!r}..."),
        (10**40, "int of 133 bits"),
        (10**10000, "int of 33220 bits"),
        ([1, 2], "list of 2"),
        ({}, "dict of 0"),
        (pd.DataFrame({"a": [1]}), "pandas.DataFrame"),
        (np.zeros(3), "numpy.ndarray"),
        (np.float32(1), "numpy.float32"),
        (len, "builtin_function_or_method"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_short(value: object, text: str) -> None:
    """The type always, the value only when it is short: a message never prints a table or a secret of a thousand lines."""
    assert describe_value(value) == text


def test_a_value_is_never_asked_to_print_itself() -> None:
    """A class whose repr fails or takes minutes can be named all the same."""

    class Broken(str):
        """Cannot be printed."""

        __slots__ = ()

        def __repr__(self) -> str:
            raise AssertionError("asked")

    assert describe_value(Broken("x")) == f"{__name__}.Broken"
    assert describe_value([Broken("x")]) == "list of 1"
