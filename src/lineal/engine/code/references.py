"""Names what live code stands for: a part of the user's own, or a piece of someone else's."""

from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from lineal.engine.code.compiled import qualname_of
from lineal.engine.code.kinds import asked, is_module
from lineal.engine.code.live import content_of, is_own, items_of, key_of, loaded_module
from lineal.engine.code.origins import has_source, origin_of_file, origin_of_module, public_module
from lineal.engine.code.values import Reducer, attributes, is_lineal, is_reference
from lineal.engine.code.watch import Watch
from lineal.model import digest
from lineal.model.scripts import module_key

# What stands for a piece of code in the digest of another: ["own", key of its part], or a list that names someone else's.
Token = list[Any]


class References:
    """Gives each piece of code its token, once. `found` is told of each piece of the user's own; `modules` are those of third parties."""

    def __init__(self, watch: Watch, found: Callable[[str, Any], None], note: Callable[[str], None]) -> None:
        self.modules: set[str] = set()
        self.reducer = Reducer(self.token, note)
        self._watch = watch
        self._found = found
        self._tokens: dict[int, tuple[Token, Any]] = {}  # by address; holds the piece, so that its address stays its own
        self._taken: dict[str, int] = {}

    def known(self, piece: Any) -> Token:
        """Give the token of a piece that has one. Raises KeyError for others."""
        return self._tokens[id(piece)][0]

    def token(self, piece: Any) -> Token:
        """Give what stands for a piece of code."""
        known = self._tokens.get(id(piece))
        if known is None:
            self._tokens[id(piece)] = (["itself"], piece)  # a wrapper may hold itself
            known = self._tokens[id(piece)] = (self._named(piece), piece)
        return known[0]

    def _named(self, piece: Any) -> Token:
        kind = type(piece)
        if issubclass(kind, FunctionType):
            return self._function_token(piece)
        if issubclass(kind, type):
            return self._class_token(piece)
        if issubclass(kind, ModuleType):
            return self._module_token(piece)
        if is_lineal(kind):
            inner = asked(piece, "__wrapped__")
            return ["lineal"] if inner is None else ["step", self.reducer.plain(inner, "a step")]
        if "__wrapped__" in attributes(piece):
            return ["wrapper", self.token(kind), self.reducer.plain(attributes(piece)["__wrapped__"], "a wrapped function")]
        public = public_module(piece) if kind in (MethodType, BuiltinFunctionType) else None
        if public is not None:
            return self.outside(public, piece.__name__)
        if issubclass(kind, BuiltinFunctionType) and not isinstance(piece.__self__, ModuleType | None):
            return ["method", piece.__name__, self.reducer.plain(piece.__self__, piece.__name__)]
        owner = getattr(piece, "__objclass__", None)
        if owner is not None:
            return ["method", piece.__name__, self.token(owner)]
        return self.outside(piece.__module__, piece.__qualname__)

    def outside(self, module: str | None, name: str, inner: Iterable[Token] = ()) -> Token:
        """Name a piece of someone else's code; `inner` is what it holds of the user's own."""
        origin = origin_of_module(module) if module else "standard"
        if origin == "foreign":
            self.modules.add(str(module))
        loaded = loaded_module(module) if origin == "own" else None
        if loaded is not None and not has_source(loaded):
            return ["compiled", self.token(loaded), name]
        held = sorted(inner, key=digest.encode)
        # Where Lineal keeps things may change from version to version.
        return ["lineal", name, *held] if origin == "lineal" else ["outside", module or "", name, *held]

    def _function_token(self, function: FunctionType) -> Token:
        code, module = function.__code__, function.__globals__.get("__name__")
        path = code.co_filename
        in_file = not path.startswith("<") or path.startswith("<frozen ")
        origin = origin_of_file(path) if in_file else origin_of_module(module)
        if origin == "own":
            return self._part(function, module_key(function.__globals__), qualname_of(code))
        return self.outside(module, qualname_of(code), self._held_by(function))

    def _held_by(self, function: FunctionType) -> list[Token]:
        """Give the own code that someone else's function holds: what a decorator wrapped, or what was registered with it."""
        tokens = self._own_among([attributes(function).get("__wrapped__")])
        for cell in function.__closure__ or ():
            content = content_of(cell)
            held = self._own_among(items_of(content))
            if held:
                self._watch.cell(cell)
                if type(content) is dict:
                    self._watch.size(content)
            tokens += [token for token in held if token not in tokens]
        return tokens

    def _own_among(self, pieces: Iterable[Any]) -> list[Token]:
        codes = [piece for piece in pieces if is_reference(piece) and not is_module(piece)]
        return [token for token in map(self.token, codes) if is_own(token)]

    def _class_token(self, cls: type) -> Token:
        module = cls.__module__
        if origin_of_module(module) != "own":
            return self.outside(module, cls.__qualname__)
        loaded = loaded_module(module)
        if loaded is not None and not has_source(loaded):
            return ["compiled", self.token(loaded), cls.__qualname__]
        return self._part(cls, module_key(vars(loaded)) if loaded is not None else str(module or ""), cls.__qualname__)

    def _module_token(self, module: ModuleType) -> Token:
        name = module.__name__
        if origin_of_module(name) != "own":
            return self.outside(name, "")
        return self._part(module, module_key(vars(module)), "")

    def _part(self, piece: Any, module: str, name: str) -> Token:
        key = self.free_key(key_of(module, name))
        self._found(key, piece)
        return ["own", key]

    def free_key(self, key: str) -> str:
        """Tell pieces of the same name apart: functions made in a loop, lambdas, a cell's old and new definition."""
        number = self._taken[key] = self._taken.get(key, 0) + 1
        return key if number == 1 else f"{key}#{number}"
