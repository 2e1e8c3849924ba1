"""What is promised of materializers, sentence by sentence and row by row of the table, through the public names only.

The rows of large frameworks are proven where these are loaded anyway:

- xgboost: tests/unit/materializers/test_materialize_xgboost.py::test_metadata
- lightgbm: tests/unit/materializers/test_materialize_lightgbm.py::test_metadata
- catboost: tests/unit/materializers/test_materialize_catboost.py::test_metadata
- their importances: tests/unit/materializers/test_boosted_models_shown.py::test_a_fitted_model_shows_what_its_features_are_worth
- torch modules, state dicts and tensors: tests/unit/materializers/test_materialize_torch.py::test_module_computes_the_same_after_loading
- layers of torch modules: tests/unit/materializers/test_torch_view.py::test_a_module_is_a_table_of_its_layers
- onnx: tests/unit/materializers/test_materialize_onnx.py::test_file_is_one_that_onnx_reads
- models and tokenizers of transformers: tests/unit/materializers/test_materialize_transformers.py::test_folder_is_one_that_transformers_reads
- data sets: tests/unit/materializers/test_materialize_datasets.py::test_file_is_plain_arrow
- keras: tests/unit/materializers/test_materialize_keras.py::test_file_is_one_that_keras_reads

Without pyarrow a table is never written as CSV: tests/unit/materializers/test_registry.py::test_missing_package_of_a_library_is_told.

Values come back equal and of the same type for whatever hypothesis thinks of: tests/property/test_values_property.py::test_round_trip_is_exact,
tests/property/test_numpy_property.py::test_round_trip, tests/property/test_pandas_property.py::test_round_trip. Python and library versions
are checked before anything is unpickled: tests/unit/materializers/test_pickled.py::test_environment_is_checked_before_anything_is_unpickled.
"""

import collections
import datetime as dt
import decimal
import enum
import importlib
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypedDict

import attrs
import numpy as np
import pandas as pd
import pydantic
import pytest

from lineal import (
    BytesMaterializer,
    Client,
    Materializer,
    load_artifact,
    pipeline,
    register_materializer,
    save_artifact,
    step,
)
from lineal.errors import LinealWarning, MaterializerError, NoMaterializer, PickleRefused, UsageError
from lineal.materializers import BaseMaterializer
from lineal.types import CSVString, HTMLString, JSONString, MarkdownString


class Colour(enum.Enum):
    RED = "r"


class Point(NamedTuple):
    x: int
    y: float


@dataclass
class Plan:
    depth: int
    rates: list[float]


class Options(pydantic.BaseModel):
    name: str
    limit: float = 0.5


class Row(TypedDict):
    n: int


@attrs.define
class Place:
    name: str
    at: tuple[float, float]


PLAIN = [
    True, 7, -0.0, float("inf"), "text", None, {1: "a", "1": 2, (1, 2): [None]}, [1, (2, [3.0])], (1,), {1, 2}, frozenset({"a"}), 1 + 2j, b"\x00\xff",
    dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC), dt.date(2026, 1, 2), dt.time(3, 4), dt.timedelta(days=1, microseconds=2), uuid.UUID(int=7),
    decimal.Decimal("1.10"), Colour.RED, collections.deque([1, 2], maxlen=3), collections.defaultdict(list, {"a": [1]}),
    collections.OrderedDict([("b", 1), ("a", 2)]), collections.Counter("abca"), Point(1, 2.5), Plan(3, [0.1]), Options(name="x"), Row(n=1),
    Place("home", (1.0, 2.0)),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_and_classes_of_such_are_typed_json_and_exactly_what_they_were(value: Any) -> None:
    """Numbers, text, times, containers, enums, named tuples, dataclasses, pydantic models, typed dicts, attrs classes: nested, with their exact types."""
    version = save_artifact({"nested": [value, (value,)]}, "plain")
    assert [each.path for each in version.files] in (["data.json"], ["data.bin"])
    loaded = version.load()["nested"]
    assert [type(each) for each in loaded] == [type(value), tuple]
    assert loaded == [value, (value,)]
    assert str(loaded[0]) == str(value) or isinstance(value, set | frozenset)
    assert type(loaded[0]) is type(value)
    assert getattr(value, "maxlen", None) == getattr(loaded[0], "maxlen", None)


def test_bytes_are_a_file_of_these_bytes() -> None:
    """`data.bin`; plain values have their length or value as metadata, and are shown as JSON or text."""
    version = save_artifact(b"x" * 20_000, "bytes")
    assert version.path.read_bytes() == b"x" * 20_000
    assert [each.path for each in version.files] == ["data.bin"]
    assert version.metadata["length"] == 20_000
    assert save_artifact(0.5, "number").metadata["value"] == 0.5
    assert save_artifact({"deep": [1, {"k": 2}]}, "nested").visualizations


def test_an_element_of_another_type_is_stored_by_its_own_materializer() -> None:
    """Inside a container, a frame is Arrow and an array is npy, and the container comes back as it was."""
    frame = pd.DataFrame({"a": [1, 2]})
    version = save_artifact({"table": frame, "more": [np.arange(3), "text"]}, "mixed")
    assert sorted(Path(each.path).suffix for each in version.files) == [".arrow", ".json", ".npy"]
    loaded = version.load()
    pd.testing.assert_frame_equal(loaded["table"], frame)
    assert (loaded["more"][0].tolist(), loaded["more"][1]) == ([0, 1, 2], "text")


def test_the_schema_of_a_class_is_kept() -> None:
    """A dataclass has its fields as metadata."""
    assert "depth" in str(save_artifact(Plan(1, [0.5]), "plan").metadata)


def test_a_path_is_the_file_or_folder_itself(tmp_path: Path) -> None:
    """The name is kept; files and bytes are counted; the listing or the content is shown."""
    folder = tmp_path / "reports"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/a.txt").write_text("hello")
    version = save_artifact(folder, "reports")
    assert version.load().name == "reports"
    assert (version.load() / "deep/a.txt").read_text() == "hello"
    assert (version.metadata["files"], version.metadata["bytes"]) == (1, 5)
    assert [(each.title, each.content) for each in version.visualizations] == [("reports/deep/a.txt", "hello")]
    (folder / "b.bin").write_bytes(b"\x00")
    assert "b.bin" in str(save_artifact(folder, "reports").visualizations[0].content), "the listing"
    assert save_artifact(folder / "deep/a.txt", "file").load().name == "a.txt"


@pytest.mark.parametrize(
    ("value", "file"),
    [
        (HTMLString("<b>x</b>"), "data.html"), (MarkdownString("# x"), "data.md"), (CSVString("a\n1\n"), "data.csv"), (JSONString('{"a": 1}'), "data.json"),
    ],
    ids=["html", "markdown", "csv", "json"],
)  # fmt: skip
def test_the_text_types_are_stored_as_that_text_and_show_themselves(value: str, file: str) -> None:
    """And come back as exactly that type."""
    version = save_artifact(value, "text")
    assert [each.path for each in version.files] == [file]
    assert (type(version.load()), version.load()) == (type(value), value)
    assert [each.kind for each in version.visualizations] == [file.partition(".")[2].replace("md", "markdown")]


def frame_of_everything() -> pd.DataFrame:
    """A frame with a MultiIndex on both axes, nullable, categorical, tz-aware and period columns, and attrs."""
    frame = pd.DataFrame({
        "n": pd.array([1, None], dtype="Int64"), "c": pd.Categorical(["a", "b"], ordered=True), "t": pd.date_range("2026", periods=2, tz="Europe/Berlin"),
        "p": pd.period_range("2026", periods=2, freq="M"), "i": pd.interval_range(0, 2), "o": [1.5, float("nan")],
    })  # fmt: skip
    frame.columns = pd.MultiIndex.from_product([["x"], frame.columns])
    frame.index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])
    frame.attrs = {"source": "test"}
    return frame


def make(module: str, expression: str) -> Callable[[], Any]:
    """Give a function that makes a value of a library, which it imports."""
    return lambda: eval(expression, {"m": importlib.import_module(module), "np": np, "pd": pd})


TABLE = [
    ("array", lambda: np.arange(12.0).reshape(3, 4), "data.npy", {"shape", "dtype", "min", "max", "mean", "std"}, True),
    ("structured", lambda: np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), "data.npy", {"shape", "dtype"}, True),
    ("scalar", lambda: np.float32(1.5), "data.npy", {"dtype", "value"}, True),
    ("frame", frame_of_everything, "data.arrow", {"shape", "columns"}, True),
    ("series", lambda: pd.Series([1.5, None], name="s"), "data.arrow", {"shape"}, True),
    ("index", lambda: pd.Index(["a", "b"], name="i"), "data.arrow", {"shape"}, True),
    ("polars", make("polars", "m.DataFrame({'a': [1, None], 'b': ['x', 'y']})"), "data.arrow", {"shape", "columns"}, True),
    ("polars_series", make("polars", "m.Series('a', [1, 2])"), "data.arrow", {"shape"}, True),
    ("lazy", make("polars", "m.LazyFrame({'a': [1, 2]})"), "data.arrow", {"columns"}, True),
    ("arrow", make("pyarrow", "m.table({'a': [1, None]})"), "data.arrow", {"shape"}, True),
    ("batch", make("pyarrow", "m.record_batch({'a': [1, 2]})"), "data.arrow", {"shape"}, True),
    ("schema", make("pyarrow", "m.schema([('a', m.int32())])"), "data.arrow", set(), True),
    ("sparse", make("scipy.sparse", "m.csr_array(np.eye(4))"), "data.npz", {"shape", "nnz"}, True),
    ("estimator", make("sklearn.linear_model", "m.LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])"), "model.skops", {"class", "parameters"}, True),
    ("image", make("PIL.Image", "m.new('RGB', (4, 3), 'red')"), None, {"size"}, True),
    ("plotly", make("plotly.graph_objects", "m.Figure(m.Bar(x=['a'], y=[1]))"), None, set(), True),
    ("altair", make("altair", "m.Chart(pd.DataFrame({'a': [1]})).mark_bar().encode(x='a:Q')"), None, set(), True),
    ("graph", make("networkx", "m.path_graph(4)"), "graph.json", {"nodes", "edges"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "made", "file", "facts", "shown"), TABLE, ids=[each[0] for each in TABLE])
def test_each_library_of_the_table_is_stored_described_and_shown_as_it_says(
    name: str, made: Callable[[], Any], file: str | None, facts: set[str], shown: bool
) -> None:
    """Format, metadata and visualization; what comes back has the same type and gives the same bytes."""
    value = made()
    version = save_artifact(value, name)
    if file is not None:
        assert [each.path for each in version.files] == [file]
    assert facts <= version.metadata.keys()
    assert bool(version.visualizations) is shown
    loaded = version.load()
    assert type(loaded) is type(value)
    assert save_artifact(loaded, name).digest == version.digest
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(loaded, value)
        assert loaded.attrs == value.attrs


def test_a_matplotlib_figure_is_a_picture_and_its_source() -> None:
    """PNG beside what it is made of, and shown as itself."""
    figure = importlib.import_module("matplotlib.figure").Figure()
    figure.add_subplot().plot([1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)  # its source is a pickle, which is said
        version = save_artifact(figure, "figure")
    assert any(each.path.endswith(".png") for each in version.files)
    assert [each.kind for each in version.visualizations] == ["image"]
    assert version.load().axes[0].lines[0].get_ydata().tolist() == [1, 2]


def test_a_table_is_memory_mapped_when_it_is_loaded() -> None:
    """A frame that is loaded owns no copy of its numbers until it is changed; changing it changes nobody else's."""
    frame = pd.DataFrame({"a": np.arange(100_000.0), "b": np.arange(100_000.0)})
    version = save_artifact(frame, "frame")
    loaded = version.load()
    assert not loaded["a"].to_numpy().flags.owndata
    loaded.loc[0, "a"] = 9.0
    assert version.load().loc[0, "a"] == 0.0


def test_each_column_of_a_table_has_its_facts() -> None:
    """Type, missing values, and of numbers minimum, maximum, mean and standard deviation, nullable ones too; all can be asked for."""
    frame = pd.DataFrame(
        {"n": pd.array([1, None, 3], dtype="Int64"), "s": ["a", None, "b"], "x": [1.5, 2.5, float("nan")], "f": [True, False, True]}
    )
    version = save_artifact(frame, "frame")
    facts = {each["name"]: each for each in version.metadata["columns"]}
    assert {name: each["dtype"] for name, each in facts.items()} == {"n": "Int64", "s": "str", "x": "float64", "f": "bool"}
    assert [each["missing"] for each in facts.values()] == [1, 1, 1, 0]
    assert [(each["min"], each["max"], each["mean"]) for each in (facts["n"], facts["x"])] == [(1, 3, 2.0), (1.5, 2.5, 2.0)]
    assert save_artifact(np.float32(2.5), "number").metadata == {"dtype": "float32", "value": 2.5}
    assert [each.name for each in Client().list_artifact_versions(metadata="value > 2")] == ["number"]


# -- materializers of one's own


class Box:
    """A value that no materializer knows."""

    def __init__(self, text: str) -> None:
        self.text = text


class BigBox(Box):
    """A subclass of it."""


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after the test what it registers."""
    from lineal.materializers.registry import registry

    for name, held in vars(registry).items():
        if isinstance(held, dict | list | set):
            monkeypatch.setattr(registry, name, type(held)(held))


class BoxBytes(BytesMaterializer):
    id = "test.BoxBytes/1"
    types = (Box,)
    filename = "box.txt"

    def dumps(self, value: Box) -> bytes:
        return value.text.encode()

    def loads(self, data: bytes, type_: Any) -> Box:
        return (type_ if isinstance(type_, type) and issubclass(type_, Box) else Box)(data.decode())


class BoxFiles(Materializer):
    id = "test.BoxFiles/1"
    types = (Box,)

    def save(self, value: Box, folder: Path) -> None:
        (folder / "box.md").write_text(value.text)

    def load(self, folder: Path, type_: Any) -> Box:
        return Box((folder / "box.md").read_text())


@pytest.mark.usefixtures("fresh")
def test_base_materializer_is_the_shape_that_users_have() -> None:
    """A subclass with types, kind, `save(value)` and `load(data_type)` on `self.uri`, visualizations and metadata."""

    class Mine(BaseMaterializer):
        ASSOCIATED_TYPES = (Box,)
        ASSOCIATED_ARTIFACT_TYPE = "model"

        def save(self, value: Box) -> None:
            assert Path(self.uri).is_dir()
            Path(self.uri, "box.txt").write_text(value.text)

        def load(self, data_type: type[Box]) -> Box:
            return data_type(Path(self.uri, "box.txt").read_text())

        def save_visualizations(self, value: Box) -> dict[str, str]:
            path = Path(self.uri, "seen.md")
            path.write_text(f"# {value.text}")
            return {str(path): "markdown"}

        def extract_metadata(self, value: Box) -> dict[str, Any]:
            return {"letters": len(value.text)}

    version = save_artifact(BigBox("hello"), "box")
    assert (type(version.load()), version.load().text) == (BigBox, "hello")
    assert (version.data_type, version.metadata) == ("model", {"letters": 5})
    assert [(each.kind, each.content) for each in version.visualizations] == [("markdown", "# hello")]


@pytest.mark.usefixtures("fresh")
def test_a_content_hash_stands_for_the_value_where_bytes_differ() -> None:
    """`compute_content_hash`: files that cannot be written twice alike do not make the next step run again."""

    class Stamped(BaseMaterializer):
        ASSOCIATED_TYPES = (Box,)

        def save(self, value: Box) -> None:
            Path(self.uri, "box.txt").write_text(f"{uuid.uuid4()}\n{value.text}")

        def load(self, data_type: type[Box]) -> Box:
            return data_type(Path(self.uri, "box.txt").read_text().split("\n")[1])

        def compute_content_hash(self, value: Box) -> str:
            return value.text

    @step(enable_cache=False)
    def made() -> Box:
        return Box("same")

    @step
    def used(box: Box) -> str:
        return box.text

    @pipeline
    def working() -> None:
        used(made())

    first, second = working(), working()
    assert first.steps["made"].output.digest != second.steps["made"].output.digest
    assert second.steps["used"].status == "cached"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_are_parquet_by_setting(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`table_format = "parquet"`; what was stored as Arrow before is still read, and a frame comes back as it was."""
    frame = frame_of_everything() if library == "pandas" else make("polars", "m.DataFrame({'a': [1, None]})")()
    before = save_artifact(frame, "frame")
    monkeypatch.setenv("LINEAL_TABLE_FORMAT", "parquet")
    after = save_artifact(frame, "frame")
    assert [[Path(each.path).suffix for each in version.files] for version in (before, after)] == [[".arrow"], [".parquet"]]
    for version in (before, after):
        loaded = Client().get_artifact_version(version.id).load()
        assert type(loaded) is type(frame)
        assert loaded.equals(frame)
        assert list(map(str, loaded.dtypes)) == list(map(str, frame.dtypes))


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("shape", [BoxBytes, BoxFiles])
def test_the_two_plain_shapes_are_offered_too(shape: Any) -> None:
    """`Materializer` and `BytesMaterializer` with `register_materializer`."""
    register_materializer(shape)
    version = save_artifact(Box("hello"), "box")
    assert (version.materializer, version.load().text) == (shape.id, "hello")


@pytest.mark.usefixtures("fresh")
def test_the_nearest_class_is_chosen_then_predicates_then_the_fallback() -> None:
    """Exact type, nearest class of the MRO, predicate, fallback; never the base of another branch."""
    from lineal.materializers.registry import registry

    registry.register_predicate(lambda cls: cls.__name__ == "BigBox", BoxBytes)
    assert save_artifact(BigBox("a"), "box").materializer == "test.BoxBytes/1"
    register_materializer(BoxFiles)
    assert save_artifact(BigBox("a"), "box").materializer == "test.BoxFiles/1", "the class of its MRO comes before predicates"
    with pytest.warns(LinealWarning, match="pickle"):
        assert save_artifact(type("Stranger", (), {})(), "other").materializer.startswith("cloudpickle")


@pytest.mark.usefixtures("fresh")
def test_a_later_registration_wins_and_says_so() -> None:
    """With a warning that names both; `replace=True` is silent."""
    register_materializer(BoxBytes)
    with pytest.warns(LinealWarning, match=r"BoxFiles.*Box|Box.*BoxFiles"):
        register_materializer(BoxFiles)
    assert save_artifact(Box("a"), "box").materializer == "test.BoxFiles/1"
    register_materializer(BoxBytes, replace=True)
    assert save_artifact(Box("a"), "box").materializer == "test.BoxBytes/1"


@pytest.mark.parametrize("given", [BoxBytes, [BoxBytes, BoxFiles], {"b": BoxFiles, "a": BoxBytes}], ids=["one", "sequence", "by name"])
def test_output_materializers_are_one_a_sequence_or_by_name(given: Any) -> None:
    """They beat what is registered, and an output that does not exist is refused."""

    @step(output_materializers=given)
    def made() -> tuple[Annotated[Box, "a"], Annotated[Box, "b"]]:
        return Box("1"), Box("2")

    @pipeline
    def making() -> None:
        made()

    outputs = making().steps["made"].outputs
    expected = "test.BoxBytes/1" if given is BoxBytes else "test.BoxFiles/1"
    assert [each.materializer for each in outputs.values()] == ["test.BoxBytes/1", expected]
    assert [each.load().text for each in outputs.values()] == ["1", "2"]
    with pytest.raises(UsageError, match="'c'"):
        made.with_options(output_materializers={"c": BoxBytes})


@pytest.mark.usefixtures("fresh")
def test_what_was_saved_is_loaded_by_the_materializer_recorded_with_it() -> None:
    """Also after another one has taken the type; and a consumer's annotation is passed to `load`."""
    register_materializer(BoxBytes)
    version = save_artifact(Box("old"), "box")
    register_materializer(BoxFiles, replace=True)
    assert version.load().text == "old"

    @step
    def taken(box: BigBox) -> str:
        return type(box).__name__

    @pipeline
    def taking() -> None:
        taken(Client().get_artifact_version("box"))

    assert taking().steps["taken"].output.load() == "BigBox"


class Failing(BoxFiles):
    """Fails in the method that is named."""

    id = "test.Failing/1"
    at = "save"

    def save(self, value: Box, folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        if self.at == "save":
            raise RuntimeError("disk on fire")
        super().save(value, folder)

    def load(self, folder: Path, type_: Any) -> Box:
        if self.at == "load":
            raise RuntimeError("cannot read")
        return super().load(folder, type_)

    def metadata(self, value: Box) -> dict[str, Any]:
        if self.at == "metadata":
            raise RuntimeError("no facts")
        return {"letters": len(value.text)}

    def visualize(self, value: Box) -> list[Any]:
        if self.at == "visualize":
            raise RuntimeError("no picture")
        return []


def failing(at: str) -> Any:
    """Give a step with one good output and one whose materializer fails."""
    broken = type("Broken", (Failing,), {"at": at, "id": f"test.Failing.{at}/1"})

    @step(output_materializers={"box": broken})
    def made() -> tuple[Annotated[bytes, "good"], Annotated[Box, "box"]]:
        return bytes(50_000), Box("a")

    @pipeline
    def making() -> None:
        made()

    return making


def test_a_failing_save_fails_the_step_and_keeps_nothing_half(lineal_home: Path) -> None:
    """The error names materializer and artifact, and the value hangs on it; no version and no file of any output stays."""
    with pytest.raises(MaterializerError, match=r"output 'box' of step 'made'.* could not be saved by test.Failing.save/1") as caught:
        failing("save")()
    assert "disk on fire" in str(caught.value)
    assert isinstance(caught.value.value, Box)
    assert Client().list_artifact_versions().total == 0
    assert not [path for path in (lineal_home / "store").rglob("half.txt") if "objects" in path.parts]
    assert Client().get_pipeline_run("latest").status == "failed"


def test_the_path_to_a_value_that_cannot_be_saved_is_named() -> None:
    """Of an element deep in a container."""
    import threading

    with pytest.raises(MaterializerError, match=r"\['deep'\]\[1\]"), warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)
        save_artifact({"deep": [1, threading.Lock()]}, "locks")
    assert Client().list_artifact_versions().total == 0


@pytest.mark.parametrize("at", ["visualize", "metadata"])
def test_a_failing_visualization_or_metadata_is_a_warning_and_the_rest_is_kept(at: str) -> None:
    """The value, its other facts and the other outputs."""
    with pytest.warns(LinealWarning, match=r"no picture|no facts"):
        run = failing(at)()
    assert run.steps["made"].outputs["box"].load().text == "a"
    assert run.steps["made"].outputs["good"].size == 50_000


def test_a_failing_load_names_materializer_and_artifact() -> None:
    """And leaves what is stored as it is."""
    version = failing("load")().steps["made"].outputs["box"]
    with pytest.raises(MaterializerError, match="cannot read") as caught:
        version.load()
    assert "box@1" in str(caught.value) + "".join(getattr(caught.value, "__notes__", []))


# -- pickle


class Unknown:
    """What only cloudpickle takes."""

    def __init__(self, n: int) -> None:
        self.n = n


def test_the_fallback_is_cloudpickle_with_one_warning() -> None:
    """It names the type and the path to the value, once for each type."""
    cls = type("Other", (), {})
    with pytest.warns(LinealWarning, match=r"Other") as caught:  # noqa: PT031 - that the second says nothing is tested
        version = save_artifact({"deep": [cls()]}, "unknown")
        save_artifact(cls(), "again")
    assert len(caught) == 1
    assert "['deep'][0]" in str(caught[0].message)
    assert type(version.load()["deep"][0]).__name__ == "Other"


def test_under_own_only_what_this_workspaces_runs_made_is_unpickled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under "forbid" nothing is; what was saved stays, and can be read again later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)  # said once for each type
        version = save_artifact(Unknown(1), "unknown")
    assert load_artifact("unknown").n == 1
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")
    with pytest.raises(PickleRefused, match="forbid"):
        Client().get_artifact_version("unknown").load()
    with pytest.raises(NoMaterializer):
        save_artifact(Unknown(2), "unknown")
    monkeypatch.setenv("LINEAL_PICKLE", "allow")
    assert Client().get_artifact_version(version.id).load().n == 1


def test_object_arrays_are_kept_by_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array of objects is a pickle, which is said, and refused under "forbid"."""
    values = np.array([1, "a", None], dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)
        assert save_artifact(values, "objects").load().tolist() == [1, "a", None]
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")
    with pytest.raises(NoMaterializer, match=r"numpy.ndarray.*forbid"):
        save_artifact(values, "objects")
