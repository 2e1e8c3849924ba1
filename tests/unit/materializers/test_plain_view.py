"""What is shown of typed JSON, bytes, files and containers."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import uuid
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.errors import ArtifactMissing
from lineal.materializers.builtin import JsonMaterializer, RawBytesMaterializer
from lineal.materializers.paths import PathMaterializer
from lineal.materializers.plain_view import show_bytes, show_files, show_json
from lineal.materializers.registry import registry
from lineal.model import values
from lineal.model.records import FileEntry
from lineal.views.subset import body_of, parse


@dataclasses.dataclass
class Config:
    rate: float
    layers: list


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


def shown(value):
    [made] = show_json(values.dumps(value))
    return made


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two\nlines", "two\nlines"), (5, "5"), (None, "None"), (True, "True"), (1234.5678, "1234.57"), (math.nan, "nan"), (-math.inf, "-inf"),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "2024-01-01T00:00:00"), (Colour.RED, "Colour.RED"), (1 + 2j, "1 + 2j"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"), (decimal.Decimal("1.50"), "1.50"), (range(1, 9, 2), "range(1, 9, 2)"),
        (bytearray(b"abc"), "<3 B of bytes>"), (dt.timedelta(1, 2), "1 d 2 s"), (10**400, None),
    ],
)  # fmt: skip
def test_scalars_are_text(value, text) -> None:
    made = shown(value)
    assert made.kind == "text"
    assert text is None or made.content == text


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"a": [1, (2, 3), {4}], "b": {"c": None}}, {"a": [1, [2, 3], [4]], "b": {"c": None}}),
        ({(1, 2): [], 3: "x"}, {"[1, 2]": [], "3": "x"}),
        (Config(0.1, [1, 2]), {"rate": 0.1, "layers": [1, 2]}),
        ({"$type": "dict", "items": []}, {"$type": "dict", "items": []}),
        ([Colour.RED, math.inf, b"ab"], ["Colour.RED", "inf", "<2 B of bytes>"]),
        ([], []),
    ],
)
def test_values_with_parts_are_json_without_the_marks_of_types(value, plain) -> None:
    made = shown(value)
    assert made.kind == "json"
    assert json.loads(made.content) == plain


def test_what_is_nested_deeply_is_shown_as_far_as_can_be() -> None:
    assert shown(nested(5000)).content.count("[") < 100


@pytest.mark.parametrize("value", [{"accuracy": 0.91, "n": 100, "model": "forest"}, Point(1, 2), collections.Counter("aab")])
def test_metrics_are_a_table(value) -> None:
    made = shown(value)
    assert made.kind == "html"
    assert parse(body_of(made.content)) is not None
    assert "<table" in made.content


def test_a_list_of_records_is_a_table() -> None:
    made = shown([{"epoch": n, "loss": 1 / (n + 1)} for n in range(100)] + [{"<b>": "x"}])
    assert made.kind == "html"
    assert "101 rows" in made.content
    assert "&lt;b&gt;" in made.content


def test_json_of_any_size_is_shown_in_part() -> None:
    [made] = show_json(values.dumps(["x" * 100] * 50_000))
    assert made.kind == "text"
    assert len(made.content) <= 2 * 1024 * 1024


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.timedeltas() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner) | st.dictionaries(st.integers(), inner),
)


@given(plain)
def test_any_plain_value_is_shown(value) -> None:
    made = shown(value)
    made.data.decode()
    if made.kind == "html":
        assert parse(body_of(made.content)) is not None


def test_the_materializers_show_what_is_stored_without_loading_it() -> None:
    assert JsonMaterializer().preview((), lambda path: {"data.json": b"[1]"}[path])[0].content == "[1]"
    assert not JsonMaterializer.visualizes
    [made] = RawBytesMaterializer().preview((), lambda path: bytes(range(256)) * 2)
    assert made.title == "512 bytes"
    assert "00000040  40 41 42" in made.content
    assert "... 256 more bytes" in made.content
    assert show_bytes(b"")[0].content == ""


def entries(*files: tuple[str, int]) -> list[FileEntry]:
    return [FileEntry(path, size, "") for path, size in files]


def test_a_folder_is_a_listing() -> None:
    [made] = PathMaterializer().preview(entries(("data/<a>.bin", 1500), ("data/b.bin", 500), (".lineal-folders", 5)), lambda path: b"")
    assert parse(body_of(made.content)) is not None
    for expected in ("2 files, 2.0 kB", "data/&lt;a&gt;.bin", "1.5 kB"):
        assert expected in made.content
    assert "400 more files" in show_files(entries(*[(str(n), 1) for n in range(500)]), lambda path: b"")[0].content


def test_a_single_file_that_can_be_shown_is_shown() -> None:
    png = b"\x89PNG\r\n\x1a\n"
    assert [each.kind for each in show_files(entries(("plot.PNG", 8)), lambda path: png)] == ["image"]
    assert [each.kind for each in show_files(entries(("notes.md", 8)), lambda path: b"# a")] == ["markdown"]


def test_a_file_that_is_not_what_its_name_says_is_listed() -> None:
    def missing(path: str) -> bytes:
        raise ArtifactMissing("gone")

    for name, read in (("a.png", lambda path: b"<html>"), ("a.txt", lambda path: b"\xff"), ("a.txt", missing), ("a.bin", missing)):
        [made] = show_files(entries((name, 8)), read)
        assert name in made.content
    assert "a.txt" in show_files(entries(("a.txt", 10**9)), missing)[0].content


def test_a_container_shows_its_parts(tmp_path: Path) -> None:
    value = {"train": pd.DataFrame({"a": [1]}), "weights": np.ones(3), "n": 5, "inner": [np.ones(2)]}
    materializer = registry.for_value(value)
    assert materializer.id == "container/1"
    assert materializer.visualizes
    parts, *rest = materializer.visualize(value)
    assert "pandas" in parts.content
    assert "numpy.ndarray" in parts.content
    assert [each.title for each in rest] == ["train: Table", "weights: Array"]
    assert [each.title for each in registry.for_value([np.ones(2)]).visualize([np.ones(2)])] == ["Parts", "[0]: Array"]


def test_a_container_of_many_shows_the_first() -> None:
    value = [np.zeros((50, 60)) for _ in range(100)]
    assert len(list(registry.for_value(value).visualize(value))) == 20
    fields = Config(0.1, [np.ones(3)])
    assert "rate" in next(iter(registry.for_value(fields).visualize(fields))).content
