"""Finds the unit that live code comes from: in its file, in a zip archive, or in the cell of a notebook.

What was loaded counts, not what the file says now. So a unit answers for a function only when compiling it gives the code that the
function holds; after an edit on disk it does not, and the caller takes the compiled code itself. What leaves no trace in
compiled code (decorators, the body of a class) is trusted only in a file that is older than this process; see `Source.edited`.
"""

import ast
import importlib.util
import linecache
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from lineal.engine.code import disk
from lineal.engine.code.compiled import code_digest, codes_in, qualname_of
from lineal.engine.code.scan import Scan, Unit, scan
from lineal.model import digest

FORMAT = "units/1"
_STARTED = time.time()
_REMEMBERED = 50_000


@dataclass(slots=True)
class Source:
    """One source file, or one cell.

    Attributes:
        path: Its path, or the name of the cell.
        text: Its text.
        edited: Whether it changed since this process started, so that what was loaded may be older.
        units: Its functions and classes by qualified name.
        scan: All else that was read from it.
    """

    path: str
    text: str
    edited: bool
    scan: Scan
    units: Mapping[str, list[Unit]] = field(default_factory=dict)

    def lines(self, first: int, last: int) -> str:
        """Give some of its lines."""
        return "".join(self.text.splitlines(keepends=True)[first - 1 : last])


_sources: dict[str, tuple[Any, Source | None]] = {}
_found: dict[int, tuple[CodeType, tuple[Source, Unit] | None]] = {}


def find(code: CodeType, namespace: dict[str, Any]) -> tuple[Source, Unit] | None:
    """Give the unit that compiled code comes from, or None when there is no source or it says something else by now."""
    # By identity: equal code objects can come from different files.
    known = _found.get(id(code))
    if known is None or known[0] is not code:
        if len(_found) > _REMEMBERED:
            _found.clear()
        known = _found[id(code)] = (code, _find(code, namespace))
    return known[1]


def _find(code: CodeType, namespace: dict[str, Any]) -> tuple[Source, Unit] | None:
    source = source_of(code.co_filename, namespace)
    if source is None:
        return None
    units = [unit for unit in source.units.get(qualname_of(code), ()) if unit.kind == "function"]
    wanted = code_digest(code)
    same = [unit for unit in units if wanted in unit.codes]
    here = [unit for unit in same if unit.lines[0] == code.co_firstlineno] or same
    if not here or any((unit.says, unit.decorators) != (here[0].says, here[0].decorators) for unit in here):
        return None
    return source, here[0]


def find_class(cls: type, namespace: dict[str, Any], methods: list[FunctionType]) -> tuple[Source | None, list[Unit]]:
    """Give the units that a class may come from: one, or all of its name in the file when nothing tells them apart; else (None, []).

    A class does not know its file. Its methods do; else it is looked for in its module, and in the cells of the notebook.
    """
    name = cls.__qualname__
    inside = [method.__code__ for method in methods if method.__code__.co_qualname.startswith(name + ".")]
    for source in _candidates(namespace, inside):
        units = [unit for unit in source.units.get(name, ()) if unit.kind == "class"]
        if not units:
            continue
        lines = {code.co_firstlineno for code in inside if code.co_filename == source.path}
        lines.add(vars(cls).get("__firstlineno__", 0))
        around = [unit for unit in units if any(unit.lines[0] <= line <= unit.lines[1] for line in lines)]
        return source, around or units
    return None, []


def _candidates(namespace: dict[str, Any], codes: list[CodeType]) -> Iterator[Source]:
    paths = dict.fromkeys(code.co_filename for code in codes)
    path = namespace.get("__file__")
    if isinstance(path, str):
        paths[path] = None
    for found in (source_of(path, namespace) for path in paths):
        if found is not None:
            yield found
    if path is None:
        yield from cells()


def source_of(path: str, namespace: dict[str, Any]) -> Source | None:
    """Read a source file or a cell, once per state. None when there is none, or it is not Python."""
    for candidate in (path, namespace.get("__file__")):
        if isinstance(candidate, str) and candidate and Path(candidate).name == Path(path).name:
            try:
                stat = Path(candidate).stat()
            except (OSError, ValueError):
                continue
            stamp = (stat.st_mtime_ns, stat.st_size)
            known = _sources.get(candidate)
            if known is None or known[0] != stamp:
                known = _sources[candidate] = (stamp, _from_file(candidate, stat.st_mtime))
            return known[1]
    return _from_lines(path, namespace)


def _from_file(path: str, changed: float) -> Source | None:
    try:
        data = Path(path).read_bytes()
        text = importlib.util.decode_source(data)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
    # The clock of a file system is coarser than ours.
    return _read(path, text, edited=changed > _STARTED - 0.01)


def _from_lines(path: str, namespace: dict[str, Any]) -> Source | None:
    """Read what no file holds: a cell, which IPython leaves in `linecache`, or a module of a zip archive, by its loader."""
    lines = linecache.getlines(path, namespace)
    if not lines:
        return None
    known = _sources.get(path)
    if known is None or known[0] != lines:
        known = _sources[path] = (lines, _read(path, "".join(lines), edited=False))
    return known[1]


def cells() -> list[Source]:
    """Give the sources of the cells of this notebook, newest first."""
    names = [name for name in list(linecache.cache) if "ipykernel" in name or name.startswith(("<ipython-input-", "<python-input-"))]
    found = [_from_lines(name, {}) for name in reversed(names)]
    return [source for source in found if source is not None]


def _read(path: str, text: str, *, edited: bool) -> Source | None:
    key = digest.of(FORMAT, sys.version_info[:2], sys.flags.optimize, text)
    stored = disk.get(key)
    try:
        result = _unpacked(stored) if stored is not None else _parsed(text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if stored is None:
        disk.put(key, asdict(result))
    units: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in result.units:
        units[unit.qualname].append(unit)
    return Source(path, text, edited, result, units)


def _unpacked(stored: Any) -> Scan:
    """Read what `asdict` gave. Raises ValueError when it has another form."""
    try:
        units = [
            Unit(
                **{
                    **unit,
                    "lines": tuple(unit["lines"]),
                    "decorators": [(tuple(root), says, [tuple(c) for c in chains]) for root, says, chains in unit["decorators"]],
                    "chains": [tuple(chain) for chain in unit["chains"]],
                    "hints": [tuple(chain) for chain in unit["hints"]],
                    "notes": [(text, line) for text, line in unit["notes"]],
                }
            )
            for unit in stored["units"]
        ]
        return Scan(units, {name: (first, last) for name, (first, last) in stored["assigned"].items()}, stored["imported"])
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a stored scan") from error


def _parsed(text: str, path: str) -> Scan:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user saw them when the code was loaded
        tree = ast.parse(text)
        module = compile(tree, path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    result = scan(tree, _hashed)
    by_place: defaultdict[tuple[str, int], list[Unit]] = defaultdict(list)
    for unit in result.units:
        if unit.kind == "function":
            by_place[unit.qualname, unit.lines[0]].append(unit)
    codes: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for code in codes_in(module):
        codes[qualname_of(code), code.co_firstlineno].append(code_digest(code))
    for place, units in by_place.items():
        _join(units, codes.get(place, []))
    return result


def _join(units: list[Unit], codes: list[str]) -> None:
    """Give the units of one place their code. Lambdas on one line that cannot be told apart answer for each other."""
    if len(units) == len(codes):
        for unit, code in zip(units, codes, strict=True):
            unit.codes = [code]
        return
    together = digest.of("together/1", [unit.says for unit in units])
    chains = sorted({chain for unit in units for chain in unit.chains})
    for unit in units:
        unit.codes = codes
        unit.says, unit.chains = (together, chains) if len(units) > 1 else (unit.says, unit.chains)


def _hashed(text: str) -> str:
    return digest.of_bytes(text.encode("utf-8", "surrogatepass"))
