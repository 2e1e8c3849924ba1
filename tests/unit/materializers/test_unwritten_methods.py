"""A materializer class without a method that it needs says which one."""

from typing import Any

import pytest

from lineal.materializers.class_based import BaseMaterializer
from lineal.materializers.pandas import _Table
from lineal.materializers.pyarrow import _Arrow


class Unwritten(BaseMaterializer):
    pass


class UnwrittenTable(_Table):
    pass


class UnwrittenArrow(_Arrow):
    pass


@pytest.mark.parametrize(
    ("made", "method", "arguments"),
    [
        (Unwritten("uri"), "save", [1]),
        (Unwritten("uri"), "load", [int]),
        (UnwrittenTable(), "pack", [1]),
        (UnwrittenTable(), "unpack", [{}, iter(()), None]),
        (UnwrittenArrow(), "_table", [1]),
        (UnwrittenArrow(), "_value", [None, []]),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_the_error_names_the_class_and_the_method(made: Any, method: str, arguments: list[Any]) -> None:
    """The same for every shape."""
    with pytest.raises(TypeError, match=rf"^{type(made).__name__} has no {method}\(\)$"):
        getattr(made, method)(*arguments)
