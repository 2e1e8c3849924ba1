"""polars values come back with their exact data types, however they are chunked and whatever their categories have been through."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.mapped import MAP_FROM
from lineal.materializers.polars import (
    FILENAME,
    FrameMaterializer,
    LazyFrameMaterializer,
    ParquetFrameMaterializer,
    ParquetLazyFrameMaterializer,
    ParquetSeriesMaterializer,
    SeriesMaterializer,
)
from lineal.materializers.polars_dtypes import dtype_of, spec_of, stored
from lineal.materializers.registry import registry
from lineal.testing.materializers import MaterializerTests, content, load, save

COLOURS = pl.Enum(["red", "green", "blue"])
MINE = pl.Categorical(pl.Categories("mine", "space", pl.UInt8))

SERIES = {
    "int": pl.Series("a", [1, None, 3], dtype=pl.Int16),
    "wide-int": pl.Series("a", [1, None, 2**100], dtype=pl.Int128),
    "float": pl.Series("a", [1.5, None, float("nan")], dtype=pl.Float32),
    "bool": pl.Series("a", [True, None, False]),
    "text": pl.Series("a", ["é", None, "", "x" * 40]),
    "bytes": pl.Series("a", [b"a", None, b""]),
    "null": pl.Series("a", [None, None]),
    "empty": pl.Series("a", [], dtype=pl.String),
    "no-name": pl.Series([1, 2]),
    "decimal": pl.Series("a", [Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
    "date": pl.Series("a", [dt.date(2020, 1, 1), None]),
    "time": pl.Series("a", [dt.time(1, 2, 3), None]),
    "moment": pl.Series("a", [0, None], dtype=pl.Datetime("ns")),
    "zoned": pl.Series("a", [0, None], dtype=pl.Datetime("ms", "Europe/Berlin")),
    "duration": pl.Series("a", [dt.timedelta(1), None], dtype=pl.Duration("ms")),
    "category": pl.Series("a", ["b", None, "a", "b"], dtype=pl.Categorical),
    "own-category": pl.Series("a", ["b", None, "a"], dtype=MINE),
    "enum": pl.Series("a", ["green", None, "red"], dtype=COLOURS),
    "list": pl.Series("a", [[1], None, [], [None, 2]]),
    "array": pl.Series("a", [[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
    "matrix": pl.Series("a", [[[1, 2], [3, 4]], None], dtype=pl.Array(pl.Int8, (2, 2))),
    "struct": pl.Series("a", [{"x": 1, "y": "u"}, None, {"x": None, "y": "v"}]),
    "no-struct": pl.Series("a", [{}, None], dtype=pl.Struct([])),
    "list-of-category": pl.Series("a", [["u", "v"], None], dtype=pl.List(pl.Categorical)),
    "struct-of-enum": pl.Series("a", [{"c": "red", "n": 2**80}, None], dtype=pl.Struct({"c": COLOURS, "n": pl.Int128})),
    **({"map": pl.Series("a", [{"x": 1}, None], dtype=pl.Map(pl.String, pl.Int64))} if hasattr(pl, "Map") else {}),
}


def same(one: Any, other: Any) -> bool:
    """Tell whether two series are equal in name, data type and values, NaN equal to NaN."""
    return one.name == other.name and one.dtype == other.dtype and one.equals(other, check_dtypes=True, null_equal=True)


class TestSeries(MaterializerTests):
    """Series of every data type."""

    materializer = SeriesMaterializer()
    values = tuple(SERIES.values())

    def equal(self, one: Any, other: Any) -> bool:
        return same(one, other)

    def mutate(self, value: Any) -> bool:
        if value.dtype != pl.Int16:
            return False
        value[0] = 99
        return True


class TestFrame(MaterializerTests):
    """Frames, those without rows or columns too."""

    materializer = FrameMaterializer()
    other_process = False  # written as series are, which is tested there
    values = (
        pl.DataFrame({name: [column] for name, column in SERIES.items()}),
        pl.DataFrame({"": [1], "a": [2]}),
        pl.DataFrame({"a": [2], "": [1]}),
        pl.DataFrame(),
        pl.DataFrame(schema={"a": pl.Int8, "c": COLOURS, "k": MINE}),
        pl.DataFrame({"large": np.arange(200_000.0)}),
        *([pl.DataFrame(height=3)] if pl.__version__ >= "2" else []),
    )

    def equal(self, one: Any, other: Any) -> bool:
        columns = zip(one.get_columns(), other.get_columns(), strict=True)
        return one.shape == other.shape and one.schema == other.schema and all(same(a, b) for a, b in columns)

    def mutate(self, value: Any) -> bool:
        if "large" not in value.columns:
            return False
        value[0, "large"] = -1.0
        return True


class TestLazyFrame(MaterializerTests):
    """Lazy frames, by what they give."""

    materializer = LazyFrameMaterializer()
    other_process = False
    values = (pl.LazyFrame({"a": [1, 2]}).filter(pl.col("a") > 1), pl.LazyFrame({"a": ["x"]}))

    def equal(self, one: Any, other: Any) -> bool:
        return bool(one.collect().equals(other.collect()) and one.collect_schema() == other.collect_schema())

    def mutate(self, value: Any) -> bool:
        return False


NOT_IN_PARQUET = ("no-struct",)  # groups without fields


class TestParquetSeries(TestSeries):
    """Series as Parquet."""

    materializer = ParquetSeriesMaterializer()
    values = tuple(column for name, column in SERIES.items() if name not in NOT_IN_PARQUET)


class TestParquetFrame(TestFrame):
    """Frames as Parquet."""

    materializer = ParquetFrameMaterializer()
    values = (pl.DataFrame({name: [column] for name, column in SERIES.items() if name not in NOT_IN_PARQUET}), *TestFrame.values[1:])


class TestParquetLazyFrame(TestLazyFrame):
    """Lazy frames as Parquet."""

    materializer = ParquetLazyFrameMaterializer()


@pytest.mark.parametrize("name", SERIES)
def test_layout_in_memory_does_not_show(name: str, tmp_path: Path) -> None:
    """Slices and chunks of equal values have one digest."""
    column = SERIES[name]
    layouts = [
        column,
        pl.concat([column, column, column]).slice(len(column), len(column)),
        pl.concat([column[:1], column[1:]], rechunk=False),
    ]
    written = [content(save(SeriesMaterializer(), each, tmp_path / str(number))) for number, each in enumerate(layouts)]
    assert written[0] == written[1] == written[2]


def test_what_other_categories_there_are_does_not_show(tmp_path: Path) -> None:
    """The codes of categories belong to the process; a column made later, or cut from a longer one, has the digest of a fresh one."""
    written = []
    for number in range(2):
        long = pl.Series("a", [f"other {number}", "x", "y"], dtype=pl.Categorical(pl.Categories(f"set {number}")))
        column = long[1:].cast(pl.String).cast(pl.Categorical) if number else pl.Series("a", ["x", "y"], dtype=pl.Categorical)
        written.append(content(save(SeriesMaterializer(), column, tmp_path / str(number))))
    assert written[0] == written[1]


def test_what_lies_under_a_null_does_not_show(tmp_path: Path) -> None:
    """Values that a condition has hidden leave no trace in the file."""
    frame = pl.DataFrame({"n": [1, 98765, 3], "keep": [True, False, True]})
    hidden = frame.select(n=pl.when("keep").then("n"), s=pl.when("keep").then(pl.struct("n"))).rechunk()
    fresh = pl.DataFrame({"n": [1, None, 3], "s": [{"n": 1}, None, {"n": 3}]})
    written = [content(save(FrameMaterializer(), each, tmp_path / str(number))) for number, each in enumerate((hidden, fresh))]
    assert written[0] == written[1]


def test_hint_that_a_column_is_sorted_does_not_show(tmp_path: Path) -> None:
    """Flags are no part of the value."""
    column = pl.Series("a", [1, 2, 3])
    written = [content(save(SeriesMaterializer(), each, tmp_path / str(n))) for n, each in enumerate((column, column.set_sorted()))]
    assert written[0] == written[1]


def test_any_arrow_library_opens_the_file(tmp_path: Path) -> None:
    """The file is plain Arrow IPC; categories are dictionaries there."""
    frame = pl.DataFrame({"n": [1, None], "c": pl.Series(["x", "y"], dtype=pl.Categorical), "e": pl.Series(["red", None], dtype=COLOURS)})
    table = pa.ipc.open_file(save(FrameMaterializer(), frame, tmp_path / "a") / FILENAME).read_all()
    assert table.to_pydict() == {"n": [1, None], "c": ["x", "y"], "e": ["red", None]}
    assert pa.types.is_dictionary(table.schema.field("c").type)


def test_a_large_column_is_not_copied(tmp_path: Path) -> None:
    """Numbers lie where the file is mapped, and writing to them reaches nobody else."""
    values = np.arange(MAP_FROM // 8 + 1)
    folder = save(SeriesMaterializer(), pl.Series("a", values), tmp_path / "a")
    allocated = pa.total_allocated_bytes()
    back = load(SeriesMaterializer(), folder)
    assert pa.total_allocated_bytes() - allocated < 100_000
    back[0] = 5
    assert load(SeriesMaterializer(), folder)[0] == 0


@pytest.mark.parametrize(
    "value",
    [pl.Series("o", [object()], dtype=pl.Object), pl.Series("o", [[], None], dtype=pl.Array(pl.Int8, 0))],
    ids=["object", "width-zero"],
)
def test_what_arrow_cannot_hold_is_declined(value: Any, tmp_path: Path) -> None:
    """Python objects, which polars would write as addresses, and arrays of nothing go to the next candidate, by name."""
    for number, (materializer, each) in enumerate([(SeriesMaterializer(), value), (FrameMaterializer(), value.to_frame())]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(NoMaterializer, match="'o'"):
            materializer.save(each, folder)
        assert list(folder.iterdir()) == []


def test_an_object_inside_another_type_is_declined() -> None:
    """An address must not slip through inside a struct."""
    with pytest.raises(NoMaterializer, match="the column"):
        spec_of(pl.Struct({"o": pl.Object}), "the column")


def test_an_unknown_data_type_is_named() -> None:
    """A file of a newer polars says which type is missing."""
    with pytest.raises(MaterializerError, match="Quaternion is not known to polars"):
        dtype_of({"type": "Quaternion"})
    with pytest.raises(MaterializerError, match="Int256 is not known"):
        dtype_of("Int256")


@pytest.mark.parametrize("name", SERIES)
def test_data_types_as_json(name: str) -> None:
    """Every data type comes back from its JSON, and is handed to Arrow as one that other libraries have."""
    dtype = SERIES[name].dtype
    assert dtype_of(spec_of(dtype, "a")) == dtype
    assert not any(kind in str(stored(dtype)) for kind in ("Enum", "Categorical", "Int128"))


def test_a_subclass_is_declined() -> None:
    """What would come back as its base class is left to the next candidate."""

    class Mine(pl.DataFrame):
        pass

    assert not FrameMaterializer().accepts(Mine())


def test_metadata_of_a_frame() -> None:
    """Shape, size, and for each column its type, missing values and the range of numbers and times."""
    frame = pl.DataFrame({"n": [1, None, 3], "s": ["a", None, None], "w": pl.Series([2**70] * 3, dtype=pl.Int128)})
    facts = FrameMaterializer().metadata(frame)
    assert facts["shape"] == [3, 3]
    assert facts["columns"] == [
        {"name": "n", "dtype": "Int64", "missing": 1, "min": 1, "max": 3, "mean": 2.0, "std": 1.0},
        {"name": "s", "dtype": "String", "missing": 2},
        {"name": "w", "dtype": "Int128", "missing": 0},
    ]
    assert LazyFrameMaterializer().metadata(frame.lazy().select("n")) == {"columns": [{"name": "n", "dtype": "Int64"}]}


def test_metadata_of_a_long_column_are_sampled() -> None:
    """More rows than the limit are looked at in steps, and that is said."""
    facts = SeriesMaterializer().metadata(pl.Series("a", range(50_000)))
    assert (facts["sampled"], facts["missing"], facts["shape"]) == (True, 0, [50_000])


def test_the_registry_knows_the_types(elsewhere: Callable[..., str], tmp_path: Path) -> None:
    """Values and annotations find the materializers, and a process that has not imported polars reads by id."""
    assert registry.for_value(pl.LazyFrame()).id == "polars.LazyFrame/1"
    assert registry.for_type(pl.DataFrame) is registry.by_id("polars.DataFrame/1")
    folder = save(FrameMaterializer(), pl.DataFrame({"a": ["x"]}), tmp_path / "a")
    program = (
        "import sys; from pathlib import Path; from lineal.materializers.registry import registry; "
        "print(registry.by_id('polars.DataFrame/1').load(Path(sys.argv[1]), None).rows())"
    )
    assert elsewhere(program, folder) == "[('x',)]"
