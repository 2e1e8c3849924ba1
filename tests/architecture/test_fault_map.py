"""The pages of faults and of limits name tests that exist, and each fault that concerns the store, the engine and the materializers once."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| (F\d\d) \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/faults.md").read_text(encoding="utf-8"), re.MULTILINE)
LIMITS = re.findall(r"^\| .+ \| (`tests/.+?) \|$", (ROOT / "docs/limits.md").read_text(encoding="utf-8"), re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[(\w+)\])?`")
ELSEWHERE = {10, 11, 50}
"""Faults of the server and of databases of other kinds; those above 61 are of networks, object stores and Ray."""


@cache
def source(file: str) -> str:
    """Give the text of a file of tests."""
    return (ROOT / file).read_text(encoding="utf-8")


def check_named(text: str) -> None:
    """Demand that the text names tests, between line breaks and nothing else, and that each is there with its parameter."""
    for part in text.split("<br>"):
        named = NAMED.fullmatch(part)
        assert named, f"{part} is no test"
        file, test, parameter = named.groups()
        assert re.search(rf"^def {test}\(", source(file), re.MULTILINE), f"{file} has no {test}"
        assert not parameter or f'"{parameter}"' in source(file), f"{file} has no parameter {parameter!r}"


def test_each_fault_is_there_once() -> None:
    """In the order of their numbers."""
    assert [row[0] for row in ROWS] == [f"F{number:02}" for number in range(1, 62) if number not in ELSEWHERE]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_fault_has_tests_that_exist(row: tuple[str, str, str, str]) -> None:
    check_named(row[3])


def test_each_limit_has_tests_that_exist() -> None:
    """What is said of sizes is proven."""
    assert len(LIMITS) == 13
    for named in LIMITS:
        check_named(named)


@pytest.mark.parametrize(
    "wrong", ["", "no test yet", "`tests/conftest.py::test_nothing`", "`tests/acceptance/test_torture.py::test_x[calls]`"]
)
def test_what_names_no_test_is_found(wrong: str) -> None:
    """The check itself can fail."""
    with pytest.raises(AssertionError):
        check_named(wrong)
