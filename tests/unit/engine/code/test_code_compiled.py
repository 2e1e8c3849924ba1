"""Compiled code: what its digest covers, and the names in it."""

import os
import subprocess
import sys
from types import CodeType

import pytest

from lineal.engine.code.compiled import chains_in, code_digest, codes_in, qualname_of


def code_of(text: str, filename: str = "a.py") -> CodeType:
    """Compile a text and give the code of its first function."""
    return codes_in(compile(text, filename, "exec"))[0]


SAME = {
    "positions": ("def f():\n    return 1", "\n\ndef f():\n\n    return 1"),
    "docstrings": ("def f():\n    'a'\n    return 1", "def f():\n    'b'\n    return 1"),
    "future imports": ("def f():\n    return 1", "from __future__ import annotations\ndef f():\n    return 1"),
}
OTHER = {
    "numbers": ("def f():\n    return 1", "def f():\n    return 1.0"),
    "big numbers": (f"def f():\n    return 0x1{'0' * 5000}", f"def f():\n    return 0x2{'0' * 5000}"),
    "names": ("def f():\n    return a", "def f():\n    return b"),
    "operations": ("def f(a):\n    return a + 1", "def f(a):\n    return a - 1"),
    "inner code": ("def f():\n    return lambda: 1", "def f():\n    return lambda: 2"),
    "handlers": ("def f():\n    try: a()\n    except E: pass", "def f():\n    a()"),
    "parameters": ("def f(a, *b): return a", "def f(*a, b): return a"),
    "the text that a lambda gives": ("f = lambda: 'a'", "f = lambda: 'b'"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_does_not_count(one: str, other: str) -> None:
    """Where code stands, and what is said about it."""
    assert code_digest(code_of(one)) == code_digest(code_of(other, "b.py"))


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER)
def test_what_counts(one: str, other: str) -> None:
    """What code does."""
    assert code_digest(code_of(one)) != code_digest(code_of(other))


def test_the_hash_seed_does_not_count() -> None:
    """A set in the code has another order in each process."""
    text = "from lineal.engine.code.compiled import *\nprint(code_digest((lambda x: x in {'a', 'b', 'c', 'd'}).__code__))"
    digests = {
        subprocess.run([sys.executable, "-c", text], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in "123"
    }
    assert len(digests) == 1


def test_names_in_compiled_code() -> None:
    """Globals with their attributes, builtins, imports of every kind; inner functions too."""
    text = """def f(x):
    from ..pkg import one, two as alias
    import a.b
    local = x.attribute
    g(np.linalg.norm, np)
    return lambda: (local, h, h.i)
"""
    assert chains_in(code_of(text)) == [
        ("!0|a.b|",), ("!2|pkg|one",), ("!2|pkg|two",), ("g",), ("h",), ("h", "i"), ("local",), ("np",), ("np", "linalg", "norm"),
    ]  # fmt: skip


def test_comprehensions_leave_no_trace_in_names() -> None:
    """Python 3.12 and later inline them."""
    codes = codes_in(compile("def f(x):\n    return [lambda: y for y in x]", "a.py", "exec"))
    assert "f.<locals>.<lambda>" in {qualname_of(code) for code in codes}
