"""The reference is what the docstrings say now, and everything public is in it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import lineal
from lineal import errors

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_not_stale(script: ModuleType) -> None:
    """After a change of a public name or a command: `python docs/make_reference.py`."""
    text = script.make()
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == text, "run: python docs/make_reference.py"


def test_every_public_name_error_and_command_is_in_it(script: ModuleType) -> None:
    """And each has something said about it."""
    text = script.make()
    for name in lineal.__all__:
        assert f"### lineal.{name}\n\n" in text
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.LinealError):
            assert f"| `{name}` |" in text
    for command in ("lineal run", "lineal artifact diff", "lineal why"):
        assert f"### {command}\n\n```text\n{command} [OPTIONS]" in text
    assert " object at 0x" not in text


def test_docstrings_become_markdown(script: ModuleType) -> None:
    """Lists of arguments become bullets, whose lines are joined; what follows is text again."""
    doc = "Do it.\n\nArgs:\n    one: The first,\n        of two.\n    *two: More.\n\nRaises UsageError."
    assert script._described(doc) == "Do it.\n\n- `one`: The first, of two.\n- `*two`: More.\n\nRaises UsageError.\n"
