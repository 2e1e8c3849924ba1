"""Finds the pipeline of an earlier run again: in this process, else in the file where it was defined."""

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from lineal.engine.code.origins import file_of
from lineal.errors import LinealError, NotFound, PathNotFound, UsageError
from lineal.graph.definition import Definition
from lineal.model.entry import Entry
from lineal.model.scripts import module_key

_REMEDY = "call the pipeline yourself; what has finished is given again"


def entry_of(pipeline: Definition) -> Entry:
    """Give where a pipeline is defined, and the working directory."""
    plain: Any = inspect.unwrap(pipeline.function)
    namespace: dict[str, Any] = plain.__globals__
    file = file_of(namespace)
    variable = next((name for name, value in namespace.items() if value is pipeline), "")
    return Entry(os.path.abspath(file) if file else "", module_key(namespace), plain.__qualname__, variable, os.getcwd())  # noqa: PTH100, PTH109


def find_pipeline(entry: Entry, name: str, run: str) -> Definition:
    """Give the pipeline of that name that an entry speaks of, importing its module when it is not loaded. `run` is for messages.

    Raises PathNotFound when its file is gone, NotFound when the file has no such pipeline any more, UsageError when it cannot be imported.
    """
    if "<locals>" in entry.function:
        raise UsageError(
            f"the pipeline {name!r} of run {run} was defined inside a function, {entry.function}, and cannot be found; {_REMEDY}"
        )
    module = _loaded(entry)
    if module is None:
        module = _imported(entry, name, run)
    found = {variable: value for variable, value in vars(module).items() if isinstance(value, Definition)}
    named = found.get(entry.variable)
    if named is not None and named.name == name:
        return named
    renamed = "name" in entry.options  # for that run alone: then it is known by its function
    same = list({id(value): value for value in found.values() if renamed or value.name == name}.values())
    exact = [value for value in same if _qualified(value.function) == entry.function] or ([] if renamed else same)
    if len(exact) != 1:
        there = ", ".join(sorted({value.name for value in found.values()})) or "none"
        what = "several pipelines" if exact else "no pipeline"
        raise NotFound(
            f"{entry.file or entry.module} has {what} {name!r}, of which run {run} is one; there are: {there}. If it was renamed, {_REMEDY}"
        )
    return exact[0]


def _qualified(function: Callable[..., Any]) -> str:
    return str(getattr(inspect.unwrap(function), "__qualname__", ""))


def _loaded(entry: Entry) -> ModuleType | None:
    for name in (entry.module, "__main__") if entry.file else (entry.module,):
        module = sys.modules.get(name)
        if module is not None:
            file = file_of(vars(module))
            if (os.path.abspath(file) if file else "") == entry.file:  # noqa: PTH100
                return module
    return None


def _imported(entry: Entry, name: str, run: str) -> ModuleType:
    if not entry.file:
        raise UsageError(f"the pipeline {name!r} of run {run} was defined in a notebook or at a prompt that is not this one; {_REMEDY}")
    path = Path(entry.file)
    if not path.is_file():
        raise PathNotFound(f"{path}, where the pipeline {name!r} of run {run} was defined, is not there any more; {_REMEDY}")
    return load_file(path) if "." not in entry.module else _load_of_package(path, entry.module)


def _load_of_package(path: Path, name: str) -> ModuleType:
    root = str(path.parents[name.count(".") + (path.name == "__init__.py")])
    if root not in sys.path:
        sys.path.insert(0, root)
    try:
        module = importlib.import_module(name)
    except LinealError:
        raise
    except Exception as error:
        raise _not_loaded(path, error) from error
    if os.path.abspath(file_of(vars(module)) or "") != str(path):  # noqa: PTH100
        raise UsageError(f"{name} is another module here: {file_of(vars(module))}, and not {path}")
    return module


def load_file(path: Path) -> ModuleType:
    """Import a file under its own name, with its folder on the path, as `python file.py` would find its neighbours.

    Raises UsageError when the file cannot be imported, or when a module of its name is loaded already.
    """
    if path.stem in sys.modules:
        raise UsageError(f"{path} has the name of a module that is loaded already, {path.stem}; rename the file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file; its name must end in .py")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    # In sys.modules, so that its classes and functions can be found by name, in worker processes too.
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[path.stem]
        if isinstance(error, LinealError | KeyboardInterrupt):
            raise
        raise _not_loaded(path, error) from error
    return module


def _not_loaded(path: Path, error: BaseException) -> UsageError:
    return UsageError(f"{path} cannot be loaded: {type(error).__name__}: {error}{_line(error, path)}")


def _line(error: BaseException, path: Path) -> str:
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(path) else line
        trace = trace.tb_next
    return f" (line {line})" if line else ""
