"""Follows live code from one function to everything of the user's own that it reaches.

Each piece becomes a part with a digest of its own: what its source says, and what each outer name in it stands for, by key. What stands
behind those keys is digested apart, so cycles need no care, and the order in which parts are met does not matter. A queue, not
recursion, carries the walk, so that its length is not limited by the stack.
"""

from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from lineal.engine.code.compiled import chains_in, code_digest, qualname_of
from lineal.engine.code.kinds import asked, is_class, is_function, is_module
from lineal.engine.code.live import (
    defaults_of,
    is_from_lineal,
    is_own,
    is_standard,
    key_of,
    layers_of,
    loaded_module,
    member_key,
)
from lineal.engine.code.members import members_of
from lineal.engine.code.origins import (
    distributions_of,
    file_of,
    file_of_module,
    has_source,
    name_of,
    origin_of_module,
    shown_path,
)
from lineal.engine.code.parts import LONGEST_SOURCE, MOST_SOURCE, Part, digest_of
from lineal.engine.code.references import References
from lineal.engine.code.resolve import Chain, Found, Place, Resolver
from lineal.engine.code.sources import Source, Sources
from lineal.engine.code.values import Reducer, attributes, is_immutable, is_lineal, is_method, is_reference, shown
from lineal.engine.code.watch import ABSENT, Watch
from lineal.model import digest
from lineal.model.scripts import module_key


class Walk:
    """One walk. After `run`: the parts by key, the source of the function, and in words what could not be followed."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.notes: list[str] = []
        self.source = ""
        self._places: dict[str, tuple[Source, int, int]] = {}
        self.watch = Watch(self._redigest)
        self._queue: deque[tuple[str, Any]] = deque()
        self._named: dict[tuple[int, str], str] = {}
        self._roots: set[int] = set()
        self._innermost: object = None
        self._sources = Sources()
        self._references = References(self.watch, self._enqueue, self.notes.append)
        self._resolver = Resolver(self.watch, self._sources, self.notes.append, self._references.token)

    def run(self, function: Callable[..., Any]) -> str:
        """Walk from a function, or from anything that can be called, and give the key of the part where the walk began."""
        layers = list(layers_of(function))
        self._roots = {id(layer) for layer in layers}
        self._innermost = layers[-1]
        root = self._references.reducer.plain(next(layer for layer in layers if not is_lineal(type(layer))), "the function")
        while self._queue:
            key, piece = self._queue.popleft()
            self._handler(piece)(key, piece)
        own = root[0] == "reference" and root[1][0] == "own"
        return root[1][1] if own else digest_of("root/1", root)

    def read_sources(self) -> dict[str, str]:
        """Read the sources of the parts, by key and in the order in which they were met, as far as `MOST_SOURCE` goes."""
        found, left = {}, MOST_SOURCE
        for key, (source, first, last) in self._places.items():
            text = source.lines(first, last)[:LONGEST_SOURCE]
            left -= len(text)
            if left < 0:
                break
            found[key] = text
        return found

    def distributions(self) -> dict[str, str]:
        """Give the versions of the distributions that hold the third-party modules."""
        found: dict[str, str] = {}
        for module in sorted(self._references.modules):
            top = module.partition(".")[0]
            versions = distributions_of(top, module)
            found.update(versions)
            if not versions:
                self.notes.append(f"version of {top}, which belongs to no installed distribution")
        return found

    def _redigest(self, value: object) -> str:
        return Reducer(self._references.known, _ignore).digest(value, "")

    def _enqueue(self, key: str, piece: Any) -> None:
        self._queue.append((key, piece))

    def _handler(self, piece: Any) -> Callable[[str, Any], None]:
        if is_function(piece):
            return self._function
        if is_class(piece):
            return self._class
        return self._module if has_source(piece) else self._extension

    # Code

    def _function(self, key: str, function: FunctionType) -> None:
        code, namespace = function.__code__, function.__globals__
        cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
        place = Place(key, namespace, cells)
        self.watch.function(function)
        found = self._sources.find(code, namespace)
        if found is None:
            self.notes.append(f"source of {key} is not there or was edited since it was loaded: its compiled code counts")
            says: list[Any] = ["compiled", code_digest(code)]
            names = self._names(chains_in(code), place)
            path, lines = code.co_filename, (code.co_firstlineno, code.co_firstlineno)
        else:
            source, unit = found
            path, lines = source.path, (unit.first, unit.last)
            decorators, chains = self._decorators(source, unit, place)
            says = ["source", unit.says, decorators]
            names = self._names([*unit.chains, *chains], place)
            self.notes += [f"{text} in {key}, line {line}" for text, line in unit.notes]
            if id(function) in self._roots:
                self._follow_hints(unit.hints, place)
            self._places[key] = (source, *lines)
            if function is self._innermost:
                self.source = source.lines(*lines)
        for name, cell in cells.items():
            content = self.watch.cell(cell)
            if content is not ABSENT and not is_module(content):  # a module: the names in it that are used were found
                names[f"^{name}"] = self._value(content, f"{key}[{name}]", "closure", path, namespace)
        for name, value in defaults_of(function):
            names[f"={name}"] = self._value(value, f"{key}({name})", "default", path, namespace)
        if "__wrapped__" in attributes(function):
            names["^^"] = self._references.reducer.plain(self.watch.name(function.__dict__, "__wrapped__"), key)
        self.parts[key] = Part("function", digest_of("function/1", (says, _ordered(names))), shown_path(path, name_of(namespace)), lines)

    def _decorators(self, source: Source, unit: Any, place: Place) -> tuple[list[str], list[Chain]]:
        """Give what a function's decorators say, and the names in them. Lineal's own say nothing about what runs."""
        says: list[str] = []
        names: list[Chain] = []
        for root, said, chains in unit.decorators:
            found = self._resolver.find(root, place) if root else None
            if found is not None and is_from_lineal(found.value, found.outside):
                continue
            says.append(said)
            names += [chain for chain in chains if not self._is_outside_object(chain, place)]
        if says and source.edited:
            says.append("decorators may differ from those that were loaded")
        return says, names

    def _is_outside_object(self, chain: Chain, place: Place) -> bool:
        """Tell whether a name in a decorator is an object of someone else's class: an application with all that is registered in it."""
        found = self._resolver.find(chain, place)
        if found is None or found.outside or is_reference(found.value):
            return False
        return origin_of_module(type(found.value).__module__) == "foreign"

    def _follow_hints(self, chains: Iterable[Chain], place: Place) -> None:
        """Walk the user's own classes in the annotations of the function itself: the code of its arguments is found nowhere else."""
        for chain in chains:
            found = self._resolver.find(chain, place)
            waiting = [found.value] if found is not None else []
            while waiting:
                hint = waiting.pop()
                if is_class(hint) and origin_of_module(hint.__module__) == "own":
                    self._references.token(hint)
                args = asked(hint, "__args__")
                waiting += args if type(args) is tuple else ()

    def _class(self, key: str, cls: type) -> None:
        module = loaded_module(cls.__module__)
        namespace = vars(module) if module is not None else {}
        place = Place(key, namespace)
        live, members = vars(cls), list(members_of(cls))
        functions = [value for _, value in members if is_function(value)]
        source, units = self._sources.find_class(cls, namespace, functions)
        hints = live.get("__annotations__")
        says: list[Any] = ["live", sorted(map(str, hints)) if isinstance(hints, dict) else []]
        lines, path = (0, 0), file_of_module(module) if module is not None else ""
        names: dict[str, Any] = {}
        if source is not None:
            says = ["source", [unit.says for unit in units]]
            lines, path = (units[-1].first, units[-1].last), source.path
            self._places[key] = (source, *lines)
            if source.edited:
                says.append("its body may differ from the one that was loaded")
            names = self._names([chain for unit in units for chain in unit.chains], place)
            self.notes += [f"{text} in {key}, line {line}" for unit in units for text, line in unit.notes]
        names["^bases"] = [self._references.token(base) for base in cls.__mro__[1:-1]]
        names["^metaclass"] = self._references.token(type(cls))
        self.watch.size(live)
        for name, value in members:
            self.watch.name(live, name)
            token = self._value(value, member_key(key, name), "attribute", path, namespace)
            if not (name.startswith("_") and name.endswith("_") and is_standard(token)):  # what Python itself put there
                names[f".{name}"] = token
        self.parts[key] = Part("class", digest_of("class/1", (says, _ordered(names))), shown_path(path, cls.__module__), lines)

    def _module(self, key: str, module: ModuleType) -> None:
        """Walk a module that is used as a value: any name in it may be meant."""
        namespace = vars(module)
        self.watch.size(namespace)
        names: dict[str, Any] = {}
        for name in sorted(name for name in namespace if not (name.startswith("__") and name.endswith("__"))):
            value = self.watch.name(namespace, name)
            if is_module(value) and origin_of_module(value.__name__) == "own":
                names[name] = ["module", value.__name__]
                self.notes.append(f"module {name} inside of {key}, which is used as a value")
            else:
                names[name] = self._global(value, namespace, name)
        path = file_of_module(module)
        self.parts[key] = Part("module", digest_of("module/1", _ordered(names)), shown_path(path, module.__name__))

    def _extension(self, key: str, module: ModuleType) -> None:
        path = file_of_module(module)
        try:
            stat = Path(path).stat()
            content = _digest_of_file(path, stat.st_mtime_ns, stat.st_size)
        except OSError:
            self.notes.append(f"compiled module {key}, whose file is gone")
            content = ""
        self.parts[key] = Part("extension", content, shown_path(path, module.__name__))

    # Names and values

    def _names(self, chains: Iterable[Chain], place: Place) -> dict[str, Any]:
        """Give what each name stands for; a name that stands for nothing is left out."""
        names = {}
        for chain in chains:
            found = self._resolver.find(chain, place)
            token = self._found_token(found, place) if found is not None else None
            if token is not None:
                names[".".join(chain)] = token
        return names

    def _found_token(self, found: Found, place: Place | None = None) -> Any:
        value = found.value
        if found.outside:
            if value is not ABSENT and is_reference(value) and not is_module(value):
                token = self._references.token(value)
                if is_own(token):  # a name of someone else's module that the user replaced
                    return token
            return self._references.outside(found.outside[0], ".".join(found.outside[1:]))
        if is_module(value) and not has_source(value):
            return ["compiled", self._references.token(value), *found.rest]
        if is_function(value) and found.rest:
            return [self._references.token(value), self._function_attribute(value, found.rest[0])]
        if found.namespace is None:  # a closure's cell, a builtin
            return self._references.token(value) if is_reference(value) else None
        return self._global(value, found.namespace, found.name)

    def _function_attribute(self, function: FunctionType, name: str) -> Any:
        """Give what stands for `function.name`. The docstring counts where it is read."""
        if name == "__doc__":
            return function.__doc__
        value = self.watch.name(function.__dict__, name)
        if value is ABSENT:
            return None
        key = key_of(module_key(function.__globals__), f"{qualname_of(function.__code__)}.{name}")
        return self._value(value, key, "attribute", function.__code__.co_filename, function.__globals__)

    def _global(self, value: Any, namespace: dict[str, Any], name: str) -> Any:
        if is_reference(value):
            return self._references.reducer.plain(value, name)
        maker = loaded_module(asked(value, "__module__")) if callable(value) else None
        if maker is not None and not has_source(maker) and origin_of_module(maker.__name__) == "own":  # a function of Cython
            return ["compiled", self._references.token(maker), name]
        if name in ("__name__", "__file__"):  # the same for a script and for a module, and in every folder
            return [name, module_key(namespace)]
        home = self._resolver.home(value, namespace, name)
        if home.namespace is None:
            return self._references.outside(home.outside[0], home.name)
        namespace, name = home.namespace, home.name
        known = self._named.get((id(namespace), name))
        if known is not None:
            return ["value", known]
        key = self._references.free_key(key_of(module_key(namespace), name))
        self._named[id(namespace), name] = key
        self._value_part(value, key, "constant", file_of(namespace), namespace, name)
        return ["value", key]

    def _value(self, value: Any, key: str, kind: str, path: str, namespace: dict[str, Any]) -> Any:
        """Give what stands for a value that no global name holds, as a part of its own unless it is code."""
        if is_reference(value) or is_method(value):
            return self._references.reducer.plain(value, key)
        key = self._references.free_key(key)
        self._value_part(value, key, kind, path, namespace, "")
        return ["value", key]

    def _value_part(self, value: Any, key: str, kind: str, path: str, namespace: dict[str, Any], name: str) -> None:
        content = self._references.reducer.digest(value, key)
        if not is_immutable(value):
            self.watch.value(value, content)
        source = self._sources.at(path, namespace) if name and path else None
        first, last = source.assigned.get(name, (0, 0)) if source is not None else (0, 0)
        if first and source is not None:
            self._places[key] = (source, first, last)
        self.parts[key] = Part(kind, content, shown_path(path, name_of(namespace)), (first, last), shown(value))


def _ordered(names: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(names.items(), key=itemgetter(0))


@cache
def _digest_of_file(path: str, changed: int, size: int) -> str:
    return digest.of_bytes(Path(path).read_bytes())


def _ignore(text: str) -> None:
    """What cannot be reduced was said when the fingerprint was taken."""
