"""Finds what a dotted name in live code stands for: in closures, globals, builtins, modules, and imports inside functions."""

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CellType, FunctionType, ModuleType
from typing import Any

from lineal.engine.code.kinds import is_function, is_module
from lineal.engine.code.origins import find_origin, has_source, origin_of_module
from lineal.engine.code.sources import Sources
from lineal.engine.code.watch import ABSENT, Watch

Chain = tuple[str, ...]


@dataclass(slots=True)
class Place:
    """Where code stands: the key of its part, its globals and its closure."""

    key: str
    namespace: dict[str, Any]
    cells: Mapping[str, CellType] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """What a chain stands for.

    Attributes:
        value: The object; ABSENT for a name of a third party that is not loaded.
        namespace: Globals of the own module in which it was found; None for builtins, cells and names of others.
        name: Its name there.
        rest: What of the chain is left, to be looked up on the object.
        outside: When it is a name of someone else's module: that module's name, then the names as written.
    """

    value: Any
    namespace: dict[str, Any] | None
    name: str
    rest: Chain = ()
    outside: Chain = ()


class Resolver:
    """Resolves chains (see `scopes`). `note` is told what cannot be followed; `also` is given functions that a look-up runs."""

    def __init__(self, watch: Watch, sources: Sources, note: Callable[[str], None], also: Callable[[FunctionType], object]) -> None:
        self._watch = watch
        self._sources = sources
        self._note = note
        self._also = also

    def find(self, chain: Chain, place: Place) -> Found | None:
        """Give what a chain stands for, or None when it stands for nothing, or only for a name that is set in a module."""
        name, rest = chain[0], chain[1:]
        if name.startswith("!"):
            return self._imported(name[1:], rest, place)
        if name in place.cells:
            value = self._watch.cell(place.cells[name])
            return None if value is ABSENT else self._onward(Found(value, None, name, rest))
        plain = name.removeprefix(":")
        value = self._watch.name(place.namespace, plain)
        if value is not ABSENT:
            return self._onward(Found(value, place.namespace, plain, rest))
        value = self._watch.name(vars(builtins), plain)
        return None if value is ABSENT else Found(value, None, plain, rest)

    def _onward(self, found: Found) -> Found | None:
        """Look names up as long as they are names of modules."""
        while is_module(module := found.value):
            name = module.__name__
            if origin_of_module(name) != "own":
                return self._outside(module, (name, *found.rest))
            if not found.rest or not has_source(module):  # compiled: what is in it cannot be told apart
                return Found(module, None, "", found.rest)
            attribute = found.rest[0]
            if attribute == "=":
                return None
            value = self._attribute(module, attribute)
            if value is ABSENT:
                return None
            found = Found(value, vars(module), attribute, found.rest[1:])
        return found

    def _attribute(self, module: ModuleType, name: str) -> Any:
        names = vars(module)
        if name not in names:
            loaded = sys.modules.get(f"{module.__name__}.{name}")
            if loaded is not None:
                return loaded
            lazy = names.get("__getattr__")
            if is_function(lazy):
                self._also(lazy)
                value = _asked(module, name)
                self._watch.name(names, name)
                return value
        return self._watch.name(names, name)

    def _outside(self, module: ModuleType | None, written: Chain) -> Found:
        """Take a name of someone else's module as written, whatever is loaded of it; an object is given as well if it is there."""
        value: Any = module if module is not None else ABSENT
        for name in written[1:]:
            if not is_module(value):
                break
            value = self._watch.name(vars(value), name)
        return Found(value, None, written[-1], (), written)

    def home(self, value: Any, namespace: dict[str, Any], name: str) -> Found:
        """Give where a value was defined, if it came by `from conf import RATE` and still is what it is there."""
        for _ in range(5):  # names are seldom passed on further
            for target in self._sources.imports_of(namespace, name):
                level, written, attribute = target[1:].split("|")
                module = sys.modules.get(absolute_name(int(level), written, namespace) or "")
                if module is not None and vars(module).get(attribute, ABSENT) is value:
                    if origin_of_module(module.__name__) != "own":
                        return Found(value, None, attribute, (), (module.__name__, attribute))
                    namespace, name = vars(module), attribute
                    break
            else:
                break
        return Found(value, namespace, name)

    # Imports inside functions

    def _imported(self, target: str, rest: Chain, place: Place) -> Found | None:
        level, written, name = target.split("|")
        module_name = absolute_name(int(level), written, place.namespace)
        if module_name is None:
            return None
        origin = find_origin(module_name)
        if origin is None and module_name not in sys.modules:
            return None
        names = rest if name in ("", "^") else (name, *rest)
        if origin not in ("own", None):
            top = module_name.partition(".")[0]
            outside = (top, *rest) if name == "^" else (module_name, *names)
            return self._outside(sys.modules.get(outside[0]), outside)
        module = self._load(module_name, place)
        if module is not None and name not in ("", "^") and name not in vars(module) and "__path__" in vars(module):
            self._load(f"{module_name}.{name}", place, optional=True)
        if module is not None and name == "^":
            module = sys.modules.get(module_name.partition(".")[0])
        return None if module is None else self._onward(Found(module, None, "", names))

    def _load(self, name: str, place: Place, *, optional: bool = False) -> ModuleType | None:
        """Give one of the user's modules. It is imported if need be: the call would import it too, and its code must be seen."""
        module = sys.modules.get(name)
        if module is None:
            try:
                module = importlib.import_module(name)
            except Exception as error:  # a module may fail in any way; the call will show it
                if not (optional and isinstance(error, ModuleNotFoundError) and error.name == name):
                    self._note(f"import of {name} in {place.key}: {type(error).__name__}: {error}")
                return None
        self._watch.name(sys.modules, name)
        return module


def _asked(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except Exception:  # the module's own code runs here; what it raises, the call will show
        return ABSENT


def absolute_name(level: int, written: str, namespace: dict[str, Any]) -> str | None:
    """Give the full name of a module as an import in `namespace` means it; None when there is no such package."""
    if level == 0:
        return written
    package = namespace.get("__package__") or str(namespace.get("__name__", "")).rpartition(".")[0]
    try:
        return importlib.util.resolve_name("." * level + written, package)
    except ImportError:
        return None
