"""pyarrow values come back with type, names and metadata, whatever their layout in memory."""

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers import arrow_canonical
from lineal.materializers.pyarrow import (
    FILENAME,
    ArrayMaterializer,
    ChunkedArrayMaterializer,
    ParquetRecordBatchMaterializer,
    ParquetTableMaterializer,
    RecordBatchMaterializer,
    SchemaMaterializer,
    TableMaterializer,
)
from lineal.materializers.registry import registry
from lineal.testing.materializers import MaterializerTests, content, load, save

SCHEMA = pa.schema(
    [
        pa.field("a", pa.int64(), nullable=False, metadata={"unit": "m", "b": "2"}),
        pa.field("a", pa.string()),
        pa.field("", pa.list_(pa.field("inner", pa.int8(), nullable=False))),
        pa.field("c", pa.dictionary(pa.int8(), pa.string(), ordered=True)),
    ],
    metadata={b"z": b"\xff", "lineal": "mine", "pandas": "{}"},
)
COLUMNS = [
    pa.array([1, 2, 3]),
    pa.array(["x", None, "y"]),
    pa.array([[1], None, []], SCHEMA.field(2).type),
    pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), ["u", "v"], ordered=True),
]
TABLE = pa.Table.from_arrays(COLUMNS, schema=SCHEMA)


class _Arrow(MaterializerTests):
    other_process = False  # all are written as tables are, which is tested there

    def equal(self, one: Any, other: Any) -> bool:
        if isinstance(one, pa.Table | pa.RecordBatch):
            return one.schema.equals(other.schema, check_metadata=True) and one.equals(other) and one.num_rows == other.num_rows
        return bool(one.equals(other, check_metadata=True) if isinstance(one, pa.Schema) else one.equals(other))

    def mutate(self, value: Any) -> bool:
        return False  # none can be changed


class TestTable(_Arrow):
    """Tables with every detail of a schema."""

    materializer = TableMaterializer()
    other_process = True
    values = (
        TABLE,
        TABLE.slice(0, 0),
        TABLE.slice(1, 1),
        pa.table({}),
        pa.table({"a": pa.array([], pa.int64())}),
        pa.table({"big": np.arange(200_000.0)}),
        pa.table({"u": pa.array([b"a" * 16], pa.uuid())}),
    )


class TestRecordBatch(_Arrow):
    """Record batches, those without columns or rows too."""

    materializer = RecordBatchMaterializer()
    values = (*TABLE.to_batches(), pa.RecordBatch.from_arrays([column.slice(0, 0) for column in COLUMNS], schema=SCHEMA))


class TestParquetTable(TestTable):
    """Tables as Parquet."""

    materializer = ParquetTableMaterializer()
    other_process = False
    values = (TABLE, TABLE.slice(0, 0), TABLE.slice(1, 1), pa.table({"big": np.arange(200_000.0)}))


class TestParquetRecordBatch(TestRecordBatch):
    """Record batches as Parquet."""

    materializer = ParquetRecordBatchMaterializer()


@pytest.mark.parametrize("table", [pa.table({}), pa.table({"u": pa.array([b"a" * 16], pa.uuid())})], ids=["empty", "extension"])
def test_a_table_that_parquet_cannot_keep_is_left_to_arrow(table: Any, tmp_path: Path) -> None:
    """Nothing is written when a table has no columns or extension types."""
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(NoMaterializer, match="left to Arrow IPC"):
        ParquetTableMaterializer().save(table, folder)
    assert not list(folder.iterdir())


class TestArray(_Arrow):
    """Arrays; of every type in test_arrow_canonical."""

    materializer = ArrayMaterializer()
    values = (
        pa.array([1, None]),
        pa.array([1, None], pa.int8()),
        pa.array([]),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([{"a": [1]}]),
        pa.array([b"a" * 16], pa.uuid()),
    )


class TestChunkedArray(_Arrow):
    """Chunked arrays, which come back in one chunk."""

    materializer = ChunkedArrayMaterializer()
    values = (pa.chunked_array([[1, 2], [3]]), pa.chunked_array([], pa.string()), pa.chunked_array([["a"]]))


class TestSchema(_Arrow):
    """Schemas, with nullability and the metadata of fields."""

    materializer = SchemaMaterializer()
    values = (SCHEMA, pa.schema([]), pa.schema([("a", pa.int64())]), pa.schema([("a", pa.int64())], metadata={"a": "b"}))


def test_rows_without_columns_are_counted(tmp_path: Path) -> None:
    """A table or batch that only has a number of rows keeps it; pyarrow's own copies and pickles of it do not."""
    for name, materializer, value in (
        ("table", TableMaterializer(), TABLE.select([])),
        ("batch", RecordBatchMaterializer(), pa.record_batch({"a": [1, 2]}).select([])),
    ):
        back = load(materializer, save(materializer, value, tmp_path / name))
        assert back.num_rows == value.num_rows
        assert back.schema.equals(value.schema, check_metadata=True)


def test_order_of_metadata_is_kept(tmp_path: Path) -> None:
    """Keys of a schema's metadata come back in their order, and nothing of ours among them."""
    back = load(SchemaMaterializer(), save(SchemaMaterializer(), SCHEMA, tmp_path / "a"))
    assert list(back.metadata.items()) == list(SCHEMA.metadata.items())
    assert list(back.field(0).metadata.items()) == list(SCHEMA.field(0).metadata.items())


def test_chunks_do_not_show(tmp_path: Path) -> None:
    """A table in chunks, or a slice of a longer one, has the digest of the same table in one piece."""
    chunked = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    longer = pa.concat_tables([TABLE, TABLE, TABLE]).combine_chunks().slice(3, 3)
    written = [content(save(TableMaterializer(), each, tmp_path / str(n))) for n, each in enumerate((TABLE, chunked, longer))]
    assert written[0] == written[1] == written[2]


def test_any_arrow_library_opens_the_file(tmp_path: Path) -> None:
    """The file is plain Arrow IPC with the user's own schema."""
    path = save(TableMaterializer(), TABLE, tmp_path / "a") / FILENAME
    assert [each.name for each in path.parent.iterdir()] == [FILENAME]
    assert pa.ipc.open_file(path).read_all().equals(TABLE, check_metadata=True)


def test_what_arrow_cannot_read_again_is_declined(tmp_path: Path) -> None:
    """A dictionary of dictionaries, which pyarrow writes and cannot read, is left to the next candidate."""
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]).dictionary_encode())
    with pytest.raises(NoMaterializer, match="dictionary"):
        ArrayMaterializer().save(twice, tmp_path)


def test_a_dictionary_inside_a_list_is_read_back_first(tmp_path: Path) -> None:
    """Where pyarrow can read what it writes, the value is kept."""
    inside = pa.ListArray.from_arrays([0, 2, 3], pa.array(["a", "b", "a"]).dictionary_encode())
    assert load(ArrayMaterializer(), save(ArrayMaterializer(), inside, tmp_path / "a")).equals(inside)


def test_a_failing_disk_is_no_reason_to_decline(tmp_path: Path) -> None:
    """An error of the file system is raised as it is: a pickle would fail in the same way."""
    with pytest.raises(FileNotFoundError):
        ArrayMaterializer().save(pa.array([1]), tmp_path / "missing")


class Celsius(pa.ExtensionType):
    """A type of the user's own."""

    def __init__(self) -> None:
        super().__init__(pa.float64(), "test.celsius")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: bytes) -> "Celsius":
        return cls()


@pytest.fixture
def celsius() -> Iterator[Any]:
    pa.register_extension_type(Celsius())
    yield pa.ExtensionArray.from_storage(Celsius(), pa.array([1.5, None]))
    pa.unregister_extension_type("test.celsius")


def test_an_extension_type_comes_back(celsius: Any, tmp_path: Path) -> None:
    """A registered type of the user's own is kept, also inside another."""
    inside = pa.table({"t": pa.StructArray.from_arrays([celsius], names=["c"])})
    for number, (materializer, value) in enumerate([(ArrayMaterializer(), celsius), (TableMaterializer(), inside)]):
        back = load(materializer, save(materializer, value, tmp_path / str(number)))
        assert type(back) is type(value)
        assert back.equals(value)


def test_an_extension_type_that_is_not_registered_is_named(celsius: Any, tmp_path: Path) -> None:
    """Bare storage in place of the type would be another value: the error says what to import."""
    folder = save(ArrayMaterializer(), celsius, tmp_path / "a")
    pa.unregister_extension_type("test.celsius")
    try:
        with pytest.raises(MaterializerError, match=r"test\.celsius is not known.*import the module"):
            load(ArrayMaterializer(), folder)
    finally:
        pa.register_extension_type(Celsius())


def test_storage_of_an_unknown_extension_is_kept_as_it_is(tmp_path: Path) -> None:
    """A column that was read without its extension's library keeps the marks by which that library finds it."""
    field = pa.field("g", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": "{}"})
    table = pa.table([pa.array([b"x"])], schema=pa.schema([field]))
    back = load(TableMaterializer(), save(TableMaterializer(), table, tmp_path / "a"))
    assert back.schema.equals(table.schema, check_metadata=True)
    assert back.equals(table)


def test_a_pickle_in_an_extension_type_is_not_read(trap: Any, tmp_path: Path) -> None:
    """The metadata by which old pyarrow carried Python types as pickles stay bytes."""
    field = pa.field(
        "a", pa.int64(), metadata={"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": trap.pickled}
    )
    batch = pa.record_batch([pa.array([1])], schema=pa.schema([field]))
    arrow_canonical.write(tmp_path / FILENAME, batch.schema, [batch])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # until pyarrow 21 one says that the pickle stays closed
        assert load(ArrayMaterializer(), tmp_path).to_pylist() == [1]
    assert not trap.sprung


def test_metadata_of_a_table() -> None:
    """Shape, size, and for each column its type, missing values and the range of numbers and times."""
    table = pa.table({"n": [1, None, 3], "t": pa.array([0, 86_400_000, None], pa.timestamp("ms")), "s": ["a", None, None]})
    facts = TableMaterializer().metadata(table)
    assert facts["shape"] == [3, 3]
    assert facts["columns"] == [
        {"name": "n", "dtype": "int64", "missing": 1, "min": 1.0, "max": 3.0, "mean": 2.0, "std": 1.0},
        {"name": "t", "dtype": "timestamp[ms]", "missing": 1, "min": "1970-01-01T00:00:00.000", "max": "1970-01-02T00:00:00.000"},
        {"name": "s", "dtype": "string", "missing": 2},
    ]


def test_metadata_of_a_long_column_are_sampled() -> None:
    """More rows than the limit are looked at in steps, and that is said; missing values are counted all the same."""
    facts = ArrayMaterializer().metadata(pa.array([*range(50_000), None]))
    assert facts["sampled"] is True
    assert facts["missing"] == 1
    assert json.dumps(dict(facts))


def test_the_registry_knows_the_types() -> None:
    """Values, annotations and stored ids find the materializers."""
    assert registry.for_value(pa.array([1], pa.int8())).id == "pyarrow.Array/1"
    assert registry.for_type(pa.Table) is registry.by_id("pyarrow.Table/1")


def test_another_process_reads_it(elsewhere: Callable[..., str], tmp_path: Path) -> None:
    """A file is read where nothing has been loaded before."""
    folder = save(TableMaterializer(), TABLE, tmp_path / "a")
    program = (
        "import sys; from pathlib import Path; from lineal.materializers.registry import registry; "
        "print(registry.by_id('pyarrow.Table/1').load(Path(sys.argv[1]), None).column(1).to_pylist())"
    )
    assert elsewhere(program, folder) == "['x', None, 'y']"
