"""Parameters are brought to their annotation, or refused with the path to what is wrong."""

import dataclasses
import datetime as dt
import enum
import math
import subprocess
import sys
import typing
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, Union

import numpy as np
import pandas as pd
import pydantic
import pytest

from lineal.errors import ParameterError
from lineal.graph import parameters
from lineal.graph.parameters import coerce_parameter
from lineal.graph.step import MISSING, ArtifactConfig, InputSpec

# ruff: noqa: UP007, UP045 - the older spellings are tested too

T = TypeVar("T")
UserId = NewType("UserId", int)


class Color(enum.Enum):
    """An enum."""

    RED = "red"


@dataclasses.dataclass
class Config:
    """A dataclass."""

    rate: float = 0.1
    layers: list[int] = dataclasses.field(default_factory=list)


class Model(pydantic.BaseModel):
    """A pydantic model."""

    rate: float


class Plain:
    """A class that pydantic knows nothing of."""


@dataclasses.dataclass
class Holder:
    """A dataclass that pydantic cannot parse."""

    frame: pd.DataFrame
    plain: Plain


class Shape(Protocol):
    """A protocol."""

    def area(self) -> float:
        """Give the area."""


class Movie(TypedDict):
    """A typed dict."""

    title: str


def coerce(annotation: Any, value: Any) -> Any:
    """Coerce one parameter."""
    return coerce_parameter(InputSpec("x", annotation), value, "step 's'")


NOW = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
FRAME = pd.DataFrame({"a": [1]})
PLAIN = Plain()

KEPT: list[tuple[Any, Any]] = [
    (MISSING, "3"),
    (Any, "3"),
    (object, FRAME),
    (Shape, 3),
    (T, "3"),
    (int, 3),
    (float, 1.5),
    (float, math.inf),
    (str, "a"),
    (bool, True),
    (None, None),
    (bytes, b"a"),
    (list, [1, "a"]),
    (dict, {"a": FRAME}),
    (Optional[int], None),
    (Optional[int], 3),
    (Union[int, str], "3"),
    (Union[int, str], 3),
    (Literal["a", 1], "a"),
    (UserId, 3),
    (Annotated[int, "x"], 3),
    (Annotated[int, ArtifactConfig(tags=["x"])], 3),
    (list[int], [1, 2]),
    (dict[str, float], {"a": 1.0}),
    (set[str], {"a"}),
    (dt.datetime, NOW),
    (dt.date, NOW.date()),
    (uuid.UUID, uuid.UUID(int=3)),
    (Color, Color.RED),
    (Config, Config(0.5, [1])),
    (Model, Model(rate=0.5)),
    (Plain, PLAIN),
    (Optional[Plain], PLAIN),
    (pd.DataFrame, FRAME),
    (np.ndarray, np.zeros(2)),
    (Callable[[int], str], len),
    (type[int], bool),
    (type, int),
    (Sequence[int], (1, 2)),
    (Sequence[int], [1, 2]),
    (tuple[int, ...], (1, 2)),
    (Iterable[int], [1, 2]),
    (Optional[Iterable[int]], (1, 2)),
    (Mapping[str, int], {"a": 1}),
    (Movie, {"title": "x"}),
    (typing.Hashable, "a"),
]


@pytest.mark.parametrize(
    ("annotation", "value"), KEPT, ids=[f"{str(annotation)[:30]}-{index}" for index, (annotation, _) in enumerate(KEPT)]
)
def test_what_fits_is_kept(annotation: Any, value: Any) -> None:
    """A value of the annotated type stays as it is, type and all; a single object stays that very object."""
    found = coerce(annotation, value)
    assert type(found) is type(value)
    if isinstance(value, list | dict | tuple | set):
        assert found == value
    else:
        assert found is value


COERCED: list[tuple[Any, Any, Any]] = [
    (float, 1, 1.0),
    (float, "0.5", 0.5),
    (float, "nan", math.nan),
    (int, "3", 3),
    (int, 3.0, 3),
    (int, True, 1),
    (int, np.int64(3), 3),
    (float, np.float32(2), 2.0),
    (bool, np.bool_(True), True),
    (bool, "yes", True),
    (str, np.str_("a"), "a"),
    (Optional[int], "3", 3),
    (list[int], ["1", 2], [1, 2]),
    (list[int], (1, 2), [1, 2]),
    (list[float], [1, 2.0], [1.0, 2.0]),
    (dict[str, int], {"a": "1"}, {"a": 1}),
    (set[int], [1, 1], {1}),
    (tuple[int, str], ["1", "a"], (1, "a")),
    (Sequence[int], ("1",), (1,)),
    (bytes, "a", b"a"),
    (Path, "a/b", Path("a/b")),
    (dt.datetime, "2024-01-02T03:04:05Z", NOW),
    (uuid.UUID, str(uuid.UUID(int=3)), uuid.UUID(int=3)),
    (Color, "red", Color.RED),
    (Config, {"rate": "0.5", "layers": ["1"]}, Config(0.5, [1])),
    (list[Config], [{"rate": 1}], [Config(1.0, [])]),
    (Model, {"rate": "0.5"}, Model(rate=0.5)),
    (UserId, "3", 3),
    (Annotated[int, pydantic.Field(gt=2)], "3", 3),
    (Literal[1], np.int64(1), 1),
]


@pytest.mark.parametrize(
    ("annotation", "value", "expected"), COERCED, ids=[f"{str(annotation)[:30]}-{value!r:.20}" for annotation, value, _ in COERCED]
)
def test_what_can_be_read_is_brought_to_the_type(annotation: Any, value: Any, expected: Any) -> None:
    """As a value comes from a command line or a file; elements too. numpy scalars become their Python kind."""
    found = coerce(annotation, value)
    assert type(found) is type(expected)
    assert found == expected or (math.isnan(found) and math.isnan(expected))


REFUSED: list[tuple[Any, Any, str]] = [
    (int, "no", "step 's': the parameter 'x' must be int, got str 'no': Input should be a valid integer"),
    (int, 1.5, "the parameter 'x' must be int, got float 1.5: Input should be a valid integer, got a number with a fractional part"),
    (int, None, "the parameter 'x' must be int, got None: Input should be a valid integer"),
    (str, 3, "must be str, got int 3: Input should be a valid string"),
    (list[int], [1, "no"], "must be list[int], got list of 2: [1] Input should be a valid integer"),
    (dict[str, list[int]], {"a": [1, "no"]}, "must be dict[str, list[int]], got dict of 1: ['a'][1] Input should be a valid integer"),
    (list[int], ["a", "b", "c", "d", "e"], "; and 2 more"),
    (Config, {"rate": "no"}, "must be test_parameters.Config, got dict of 1: ['rate'] Input should be a valid number"),
    (Model, {}, "['rate'] Field required"),
    (Annotated[int, pydantic.Field(gt=2)], 1, "must be int, got int 1: Input should be greater than 2"),
    (Literal["a"], "b", "must be Literal['a'], got str 'b': Input should be 'a'"),
    (Color, "blue", "must be test_parameters.Color, got str 'blue': Input should be 'red'"),
    (Plain, 3, "must be test_parameters.Plain, got int 3: Input should be an instance of Plain"),
    (pd.DataFrame, [[1]], "must be pandas.DataFrame, got list of 1: Input should be an instance of DataFrame"),
    (Holder, {"frame": 1}, "must be test_parameters.Holder, got dict of 1"),
    (Iterable[int], ["a"], "must be Iterable[int], got list of 1: [0] must be int, got str 'a'"),
    (Iterator[int], [1], "must be Iterator[int], got list of 1"),
    (Callable[[], int], 3, "must be Callable[[], int], got int 3: Input should be callable"),
]


@pytest.mark.parametrize(
    ("annotation", "value", "message"), REFUSED, ids=[f"{str(annotation)[:30]}-{value!r:.20}" for annotation, value, _ in REFUSED]
)
def test_what_cannot_be_read_is_refused(annotation: Any, value: Any, message: str) -> None:
    """One error that names step, parameter, expected, got, and the place inside; it is a TypeError and a ValueError as well."""
    with pytest.raises(ParameterError) as caught:
        coerce(annotation, value)
    assert message.replace("test_parameters.", f"{__name__}.") in str(caught.value)
    assert "http" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_class_that_pydantic_cannot_parse_takes_its_instances() -> None:
    """Also inside other types; nothing about it fails when the step is defined or called."""
    holder = Holder(FRAME, PLAIN)
    assert coerce(Holder, holder) is holder
    assert coerce(list[Holder], [holder])[0] is holder
    assert coerce(dict[str, Shape], {"a": 1}) == {"a": 1}


def test_a_default_is_taken_as_it_is() -> None:
    """As Python does: `rate: float = None` gives None when nothing is said."""
    assert coerce_parameter(InputSpec("x", float, None), None, "step 's'") is None
    with pytest.raises(ParameterError):
        coerce_parameter(InputSpec("x", float, None), "no", "step 's'")


def test_a_stream_is_not_replaced_by_one_that_can_be_read_once() -> None:
    """pydantic would give a lazy iterator; the list stays a list."""
    assert coerce(Iterable[int], [1, 2]) == [1, 2]
    assert coerce(list[Iterable[int]], [[1]]) == [[1]]


def test_a_value_with_a_hostile_comparison_can_be_given() -> None:
    """Values are looked at by type and identity, never by `==`."""
    array = np.zeros(3)
    assert coerce_parameter(InputSpec("x", Any, np.ones(3)), array, "step 's'") is array
    assert coerce_parameter(InputSpec("x", np.ndarray, np.ones(3)), array, "step 's'") is array


def test_a_validator_is_made_once() -> None:
    """The annotation of a step is parsed at its first call only, also when it cannot be hashed."""
    annotation = Annotated[list[int], pydantic.Field(min_length=1)]
    assert parameters._adapter(annotation) is parameters._adapter(annotation)
    assert coerce(annotation, ["1"]) == [1]


def test_common_parameters_need_no_pydantic() -> None:
    """Its import costs more than a hundred steps: it waits for the first value that is not of its type already."""
    code = """
import sys
from typing import *
from lineal.graph.signature import coerce_parameter, signature_of
from lineal.graph.step import InputSpec
cases = [(int, 1), (float, 1.5), (str, "a"), (bool, True), (Optional[int], None), (Optional[int], 1), (Literal["a"], "a"), (list, [1]),
         (dict, {}), (list[int], [1]), (dict[str, float | None], {"a": 1.0}), (Any, 1), (object, 1), (set[str], {"a"})]
for annotation, value in cases:
    assert coerce_parameter(InputSpec("x", annotation), value, "step") is value
print([name for name in ("pydantic", "numpy", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
