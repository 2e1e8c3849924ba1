"""The files that test what is promised, sentence by sentence, say where more is proven: what they name exists."""

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
SECTIONS = sorted(path.name for path in (TESTS / "acceptance").glob("test_features_*.py"))


@cache
def names_in(path: Path) -> frozenset[str]:
    """Give the names of the tests in a file."""
    return frozenset(re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", SECTIONS)
def test_each_test_that_is_named_as_proof_exists(name: str) -> None:
    for file, test in NAMED.findall((TESTS / "acceptance" / name).read_text(encoding="utf-8")):
        path = TESTS.parent / file
        assert path.is_file(), file
        assert test in names_in(path), f"{file} has no {test}"


@pytest.mark.parametrize("name", SECTIONS)
def test_each_test_of_a_promise_states_it(name: str) -> None:
    """In a docstring that is a sentence."""
    text = (TESTS / "acceptance" / name).read_text(encoding="utf-8")
    for test in names_in(TESTS / "acceptance" / name):
        stated = re.search(rf'^def {test}\((?:.|\n)*?\)(?: -> None)?:\n    """(.*)"""$', text, re.MULTILINE)
        assert stated, f"{test} has no docstring of one line"
        assert stated[1].endswith("."), f"{test}: {stated[1]}"


def test_each_section_has_its_file() -> None:
    """Steps and pipelines, artifacts, deleting, materializers, visualizations, lineage, the command line."""
    sections = ("steps_and_pipelines", "artifacts", "deleting", "materializers", "visualizations", "lineage", "command_line")
    assert {f"test_features_{section}.py" for section in sections} <= set(SECTIONS)
