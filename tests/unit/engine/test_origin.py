"""Finding the pipeline of an earlier run: in this process, in its file, in its package; and what is said when it is not there."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineal import pipeline, step
from lineal.engine.origin import entry_of, find_pipeline, load_file
from lineal.errors import NotFound, PathNotFound, UsageError
from lineal.model.entry import Entry

SOURCE = """
from lineal import pipeline, step

@step
def one() -> int:
    return 1

@pipeline
def first() -> None:
    one()

@pipeline
def second() -> None:
    one()

nightly = first.with_options(enable_cache=False)
"""


@step
def one() -> int:
    return 1


@pipeline
def here() -> None:
    one()


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Forget the modules that a test loads, and where it looked for them."""
    known, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]
    sys.path[:] = path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flows_of_this_test.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def entry(file: Path, variable: str = "first", function: str = "first") -> Entry:
    return Entry(str(file), file.stem, function, variable)


def test_a_pipeline_of_this_process_is_found_where_it_is() -> None:
    found = entry_of(here)
    assert (found.file, found.function, found.variable, found.folder) == (__file__, "here", "here", str(Path.cwd()))
    assert find_pipeline(found, "here", "run-1") is here


def test_a_file_is_imported_once(file: Path) -> None:
    found: Any = find_pipeline(entry(file), "first", "run-1")
    assert found.name == "first"
    assert find_pipeline(entry(file), "first", "run-1") is found
    assert entry_of(found) == Entry(str(file), file.stem, "first", "first", str(Path.cwd()))


def test_a_variant_is_found_by_its_variable_and_a_moved_pipeline_by_its_name(file: Path) -> None:
    module = load_file(file)
    assert find_pipeline(entry(file, "nightly"), "first", "run-1") is module.nightly
    assert find_pipeline(entry(file, "gone", "second"), "second", "run-1") is module.second
    assert find_pipeline(entry(file, "gone", "gone"), "second", "run-1") is module.second


def test_a_run_that_had_a_name_of_its_own_is_found_by_its_function(file: Path) -> None:
    found = find_pipeline(Entry(str(file), file.stem, "second", "", "", {"name": "special"}), "special", "run-1")
    assert found.name == "second"


def test_a_module_of_a_package_is_imported_as_part_of_it(tmp_path: Path) -> None:
    package = tmp_path / "parcel_of_this_test" / "inner"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package.parent / "__init__.py").write_text("FACTOR = 2\n", encoding="utf-8")
    (package / "flows.py").write_text("from .. import FACTOR\n" + SOURCE, encoding="utf-8")
    there = Entry(str(package / "flows.py"), "parcel_of_this_test.inner.flows", "first", "first")
    assert find_pipeline(there, "first", "run-1").name == "first"
    assert sys.modules["parcel_of_this_test.inner.flows"].FACTOR == 2


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda file: file.unlink(), PathNotFound, "where the pipeline 'first' of run run-1 was defined, is not there any more"),
        (lambda file: file.write_text(SOURCE.replace("first", "renamed")), NotFound, "has no pipeline 'first'.*there are: renamed, second"),
        (lambda file: file.write_text("import nothing_at_all\n"), UsageError, r"cannot be loaded: ModuleNotFoundError: .* \(line 1\)"),
    ],
)
def test_what_is_gone_is_said_with_the_remedy(file: Path, change: Any, error: type[Exception], said: str) -> None:
    change(file)
    with pytest.raises(error, match=said):
        find_pipeline(entry(file), "first", "run-1")


def test_two_pipelines_of_one_name_are_not_guessed_between(file: Path) -> None:
    file.write_text(SOURCE.replace("@pipeline", '@pipeline(name="same")'), encoding="utf-8")
    with pytest.raises(NotFound, match="has several pipelines 'same'"):
        find_pipeline(entry(file, "gone", "gone"), "same", "run-1")


def test_what_was_defined_in_a_function_or_a_notebook_cannot_be_found() -> None:
    @pipeline
    def inner() -> None:
        one()

    with pytest.raises(UsageError, match="was defined inside a function"):
        find_pipeline(entry_of(inner), "inner", "run-1")
    with pytest.raises(UsageError, match="in a notebook or at a prompt that is not this one"):
        find_pipeline(Entry("", "a_notebook", "flow", "flow"), "flow", "run-1")
