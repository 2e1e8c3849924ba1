# ruff: noqa: PTH118  # paths as users of this shape write them
"""Materializers as classes with a folder: what a subclass of BaseMaterializer is, and what becomes of its values."""

import enum
import json
import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import Client, ExternalArtifact, pipeline, save_artifact, step
from lineal.errors import DefinitionError, LinealWarning, MaterializerError, NoMaterializer, UsageError
from lineal.materializers import BaseMaterializer, BytesMaterializer, Materializer, register_materializer
from lineal.materializers.class_based import MARKER, Adapter
from lineal.materializers.registry import registry
from lineal.testing import MaterializerTests


class Shape:
    """Values that nothing but their own materializer takes."""

    def __init__(self, sides: list[int]) -> None:
        self.sides = sides

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)


class Square(Shape): ...


class Kind(enum.Enum):
    """As the enums of another system have it."""

    MODEL = "ModelArtifact"
    HTML = "html"


class ShapeMaterializer(BaseMaterializer):
    """One class for a type and its subclasses."""

    ASSOCIATED_TYPES = (Shape,)
    ASSOCIATED_ARTIFACT_TYPE = Kind.MODEL
    ID = "test.shape/1"

    def save(self, value: Shape) -> None:
        Path(self.uri, "sides.json").write_text(json.dumps(value.sides))

    def load(self, data_type: type[Shape]) -> Shape:
        return data_type(json.loads(Path(self.uri, "sides.json").read_text()))

    def extract_metadata(self, value: Shape) -> dict[str, Any]:
        return {"sides": len(value.sides), "seen": datetime(2026, 6, 1, tzinfo=UTC)}

    def save_visualizations(self, value: Shape) -> dict[str, Any]:
        path = os.path.join(self.uri, "sides.html")
        Path(path).write_text(f"<b>{len(value.sides)} sides</b>")
        Path(self.uri, "note.md").write_text("# sides")
        return {path: Kind.HTML, "note.md": "markdown"}


class TestShape(MaterializerTests):
    """The contract of all materializers holds for one of this shape, also where the type is a subclass."""

    materializer = ShapeMaterializer
    values = (Shape([1, 2]), Shape([]), Square([1, 2]))

    def mutate(self, value: Any) -> bool:
        value.sides.append(7)
        return True


@step
def draw() -> Annotated[Shape, "shape"]:
    return Square([3, 3])


@step
def measure(shape: Shape) -> int:
    assert type(shape) is Square
    return sum(shape.sides)


@pipeline
def drawing() -> None:
    measure(draw())


def test_the_class_is_registered_by_its_definition_and_used_by_steps() -> None:
    """A step's value is saved and loaded by the class, with its kind, metadata and visualizations."""
    run = drawing()
    version = run.steps["draw"].output
    assert (version.materializer, version.data_type) == ("test.shape/1", "model")
    assert version.metadata["sides"] == 2
    assert version.load() == Square([3, 3])
    assert run.steps["measure"].output.load() == 6
    companion = Client().workspace.metadata.visualizations(version.record.id)
    shown = Client().workspace.artifacts.visualizations(version.record, companion)
    assert [(each.kind, each.title, each.content) for each in shown] == [
        ("html", "sides", "<b>2 sides</b>"),
        ("markdown", "note", "# sides"),
    ]


class Noise(Shape):
    """Values whose files are never the same twice."""


class NoiseMaterializer(ShapeMaterializer):
    ASSOCIATED_TYPES = (Noise,)
    ID = "test.noise/1"

    def save(self, value: Shape) -> None:
        super().save(value)
        Path(self.uri, "noise").write_bytes(os.urandom(16))

    def compute_content_hash(self, value: Shape) -> Any:
        sides = value.sides[0]
        if sides < 0:
            raise ValueError("no sides")
        return str(sides) if sides else None if len(value.sides) == 1 else sides


@pytest.mark.parametrize("save", [True, False], ids=["output", "external"])
def test_what_a_class_says_of_the_content_decides_what_runs_again(save: bool) -> None:
    """Equal values in other bytes are the same input; the objects are named by their bytes, and unequal values are another input."""

    @step(enable_cache=False)
    def make(side: int) -> Annotated[Noise, "noise"]:
        return Noise([side])

    @step
    def count(shape: Noise) -> int:
        return sum(shape.sides)

    @pipeline
    def counting(side: int) -> None:
        count(make(side) if save else ExternalArtifact(Noise([side])))

    def version(run: Any) -> Any:
        return run.steps["count"].inputs["shape"]

    first, second, third, fourth = (counting(side) for side in (1, 1, 2, 0))
    assert [str(run.steps["count"].status) for run in (first, second, third, fourth)] == ["completed", "cached", "completed", "completed"]
    assert str(counting(0).steps["count"].status) == "completed", "None leaves it to the bytes"
    if save:
        assert version(first).digest != version(second).digest
        assert version(first).record.identity == version(second).record.identity
    else:
        assert version(first) == version(second), "no new version is made of content that is the newest"
    assert version(second).load() == Noise([1])
    assert third.steps["count"].output.load() == 2


@pytest.mark.parametrize(
    ("sides", "said"), [([-1], "ValueError: no sides"), ([0, 0], "a content hash is text or None, got int")], ids=["raises", "no-text"]
)
def test_a_content_hash_that_fails_is_a_warning(sides: list[int], said: str) -> None:
    """The value is kept, and its bytes stand for it."""
    with pytest.warns(LinealWarning, match=rf"no content hash for artifact 'noise', so its bytes count: test\.noise/1 raised .*{said}"):
        saved = save_artifact(Noise(sides), "noise")
    assert saved.record.identity == saved.digest
    assert saved.load() == Noise(sides)


def test_the_same_text_for_another_class_is_another_content() -> None:
    """A value comes back as the class that it had, so that is part of it."""

    class Louder(Noise): ...

    assert len({save_artifact(cls([1]), "noise").record.identity for cls in (Noise, Louder)}) == 2


def test_a_file_names_the_class_only_where_loading_could_not_know_it(tmp_path: Path) -> None:
    """One type, and values of exactly that: the folder holds what the class wrote, and nothing else."""
    made = ShapeMaterializer.as_materializer()
    for value, names in ((Shape([1]), ["sides.json"]), (Square([1]), [MARKER, "sides.json"])):
        folder = tmp_path / type(value).__name__
        folder.mkdir()
        made.save(value, folder)
        assert sorted(path.name for path in folder.iterdir()) == names


def test_load_gets_the_class_that_was_saved_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    """A wider annotation changes nothing; another class that the materializer knows is the consumer's wish."""
    made = ShapeMaterializer.as_materializer()
    made.save(Square([1]), tmp_path)
    assert type(made.load(tmp_path, None)) is Square
    assert type(made.load(tmp_path, Shape)) is Square
    assert type(made.load(tmp_path, Annotated[object, "any"])) is Square
    (tmp_path / MARKER).unlink()
    assert type(made.load(tmp_path, Square)) is Square
    assert type(made.load(tmp_path, Square | None)) is Shape


def test_a_class_that_is_not_loaded_here_is_never_replaced_by_another(tmp_path: Path) -> None:
    """A wrong type would be wrong data: it is an error that says what to import."""
    made = ShapeMaterializer.as_materializer()
    made.save(Square([1]), tmp_path)
    (tmp_path / MARKER).write_text("acme.shapes:Circle")
    with pytest.raises(MaterializerError, match=r"acme\.shapes\.Circle, which is not loaded here: import acme\.shapes first"):
        made.load(tmp_path, None)


def test_another_class_for_the_same_type_wins_and_says_so() -> None:
    """A later registration wins, as for every materializer; `replace=True` is how a class says that it is meant."""

    class Tile: ...

    class One(ShapeMaterializer):
        ASSOCIATED_TYPES = (Tile,)
        ID = "test.tile.one/1"

    with pytest.warns(LinealWarning, match=r"test\.tile\.two/1 now takes .*Tile, which test\.tile\.one/1 took") as caught:

        class Two(ShapeMaterializer):
            ASSOCIATED_TYPES = (Tile,)
            ID = "test.tile.two/1"

    assert caught[0].filename == __file__
    assert registry.for_type(Tile) is Two.as_materializer()

    class Three(ShapeMaterializer, replace=True):
        ASSOCIATED_TYPES = (Tile,)
        ID = "test.tile.three/1"

    assert registry.for_type(Tile) is Three.as_materializer()
    assert registry.by_id("test.tile.one/1").id == One.ID, "what it saved can still be loaded"


def test_a_class_defined_again_as_in_a_notebook_says_nothing() -> None:
    """The same cell run twice replaces the class silently, and the new code counts."""

    class Tile: ...

    def cell() -> type[BaseMaterializer]:
        class TileMaterializer(ShapeMaterializer):
            ASSOCIATED_TYPES = (Tile,)

        return TileMaterializer

    cell()
    again = cell()
    found: Any = registry.for_value(Tile())
    assert found.based_on is again


def test_a_class_may_take_types_only_where_it_is_named() -> None:
    """Without types of its own, or with SKIP_REGISTRATION, a class is only for `output_materializers` and `register_materializer`."""

    class Tile:
        sides = (1, 2)

        def __init__(self, sides: list[int]) -> None: ...

    class Skipped(ShapeMaterializer):
        ASSOCIATED_TYPES = (Tile,)
        SKIP_REGISTRATION = True

    class Inherits(Skipped): ...

    assert registry.for_type(Tile) is None

    @step(output_materializers=Skipped)
    def lay() -> Tile:
        return Tile([])

    @step(output_materializers=[Inherits])
    def lay_one() -> Tile:
        return Tile([])

    @step(output_materializers={"tile": Inherits})
    def lay_named() -> Annotated[Tile, "tile"]:
        return Tile([])

    @pipeline
    def laying() -> None:
        lay()
        lay_one()
        lay_named()

    run = laying()
    assert [each.output.materializer.rpartition(".")[2] for each in run.steps.values()] == ["Skipped/1", "Inherits/1", "Inherits/1"]
    assert type(run.steps["lay"].output.load()) is Tile
    register_materializer(Skipped)
    assert registry.for_type(Tile) is Skipped.as_materializer()


def test_the_id_is_the_name_of_the_class_with_its_module() -> None:
    """Without an ID of its own a class is found by where it stands."""

    class Nameless(ShapeMaterializer):
        ID = ""

    made = Nameless.as_materializer()
    assert made.id == f"{__name__}.{Nameless.__qualname__}/1"
    assert isinstance(made, Adapter)
    assert made.visualizes
    assert not Plain.as_materializer().visualizes


class Plain(BaseMaterializer):
    """Nothing but what there must be; for any type."""

    def save(self, value: Any) -> None:
        folder = os.path.join(self.uri, "deep", "er")
        self.artifact_store.makedirs(folder)
        with self.artifact_store.open(os.path.join(folder, "text"), "w") as file:
            file.write(repr(value))

    def load(self, data_type: type[Any]) -> Any:
        assert self.artifact_store.listdir(self.uri)
        assert self.artifact_store.isdir(os.path.join(self.uri, "deep"))
        assert not self.artifact_store.exists(os.path.join(self.uri, "none"))
        with self.artifact_store.open(os.path.join(self.uri, "deep", "er", "text")) as file:
            return data_type(file.read())


def test_files_are_opened_through_the_store_or_as_usual(tmp_path: Path) -> None:
    """`self.artifact_store` is there for classes that were written with it."""
    made = Plain.as_materializer()
    made.save(12, tmp_path)
    assert made.load(tmp_path, None) == 12
    assert made.metadata(12) == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"load": lambda self, data_type: 1}, r"has no save\(\); a materializer needs"),
        ({"save": lambda self, value: None}, r"has no load\(\)"),
        ({"ASSOCIATED_TYPES": ("Shape",), "save": print, "load": print}, "ASSOCIATED_TYPES of Wrong are classes, got 'Shape'"),
        ({"ASSOCIATED_ARTIFACT_TYPE": "picture", "save": print, "load": print}, "is data, model, schema, statistics or service"),
    ],
)
def test_a_class_that_cannot_work_is_refused_when_it_is_defined(body: dict[str, Any], message: str) -> None:
    """Not when the first value is to be saved, after the work."""
    with pytest.raises(UsageError, match=message):
        type("Wrong", (BaseMaterializer,), {"ASSOCIATED_TYPES": (Shape,), **body})
    assert registry.for_type(Shape) is ShapeMaterializer.as_materializer()


def test_what_is_no_materializer_is_refused_when_the_step_is_defined() -> None:
    """The error names the step and the three shapes."""
    with pytest.raises(DefinitionError, match=r"step 'thing'.*Materializer, BytesMaterializer or BaseMaterializer, got <class 'int'>"):

        @step(output_materializers=int)
        def thing() -> int:
            return 1


def test_metadata_that_cannot_be_held_is_a_warning_and_the_value_is_kept() -> None:
    """As for every materializer."""

    class Odd(ShapeMaterializer):
        SKIP_REGISTRATION = True

        def extract_metadata(self, value: Any) -> dict[str, Any]:
            return {"what": object()}

    @step(output_materializers=Odd)
    def odd() -> Shape:
        return Shape([])

    @pipeline
    def oddly() -> None:
        odd()

    with pytest.warns(LinealWarning, match="no metadata for output 'output' of step 'odd'.*what is a object"):
        run = oddly()
    assert run.steps["odd"].output.load() == Shape([])


SCRIPT = """
    from pathlib import Path
    from lineal import pipeline, step
    from lineal.materializers import BaseMaterializer

    class Thing:
        def __init__(self, n): self.n = n

    class ThingMaterializer(BaseMaterializer):
        ASSOCIATED_TYPES = (Thing,)
        def save(self, value): Path(self.uri, "n").write_text(str(value.n))
        def load(self, data_type): return data_type(int(Path(self.uri, "n").read_text()))

    @step
    def make() -> Thing:
        return Thing(41)

    @step
    def use(thing: Thing) -> int:
        return thing.n + 1

    @pipeline
    def making():
        use(make())

    if __name__ == "__main__":
        steps = making().steps
        print(steps["make"].output.materializer, steps["make"].status, steps["use"].output.load())
"""


def script(orchestrator: str) -> list[str]:
    """Run the script as a program and give the words that it prints."""
    Path("things.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, "-W", "error", "things.py"],
        env={**os.environ, "LINEAL_ORCHESTRATOR": orchestrator},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_class_of_a_script_works_in_worker_processes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the script registered holds where its steps run; the id is the same everywhere, so the next run hits."""
    assert script("processes") == ["things.ThingMaterializer/1", "completed", "42"]
    assert script("local") == ["things.ThingMaterializer/1", "cached", "42"]
    with pytest.raises(NoMaterializer, match=r"'things\.ThingMaterializer/1' in this process; import the module that defines it") as caught:
        Client().get_artifact_version("making::make::output").load()
    assert caught.value.__notes__ == ["while loading making::make::output@1"]
    monkeypatch.syspath_prepend(Path.cwd())
    __import__("things")
    assert Client().get_artifact_version("making::make::output").load().n == 41


def test_all_three_shapes_come_from_one_place() -> None:
    """`from lineal.materializers import ...` is all that a user needs; what is not there is an AttributeError."""
    import lineal.materializers as room
    import lineal.testing

    assert room.__all__ == ["BaseMaterializer", "BytesMaterializer", "Materializer", "register_materializer"]
    assert set(room.__all__) <= set(dir(room))
    assert issubclass(Adapter, Materializer)
    assert not issubclass(Adapter, BytesMaterializer)
    for module in (room, lineal.testing):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            module.nothing  # type: ignore[attr-defined]


def test_the_room_of_materializers_loads_nothing_before_it_is_asked() -> None:
    """`import lineal.materializers` costs next to nothing."""
    code = "import sys, lineal.materializers; print([m for m in sys.modules if m.startswith('lineal.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['lineal.materializers']"
