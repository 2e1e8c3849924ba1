"""The fallback: labelled, checked before it is read."""

import json
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
from lineal.materializers.pickled import CloudpickleMaterializer, environment, release_of, unpickle
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
    with pytest.raises(MaterializerError, match=r"lock cannot be pickled \(TypeError"):
        save(PICKLED, threading.Lock(), tmp_path / "1")
    assert list((tmp_path / "1").iterdir()) == []


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


def test_refusal_names_both_versions() -> None:
    """And says which to use."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(PickleRefused, match=rf"by Python 3\.9\.1 and this is {here}; .* Use Python 3\.9"):
        unpickle(b"", b'{"python": "3.9.1"}')


def test_other_release_of_the_library_is_a_warning() -> None:
    """A patch release says nothing; another minor release names both; a library that is gone shows when it is unpickled."""
    import pickle

    python = sys.version.split()[0]
    version = release_of("numpy")
    assert version is not None
    data = pickle.dumps(1)
    for same in (version, version.rsplit(".", 1)[0] + ".99"):
        assert unpickle(data, json.dumps({"python": python, "library": "numpy", "version": same}).encode()) == 1
    with pytest.warns(LinealWarning, match=rf"numpy 0\.1\.0 and {version} is installed"):
        assert unpickle(data, json.dumps({"python": python, "library": "numpy", "version": "0.1.0"}).encode()) == 1
    assert unpickle(data, json.dumps({"python": python, "library": "no_such_library", "version": "1"}).encode()) == 1


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
