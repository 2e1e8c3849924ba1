"""Who takes a value, who reads what was saved, and what happens when two want the same type."""

import pickle
import subprocess
import sys
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar

import numpy as np
import pandas as pd
import pytest

from lineal.errors import LinealWarning, NoMaterializer, UsageError
from lineal.materializers.base import BytesMaterializer, defined
from lineal.materializers.pandas import FrameMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import ParquetRegistry, Registry, instance, parquet_registry, register_materializer, registry


class Animal: ...


class Dog(Animal): ...


class Puppy(Dog): ...


class Stone: ...


class Text(BytesMaterializer):
    id = "test.text/1"

    def dumps(self, value: Any) -> bytes:
        return repr(value).encode()


class AnimalMaterializer(Text):
    id = "test.animal/1"
    types = (Animal,)


class DogMaterializer(Text):
    id = "test.dog/1"
    types = (Dog,)


class PickyMaterializer(Text):
    id = "test.picky/1"

    def accepts(self, value: Any) -> bool:
        return getattr(value, "size", 0) > 1


class Fallback(Text):
    id = "test.fallback/1"


@pytest.fixture
def own() -> Registry:
    return Registry(Fallback(), libraries={})


def test_order_exact_then_nearest_class_then_predicate_then_fallback(own: Registry) -> None:
    """The order that the contract states."""
    own.register(AnimalMaterializer)
    assert own.for_value(Puppy()).id == "test.animal/1"
    own.register(DogMaterializer)
    assert own.for_value(Puppy()).id == "test.dog/1"
    assert own.for_value(Animal()).id == "test.animal/1"
    assert own.for_value(Stone()).id == "test.fallback/1"
    own.register_predicate(lambda cls: cls.__name__ == "Stone", Text)
    assert own.for_value(Stone()).id == "test.text/1"
    own.register_predicate(lambda cls: "to" in cls.__name__, DogMaterializer)
    assert own.for_value(Stone()).id == "test.dog/1", "the newest predicate comes first"
    assert own.for_value(Puppy()).id == "test.dog/1"


def test_value_that_is_declined_goes_to_the_next(own: Registry) -> None:
    """`accepts` is asked for each value; what is declined only while writing is asked for with `after`."""
    own.register(AnimalMaterializer)
    own.register(PickyMaterializer, Dog)
    big = Dog()
    big.size = 2  # type: ignore[attr-defined]
    assert [each.id for each in own.candidates(big)] == ["test.picky/1", "test.animal/1", "test.fallback/1"]
    assert own.for_value(Dog()).id == "test.animal/1"
    assert own.after(own.for_value(big), big).id == "test.animal/1"
    with pytest.raises(NoMaterializer, match="no other materializer takes it"):
        own.after(own.by_id("test.fallback/1"), big)


def test_instance_that_its_materializer_declines_is_taken_apart(own: Registry) -> None:
    """As JSON when all its fields are plain, as a container otherwise."""

    @dataclass
    class Record:
        content: Any

    own.register(Text, Record)
    assert own.after(own.by_id("test.text/1"), Record(1)).id == "json/1"
    assert own.after(own.by_id("test.text/1"), Record(Stone())).id == "container/1"


def test_what_declines_a_container_is_followed_by_one_that_may_pickle(own: Registry) -> None:
    """container/1, container.pickle/1, and then the fallback for the whole."""
    value = [np.zeros(2)]
    second = own.after(own.by_id("container/1"), value)
    assert second.id == "container.pickle/1"
    assert own.after(second, value).id == "test.fallback/1"


def test_later_registration_wins_and_says_so(own: Registry) -> None:
    """Silently only when it is meant, or when the same class is defined again, as in a notebook."""
    own.register(AnimalMaterializer)
    with pytest.warns(LinealWarning, match=r"test.dog/1 now takes .*Animal, which test.animal/1 took"):
        own.register(DogMaterializer, Animal)
    assert own.for_value(Animal()).id == "test.dog/1"
    own.register(AnimalMaterializer, replace=True)
    again = type("AnimalMaterializer", (Text,), {"id": "test.animal/1", "types": (Animal,), "__qualname__": "AnimalMaterializer"})
    own.register(again)
    assert type(own.for_value(Animal())) is again


def test_registration_drops_what_was_remembered(own: Registry) -> None:
    """An answer given before does not outlive a registration, and the generation tells."""
    assert own.for_value(Dog()).id == "test.fallback/1"
    before = own.generation
    own.register(AnimalMaterializer)
    assert own.for_value(Dog()).id == "test.animal/1"
    assert own.generation > before


def test_subclasses_of_plain_types_are_not_taken_for_plain(own: Registry) -> None:
    """A dict with a behaviour of its own does not come back as a dict."""
    for base in (int, str, bytes, list, dict, tuple, set):
        assert own.for_value(type("Mine", (base,), {})()).id == "test.fallback/1"
    assert own.for_value([type("Mine", (dict,), {})()]).id == "container/1"


def test_nothing_takes_it() -> None:
    """Without a fallback the error says what to do."""
    with pytest.raises(NoMaterializer, match=r"no materializer takes .*Stone; register one"):
        Registry(libraries={}).for_value(Stone())


@pytest.mark.parametrize("wrong", [Stone, Stone(), "json/1", type("NoId", (BytesMaterializer,), {})])
def test_what_is_no_materializer_is_refused(own: Registry, wrong: Any) -> None:
    """A class of another kind, or one without an id."""
    with pytest.raises(UsageError, match=r"a materializer is|has no id"):
        own.register(wrong, Stone)


def test_types_must_be_known(own: Registry) -> None:
    """From the call or from the class."""
    with pytest.raises(UsageError, match="names no types"):
        own.register(Text)


def test_registering_path_takes_the_class_that_paths_have(own: Registry) -> None:
    """`Path()` is a PosixPath or a WindowsPath."""
    own.register(Text, Path)
    assert own.for_value(Path()).id == "test.text/1"


def test_materializers_are_made_once() -> None:
    """A class has one instance; an instance stays what it is."""
    assert instance(AnimalMaterializer) is instance(AnimalMaterializer)
    made = DogMaterializer()
    assert instance(made) is made


class GivenToOneStep(Text):
    id = "test.given/1"


def test_by_id_finds_registered_defined_and_nothing_else(own: Registry) -> None:
    """A class that was only given to a step is found by its id, and takes no type because of that."""
    assert defined["test.given/1"] is GivenToOneStep
    assert own.by_id("test.given/1") is instance(GivenToOneStep)
    assert own.for_value(Stone()).id == "test.fallback/1"
    for unknown in ("test.unheard/1", "os.system", "", "json/2", "../x"):
        with pytest.raises(NoMaterializer, match="no materializer has the id"):
            own.by_id(unknown)


class _Lib:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.Thing = type("Thing", (), {"__module__": "lineal_test_lib.core"})
        self.materializer = type("ThingMaterializer", (Text,), {"id": "lineal_test_lib.Thing/1", "types": (self.Thing,)})
        module = types.ModuleType("lineal_test_formats")
        module.MATERIALIZERS = (self.materializer,)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "lineal_test_formats", module)
        self.table = {"lineal_test_lib": ("lineal_test_formats",)}


def test_library_file_is_loaded_for_its_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the class, a user's subclass of it, or the id of what was saved."""
    library = _Lib(monkeypatch)
    assert Registry(libraries=library.table).for_value(library.Thing()).id == "lineal_test_lib.Thing/1"
    assert Registry(libraries=library.table).for_value(type("Mine", (library.Thing,), {})()).id == "lineal_test_lib.Thing/1"
    assert Registry(libraries=library.table).by_id("lineal_test_lib.Thing/1").id == "lineal_test_lib.Thing/1"


def test_library_file_does_not_displace_what_the_user_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the library was met before or after."""
    library = _Lib(monkeypatch)
    own = Registry(libraries=library.table)
    with pytest.warns(LinealWarning, match=r"test.text/1 now takes lineal_test_lib.core.Thing"):
        own.register(Text, library.Thing)
    assert own.for_value(library.Thing()).id == "test.text/1"
    assert own.by_id("lineal_test_lib.Thing/1")


def test_missing_package_of_a_library_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Values of the library go to the fallback with a warning; what was saved in its format names what to install."""
    library = _Lib(monkeypatch)
    (tmp_path / "lineal_test_broken.py").write_text("import package_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    own = Registry(Fallback(), libraries={"lineal_test_lib": ("lineal_test_broken",)})
    with pytest.warns(LinealWarning, match="package_that_is_missing is not installed: pip install 'lineal\\[lineal_test_lib\\]'"):
        assert own.for_value(library.Thing()).id == "test.fallback/1"
    with pytest.raises(NoMaterializer, match="install package_that_is_missing"):
        own.by_id("lineal_test_lib.Gone/1")


def test_libraries_are_not_imported_before_they_appear() -> None:
    """Neither numpy nor cloudpickle is loaded for plain values."""
    code = (
        "import sys\nfrom lineal.materializers.registry import registry\n"
        "registry.for_value({'a': [1, (2,)]}); registry.by_id('container/1')\n"
        "assert not {'numpy', 'pandas', 'cloudpickle', 'pydantic'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


class Speaks(Protocol):
    def speak(self) -> str: ...


class Abstract(ABC):
    @abstractmethod
    def speak(self) -> str: ...


class Options(TypedDict):
    a: int


T = TypeVar("T")


@pytest.mark.parametrize(
    ("annotation", "id"),
    [
        (int, "json/1"),
        (None, "json/1"),
        (type(None), "json/1"),
        (bytes, "bytes/1"),
        (list, "json/1"),
        (list[int], "json/1"),
        (dict[str, list[float]], "json/1"),
        (tuple[int, ...], "json/1"),
        (typing.List[bytes], "json/1"),  # noqa: UP006  # old spellings are annotations too
        (Optional[int], "json/1"),  # noqa: UP045
        (int | str, "json/1"),
        (int | bytes, None),
        (Annotated[int, "x"], "json/1"),
        (NewType("Id", int), "json/1"),
        (Literal["a", "b"], "json/1"),
        (TypeVar("B", bound=int), "json/1"),
        (T, None),
        (Options, "json/1"),
        (Path, "pathlib.Path/1"),
        (list[Path], "json/1"),
        (np.ndarray, "numpy.ndarray/1"),
        (list[np.ndarray], "container/1"),
        (dict[str, Stone], None),
        (Any, None),
        (object, None),
        (Stone, None),
        (Speaks, None),
        (Abstract, None),
        (Sequence[int], None),
        (list[Any], None),
        ("int", None),
        (..., None),
    ],
)
def test_annotations(annotation: Any, id: str | None) -> None:
    """What an annotation promises, None where only the value will tell."""
    found = registry.for_type(annotation)
    assert (None if found is None else found.id) == id


def test_annotation_of_elements_that_only_the_fallback_takes() -> None:
    """The fallback is never promised."""
    assert Registry(CloudpickleMaterializer()).for_type(Stone) is None


def test_default_registry_is_sent_by_name() -> None:
    """A worker process uses its own; another registry cannot be sent."""
    assert pickle.loads(pickle.dumps(registry)) is registry
    assert pickle.loads(pickle.dumps(registry.by_id("container/1"))).id == "container/1"
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(Registry())


def test_the_registry_for_parquet_knows_what_the_other_knows() -> None:
    """What is registered with one counts for both, tables have their Parquet materializers first, and each is sent by its own name."""

    class Late: ...

    assert parquet_registry.for_class(Late)[0].id == "cloudpickle/1"
    register_materializer(Text, Late)
    for each in (registry, parquet_registry):
        assert each.for_value(Late()).id == "test.text/1"
        assert each.generation == registry.generation
    frame = pd.DataFrame({"a": [1]})
    assert registry.for_value(frame).id == "pandas.DataFrame/1"
    assert [each.id for each in parquet_registry.candidates(frame)][:2] == ["pandas.DataFrame.parquet/1", "pandas.DataFrame/1"]
    assert pickle.loads(pickle.dumps(parquet_registry)) is parquet_registry


def test_a_subclass_of_a_table_materializer_is_not_passed_over_for_parquet() -> None:
    """Who writes an own materializer on top of ours has it under either table format."""

    class Own(FrameMaterializer):
        id = "test.own-frame/1"

    base = Registry()
    base.register(Own, replace=True)
    assert ParquetRegistry(base).for_value(pd.DataFrame()).id == "test.own-frame/1"


def test_register_materializer_is_global(monkeypatch: pytest.MonkeyPatch) -> None:
    """The public function registers with the registry of the process."""

    class Unique: ...

    register_materializer(Text, Unique)
    assert registry.for_value(Unique()).id == "test.text/1"
