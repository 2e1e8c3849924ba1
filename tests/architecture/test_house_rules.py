"""Rules of the house that no general linter knows."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# What is generated or not ours to word.
BINARY = {".png", ".ico", ".woff2", ".gz", ".whl", ".npy", ".arrow"}


def test_importing_lineal_imports_no_third_party_library() -> None:
    """A program that only names steps pays for nothing else: `import lineal` loads the standard library and its own modules."""
    code = "import sys, json; before = set(sys.modules); import lineal; print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "lineal" in loaded
    assert loaded - sys.stdlib_module_names - {"lineal"} == set()


def test_only_settings_reads_the_environment(sources: list[Any]) -> None:
    """A value that can be configured has one place, one spelling and one check."""
    readers = {
        source.module
        for source in sources
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and any(a.name in ("environ", "getenv") for a in node.names))
    }
    # The test kit hands the environment on to a process with another hash seed; it configures nothing.
    assert readers - {"lineal.testing.materializers"} == {"lineal.settings"}


def test_every_module_says_what_it_is(sources: list[Any]) -> None:
    """The first line of a file tells whether to read on."""
    assert [s.module for s in sources if s.text.strip() and not ast.get_docstring(s.tree)] == []


def test_every_public_name_is_described(sources: list[Any]) -> None:
    """Public functions, classes and methods have docstrings; a method that keeps a protocol of its package is described there."""
    bare = []
    for source in sources:
        kept = _kept_methods([s for s in sources if s.package == source.package])
        for name, node in source.definitions():
            if (
                not ast.get_docstring(node)
                and _is_public(name, source)
                and not (_is_method(name) and node.name in kept)
                and not _is_silent(node)
            ):
                bare.append(f"{source.path}:{node.lineno} {name}")
    assert bare == []


def _kept_methods(package: list[Any]) -> set[str]:
    """Give the described methods of a package's protocols, and of the base classes in its `base.py`."""
    found = set()
    for source in package:
        for _, node in source.definitions():
            if isinstance(node, ast.ClassDef) and (
                source.path.name == "base.py" or any("Protocol" in ast.unparse(base) for base in node.bases)
            ):
                found |= {m.name for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(m)}
    return found


def _is_method(name: str) -> bool:
    return "." in name


def _is_public(name: str, source: Any) -> bool:
    inside_function = any(name.startswith(f"{outer}.") for outer, _ in source.functions())
    return not inside_function and not any(part.startswith("_") for part in name.split("."))


def _is_silent(node: Any) -> bool:
    """Tell whether another definition of the same name carries the docstring: an overload, a setter, an override."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"overload", "setter", "deleter", "override"})


def test_lists_of_public_names_are_sorted_and_true(sources: list[Any]) -> None:
    """`__all__` can be read like an index, and everything in it is there."""
    for source in sources:
        for node in source.tree.body:
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
                names = ast.literal_eval(node.value)
                module = __import__(source.module, fromlist=["__all__"])
                assert names == sorted(set(names)), source.module
                assert [name for name in names if not hasattr(module, name)] == [], source.module


def test_the_typed_marker_is_shipped(root: Path) -> None:
    """Type checkers read the annotations of an installed package only when it carries this file."""
    assert (root / "src" / "lineal" / "py.typed").is_file()


# Read before any test changes the home folder.
_HOME = Path.home()


def test_no_file_names_a_folder_of_one_machine(root: Path) -> None:
    """What is committed works in any checkout: no path of the folder that it was written in, and nobody's home."""
    personal = [re.escape(str(path)) for path in (root, _HOME) if len(path.parts) > 1]
    pattern = re.compile("(" + "|".join(personal) + r"|/(?:home|Users)/[a-zA-Z]\w*|C:\\+Users)(?=[\s/\\\"'`]|$)")
    found = []
    for path in _tracked(root):
        if path.suffix not in BINARY and path.is_file():
            text = path.read_text(encoding="utf-8")
            found += [f"{path}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def _tracked(root: Path) -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [root / name for name in done.stdout.split("\0") if name]
    return [
        path
        for folder in ("src", "tests", "docs", "examples", "bench")
        for path in (root / folder).rglob("*")
        if "__pycache__" not in path.parts
    ]


def test_the_test_above_looks_at_files(root: Path) -> None:
    """An empty list would hold no path of any machine."""
    assert root / "src" / "lineal" / "errors.py" in _tracked(root)


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", ".ci/run"])
def test_the_repository_has(root: Path, name: str) -> None:
    """What a visitor looks for first is there."""
    assert (root / name).stat().st_size > 100
