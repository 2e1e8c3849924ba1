"""The sources of Lineal, read once and parsed, for the tests of the house plan."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """One module of Lineal."""

    module: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Number of lines."""
        return len(self.text.splitlines())

    @property
    def package(self) -> str:
        """Dotted name of the package that the module's relative imports start from."""
        return self.module if self.path.name == "__init__.py" else self.module.rpartition(".")[0]

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """Give every function with its dotted name inside the module, nested ones too."""
        for name, node in self.definitions():
            if not isinstance(node, ast.ClassDef):
                yield name, node

    def definitions(self) -> Iterator[tuple[str, Definition]]:
        """Give every function and class with its dotted name inside the module, nested ones too."""
        yield from _definitions(self.tree, "")


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield prefix + child.name, child
            yield from _definitions(child, f"{prefix}{child.name}.")
        else:
            yield from _definitions(child, prefix)


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Give every module of Lineal, sorted by name."""
    found = []
    for path in sorted((ROOT / "src").glob("lineal/**/*.py")):
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        text = path.read_text(encoding="utf-8")
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Source(module, path, text, ast.parse(text, str(path))))
    assert len(found) > 10
    return found


@pytest.fixture(scope="session")
def imports() -> dict[str, set[str]]:
    """Give for each module the own modules that it imports anywhere, in functions and under TYPE_CHECKING too."""
    return _imports(grimp.build_graph("lineal", cache_dir=None))


@pytest.fixture(scope="session")
def runtime_imports() -> dict[str, set[str]]:
    """Give the same without what stands under TYPE_CHECKING, as the figures that the depth is compared with were counted."""
    return _imports(grimp.build_graph("lineal", cache_dir=None, exclude_type_checking_imports=True))


def _imports(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
