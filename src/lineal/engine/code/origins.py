"""Where code comes from: the user's own, a third-party distribution, the standard library, or Lineal itself."""

import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from lineal.model.scripts import MAIN

Origin = Literal["own", "foreign", "standard", "lineal"]

_LINEAL = str(Path(__file__).parents[2])
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_ROOT_MARKS = ("pyproject.toml", "lineal.toml", "setup.py", "setup.cfg", ".git", ".lineal")


@cache
def _standard_folders() -> tuple[str, ...]:
    # What sysconfig would say, without the milliseconds that it takes to load.
    dynamic = {str(Path(entry).parent) for entry in sys.path if Path(entry).name == "lib-dynload"}
    return (str(Path(os.__file__).parent), *dynamic, str(Path(sys.base_prefix) / "DLLs"))


@cache
def origin_of_file(path: str) -> Origin:
    """Tell where the code of a file comes from. A file that is installed nowhere is the user's own."""
    if _is_under(path, _LINEAL):
        return "lineal"
    if not _INSTALLED.isdisjoint(path.replace("\\", "/").split("/")):
        return "foreign"
    if path.startswith("<frozen ") or any(_is_under(path, folder) for folder in _standard_folders()):
        return "standard"
    return "own"


def _is_under(path: str, folder: str) -> bool:
    return path.startswith(folder) and path[len(folder) : len(folder) + 1] in ("/", "\\")


def origin_of_module(name: Any) -> Origin:
    """Tell where a module comes from, by its file or that of the package around it."""
    return (find_origin(name) if isinstance(name, str) and name else None) or "own"  # __main__ of a notebook, a module made on the fly


def find_origin(name: str) -> Origin | None:
    """Tell where a module comes from, loaded or not, without importing it; None when there is no file that says so."""
    top = name.partition(".")[0]
    if top == "lineal":
        return "lineal"
    if top in MAIN:  # whoever started the program; its functions know their files
        return "own"
    while name:
        module = sys.modules.get(name)
        path = None if module is None else file_of_module(module)
        if path:
            return origin_of_file(path)
        name = name.rpartition(".")[0]
    if top in sys.stdlib_module_names or top.startswith("_cython_"):  # types that compiled modules share
        return "standard"
    return None if top in sys.modules else _origin_of_spec(top)


def _origin_of_spec(top: str) -> Origin | None:
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    path = spec.origin if spec.has_location else next(iter(spec.submodule_search_locations or ()), None)
    return origin_of_file(path) if path else None


def file_of_module(module: ModuleType) -> str:
    """Give the file of a module, or the first folder of a package without one; empty if it has neither."""
    names = vars(module)
    path = names.get("__file__")
    if isinstance(path, str):
        return path
    folders = names.get("__path__")
    try:
        return str(next(iter(folders), "")) if folders is not None else ""
    except TypeError:
        return ""


def public_module(method: Any) -> str | None:
    """Give someone else's module that offers a bound method as a function of its own, as `random.randint`; None if there is none."""
    for name in (method.__module__, type(method.__self__).__module__):
        module = sys.modules.get(name) if isinstance(name, str) else None
        if module is not None and vars(module).get(method.__name__) is method and origin_of_module(name) != "own":
            return str(name)
    return None


def file_of(namespace: dict[str, Any]) -> str:
    """Give the file of the module with these globals, empty when it has none."""
    path = namespace.get("__file__")
    return path if isinstance(path, str) else ""


def name_of(namespace: dict[str, Any]) -> str:
    """Give the name of the module with these globals."""
    name = namespace.get("__name__")
    return name if isinstance(name, str) else ""


def has_source(module: ModuleType) -> bool:
    """Tell whether a module is written in Python."""
    return not file_of_module(module).endswith((".so", ".pyd", ".dll", ".dylib"))


@cache
def shown_path(path: str, module: str) -> str:
    """Give a file's path relative to its project: the folder with a project file, else the one from which `module` is imported."""
    if not path or path.startswith("<"):
        return path
    name = os.path.basename(path)  # noqa: PTH119 - for every piece that a step reaches
    folder = path[: -len(name)] if name else path
    root, shown = _project(folder)
    if root is not None:
        return shown + name
    depth = module.count(".") + (name == "__init__.py")
    return _last(folder, depth) + name if depth else name


@cache
def _last(folder: str, depth: int) -> str:
    """Give the last parts of a folder's path; nothing when it has no more than those."""
    parts = Path(folder).parts
    return "/".join(parts[-depth:]) + "/" if len(parts) > depth else ""


@cache
def _project(folder: str) -> tuple[Path | None, str]:
    """Give the project that a folder is in, if any, and what stands before the names of its files."""
    place = Path(folder)
    for root in (place, *place.parents):
        if _is_project(root):
            inside = place.relative_to(root).as_posix()
            return root, "" if inside == "." else f"{inside}/"
    return None, ""


@cache
def _is_project(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _ROOT_MARKS)


# Distributions


@cache
def distributions_of(top: str, module: str) -> tuple[tuple[str, str], ...]:
    """Give name and version of the distributions that a module belongs to; `top` is the first part of its name.

    A package that several distributions share (`google`) is told apart by the files of each; if that fails, all of them count.
    """
    from importlib import metadata  # slow to load, and only needed for code that names a third party

    named = _named_like(top)
    if named is not None:
        return (named,)
    names = sorted(set(_providers().get(top, ())))
    if len(names) > 1:
        names = [name for name in names if _has_module(name, module)] or names
    return tuple((_plain(name), metadata.version(name)) for name in names)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _named_like(top: str) -> tuple[str, str] | None:
    """Find the distribution that has the name of its package: one folder is read, not every installed one."""
    from importlib import metadata

    try:
        found = metadata.distribution(top)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    listed = "\n" + (found.read_text("RECORD") or found.read_text("SOURCES.txt") or "").replace("\r", "")
    if not any(f"\n{top}{end}" in listed for end in ("/__init__.", ".py", ".cpython", ".abi3", ".pyd", ".so")):
        return None  # another project's name, or a package shared by several
    return _plain(found.metadata["Name"]), found.version


@cache
def _providers() -> dict[str, list[str]]:
    from importlib import metadata

    return dict(metadata.packages_distributions())


def _has_module(distribution: str, module: str) -> bool:
    from importlib import metadata

    stem = module.replace(".", "/")
    files = metadata.files(distribution) or ()
    return any(str(file).startswith((stem + "/", stem + ".")) for file in files)
