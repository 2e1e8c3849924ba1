import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from lineal.materializers.skops_canonical import rewrite


def written(value: Any, path: Path) -> bytes:
    """Give the canonical bytes of what skops writes for a value."""
    rewrite(io.BytesIO(skops.io.dumps(value)), path)
    return path.read_bytes()


def test_skops_itself_writes_other_bytes_each_time() -> None:
    """The reason for all this; when it fails, this module may no longer be needed."""
    assert skops.io.dumps([np.ones(2)]) != skops.io.dumps([np.ones(2)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: [1, 2.5, "a", None, True],
        lambda: {"a": np.arange(3), "b": (1, [2])},
        lambda: {"file": 1, "__loader__": {"__id__": 2}, "content": [3]},
        lambda: {"x": {"b", "a", "c"}, "y": {3, 1}},
        lambda: [np.float64(1.5), np.float64(1.5), np.arange(2)],
        lambda: [b"abc", b"abc", slice(None, 3)],
        lambda: FunctionTransformer(np.log1p),
        lambda: np.array([(1, 2.5)], np.dtype([("x", "i1"), ("y", "f8")], align=True)),
    ],
)
def test_equal_values_give_equal_bytes_that_skops_reads(make: Any, tmp_path: Path) -> None:
    """Two values made alike have one form, and skops loads it like its own."""
    one, other = make(), make()
    data = written(one, tmp_path / "a")
    assert written(other, tmp_path / "b") == data
    loaded = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    assert repr(loaded) == repr(one) or loaded == one
    assert written(loaded, tmp_path / "c") == data


def test_whether_a_list_occurs_twice_is_kept(tmp_path: Path) -> None:
    """Who changes a shared list through one name sees it through the other; equal lists are told from one list."""
    shared: list[int] = [1]
    data = written([shared, shared], tmp_path / "a")
    loaded = skops.io.loads(data)
    assert loaded[0] is loaded[1]
    assert written([[1], [1]], tmp_path / "b") != data


def test_whether_equal_constants_are_one_object_is_not(tmp_path: Path) -> None:
    """Texts, numbers and tuples are shared or not as the interpreter likes."""
    text = "".join(["some ", "text"])
    number = np.float64(2.5)
    pair = [1, 2]
    one = written([text, text, (1, 2), number, number], tmp_path / "a")
    other = written([text, "".join(["some ", "text"]), tuple(pair), number, np.float64(2.5)], tmp_path / "b")
    assert one == other


def test_neither_time_nor_release_shows(tmp_path: Path) -> None:
    """Entries are dated alike, and the release of skops, which nothing reads, is left out."""
    written({"a": np.ones(2), "_stop_words_id": 12345}, tmp_path / "a")
    with ZipFile(tmp_path / "a") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == ["schema.json", "0.npy"]
        schema = json.loads(archive.read("schema.json"))
    assert "_skops_version" not in schema
    assert schema["content"]["_stop_words_id"]["content"] == "0"
