"""Finds the unit that live code comes from: in its file, in a zip archive, or in the cell of a notebook.

What was loaded counts, not what the file says now. So a unit answers for a function only when compiling it gives the code that the
function holds; after an edit on disk it does not, and the caller takes the compiled code itself. What leaves no trace in
compiled code (decorators, the body of a class) is trusted only in a file that is older than this process; see `Source.edited`.
"""

import ast
import importlib.util
import linecache
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from lineal.artifact_store.hashes import Stamp, stamp_of
from lineal.engine.code import disk
from lineal.engine.code.compiled import code_digest, code_mark, codes_in, qualname_of
from lineal.engine.code.scan import Scan, Unit, scan
from lineal.model import digest

_STARTED = time.time()
_REMEMBERED = 50_000


@dataclass(slots=True)
class Source:
    """One source file, or one cell.

    Attributes:
        path: Its path, or the name of the cell.
        text: Its text; None for a file, which is read when it is needed.
        edited: Whether it changed since this process started, so that what was loaded may be older.
        assigned: First and last line of the assignment to each module-level name.
        imported: What module-level imports bind, by name (see `scopes`).
        units: Its functions and classes by qualified name, as rows of `Unit`.
    """

    path: str
    text: str | None
    edited: bool
    assigned: Mapping[str, Sequence[int]]
    imported: Mapping[str, Sequence[str]]
    units: Mapping[str, list[Any]] = field(default_factory=dict)

    def lines(self, first: int, last: int) -> str:
        """Give some of its lines, as they are now."""
        text = self.text if self.text is not None else _text_of(self.path) or ""
        return "".join(text.splitlines(keepends=True)[first - 1 : last])


Located = tuple[Source, Unit]

_sources: dict[str, tuple[Any, Source | None]] = {}
_found: dict[int, tuple[CodeType, Located | None]] = {}


class Sources:
    """Finds sources during one walk: each file is looked at once, and read again only when it changed since the last walk."""

    def __init__(self) -> None:
        self._seen: dict[str, Source | None] = {}

    def find(self, code: CodeType, namespace: dict[str, Any]) -> Located | None:
        """Give the unit that compiled code comes from, or None when there is no source or it says something else by now."""
        # By identity: equal code objects can come from different files.
        known = _found.get(id(code))
        if known is None or known[0] is not code:
            if len(_found) > _REMEMBERED:
                _found.clear()
            known = _found[id(code)] = (code, self._find(code, namespace))
        return known[1]

    def _find(self, code: CodeType, namespace: dict[str, Any]) -> Located | None:
        source = self.at(code.co_filename, namespace)
        units = source.units.get(qualname_of(code)) if source is not None else None
        if source is None or units is None:
            return None
        functions = [unit for unit in (Unit(*row) for row in units) if unit.kind == "function"]
        same = _of_code(functions, code_mark(code)) or _of_code(functions, code_digest(code))
        here = [unit for unit in same if unit.first == code.co_firstlineno] or same
        if not here or any((unit.says, unit.decorators) != (here[0].says, here[0].decorators) for unit in here):
            return None
        return source, here[0]

    def find_class(self, cls: type, namespace: dict[str, Any], methods: list[FunctionType]) -> tuple[Source | None, list[Unit]]:
        """Give the units that a class may come from: one, or all of its name in the file when nothing tells them apart; or (None, []).

        A class does not know its file. Its methods do; else it is looked for in its module, and in the cells of the notebook.
        """
        name = cls.__qualname__
        inside = [method.__code__ for method in methods if method.__code__.co_qualname.startswith(name + ".")]
        for source in self._candidates(namespace, inside):
            units = [unit for unit in (Unit(*row) for row in source.units.get(name, ())) if unit.kind == "class"]
            if not units:
                continue
            lines = {code.co_firstlineno for code in inside if code.co_filename == source.path}
            lines.add(vars(cls).get("__firstlineno__", 0))
            around = [unit for unit in units if any(unit.first <= line <= unit.last for line in lines)]
            return source, around or units
        return None, []

    def _candidates(self, namespace: dict[str, Any], codes: list[CodeType]) -> Iterator[Source]:
        paths = dict.fromkeys(code.co_filename for code in codes)
        path = namespace.get("__file__")
        if isinstance(path, str):
            paths[path] = None
        for found in (self.at(path, namespace) for path in paths):
            if found is not None:
                yield found
        if path is None:
            yield from _cells()

    def imports_of(self, namespace: dict[str, Any], name: str) -> Sequence[str]:
        """Give what the module with these globals imports under a name, at its top level."""
        path = namespace.get("__file__")
        if isinstance(path, str):
            source = self.at(path, namespace)
            return source.imported.get(name, ()) if source is not None else ()
        return next((source.imported[name] for source in _cells() if name in source.imported), ())

    def at(self, path: str, namespace: dict[str, Any]) -> Source | None:
        """Read the source of code in `path` with these globals. None when there is none, or it is not Python."""
        if path not in self._seen:
            self._seen[path] = _source_of(path, namespace)
        return self._seen[path]


def _of_code(units: list[Unit], code: str) -> list[Unit]:
    return [unit for unit in units if code in unit.codes]


def _source_of(path: str, namespace: dict[str, Any]) -> Source | None:
    other = namespace.get("__file__")
    for candidate in (path,) if other == path else (path, other):
        if isinstance(candidate, str) and candidate and (candidate is path or Path(candidate).name == Path(path).name):
            try:
                status = os.stat(candidate)  # noqa: PTH116 - once for each file of a project
            except (OSError, ValueError):
                continue
            stamp = stamp_of(status)
            known = _sources.get(candidate)
            if known is None or known[0] != stamp:
                known = _sources[candidate] = (stamp, _from_file(candidate, stamp, status.st_mtime))
            return known[1]
    return _from_lines(path, namespace)


def _from_file(path: str, stamp: Stamp, changed: float) -> Source | None:
    kept = disk.known
    stored = kept.get(path, stamp)
    if stored is None:
        text = _text_of(path)
        if text is None:
            return None
        name = _hashed(text)
        stored = kept.find(path, stamp, name)
        if stored is None:
            stored = _parsed(text, path)
            if stored is None:
                return None
            kept.put(path, stamp, name, stored)
    # The clock of a file system is coarser than ours.
    return Source(path, None, changed > _STARTED - 0.01, *stored)


def _text_of(path: str) -> str | None:
    try:
        return importlib.util.decode_source(Path(path).read_bytes())
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None


def _from_lines(path: str, namespace: dict[str, Any]) -> Source | None:
    """Read what no file holds: a cell, which IPython leaves in `linecache`, or a module of a zip archive, by its loader."""
    lines = linecache.getlines(path, namespace)
    if not lines:
        return None
    known = _sources.get(path)
    if known is None or known[0] != lines:
        text = "".join(lines)
        parsed = _parsed(text, path)
        known = _sources[path] = (lines, None if parsed is None else Source(path, text, False, *parsed))
    return known[1]


def _cells() -> Iterator[Source]:
    """Give the sources of the cells of this notebook, newest first."""
    for name in reversed(list(linecache.cache)):
        if "ipykernel" in name or name.startswith(("<ipython-input-", "<python-input-")):
            source = _from_lines(name, {})
            if source is not None:
                yield source


def _parsed(text: str, path: str) -> tuple[Mapping[str, Sequence[int]], Mapping[str, Sequence[str]], Mapping[str, list[Any]]] | None:
    """Give what `Source` says of a text, as JSON can hold it; None when it is not Python."""
    try:
        found = _scanned(text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    units: defaultdict[str, list[Any]] = defaultdict(list)
    for unit in found.units:
        units[unit.qualname].append(unit)
    return found.assigned, found.imported, units


def _scanned(text: str, path: str) -> Scan:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user saw them when the code was loaded
        tree = ast.parse(text)
        module = compile(tree, path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    codes: defaultdict[tuple[str, int], list[list[str]]] = defaultdict(list)
    for code in codes_in(module):
        codes[qualname_of(code), code.co_firstlineno].append([code_digest(code), code_mark(code)])
    result = scan(tree, _hashed)
    units: defaultdict[tuple[str, int, str], list[Unit]] = defaultdict(list)
    for unit in result.units:
        units[unit.qualname, unit.first, unit.kind].append(unit)
    return result._replace(units=[unit for place, here in units.items() for unit in _joined(here, codes.get(place[:2], []))])


def _joined(units: list[Unit], codes: list[list[str]]) -> list[Unit]:
    """Give the units of one place their code. Lambdas on one line that cannot be told apart answer for each other."""
    if len(units) == len(codes):
        return [unit._replace(codes=code) for unit, code in zip(units, codes, strict=True)]
    says = units[0].says if len(units) == 1 else digest.of("together/1", [unit.says for unit in units])
    chains = sorted({chain for unit in units for chain in unit.chains})
    every = [digest for both in codes for digest in both]
    return [unit._replace(codes=every, says=says, chains=chains) for unit in units]


def _hashed(text: str) -> str:
    return digest.of_bytes(text.encode("utf-8", "surrogatepass"))
