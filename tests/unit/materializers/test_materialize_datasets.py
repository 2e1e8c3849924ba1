import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import Array2D, ClassLabel, Dataset, DatasetDict, Features, Image, List, NamedSplit, Translation, Value
from PIL import Image as Picture

from lineal.errors import NoMaterializer
from lineal.materializers.datasets import ROWS, DatasetDictMaterializer, DatasetMaterializer, FeaturesMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.testing.materializers import MaterializerTests, content, load, save, sealed

FEATURES = Features(
    {
        "number": Value("int32"),
        "text": Value("string"),
        "many": List(Value("int64")),
        "label": ClassLabel(names=["no", "yes"]),
        "grid": Array2D((2, 2), "int8"),
        "both": Translation(languages=["en", "fr"]),
        "at": Value("timestamp[us, tz=UTC]"),
    }
)


def rows() -> Any:
    """Give a data set with columns of many kinds."""
    return Dataset.from_dict(
        {
            "number": [1, 2, None],
            "text": ["x", None, "日本"],
            "many": [[1], [2, 3], []],
            "label": [0, 1, 0],
            "grid": [[[1, 2], [3, 4]]] * 3,
            "both": [{"en": "a", "fr": "b"}] * 3,
            "at": [0, 1_000_000, 2_000_000],
        },
        features=FEATURES,
        split=NamedSplit("train"),
    )


def described() -> Any:
    made = Dataset.from_dict({"a": [1.5, float("nan")]})
    made.info.description = "two numbers"
    made.info.license = "none"
    return made


def long() -> Any:
    return Dataset.from_dict({"a": np.arange(ROWS * 2 + 5), "b": ["word"] * (ROWS * 2 + 5)})


class TestDataset(MaterializerTests):
    """Data sets."""

    materializer = DatasetMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = (
        rows(),
        rows().select([2, 0]),
        rows().shuffle(seed=1).with_format("numpy", columns=["number", "label"]),
        rows().with_format("pandas"),
        described(),
        long(),
        Dataset.from_dict({"a": []}),
        Dataset.from_dict({}),
        rows().select([]),
    )

    def equal(self, one: Any, other: Any) -> bool:
        same = one.features == other.features and one.format == other.format and one.split == other.split
        same = same and one.info == other.info and one.num_rows == other.num_rows
        return same and repr(one.with_format(None)[:]) == repr(other.with_format(None)[:])

    def mutate(self, value: Any) -> bool:
        value.info.description = "changed"
        return True


class TestDatasetDict(MaterializerTests):
    """Dictionaries of data sets."""

    materializer = DatasetDictMaterializer()
    other_process = False
    values = (
        DatasetDict(train=rows(), test=rows().select([1])),
        DatasetDict(test=rows().select([1]), train=rows()),
        DatasetDict({"../a/b": described()}),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return list(one) == list(other) and all(TestDataset().equal(one[name], other[name]) for name in one)


class TestFeatures(MaterializerTests):
    """Features."""

    materializer = FeaturesMaterializer()
    other_process = False
    values = (FEATURES, Features({"a": {"b": Value("float64"), "c": [Value("bool")]}}), Features())

    def mutate(self, value: Any) -> bool:
        value["added"] = Value("int8")
        return True


def test_bytes_do_not_show_how_rows_were_come_by(tmp_path: Path) -> None:
    """Chunks, indices and the fingerprint of the library are not part of the value."""
    one = rows()
    other = rows().select([0, 0, 1, 2]).select([1, 2, 3])
    assert one._fingerprint != other._fingerprint
    first, second = (save(DatasetMaterializer(), each, tmp_path / name) for each, name in ((one, "a"), (other, "b")))
    assert content(first) == content(second)


def test_different_contents_have_different_fingerprints(tmp_path: Path) -> None:
    """The library takes the fingerprint for the content: two data sets with one of them would share what was derived from either."""
    loaded = [
        load(DatasetMaterializer(), save(DatasetMaterializer(), each, tmp_path / str(n))) for n, each in enumerate((rows(), described()))
    ]
    assert loaded[0]._fingerprint != loaded[1]._fingerprint
    assert all(len(each._fingerprint) == 16 for each in loaded)


def test_what_is_derived_is_not_cached_beside_the_stored_file(tmp_path: Path) -> None:
    """The folder is sealed, and stays as it is also for a user who may write everywhere."""
    folder = save(DatasetMaterializer(), rows(), tmp_path / "a")
    before = content(folder)
    with sealed(folder):
        back = load(DatasetMaterializer(), folder)
        derived = back.map(lambda row: {"twice": (row["number"] or 0) * 2}).filter(lambda row: row["twice"] > 0).shuffle(seed=0)
        assert sorted(derived["twice"]) == [2, 4]
    assert content(folder) == before


def test_file_is_plain_arrow(tmp_path: Path) -> None:
    """For any tool."""
    folder = save(DatasetMaterializer(), described(), tmp_path / "a")
    with pa.OSFile(str(folder / "data.arrow")) as source, pa.ipc.open_file(source) as reader:
        assert reader.read_all().column_names == ["a"]


def test_images_are_taken_in(tmp_path: Path) -> None:
    """A path to a file that may go away is not the picture."""
    picture = tmp_path / "picture.png"
    Picture.new("RGB", (3, 2), "red").save(picture)
    given = Dataset.from_dict({"image": [str(picture)]}).cast_column("image", Image())
    folder = save(DatasetMaterializer(), given, tmp_path / "a")
    picture.unlink()
    back = load(DatasetMaterializer(), folder)
    assert back[0]["image"].size == (3, 2)
    assert back[0]["image"].getpixel((0, 0)) == (255, 0, 0)


def test_registry_knows_data_sets() -> None:
    """One that shows its rows through a function is left to the fallback."""
    registry = Registry(CloudpickleMaterializer())
    assert registry.for_value(rows()).id == "datasets.Dataset/1"
    assert registry.for_value(DatasetDict(a=rows())).id == "datasets.DatasetDict/1"
    assert registry.for_value(FEATURES).id == "datasets.Features/1"
    shown = rows().with_transform(lambda batch: batch)
    assert registry.for_value(shown).id == "cloudpickle/1"
    assert registry.for_value(DatasetDict(a=shown)).id == "cloudpickle/1"


def test_options_of_a_format_that_json_cannot_hold_are_declined(tmp_path: Path) -> None:
    """As a dtype of numpy."""
    with pytest.raises(NoMaterializer, match=r"format\['format_kwargs'\]\['dtype'\]"):
        save(DatasetMaterializer(), rows().with_format("numpy", dtype=np.float32), tmp_path / "a")


def test_metadata() -> None:
    """Rows and the type of each column."""
    facts = DatasetMaterializer().metadata(rows())
    assert (facts["rows"], facts["features"]["number"]) == (3, "Value('int32')")
    assert DatasetDictMaterializer().metadata(DatasetDict(train=rows()))["splits"]["train"]["rows"] == 3
    assert FeaturesMaterializer().metadata(FEATURES)["features"]["text"] == "Value('string')"


def test_no_pickle_is_read(tmp_path: Path, trap: Any) -> None:
    """Neither in the place of the data, nor as the parameters of an extension type, which older releases of pyarrow unpickled."""
    folder = save(DatasetMaterializer(), described(), tmp_path / "a")
    (folder / "data.arrow").write_bytes(trap.pickled)
    with pytest.raises(pa.ArrowInvalid):
        load(DatasetMaterializer(), folder)
    named = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": trap.pickled}
    schema = pa.schema([pa.field("a", pa.float64(), metadata=named)])
    with pa.OSFile(str(folder / "data.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.table({"a": [1.5]}).cast(schema))
    assert load(DatasetMaterializer(), folder)[0] == {"a": 1.5}
    assert not trap.sprung


def test_features_name_nothing_but_features(tmp_path: Path) -> None:
    """What a file calls a type is looked up among those of the library."""
    folder = save(FeaturesMaterializer(), Features({"a": Value("int8")}), tmp_path / "a")
    for forged in ("Popen", "os.system", "Features.from_dict"):
        (folder / "features.json").write_text(json.dumps({"a": {"_type": forged, "dtype": "int8"}}), encoding="utf-8")
        with pytest.raises(Exception, match="not found"):
            load(FeaturesMaterializer(), folder)


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The values are made anew there, under another hash seed."""
    assert_same_elsewhere(TestDataset, TestDatasetDict, TestFeatures)
