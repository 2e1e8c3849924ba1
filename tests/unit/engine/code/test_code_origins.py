"""Where code comes from, and which distribution has it."""

import importlib
import json
import os
import random
import sys
from importlib.metadata import version
from pathlib import Path

import blake3
import numpy as np
import pytest

import lineal
from lineal.engine.code import origins
from lineal.engine.code.origins import (
    distributions_of,
    find_origin,
    origin_of_file,
    origin_of_module,
    public_module,
    shown_path,
)


def test_files_by_where_they_lie(tmp_path: Path) -> None:
    """Installed, of the standard library, of Lineal; everything else is the user's own."""
    assert origin_of_file(np.__file__) == "foreign"
    assert origin_of_file("/usr/lib/python3/dist-packages/apt/__init__.py") == "foreign"
    assert origin_of_file(json.__file__) == "standard"
    assert origin_of_file("<frozen os>") == "standard"
    assert origin_of_file(lineal.__file__) == "lineal"
    assert origin_of_file(str(Path(lineal.__file__).parents[1] / "lineal_like" / "a.py")) == "own"
    assert origin_of_file(str(tmp_path / "prep.py")) == "own"
    assert origin_of_file(__file__) == "own"


def test_modules_by_their_files_loaded_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module without a file goes by the package around it; finding one does not import it."""
    (tmp_path / "space_of_mine").mkdir()
    (tmp_path / "own_of_mine.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert [origin_of_module(name) for name in ("sys", "os.path", "numpy.linalg", "blake3", "lineal.model.digest", "__main__")] == [
        "standard", "standard", "foreign", "foreign", "lineal", "own",
    ]  # fmt: skip
    assert find_origin("own_of_mine") == find_origin("space_of_mine") == "own"
    assert find_origin("no_such_module") is None
    assert origin_of_module("no_such_module") == origin_of_module(None) == "own"
    assert "own_of_mine" not in sys.modules
    if "sklearn" not in sys.modules:
        assert find_origin("sklearn.base") == "foreign"
        assert "sklearn" not in sys.modules


def test_paths_are_shown_from_the_project(tmp_path: Path) -> None:
    """From the nearest folder with a project file, else from where the module is imported."""
    project = tmp_path / "project"
    (project / "src" / "pkg").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    assert shown_path(str(project / "src" / "pkg" / "a.py"), "pkg.a") == "src/pkg/a.py"
    loose = tmp_path / "loose" / "pkg" / "sub"
    loose.mkdir(parents=True)
    origins._is_project.cache_clear()
    assert shown_path(str(loose / "a.py"), "pkg.sub.a") == "pkg/sub/a.py"
    assert shown_path(str(loose / "__init__.py"), "pkg.sub") == "pkg/sub/__init__.py"
    assert shown_path("<ipython-input-1>", "__main__") == "<ipython-input-1>"


def test_distributions_by_their_packages() -> None:
    """Also where the names differ, for a module in a package, and for what no distribution has."""
    assert distributions_of("numpy", "numpy.linalg") == (("numpy", version("numpy")),)
    assert distributions_of("sklearn", "sklearn") == (("scikit-learn", version("scikit-learn")),)
    assert distributions_of("attr", "attr") == (("attrs", version("attrs")),)
    assert distributions_of("blake3", "blake3") == (("blake3", version("blake3")),)
    assert distributions_of("no_such_module", "no_such_module") == ()


def test_a_package_that_distributions_share_is_told_apart_by_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `google`: each has its own part of it. What is in none of them counts with all."""
    for name, module in (("shared-one", "one"), ("shared-two", "two")):
        info = tmp_path / f"{name.replace('-', '_')}-1.{module}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.{len(module)}\n", encoding="utf-8")
        (info / "RECORD").write_text(f"shared_space/{module}/__init__.py,,\n", encoding="utf-8")
        package = tmp_path / "shared_space" / module
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    origins._providers.cache_clear()
    try:
        assert distributions_of("shared_space", "shared_space.two") == (("shared-two", "1.3"),)
        assert [name for name, _ in distributions_of("shared_space", "shared_space")] == ["shared-one", "shared-two"]
    finally:
        origins._providers.cache_clear()


def test_functions_that_are_methods_of_a_hidden_object() -> None:
    """`random.randint` is a bound method, and a name of its module all the same."""
    assert public_module(random.randint) == "random"
    assert public_module(random.random) == "random"
    assert public_module(random.Random(1).randint) is None
    assert public_module([].append) is None
    assert public_module(os.environ.get) is None


def test_it_knows_compiled_modules() -> None:
    """By the end of their file's name."""
    assert origins.has_source(origins)
    assert not origins.has_source(sys.modules[blake3.blake3.__module__]) or not blake3.__file__.endswith(".so")
