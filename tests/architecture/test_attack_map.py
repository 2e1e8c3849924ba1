"""The page of attacks names tests that exist, and every test that is named after an attack is on it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/attacks.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (A\d\d) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_the_attacks_are_in_order_and_there_once() -> None:
    assert len(ROWS) == 38
    assert [row[0] for row in ROWS] == sorted({row[0] for row in ROWS})


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_attack_has_tests_that_exist(row: tuple[str, str, str, str]) -> None:
    for part in row[3].split("<br>"):
        named = NAMED.fullmatch(part)
        assert named, f"{part} is no test"
        source = (ROOT / named[1]).read_text(encoding="utf-8")
        assert re.search(rf"^def {named[2]}\(", source, re.MULTILINE), part


def test_each_test_of_an_attack_is_on_the_page() -> None:
    source = (ROOT / "tests/acceptance/test_attacks.py").read_text(encoding="utf-8")
    tests = re.findall(r"^def (test_a\d\d_\w+)\(", source, re.MULTILINE)
    assert len(tests) > 20
    assert [test for test in tests if f"test_attacks.py::{test}`" not in PAGE] == []
