"""Values to typed JSON nodes."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, Final, Protocol

from lineal.errors import NotPlain
from lineal.model import digest
from lineal.model.records import Json
from lineal.model.values_classes import ENUM, class_name, describe
from lineal.model.values_types import ATOMS, CONDITIONAL, IDENTITY_LEAVES, LEAVES, TAG, UNHELD, is_text, tagged

LEVELS: Final = 32
"""How deep the parts of a value nest in one part of the JSON. What lies deeper is written apart (`deep`), so that neither our
recursion nor that of the tools that read the JSON (PHP 512, SQLite 1,000, .NET 64) grows with the value."""

DEEPEST: Final = 10_000
"""How deep a value may nest at all."""

FACTORIES: Final[Mapping[str, type | None]] = {
    "None": None,
    **{cls.__name__: cls for cls in (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)},
    **{cls.__name__: cls for cls in (Counter, OrderedDict, deque)},
}
"""The default factories that a defaultdict may have."""


class Foreign(Protocol):
    """Called for a value that has parts or is no builtin. Gives its node, or None to leave it to the codec.

    It is asked first with `last` False, and again with `last` True when the codec cannot hold the value. `path` gives where it is.
    """

    def __call__(self, value: Any, path: Callable[[], str], *, last: bool) -> Json | None: ...


class _Attribute(str):
    __slots__ = ()


_MEMBER: Final = _Attribute("<member>")
_KEY: Final = _Attribute("<key>")


class Writer:
    """Writes one value. `identity` gives nodes for a cache key: ordered by content, with scalars and bytes as they are."""

    def __init__(self, name: str, *, identity: bool = False, foreign: Foreign | None = None) -> None:
        self.identity = identity
        self._leaves = IDENTITY_LEAVES if identity else LEAVES
        self._name = name
        self._foreign = foreign
        self._trail: list[Any] = []  # where we are: one key, index or attribute per level
        self._base = 0  # length of the trail where the current part began
        self._open: set[int] = set()  # ids of the values that the current one lies in
        self._deep: list[tuple[Any, list[Any], set[int]]] = []
        self._sorting = 0  # what is being sorted must be written in place

    def run(self, value: Any) -> Json:
        """Give the node of a value. Raises NotPlain when some part of it cannot be held."""
        parts = [self.write(value)]
        while len(parts) <= len(self._deep):
            item, self._trail, self._open = self._deep[len(parts) - 1]
            self._base = len(self._trail)
            parts.append(self.write(item))
        return parts[0] if len(parts) == 1 else tagged("deep", parts=parts)

    def write(self, value: Any) -> Json:
        """Give the node of a value in place."""
        leaf = self._leaves.get(type(value))
        if leaf is not None:
            node = leaf(value)
            return self._refuse(value, "") if node is UNHELD else node
        nest = _NESTS.get(type(value))
        if nest is _defaultdict and not _has_factory(value):
            return self._refuse(value, f" with the factory {value.default_factory!r:.80}")
        if self._foreign is not None:
            node = self._foreign(value, self.path, last=False)
            if node is not None:
                return node
        if nest is not None:
            return self._nested(value, nest)
        shape = describe(type(value))
        return self._refuse(value, "") if shape is None else self._nested(value, _structured)

    def path(self) -> str:
        """Give where the writer is, as `config['layers'][2].fn`; empty at the top of a value without a name."""
        return self._name + "".join(f".{key}" if type(key) is _Attribute else f"[{key!r:.60}]" for key in self._trail)

    def _nested(self, value: Any, write: Callable[["Writer", Any], Json]) -> Json:
        depth = len(self._trail)
        if id(value) in self._open:
            raise NotPlain(f"{self.path() or 'the value'} contains itself: a cyclic value cannot be held", self.path(), value)
        if depth >= DEEPEST:
            raise self._too_deep(value, DEEPEST)
        if depth - self._base >= LEVELS:
            if self._sorting:
                raise self._too_deep(value, LEVELS)
            self._deep.append((value, [*self._trail], {*self._open}))
            return tagged("part", n=len(self._deep))
        self._open.add(id(value))
        self._trail.append(None)
        node = write(self, value)
        self._trail.pop()
        self._open.discard(id(value))
        return node

    def _too_deep(self, value: Any, limit: int) -> NotPlain:
        # The full path is as long as the value is deep.
        return NotPlain(
            f"{self._name or 'the value'} is nested more than {limit:,} levels deep; flatten the value", f"{self._name}[...]", value
        )

    def _refuse(self, value: Any, why: str) -> Json:
        if self._foreign is not None:
            node = self._foreign(value, self.path, last=True)
            if node is not None:
                return node
        cls = type(value)
        path = self.path()
        kind = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
        raise NotPlain(f"{path or 'the value'} is a {kind}{why}, which cannot be held as a plain value", path, value)

    def items(self, values: Iterable[Any]) -> list[Json]:
        """Give the nodes of values in their order."""
        nodes = []
        for index, item in enumerate(values):
            self._trail[-1] = index
            nodes.append(self.write(item))
        return nodes

    def members(self, values: Iterable[Any]) -> list[Json]:
        """Give the nodes of the members of a set in an order that follows from their content."""
        self._trail[-1] = _MEMBER
        self._sorting += 1
        nodes = sorted((self.write(item) for item in values), key=digest.encode)
        self._sorting -= 1
        return nodes

    def mapping(self, value: Mapping[str, Any], *, attributes: bool = False) -> dict[str, Json]:
        """Give the nodes of named values as an object."""
        nodes = {}
        for key, item in sorted(value.items(), key=_first) if self.identity else value.items():
            self._trail[-1] = _Attribute(key) if attributes else key
            nodes[key] = self.write(item)
        return nodes

    def pairs(self, value: Mapping[Any, Any], *, ordered: bool = False) -> list[Json]:
        """Give the nodes of keys and values as pairs; for a cache key in an order that follows from the keys unless `ordered`."""
        self._trail[-1] = _KEY
        self._sorting += 1
        keyed = [(self.write(key), key, item) for key, item in value.items()]
        self._sorting -= 1
        if self.identity and not ordered:
            keyed.sort(key=lambda each: digest.encode(each[0]))
        nodes: list[Json] = []
        for node, key, item in keyed:
            self._trail[-1] = key
            nodes.append([node, self.write(item)])
        return nodes


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


_STR: Final = frozenset({str})


def _dict(writer: Writer, value: dict[Any, Any]) -> Json:
    if _STR.issuperset(map(type, value)) and TAG not in value and all(map(is_text, value)):
        return writer.mapping(value)
    return tagged("dict", items=writer.pairs(value))


def _defaultdict(writer: Writer, value: defaultdict[Any, Any]) -> Json:
    factory = getattr(value.default_factory, "__name__", "None")
    return tagged("defaultdict", factory=factory, items=writer.pairs(value))


def _has_factory(value: defaultdict[Any, Any]) -> bool:
    return value.default_factory is None or FACTORIES.get(getattr(value.default_factory, "__name__", "")) is value.default_factory


def _structured(writer: Writer, value: Any) -> Json:
    shape = describe(type(value))
    if shape is None:
        raise AssertionError("asked for by a caller that saw the shape")
    sections = shape.read(value)
    if shape is ENUM:
        _settle_enum(sections, identity=writer.identity)
    elif writer.identity:
        sections = {name: section for name, section in sections.items() if name not in shape.unequal}
    nodes = {name: writer.mapping(section, attributes=True) for name, section in sections.items()}
    return {TAG: shape.kind, "class": class_name(type(value)), **nodes}


def _settle_enum(sections: dict[str, dict[str, Any]], *, identity: bool) -> None:
    # A member is stored by name. Its value makes a difference to who calls with it, unless it is something like a function.
    worth = sections.pop("worth", None)
    if identity and worth is not None and all(type(item) in ATOMS for item in worth.values()):
        sections["worth"] = worth


_NESTS: Final[Mapping[type, Callable[[Writer, Any], Json]]] = {
    list: lambda writer, value: writer.items(value),
    tuple: lambda writer, value: tagged("tuple", items=writer.items(value)),
    dict: _dict,
    set: lambda writer, value: tagged("set", items=writer.members(value)),
    frozenset: lambda writer, value: tagged("frozenset", items=writer.members(value)),
    deque: lambda writer, value: tagged("deque", items=writer.items(value), maxlen=value.maxlen),
    slice: lambda writer, value: tagged("slice", items=writer.items((value.start, value.stop, value.step))),
    defaultdict: _defaultdict,
    OrderedDict: lambda writer, value: tagged("OrderedDict", items=writer.pairs(value, ordered=True)),
    Counter: lambda writer, value: tagged("Counter", items=writer.pairs(value)),
}
"""Writers of values with parts, by exact type."""

NESTING: Final = frozenset(_NESTS)
"""Exact builtin types whose values have parts."""


def is_held(cls: type) -> bool:
    """Tell whether values of exactly this class are held, if their parts are."""
    return cls in LEAVES or cls in _NESTS or describe(cls) is not None


def holds(value: Any) -> bool:
    """Tell whether a value itself is held; of its parts nothing is said."""
    cls = type(value)
    if cls in CONDITIONAL:
        return LEAVES[cls](value) is not UNHELD
    return _has_factory(value) if cls is defaultdict else is_held(cls)


def parts_of(value: Any) -> Iterable[Any]:
    """Give what a value that is held directly consists of."""
    cls = type(value)
    if cls in _NESTS:
        if cls is slice:
            return (value.start, value.stop, value.step)
        return chain(value, value.values()) if isinstance(value, dict) else value
    shape = None if cls in LEAVES else describe(cls)
    return () if shape is None or shape is ENUM else chain.from_iterable(section.values() for section in shape.read(value).values())
