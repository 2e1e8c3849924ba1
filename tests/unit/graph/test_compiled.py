"""Whether values fit annotations: the rules, kind by kind."""

# ruff: noqa: UP006, UP007, UP013, UP035, UP045, PYI024, PYI061 - the older spellings are what is tested

import abc
import collections
import enum
import io
import numbers
import os
import pathlib
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, Protocol, Tuple, TypedDict, TypeVar, Union
from unittest.mock import Mock

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from lineal.graph.compiled import check_of
from lineal.graph.fits import ELEMENTS, accepts
from lineal.graph.step import MISSING

T = TypeVar("T")
Bound = TypeVar("Bound", bound=int)
Either = TypeVar("Either", int, str)
UserId = NewType("UserId", int)
Admin = NewType("Admin", UserId)


class Color(enum.Enum):
    """An enum."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum of numbers."""

    LOW = 1


class Base:
    """A class."""


class Derived(Base):
    """Its child."""


class Shape(Protocol):
    """A protocol that cannot be asked at run time."""

    def area(self) -> float:
        """Give the area."""


class Model(abc.ABC):
    """A user's abstract class."""

    @abc.abstractmethod
    def fit(self) -> None:
        """Learn."""


class Fitted(Model):
    """A concrete one."""

    def fit(self) -> None:
        """Learn."""


class Movie(TypedDict):
    """A typed dict with a key that may be missing."""

    title: str
    year: NotRequired[int]


class Partial(TypedDict, total=False):
    """A typed dict without required keys."""

    title: str


Late = TypedDict("Late", {"title": "str", "year": "NotRequired[int]"})


class Box(typing.Generic[T]):
    """A user's generic class."""


class Words(list[str]):
    """A list with another name."""


Point = collections.namedtuple("Point", "x y")

NUMPY_INT, NUMPY_FLOAT, NUMPY_BOOL = np.int64(1), np.float32(1), np.bool_(True)

# annotation, values that fit, values that do not
RULES: list[tuple[Any, list[Any], list[Any]]] = [
    (MISSING, [None, 1, object()], []),
    (Any, [None, 1, object()], []),
    (object, [None, 1, object()], []),
    (None, [None], [0, False, ""]),
    (type(None), [None], [0]),
    (bool, [True, np.bool_(False)], [1, 0, None, "True", NUMPY_INT]),
    (int, [1, True, Level.LOW, NUMPY_INT, np.uint8(1)], [1.0, "1", None, NUMPY_FLOAT, NUMPY_BOOL, np.timedelta64(1), 1j]),
    (
        float,
        [1.0, 1, True, float("nan"), float("inf"), NUMPY_FLOAT, NUMPY_INT, np.float64(1)],
        ["1", None, 1j, NUMPY_BOOL, np.complex64(1)],
    ),
    (complex, [1j, 1.0, 1, NUMPY_INT, np.complex64(1)], ["1", None, NUMPY_BOOL]),
    (str, ["a", np.str_("a")], [b"a", 1, None]),
    (bytes, [b"a", np.bytes_(b"a")], ["a", bytearray(b"a")]),
    (np.float64, [np.float64(1)], [1.0, np.float32(1)]),
    (np.ndarray, [np.zeros(2)], [[0.0, 0.0]]),
    (npt.NDArray[np.float64], [np.zeros(2)], [[0.0]]),
    (pd.DataFrame, [pd.DataFrame()], [pd.Series(dtype=float), {}]),
    (pathlib.Path, [pathlib.Path("a")], ["a", pathlib.PurePosixPath("a")]),
    (os.PathLike, [pathlib.Path("a")], ["a"]),
    (Base, [Base(), Derived(), Mock(spec=Base)], [object(), Base, None]),
    (Color, [Color.RED], ["red"]),
    (Point, [Point(1, 2)], [(1, 2)]),
    (Words, [Words()], [[]]),
    (Box[int], [Box()], [1]),
    (numbers.Number, [1, 1.0, np.float32(1)], ["1"]),
    (io.IOBase, [io.BytesIO()], [b""]),
    (Shape, [1, Base()], [None]),
    (Model, [Fitted(), "anything"], [None]),
    (Fitted, [Fitted()], ["anything"]),
    (typing.SupportsInt, [1, 1.5], [None]),
    (Union[int, str], [1, "a", NUMPY_INT], [1.5, None]),
    (Optional[int], [1, None], ["a"]),
    (int | None, [1, None], [1.5]),
    (Union[int, list[str]], [1, ["a"], []], [[1], "a"]),
    (Union[Model, None], [Fitted(), None, 3], []),
    (Optional[Any], [None, 1], []),
    (Literal["a", 1], ["a", 1, np.str_("a"), np.int64(1)], ["b", True, 1.0, None, np.array(["a"])]),
    (Literal[True], [True, NUMPY_BOOL], [1, "True"]),
    (Literal[Color.RED], [Color.RED], ["red"]),
    (Literal[None], [None], [0]),
    (Annotated[int, "x"], [1], ["a"]),
    (Annotated[int, ["unhashable"]], [1], ["a"]),
    (UserId, [1], ["a"]),
    (Admin, [1], ["a"]),
    (T, [1, None], []),
    (Bound, [1, True], ["a"]),
    (Either, [1, "a"], [1.5]),
    (type, [int], [1]),
    (type[Any], [int], [1]),
    (type[Base], [Base, Derived], [int, Base()]),
    (type[Base] | None, [Base, None], [int]),
    (type[Union[int, str]], [int, bool, str], [float]),
    (type[T], [int], [1]),
    (type[Bound], [bool], [str, 1]),
    (type[Shape], [int], [1]),
    (Callable, [len, int, lambda: 1], [1, None]),
    (Callable[[int], str], [len], ["len"]),
    (typing.Callable, [len], [1]),
    (list, [[], [1, "a"]], [(), None]),
    (typing.List, [[1]], [()]),
    (list[int], [[], [1, 2], [True], [NUMPY_INT], Words(["not looked at"])], [["a"], [1, None], (1,), [1.5], None]),
    (list[float], [[1, 2.5]], [["a"]]),
    (list[Any], [[1, "a"]], [()]),
    (list[list[int]], [[[1], []]], [[["a"]], [1]]),
    (list[Optional[int]], [[1, None]], [["a"]]),
    (list[Literal["a"]], [["a"]], [["b"]]),
    (list[Callable[[], int]], [[len]], [[1]]),
    (set[int], [{1}, set()], [{"a"}, [1]]),
    (frozenset[str], [frozenset("a")], [frozenset([1]), {"a"}]),
    (collections.deque[int], [collections.deque([1])], [collections.deque(["a"]), [1]]),
    (dict, [{}, {1: 2}], [[], None]),
    (dict[str, int], [{}, {"a": 1}], [{"a": "b"}, {1: 1}, [("a", 1)]]),
    (dict[str, list[int]], [{"a": [1]}], [{"a": ["b"]}]),
    (collections.defaultdict[str, int], [collections.defaultdict(int, a=1)], [{"a": 1}, collections.defaultdict(int, a="b")]),
    (collections.Counter[str], [collections.Counter("ab")], [collections.Counter([1]), {"a": 1}]),
    (Mapping[str, int], [{"a": 1}, collections.OrderedDict(a=1), os.environ], [{"a": "b"}, [("a", 1)]]),
    (Mapping, [{}], [[]]),
    (Sequence[int], [[1], (1,), range(3)], [["a"], {1}, 1, iter([1])]),
    (Sequence[str], [["a"], "abc"], [[1]]),
    (Iterable[int], [[1], {1: "a"}, range(3), np.zeros(1)], [["a"], 1]),
    (Iterator[int], [iter([1])], [[1]]),
    (tuple, [(), (1,)], [[]]),
    (Tuple, [(), (1,)], [[]]),
    (tuple[()], [()], [(1,)]),
    (tuple[int, str], [(1, "a"), (True, "a")], [(1,), (1, 2), (1, "a", 2), [1, "a"]]),
    (tuple[int, ...], [(), (1, 2)], [("a",), [1]]),
    (tuple[int, list[str]], [(1, ["a"])], [(1, [1])]),
    (tuple[int, *tuple[str, ...]], [(1, "a", "b")], [[1]]),
    (Movie, [{"title": "x"}, {"title": "x", "year": 1}], [{"year": 1}, {}, [("title", "x")]]),
    (Partial, [{}, {"title": "x"}], [[]]),
    (Late, [{"title": "x"}], [{"year": 1}]),
    (typing.LiteralString, ["a"], [1]),
    (typing.NoReturn, [], [None, 1]),
    (typing.Never, [], [None, 1]),
    (typing.Hashable, [1, None], [[]]),
    (typing.Self, [1, None], []),
]


@pytest.mark.parametrize(("annotation", "fits", "does_not"), RULES, ids=[str(annotation)[:40] for annotation, _, _ in RULES])
def test_rules(annotation: Any, fits: list[Any], does_not: list[Any]) -> None:
    """Every listed value is judged as listed, alone and inside each container."""
    assert [value for value in fits if not accepts(annotation, value)] == []
    assert [value for value in does_not if accepts(annotation, value)] == []
    if annotation in (MISSING, None, typing.NoReturn, typing.Never, typing.Self):
        return
    for value, verdict in [(value, True) for value in fits] + [(value, False) for value in does_not]:
        assert accepts(list[annotation], [value]) is verdict
        assert accepts(tuple[annotation, ...], (value, value)) is verdict
        assert accepts(dict[str, annotation], {"a": value}) is verdict


def test_all_elements_are_checked() -> None:
    """The last one too, up to the limit; beyond it the container's own class decides."""
    values: list[Any] = [1] * ELEMENTS
    assert accepts(list[int], values)
    values[-1] = "a"
    assert not accepts(list[int], values)
    assert accepts(list[int], [*values, 1])
    assert not accepts(tuple[int, ...], [*values, 1])


def test_the_limit_is_for_the_whole_value() -> None:
    """A thousand lists of a thousand elements are not a million checks."""
    inner = [1] * 1000
    looked_at: list[int] = [ELEMENTS]
    assert check_of(list[list[int]])([inner] * 1000, looked_at)
    assert looked_at[0] >= 0
    assert not accepts(list[list[int]], [inner, ["a"]])


def test_a_value_that_contains_itself() -> None:
    """Endless values end: what could be seen did fit."""
    endless: list[Any] = []
    endless.append(endless)
    assert accepts(list[Any], endless)
    assert accepts(json_alias(), endless)


def make_alias(name: str, value: Any, parameters: tuple[Any, ...] = ()) -> Any:
    """Give an alias as `type name[...] = value` makes one."""
    from typing_extensions import TypeAliasType

    return TypeAliasType(name, value, type_params=parameters)


def json_alias() -> Any:
    """Give an alias that names itself."""
    held: list[Any] = []

    class TypeAliasType:
        """Stands for the alias of Python 3.12, which is opened only when it is asked."""

        @property
        def __value__(self) -> Any:
            return held[0]

    alias = TypeAliasType()
    list_, dict_ = typing._GenericAlias(list, (alias,)), typing._GenericAlias(dict, (str, alias))  # type: ignore[attr-defined]
    held.append(Union[int, str, None, list_, dict_])
    return alias


def test_aliases() -> None:
    """An alias is what it stands for, with its arguments put in, also where it names itself."""
    A = TypeVar("A")
    number = make_alias("number", int)
    pairs = make_alias("pairs", list[tuple[A, A]], (A,))
    assert accepts(number, 1)
    assert not accepts(number, "a")
    assert accepts(list[number], [1])
    assert not accepts(list[number], ["a"])
    assert accepts(pairs[int], [(1, 2)])
    assert not accepts(pairs[int], [("a", "b")])
    json = json_alias()
    assert accepts(json, {"a": [1, {"b": None}]})
    assert not accepts(json, {"a": [1, {"b": 1.5}]})


def test_a_class_that_cannot_be_asked() -> None:
    """A class may refuse isinstance: then nothing can be said against a value."""

    class Refuses(type):
        """A metaclass that answers no questions."""

        def __instancecheck__(cls, instance: object) -> bool:
            raise TypeError("no questions")

    class Odd(metaclass=Refuses):
        """A class of that kind."""

    assert accepts(Odd, 1)


def test_checking_reads_nothing_that_is_used_up_by_reading() -> None:
    """Iterators and generators are judged by their class alone."""
    source = iter([1, "a"])
    assert accepts(Iterator[int], source)
    assert accepts(Iterable[int], source)
    assert list(source) == [1, "a"]


def test_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules for numpy need no numpy."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert not accepts(list[int], ["a"])
    assert accepts(float, 1)


def test_a_check_is_made_once() -> None:
    """The same annotation gives the same check."""
    annotation = dict[str, list[int]]
    assert check_of(annotation) is check_of(annotation)
