"""How a misfit is told, and which annotations say nothing."""

import abc
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Optional, Protocol, TypeVar

import pytest

from lineal.graph.fits import mismatch, takes_anything
from lineal.graph.step import MISSING

T = TypeVar("T")


class Shape(Protocol):
    """A protocol."""


class Model(abc.ABC):
    """An abstract class."""

    @abc.abstractmethod
    def fit(self) -> None:
        """Learn."""


@pytest.mark.parametrize("annotation", [MISSING, Any, object, Shape, Model, T, Annotated[Any, "x"], Any | None], ids=str)
def test_annotations_that_say_nothing(annotation: Any) -> None:
    """With these the stored type is taken as it is."""
    assert takes_anything(annotation)


@pytest.mark.parametrize("annotation", [int, None, Mapping, Sequence[int], list[Any], Optional[int], type], ids=str)  # noqa: UP045
def test_annotations_that_say_something(annotation: Any) -> None:
    """With these it matters."""
    assert not takes_anything(annotation)


@pytest.mark.parametrize(
    ("annotation", "value", "text"),
    [
        (int, "a", "must be int, got str 'a'"),
        (list[int], (1,), "must be list[int], got tuple of 1"),
        (list[int], [1, 2, "a"], "must be list[int], got list of 3: [2] must be int, got str 'a'"),
        (set[int], {"a"}, "must be set[int], got set of 1: [0] must be int, got str 'a'"),
        (dict[str, int], {"a": 1, "b": None}, "must be dict[str, int], got dict of 2: ['b'] must be int, got None"),
        (dict[str, int], {1: 1}, "must be dict[str, int], got dict of 1: key 1 must be str, got int 1"),
        (tuple[int, str], (1, 2), "must be tuple[int, str], got tuple of 2: [1] must be str, got int 2"),
        (tuple[int, str], (1,), "must be tuple[int, str], got tuple of 1"),
        (tuple[int, ...], (1, "a"), "must be tuple[int, ...], got tuple of 2: [1] must be int, got str 'a'"),
        (
            dict[str, list[tuple[int, str]]],
            {"a": [(1, "b"), (1, 1)]},
            "must be dict[str, list[tuple[int, str]]], got dict of 1: ['a'][1][1] must be str, got int 1",
        ),
        (Optional[list[int]], ["a"], "must be list[int] | None, got list of 1: [0] must be int, got str 'a'"),  # noqa: UP045
        (Annotated[list[int], "x"], ["a"], "must be list[int], got list of 1: [0] must be int, got str 'a'"),
        (list[int] | list[str], [b""], "must be list[int] | list[str], got list of 1"),
    ],
)
def test_a_misfit_names_the_place(annotation: Any, value: Any, text: str) -> None:
    """Expected, got, and inside a container exactly which element."""
    assert mismatch(annotation, value) == text
