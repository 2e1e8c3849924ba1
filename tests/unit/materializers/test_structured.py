"""The schema of instances that are held field by field."""

import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

import attrs
import pydantic

from lineal.materializers.builtin import JsonMaterializer
from lineal.materializers.structured import is_structured, schema


@dataclass
class Config:
    lr: float
    layers: list[int]
    free: "Any" = None


@dataclass
class Unreadable:
    odd: "NotDefinedAnywhere"  # type: ignore[name-defined]  # noqa: F821


class Point(NamedTuple):
    x: int


class Model(pydantic.BaseModel):
    when: int | None = None


@attrs.define
class Box:
    content: Any


class Color(enum.Enum):
    RED = 1
    BLUE = 2


def test_schema_names_class_and_fields() -> None:
    """Each field with its type as people write it."""
    assert schema(Config(1, [])) == {
        "class": f"{__name__}:Config",
        "kind": "dataclass",
        "fields": {"lr": "float", "layers": "list[int]", "free": "Any"},
    }
    assert schema(Point(1))["fields"] == {"x": "int"}
    assert schema(Model())["fields"] == {"when": "int | None"}
    assert schema(Box(1))["fields"] == {"content": "Any"}


def test_schema_of_an_enum_lists_its_members() -> None:
    """The names."""
    assert schema(Color.RED)["members"] == ["RED", "BLUE"]


def test_annotation_that_cannot_be_read_is_shown_as_written() -> None:
    """A forward reference to nowhere is no reason to lose the schema."""
    assert schema(Unreadable(1))["fields"] == {"odd": "NotDefinedAnywhere"}


def test_other_values_have_no_schema() -> None:
    """A dict is no instance of a class with fields."""
    assert schema({}) == {}
    assert not is_structured(dict)
    assert is_structured(Config)


def test_schema_is_in_the_metadata() -> None:
    """Where the dashboard finds it."""
    assert JsonMaterializer().metadata(Point(1)) == {"schema": schema(Point(1))}
