"""Reduces live values to plain ones that can be digested: constants, globals, defaults, closure cells, class attributes.

Plain values stand for themselves. Functions, classes and modules become references, resolved by the caller. Arrays and data frames
count by content. Any other object counts by what pickle would take of it, without being pickled: its class and its state.
"""

import copyreg
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property, partial, partialmethod, singledispatchmethod
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MappingProxyType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, ClassVar

from lineal.engine.code.kinds import asked
from lineal.engine.code.origins import origin_of_module, public_module
from lineal.engine.code.parts import digest_of
from lineal.model import digest

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})
_IMMUTABLE = frozenset({*_PLAIN, complex, type(...), range})
_REFERENCES = (FunctionType, type, ModuleType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)
# A logger says where to write, and the environment is said not to count.
_WITHOUT_CONTENT = frozenset({"_thread.lock", "_thread.RLock", "builtins.object", "logging.Logger", "logging.RootLogger", "os._Environ"})
_METHODS = frozenset({staticmethod, classmethod, property, cached_property, partialmethod, singledispatchmethod})
_OF_WRAPPED = frozenset({"__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__annotate__", "__type_params__"})
_PROTOCOL = 4
MAX_DEPTH = 100
MAX_OBJECTS = 1_000_000
MAX_TEXT = 1 << 16
SHOWN = 60


def is_reference(value: object) -> bool:
    """Tell whether a value stands for code: a function, a class, a module, an object that wraps one of these, or one of Lineal's."""
    kind = type(value)  # not isinstance: a proxy answers for what it stands for
    if issubclass(kind, _REFERENCES) or is_lineal(kind) or (kind is MethodType and public_module(value) is not None):
        return True
    # Of the user's own wrappers, and of `partial`, the state counts too: these are values.
    return "__wrapped__" in attributes(value) and kind is not partial and origin_of_module(kind.__module__) != "own"


def is_method(value: object) -> bool:
    """Tell whether a member of a class is a function in one of Python's wrappings: `property`, `staticmethod` ..."""
    return type(value) in _METHODS


def is_lineal(kind: type) -> bool:
    """Tell whether a class is one of Lineal's own."""
    return str(kind.__module__).startswith("lineal.")


def attributes(value: object) -> Mapping[str, Any]:
    """Give the `__dict__` of an object, empty when it has none."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except Exception:  # a class may define __dict__ as it likes
        return {}
    return found if isinstance(found, dict) else {}


def is_immutable(value: object) -> bool:
    """Tell whether a value never changes, or is code that is watched for itself: its identity is enough to know it again."""
    if type(value) is tuple or type(value) is frozenset:
        return all(is_immutable(item) for item in value)
    return type(value) in _IMMUTABLE or issubclass(type(value), Enum) or is_reference(value)


def shown(value: object) -> str:
    """Give a short text of a plain value, empty for others."""
    if type(value) in _PLAIN or (type(value) in (tuple, list, dict, set, frozenset) and _is_small(value)):
        text = repr(value) if type(value) is not int or value.bit_length() < 200 else hex(value)
        return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return ""


def _is_small(value: Any) -> bool:
    items = [*value.keys(), *value.values()] if type(value) is dict else value
    return len(value) <= 20 and all(type(item) in _PLAIN for item in items)


class Reducer:
    """Reduces values. `reference` gives what stands for code; `unknown` is told, in words, what could not be reduced."""

    def __init__(self, reference: Callable[[Any], object], unknown: Callable[[str], None]) -> None:
        self._reference = reference
        self._unknown = unknown
        self._open: dict[int, int] = {}  # depth of what is being reduced, by address
        self._outermost = MAX_DEPTH  # the least depth that something inside refers back to
        self._done: dict[int, tuple[Any, Any]] = {}  # holds the value, so that its address stays its own

    def digest(self, value: object, label: str) -> str:
        """Give the digest of a value. `label` names it for `unknown`."""
        self._done.clear()
        return digest_of("value/1", self.plain(value, label))

    def plain(self, value: Any, label: str) -> Any:
        """Give a plain value that stands for the given one and for no other."""
        kind = type(value)
        if kind in _PLAIN:
            return value if kind is not bytes or len(value) < MAX_TEXT else ("bytes", digest.of_bytes(value))
        flat = _flat(value)
        if flat is not None:
            return flat
        if is_reference(value):
            return ("reference", self._reference(value))
        return self._nested(value, label)

    def _nested(self, value: Any, label: str) -> Any:
        address, depth = id(value), len(self._open)
        if address in self._open:
            self._outermost = min(self._outermost, self._open[address])
            return ("cycle", depth - self._open[address])
        if address in self._done:
            return self._done[address][1]
        if depth >= MAX_DEPTH or len(self._done) > MAX_OBJECTS:
            self._unknown(f"value of {label}, which is too large or too deep")
            return ("too large", _type_name(value))
        around, self._outermost = self._outermost, depth
        self._open[address] = depth
        try:
            # As a digest, for the same thing may be met on many ways: written out each time, it would grow without end.
            result = ("digest", digest_of("nested/1", self._ways.get(type(value), Reducer._other)(self, value, label)))
        finally:
            del self._open[address]
        if self._outermost >= depth:  # it refers back to nothing around it, so it is the same wherever it is met
            self._done[address] = (value, result)
        self._outermost = min(around, self._outermost)
        return result

    def _sequence(self, value: Any, label: str) -> Any:
        return (type(value).__name__, *[self.plain(item, label) for item in value])

    def _set(self, value: Any, label: str) -> Any:
        return (type(value).__name__, sorted((self.plain(item, label) for item in sorted(value, key=_rough)), key=digest.encode))

    def _mapping(self, value: Any, label: str) -> Any:
        # In their order: a loop sees it. What else holds names, such as the state of an object, is sorted.
        return ("dict", [(self.plain(key, label), self.plain(item, f"{label}[{_name(key)}]")) for key, item in value.items()])

    def _method(self, value: MethodType, label: str) -> Any:
        return ("method", self.plain(value.__func__, label), self.plain(value.__self__, label))

    def _descriptor(self, value: Any, label: str) -> Any:
        inner = [asked(value, name) for name in ("__func__", "fget", "fset", "fdel", "func", "args", "keywords", "dispatcher")]
        return (type(value).__name__, [self.plain(item, label) for item in inner])

    def _text(self, value: Any, label: str) -> Any:
        return (type(value).__name__, repr(value))

    def _other(self, value: Any, label: str) -> Any:
        kind = type(value)
        if issubclass(kind, Enum):
            return ("enum", self._reference(kind), value.name, self.plain(value.value, label))
        name = _type_name(value)
        if name in _WITHOUT_CONTENT:
            return ("object", name)
        try:
            if kind.__module__ == "numpy" and hasattr(value, "tobytes") and not value.dtype.hasobject:
                return ("array", name, str(value.dtype), list(value.shape), digest.of_bytes(_bytes_of(value)))
            if hasattr(kind, "iloc") and hasattr(kind, "to_numpy"):
                return self._frame(value, label)
            reduced = _reduced(value)
        except Exception:  # whatever a foreign class raises, it cannot be reduced
            self._unknown(f"value of {label} of type {name}")
            return ("unknown", self._reference(kind))
        if isinstance(reduced, str):
            return ("global", self._reference(kind), reduced)
        return self._object(reduced, label)

    def _frame(self, value: Any, label: str) -> Any:
        """Reduce a data frame or a series column by column: how it lays its columns together changes with use."""
        columns = [value.iloc[:, number] for number in range(value.shape[1])] if len(value.shape) > 1 else [value]
        names = value.columns if len(value.shape) > 1 else value.name
        data = [c.to_numpy() if hasattr(c.dtype, "hasobject") else c.array for c in columns]
        types = [str(c.dtype) for c in columns]
        return (
            "frame",
            self._reference(type(value)),
            *(self.plain(part, label) for part in (names, value.index, types, data, value.attrs)),
        )

    def _object(self, reduced: Any, label: str) -> Any:
        make, args, state, items, pairs = (*reduced, None, None, None)[:5]
        parts = [self.plain(make, label), self.plain(args, label)]
        if isinstance(state, dict):
            names = [name for name in sorted(state, key=_rough) if name not in _OF_WRAPPED]
            parts.append([(self.plain(name, label), self.plain(state[name], f"{label}.{_name(name)}")) for name in names])
        else:
            parts.append(self.plain(state, label))
        parts.append([self.plain(item, label) for item in items or ()])
        parts.append([(self.plain(key, label), self.plain(item, label)) for key, item in pairs or ()])
        return ("object", parts)

    _ways: ClassVar[dict[type, Callable[["Reducer", Any, str], Any]]] = {
        list: _sequence,
        tuple: _sequence,
        set: _set,
        frozenset: _set,
        dict: _mapping,
        MappingProxyType: _mapping,
        complex: _text,
        range: _text,
        type(...): _text,
        type(NotImplemented): _text,
        MethodType: _method,
        **dict.fromkeys(_METHODS, _descriptor),
    }


def _flat(value: Any) -> Any:
    """Give what stands for a container of nothing but plain values, None for all else."""
    kind = type(value)
    if (kind is list or kind is tuple) and _PLAIN.issuperset(map(type, value)):
        return (kind.__name__, *value)
    if kind is dict and _PLAIN.issuperset(map(type, value.values())) and _PLAIN.issuperset(map(type, value)):
        return ("dict", list(value), list(value.values()))
    return None


def _bytes_of(array: Any) -> Any:
    try:
        return memoryview(array).cast("B")  # no copy
    except (TypeError, ValueError, BufferError):  # strided, or of a type that Python has no name for
        return array.tobytes()


def _reduced(value: Any) -> Any:
    reducer = copyreg.dispatch_table.get(type(value))
    return reducer(value) if reducer is not None else value.__reduce_ex__(_PROTOCOL)


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _name(key: object) -> str:
    return key if type(key) is str else repr(key) if type(key) in _PLAIN else type(key).__qualname__


def _rough(key: object) -> bytes:
    """Give an order that no hash seed and no address enters, for things that need not be comparable."""
    try:
        return digest.encode(key)
    except (TypeError, ValueError):
        return " ".join([_type_name(key), *(str(asked(key, name)) for name in ("__module__", "__qualname__", "name"))]).encode()
