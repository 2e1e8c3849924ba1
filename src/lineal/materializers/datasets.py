"""datasets: data sets as Arrow files with their features, format and description beside; dictionaries of them by split.

What rows a data set shows is stored, also where it was selected or shuffled by an index. It comes back as a data set in memory that is
mapped from the file, and gets its fingerprint from its content: what `map` and others derive from it is cached by the library in its
temporary folder, never beside the stored file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa
from blake3 import blake3
from datasets import Dataset, DatasetDict, DatasetInfo, Features, NamedSplit
from datasets.features.features import require_storage_embed
from datasets.table import InMemoryTable, embed_table_storage

from lineal.errors import NoMaterializer, NotPlain
from lineal.materializers import arrow_canonical
from lineal.materializers.base import AnyMaterializer, BytesMaterializer, Materializer
from lineal.model import digest, values
from lineal.model.records import Json

ROWS: Final = 10_000
"""Number of rows that are brought into memory and written together."""

_DATA: Final = "data.arrow"
_SPEC: Final = "dataset.json"


class DatasetMaterializer(Materializer):
    """Saves a data set as `data.arrow` and `dataset.json`."""

    id = "datasets.Dataset/1"
    types = (Dataset,)

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a data set and no subclass, which shows its rows as they are and not through a function."""
        return type(value) is Dataset and value.format["type"] != "custom"

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Images and sounds that lie in files of their own are taken in."""
        spec = _spec(value)
        _write(value, folder / _DATA)
        content = blake3().update_mmap(folder / _DATA).hexdigest()
        spec["fingerprint"] = digest.of(self.id, content, values.text(spec))[:16]
        (folder / _SPEC).write_bytes(values.text(spec))

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the data set."""
        spec: Any = values.parse((folder / _SPEC).read_bytes())
        features = Features.from_dict(values.from_json(spec["features"]))
        schema, batches = arrow_canonical.read(folder / _DATA)
        info = DatasetInfo.from_dict(values.from_json(spec["info"]))
        info.features = features
        split = None if spec["split"] is None else NamedSplit(spec["split"])
        table = InMemoryTable(pa.Table.from_batches(batches, schema))
        value = Dataset(table, info=info, split=split, fingerprint=spec["fingerprint"])
        shown = values.from_json(spec["format"])
        value.set_format(shown["type"], shown["columns"], shown["output_all_columns"], **shown["format_kwargs"])
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the number of rows and bytes, and the type of each column."""
        return _facts(value)


class DatasetDictMaterializer(Materializer):
    """Saves a dictionary of data sets: each in a folder, and `splits.json` with their names in order."""

    id = "datasets.DatasetDict/1"
    types = (DatasetDict,)

    def accepts(self, value: Any) -> bool:
        """Tell whether its keys are text and its values can be saved."""
        one = DatasetMaterializer()
        return type(value) is DatasetDict and all(type(name) is str and one.accepts(each) for name, each in _items(value))

    def save(self, value: Any, folder: Path) -> None:
        """Write the folders."""
        names = []
        for index, (name, each) in enumerate(_items(value)):
            (folder / str(index)).mkdir()
            DatasetMaterializer().save(each, folder / str(index))
            names.append(name)
        (folder / "splits.json").write_text(json.dumps(names), encoding="utf-8")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the dictionary."""
        names = json.loads((folder / "splits.json").read_bytes())
        return DatasetDict({name: DatasetMaterializer().load(folder / str(index), None) for index, name in enumerate(names)})

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give what is known of each data set, by name."""
        return {"splits": {name: dict(_facts(each)) for name, each in _items(value)}}


class FeaturesMaterializer(BytesMaterializer):
    """Saves the features of a data set as JSON."""

    id = "datasets.Features/1"
    filename: ClassVar[str] = "features.json"
    types = (Features,)
    data_type = "schema"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is of exactly that class."""
        return type(value) is Features

    def dumps(self, value: Any) -> bytes:
        """Give the JSON."""
        return values.dumps(value.to_dict())

    def loads(self, data: bytes, type_: Any) -> Any:
        """Give the features."""
        return Features.from_dict(values.loads(data))

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the type of each feature."""
        return {"features": {name: str(each) for name, each in value.items()}}


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    yield from dict.items(value)


def _spec(value: Any) -> dict[str, Json]:
    info = value.info.copy()
    info.features = None  # kept apart
    try:
        return {
            "features": values.to_json(value.features.to_dict(), name="features"),
            "info": values.to_json(asdict(info), name="info"),
            "format": values.to_json(value.format, name="format"),
            "split": None if value.split is None else str(value.split),
        }
    except NotPlain as error:
        raise NoMaterializer(f"the data set cannot be described by JSON: {error}") from error


def _write(value: Any, path: Path) -> None:
    """Write the rows that a data set shows, some at a time: it may be larger than memory."""
    rows = value.with_format("arrow")
    embed = any(map(require_storage_embed, value.features.values()))
    schema = value.features.arrow_schema.remove_metadata()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for start in range(0, value.num_rows, ROWS):
            table = rows[start : start + ROWS]
            table = embed_table_storage(table) if embed else table
            for batch in arrow_canonical.batches(table.replace_schema_metadata(None).cast(schema)):
                writer.write_batch(batch)


def _facts(value: Any) -> Mapping[str, Json]:
    return {"rows": value.num_rows, "nbytes": value.data.nbytes, "features": {name: str(each) for name, each in value.features.items()}}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (DatasetMaterializer, DatasetDictMaterializer, FeaturesMaterializer)
