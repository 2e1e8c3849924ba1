"""The fingerprint of a step's code: what enters the cache key, so that a result is reused only where the same code would run.

From the live function it follows every name to the user's own code behind it: helpers, classes, closures, defaults, constants,
across modules. Third-party code enters by the version of its distribution, the standard library by Python's own version. What cannot
be followed is said, never passed over. `docs/caching.md` has the cases.
"""

import contextlib
import gc
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lineal.engine.code import disk
from lineal.engine.code.parts import Fingerprint, Part
from lineal.engine.code.walk import Walk
from lineal.engine.code.watch import Watch

__all__ = ["Fingerprint", "Part", "explain_change", "fingerprint", "set_cache_folder"]

_REMEMBERED = 1_000
_known: dict[int, tuple[object, Watch, Fingerprint]] = {}
_lock = threading.Lock()


def fingerprint(function: Callable[..., Any]) -> Fingerprint:
    """Give the fingerprint of a function, step, or other callable, as it would run now.

    Nothing of the user's code runs, except that own modules which the function imports in its body are imported, and that objects
    among its globals are asked for their state as pickle would ask. Memoised: as long as nothing changed, a call takes microseconds.
    """
    known = _known.get(id(function))
    # The object is held here, so its address cannot have come to mean another one.
    if known is not None and known[0] is function and known[1].holds():
        return known[2]
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    walk = Walk()
    with _no_collection():
        root = walk.run(function)
        distributions = walk.distributions()
        disk.known.flush()
        result = Fingerprint.build(root, walk.parts, distributions, walk.notes, textwrap.dedent(walk.source), python, walk.read_sources)
    with _lock:
        while len(_known) >= _REMEMBERED:  # functions that are made again and again
            del _known[next(iter(_known))]
        _known[id(function)] = (function, walk.watch, result)
    return result


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Hold the garbage collector back: what a walk makes stays, and to look through all of it time and again is a third of a long walk."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def set_cache_folder(folder: Path | None) -> None:
    """Choose where what was read from source files is kept for later processes; None, the default, for nowhere."""
    disk.set_folder(folder)


_NOUNS = {
    "function": "helper",
    "class": "class",
    "module": "module",
    "extension": "compiled module",
    "constant": "constant",
    "attribute": "class attribute",
    "default": "default",
    "closure": "closure value",
}
_VALUES = frozenset({"constant", "attribute", "default", "closure"})


def explain_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say in sentences what differs between two fingerprints, each as `Fingerprint.to_json` gives it; empty when nothing does."""
    before, after = Fingerprint.from_json(old), Fingerprint.from_json(new)
    said = []
    for key in sorted({*before.parts, *after.parts}):
        one, other = before.parts.get(key), after.parts.get(key)
        if one is None and other is not None:
            said.append(f"{_named(key, other, after.root)} is new")
        elif other is None and one is not None:
            said.append(f"{_named(key, one, before.root)} is no longer used")
        elif one is not None and other is not None and (one.kind, one.digest) != (other.kind, other.digest):
            said.append(_changed(key, one, other, after.root))
    said += _versions("Python", before.python, after.python)
    for name in sorted({*before.distributions, *after.distributions}):
        said += _versions(name, before.distributions.get(name), after.distributions.get(name))
    return said


def _named(key: str, part: Part, root: str) -> str:
    name = key if part.kind in ("module", "extension") else key.rpartition(":")[2] if ":" in key else key.rpartition(".")[2]
    noun = "step" if key == root else _NOUNS.get(part.kind, part.kind)
    return f"{noun} `{name}`" + (f" in `{part.file}`" if part.file else "")


def _changed(key: str, old: Part, new: Part, root: str) -> str:
    text = f"{_named(key, new, root)} changed"
    if new.kind in _VALUES and old.shown != new.shown and old.shown and new.shown:
        return f"{text} {old.shown} -> {new.shown}"
    first, last = new.lines
    if not first:
        return text
    return f"{text} (line {first})" if first == last else f"{text} (lines {first}-{last})"


def _versions(name: str, old: str | None, new: str | None) -> list[str]:
    if old == new:
        return []
    if old is None:
        return [f"{name} {new} is used now"]
    return [f"{name} {old} is no longer used"] if new is None else [f"{name} {old} -> {new}"]
