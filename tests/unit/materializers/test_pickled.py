"""The fallback: labelled, checked before it is read."""

import json
import pickle
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any

import pytest

from lineal.errors import LinealWarning, MaterializerError, PickleRefused
from lineal.materializers import pickled
from lineal.materializers.base import where
from lineal.materializers.pickled import (
    CloudpickleMaterializer,
    Loading,
    difference,
    difference_in,
    environment,
    loading,
    release_of,
    releases_differ,
    unpickle,
)
from lineal.model.records import FileEntry
from lineal.testing.materializers import MaterializerTests, save

PICKLED = CloudpickleMaterializer()


class Opaque:
    def __init__(self, content: Any) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and other.content == self.content

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled, "_told", set())


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
class TestCloudpickle(MaterializerTests):
    materializer = PICKLED
    values = (Opaque(1), Opaque([1, "a"]), ValueError)


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_functions_and_local_classes(tmp_path: Path) -> None:
    """What is defined inside functions comes back by value."""
    back = PICKLED.load(save(PICKLED, lambda n: n + 1, tmp_path / "f"), None)
    assert back(1) == 2


def test_one_warning_per_type_names_type_and_place(tmp_path: Path) -> None:
    """The second value of the type says nothing."""
    token = where.set("output 'model' of step 'train'")
    try:
        with pytest.warns(LinealWarning, match=r"output 'model' of step 'train' is a .*Opaque, which has no materializer"):
            save(PICKLED, Opaque(1), tmp_path / "1")
    finally:
        where.reset(token)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save(PICKLED, Opaque(2), tmp_path / "2")


def test_what_cannot_be_pickled(tmp_path: Path) -> None:
    """A typed error names the type and the cause; nothing was written."""
    with pytest.raises(MaterializerError, match=r"lock that cloudpickle/1 cannot pickle \(TypeError"):
        save(PICKLED, threading.Lock(), tmp_path / "1")
    assert list((tmp_path / "1").iterdir()) == []


def test_the_part_that_cannot_be_pickled_is_named(tmp_path: Path) -> None:
    """Deep inside, and where something goes round in a circle."""
    value = Opaque({"parts": [1, (2, {"lock": threading.Lock()})]})
    with pytest.raises(MaterializerError, match=r"because of its \.content\['parts'\]\[1\]\[1\]\['lock'\], a _thread\.lock \("):
        save(PICKLED, value, tmp_path / "1")
    circle = Opaque([threading.Lock()])
    circle.content.insert(0, circle)
    with pytest.raises(MaterializerError, match=r"because of its \.content\[1\], a _thread\.lock \("):
        save(PICKLED, circle, tmp_path / "2")


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("change", [{"python": "3.9.1"}, {"python": None}, {"python": "2"}, "not json", {}, []])
@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_environment_is_checked_before_anything_is_unpickled(change: Any, tmp_path: Path) -> None:
    """Another Python, or no record of it: refused, and nothing has run."""
    folder = save(PICKLED, Bomb(tmp_path / "mark"), tmp_path / "1")
    (folder / "environment.json").write_text(change if isinstance(change, str) else json.dumps(change))
    with pytest.raises(PickleRefused, match="was not loaded"):
        PICKLED.load(folder, None)
    assert not (tmp_path / "mark").exists()


HERE = sys.version.split()[0]


def recorded(**facts: Any) -> bytes:
    return json.dumps({"python": HERE, "type": "x.Thing", **facts}).encode()


def test_refusal_names_both_versions() -> None:
    """And says which to use."""
    with pytest.raises(PickleRefused, match=rf"with Python 3\.9\.1 \(here: {HERE}\); it was not loaded\. Use Python 3\.9$"):
        unpickle(b"", recorded(python="3.9.1"))


@pytest.mark.parametrize("there", [{"library": "hypothesis", "version": "0.1.0"}, {"libraries": {"hypothesis": "0.1.0"}}])
def test_another_release_of_a_library_is_refused_before_anything_is_unpickled(there: dict[str, Any], tmp_path: Path) -> None:
    """Of the one that the type belongs to, or of another whose objects are in the pickle; both releases are named."""
    data = pickle.dumps(Bomb(tmp_path / "mark"))
    present = release_of("hypothesis")
    with pytest.raises(PickleRefused, match=rf"hypothesis 0\.1\.0 \(here: {present}\); it was not loaded\. Use hypothesis 0\.1$"):
        unpickle(data, recorded(**there))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("library", "one", "other", "differ"),
    [
        ("some", "1.2.3", "1.2.9", False), ("some", "1.2", "1.2.0+cpu", False), ("some", "2", "2.0.1", False),
        ("some", "1.2.3", "1.3.0", True), ("some", "1.2.3", "2.2.3", True), ("some", "1.0rc1", "1.0", True),
        ("numpy", "2.1.0", "2.9.0", False), ("numpy", "1.26.4", "2.0.0", True), ("Python", "3.11.2", "3.12.0", True),
    ],
)  # fmt: skip
def test_what_another_release_is(library: str, one: str, other: str, differ: bool) -> None:
    """A patch is none; NumPy reads what any release of the same major number wrote."""
    assert releases_differ(library, one, other) is releases_differ(library, other, one) is differ


def test_a_library_that_is_gone_is_refused(tmp_path: Path) -> None:
    """One of the user's own, which belongs to no distribution and is only not loaded yet, is not gone."""
    with pytest.raises(PickleRefused, match=r"no_such_library 1\.5\.2 \(here: none\); it was not loaded\. Use no_such_library 1\.5$"):
        unpickle(pickle.dumps(1), recorded(library="no_such_library", version="1.5.2"))
    assert difference(recorded(library="this", version="1")) == ""


def test_a_library_is_found_by_the_name_of_its_distribution_and_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh process has not loaded it yet, and its package may have another name: `sklearn` is of scikit-learn."""
    import sklearn

    monkeypatch.delitem(sys.modules, "sklearn")
    assert release_of("sklearn") == sklearn.__version__
    assert "sklearn 0.20.1 (here: " in difference(recorded(libraries={"sklearn": "0.20.1"}))
    assert "sklearn" not in sys.modules


def test_what_somebody_trusts_is_loaded_with_a_warning() -> None:
    """Only then: the decision is asked for when there is something to decide."""
    asked: list[bool] = []
    token = loading.set(Loading("thing@1", lambda: bool(asked.append(True)) or len(asked) > 1))
    try:
        assert unpickle(pickle.dumps(1), recorded()) == 1
        assert not asked
        with pytest.raises(PickleRefused, match=r"decide so: lineal artifact trust thing@1\. .* lineal artifact download thing@1"):
            unpickle(pickle.dumps(1), recorded(python="3.9.1"))
        with pytest.warns(LinealWarning, match=r"Python 3\.9\.1 .* because somebody trusts it"):
            assert unpickle(pickle.dumps(1), recorded(python="3.9.1")) == 1
    finally:
        loading.reset(token)


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_libraries_whose_objects_are_held_are_recorded(tmp_path: Path) -> None:
    """Also those inside a class of the user's, and those that it is derived from."""
    import numpy as np
    import sklearn
    from sklearn.linear_model import LogisticRegression

    class Own(LogisticRegression): ...  # type: ignore[misc]

    for number, value in enumerate((Opaque([LogisticRegression()]), Own(), {"a": Own})):
        facts = json.loads((save(PICKLED, value, tmp_path / str(number)) / "environment.json").read_bytes())
        assert facts["libraries"]["sklearn"] == sklearn.__version__
    facts = json.loads((save(PICKLED, Opaque(np.arange(3)), tmp_path / "array") / "environment.json").read_bytes())
    assert facts["libraries"] == {"numpy": np.__version__}
    assert "libraries" not in json.loads((save(PICKLED, np.array([{}]), tmp_path / "objects") / "environment.json").read_bytes())


def test_the_files_of_a_container_are_looked_through() -> None:
    """Another format may have a file of that name."""
    contents = {"0/environment.json": b"[]", "1/environment.json": recorded(), "2/environment.json": recorded(python="2.7.18")}
    files = [FileEntry(path, 1, "") for path in [*contents, "3/data.pkl"]]
    assert difference_in(files, contents.__getitem__) == f"a x.Thing was pickled with Python 2.7.18 (here: {HERE})"
    assert difference_in(files[:2], contents.__getitem__) == ""


def test_environment_names_the_library_of_the_type() -> None:
    """Root package and release; user code has none."""
    import numpy as np

    facts = environment(np.ndarray)
    assert (facts["library"], facts["version"]) == ("numpy", np.__version__)
    assert environment(Opaque).keys() == environment(dict).keys() == {"python", "type"}
    module = types.ModuleType("hypothesis")
    assert release_of(module.__name__) is not None


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_class_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that the module must be importable, and what pickle said."""
    (tmp_path / "lineal_test_here.py").write_text("class Thing: ...")
    monkeypatch.syspath_prepend(tmp_path)
    import lineal_test_here  # type: ignore[import-not-found]

    folder = save(PICKLED, lineal_test_here.Thing(), tmp_path / "1")
    monkeypatch.delitem(sys.modules, "lineal_test_here")
    (tmp_path / "lineal_test_here.py").unlink()
    with pytest.raises(MaterializerError, match=r"lineal_test_here.Thing cannot be read: ModuleNotFoundError"):
        PICKLED.load(folder, None)
