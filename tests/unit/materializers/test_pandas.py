import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers.mapped import MAP_FROM
from lineal.materializers.pandas import (
    MANY_BLOCKS,
    FrameMaterializer,
    IndexMaterializer,
    ParquetFrameMaterializer,
    ParquetIndexMaterializer,
    ParquetSeriesMaterializer,
    SeriesMaterializer,
)
from lineal.testing.materializers import MaterializerTests, content, load, save

ROWS = MAP_FROM // 8 + 1


def mixed(rows: int) -> Any:
    """Give a frame with a column of each usual kind."""
    return pd.DataFrame(
        {
            "f": np.arange(rows) / 3,
            "i": np.arange(rows),
            "g": np.where(np.arange(rows) % 7 == 0, np.nan, 1.5),
            "b": np.arange(rows) % 2 == 0,
            "t": pd.date_range("2020", periods=rows, freq="s"),
            "z": pd.date_range("2020", periods=rows, freq="s", tz="Europe/Paris"),
            "s": pd.array(np.arange(rows) % 13, dtype="Int64").astype("string[pyarrow]"),
            "o": pd.Series(["a", None] * (rows // 2) + ["b"] * (rows % 2), dtype=object),
            "c": pd.Categorical.from_codes(np.arange(rows) % 3, ["x", "y", "z"]),
            "n": pd.arrays.IntegerArray(np.arange(rows), np.arange(rows) % 2 == 0),
        }
    )


def with_attrs(frame: Any) -> Any:
    """Give the frame with attributes and a flag."""
    frame.attrs = {"unit": "m", "source": ("a", 1)}
    frame.flags.allows_duplicate_labels = False
    return frame


def same_frame(one: Any, other: Any) -> bool:
    """Tell whether two frames are equal in everything that can be seen."""
    try:
        pd.testing.assert_frame_equal(one, other, check_exact=True, check_freq=True, check_flags=True, check_column_type=True)
    except AssertionError:
        return False
    return one.attrs == other.attrs and list(map(repr, one.dtypes)) == list(map(repr, other.dtypes))


class TestFrame(MaterializerTests):
    """Frames as Arrow."""

    materializer = FrameMaterializer()
    values = (
        mixed(0),
        mixed(1),
        mixed(50),
        mixed(50).iloc[::2],
        mixed(50).set_index(["t", "c"]),
        with_attrs(mixed(5)),
        pd.DataFrame(),
        pd.DataFrame(index=[1, 2]),
        pd.DataFrame(columns=["a", "b"]),
        pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
        pd.DataFrame([[1, 2.5], [3, 4.5]], columns=[1, (2, "b")]),
        pd.DataFrame(np.arange(20.0).reshape(4, 5)),
        pd.DataFrame(np.arange(20.0).reshape(4, 5)).T,
        mixed(ROWS),
        pd.DataFrame({f"c{n}": np.arange(3.0) if n % 10 else ["a", "b", "c"] for n in range(MANY_BLOCKS + 20)}),
        pd.DataFrame({f"c{n}": np.arange(3, dtype=("f4", "i8")[n % 2]) for n in range(MANY_BLOCKS + 20)}),
        pd.DataFrame(np.arange(3 * MANY_BLOCKS * 2, dtype="f4").reshape(3, -1)),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return same_frame(one, other)

    def mutate(self, value: Any) -> bool:
        if value.empty or len(value) < 3:
            return False
        value.iloc[0, 0] = value.iloc[2, 0]
        return True


class TestParquetFrame(TestFrame):
    """Frames as Parquet."""

    materializer = ParquetFrameMaterializer()
    values = tuple(each for each in TestFrame.values if len(each) < ROWS)  # nothing is mapped, whatever the size
    other_process = False  # the same arrays as above


def test_layout_in_memory_does_not_show(tmp_path: Path) -> None:
    """Slices, copies, concatenations, blocks of other shapes and labels made otherwise give the bytes of an equal frame."""
    frame = mixed(40)
    double = pd.concat([frame, frame], ignore_index=True)
    variants = [
        frame,
        frame.copy(),
        double.iloc[:40],
        double.iloc[40:].reset_index(drop=True),
        pd.DataFrame({name: frame[name] for name in frame.columns}),
        pd.concat([frame.iloc[:, :3], frame.iloc[:, 3:]], axis=1),
    ]
    numbers = np.arange(12.0).reshape(3, 4)
    matrices = [
        pd.DataFrame(numbers, copy=False),
        pd.DataFrame(np.asfortranarray(numbers), copy=False),
        pd.DataFrame(dict(enumerate(numbers.T))),
    ]
    for group in (variants, [each.rename_axis(columns=None) for each in matrices]):
        for each in group[1:]:
            each.columns = group[0].columns
            assert same_frame(each, group[0])
        written = [content(save(FrameMaterializer(), each, tmp_path / f"{len(group)}-{n}")) for n, each in enumerate(group)]
        assert all(each == written[0] for each in written)


def test_every_kind_of_write_stays_private(tmp_path: Path) -> None:
    """A mapped frame takes writes by position and label, in place and to whole columns; the file and other readers see none of them."""
    original = mixed(ROWS)
    folder = save(FrameMaterializer(), original, tmp_path / "a")
    before = content(folder)
    (folder / "data.arrow").chmod(0o444)
    frame = load(FrameMaterializer(), folder)
    frame.iloc[0, 0] = 99.5
    frame.loc[1, "i"] = -1
    frame["f"] += 1
    frame.loc[frame["i"] > 5, "g"] = 0.0
    frame.loc[2, "t"] = pd.NaT
    frame.loc[2, "z"] = pd.NaT
    frame.loc[3, "n"] = 7
    frame.loc[3, "s"] = "text"
    frame.loc[4, "c"] = "z"
    frame["b"] = ~frame["b"]
    frame["new"] = 1
    del frame["o"]
    assert frame.iloc[0, 0] == 100.5
    assert content(folder) == before
    assert same_frame(load(FrameMaterializer(), folder), original)


def test_columns_lie_over_the_file(tmp_path: Path) -> None:
    """Numbers and times without gaps, and the codes of categories, are not copied: they are views of the mapping."""
    folder = save(FrameMaterializer(), mixed(ROWS), tmp_path / "a")
    frame = load(FrameMaterializer(), folder)
    for name in "fig":
        assert not frame[name].to_numpy().flags.owndata
    for name in "tz":
        assert not frame[name].array.view("i8").flags.owndata
    tracked = load(FrameMaterializer(), folder)
    tracked.iloc[0, 0] = 5
    assert load(FrameMaterializer(), folder).iloc[0, 0] == 0


@pytest.mark.parametrize("kind", ["f8", "mixed"])
def test_a_wide_frame_is_not_fragmented(kind: str, tmp_path: Path) -> None:
    """Adding a column to a loaded frame of many columns gives no warning, as it gave none before."""
    columns = {f"c{n}": np.arange(3.0) if kind == "f8" or n % 2 else np.arange(3) for n in range(3 * MANY_BLOCKS)}
    frame = load(FrameMaterializer(), save(FrameMaterializer(), pd.DataFrame(columns), tmp_path / "a"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame["new"] = 1
    frame.iloc[0, 0] = 5
    assert frame.iloc[0, :3].tolist() == [5, 0, 0]


def test_any_tool_opens_the_file(tmp_path: Path) -> None:
    """The file is plain Arrow: names, types and values are there without Lineal."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], 3: [1.5, np.nan]}, index=pd.Index([7, 8], name="key"))
    save(FrameMaterializer(), frame, tmp_path / "a")
    with pa.ipc.open_file(tmp_path / "a" / "data.arrow") as file:
        table = file.read_all()
    assert table.column_names == ["__index_level_0__", "a", "b", "3"]
    assert table.drop_columns(["3"]).to_pydict() == {"__index_level_0__": [7, 8], "a": [1, 2], "b": ["x", None]}


def test_facts_of_a_frame() -> None:
    """Shape, size and for each column dtype, missing values and statistics; long frames are sampled; no JSON that is none."""
    facts = FrameMaterializer().metadata(pd.DataFrame({"a": [1.0, np.nan, np.inf], "b": ["x", None, "y"]}))
    assert facts["shape"] == [3, 2]
    assert [(each["name"], each["missing"]) for each in facts["columns"]] == [("a", 1), ("b", 1)]
    assert (facts["columns"][0]["min"], facts["columns"][0]["max"]) == (1.0, "inf")
    long = FrameMaterializer().metadata(mixed(30_000))
    assert all(each["sampled"] for each in long["columns"])
    assert json.dumps(long, allow_nan=False)
    assert len(FrameMaterializer().metadata(pd.DataFrame(np.zeros((1, 500))))["columns"]) == 200
    assert SeriesMaterializer().metadata(pd.Series([1, 2], name="a"))["mean"] == 1.5
    assert IndexMaterializer().metadata(pd.RangeIndex(3))["shape"] == [3]


def test_subclasses_are_declined(tmp_path: Path) -> None:
    """A subclass, such as that of another library, would come back as another class: it is left to the next materializer."""

    class Special(pd.DataFrame):
        pass

    assert not FrameMaterializer().accepts(Special())
    with pytest.raises(NoMaterializer, match="Special"):
        FrameMaterializer().save(Special(), tmp_path)


def test_a_column_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    """The error says which column and row, and nothing is written."""
    with pytest.raises(NoMaterializer, match=r"the column 'bad'\[1\]"):
        FrameMaterializer().save(pd.DataFrame({"good": [1, 2], "bad": [1, object()]}), tmp_path)
    with pytest.raises(NoMaterializer, match="attrs"):
        FrameMaterializer().save(_attributed(), tmp_path)
    assert list(tmp_path.glob("data*")) == []


def _attributed() -> Any:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["bad"] = object()
    return frame


def test_the_formats_have_ids_of_their_own() -> None:
    """Arrow and Parquet are told apart by id, so that a stored value is read as what it is."""
    both = [
        FrameMaterializer,
        SeriesMaterializer,
        IndexMaterializer,
        ParquetFrameMaterializer,
        ParquetSeriesMaterializer,
        ParquetIndexMaterializer,
    ]
    assert len({each.id for each in both}) == 6


_PEAK = """
import resource, sys
from pathlib import Path
import numpy as np, pandas as pd
from lineal.materializers.pandas import FrameMaterializer
frame = pd.DataFrame({n: np.ones(1_000_000) for n in range(16)}) if sys.argv[1] == "save" else None
loaded = FrameMaterializer().load(Path(sys.argv[3]), None)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if frame is None:
    loaded = FrameMaterializer().load(Path(sys.argv[2]), None)
    assert loaded.shape == (1_000_000, 16)
else:
    FrameMaterializer().save(frame, Path(sys.argv[2]))
unit = 1 if sys.platform == "darwin" else 1024
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is not there")
def test_no_whole_copy_in_memory(tmp_path: Path) -> None:
    """Neither saving nor loading a frame of 128 MB takes more than a tenth of it in new memory."""
    small = save(FrameMaterializer(), pd.DataFrame({"a": [1]}), tmp_path / "small")
    folder = tmp_path / "a"
    folder.mkdir()
    for job in ("save", "load"):
        done = subprocess.run([sys.executable, "-c", _PEAK, job, folder, small], capture_output=True, text=True, check=True)
        assert int(done.stdout) < 13_000_000, job
