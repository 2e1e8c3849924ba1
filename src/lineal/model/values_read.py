"""Typed JSON nodes to values."""

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from lineal.errors import LinealError, MaterializerError
from lineal.model.records import Json
from lineal.model.values_classes import SHAPES, classes_in, find_class
from lineal.model.values_types import READERS, TAG
from lineal.model.values_write import FACTORIES

ForeignReader = Callable[[Mapping[str, Json]], Any]
"""Gives the value of an `item` node."""


class Reader:
    """Reads one value. `annotation` helps to find classes; `foreign` reads what another materializer keeps."""

    def __init__(self, annotation: Any, foreign: ForeignReader | None = None) -> None:
        self._annotation = annotation
        self._hints: dict[str, type] | None = None
        self._foreign = foreign
        self._parts: list[Any] = []

    def run(self, node: Json) -> Any:
        """Give the value of a node. Raises MaterializerError when the node is none of ours, or its class is not to be found."""
        try:
            if type(node) is dict and node.get(TAG) == "deep":
                return self._read_deep(node["parts"])
            return self.read(node)
        except LinealError:
            raise
        except RecursionError as error:
            raise MaterializerError("the JSON is nested too deep to be one that Lineal wrote") from error
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise MaterializerError(f"this is not typed JSON as Lineal writes it: {type(error).__name__}: {error}") from error

    def read(self, node: Json) -> Any:
        """Give the value of a node in place."""
        if type(node) is list:
            return [self.read(item) for item in node]
        if type(node) is not dict:
            return node
        if TAG not in node:
            return {key: self.read(item) for key, item in node.items()}
        tag = node[TAG]
        if tag in READERS:
            return READERS[tag](node)
        if tag in _NESTS:
            return _NESTS[tag](self, node)
        if tag in SHAPES:
            return self._read_structured(node, tag)
        if tag == "part":
            return self._parts[node["n"] - 1]
        if tag == "item" and self._foreign is not None:
            return self._foreign(node)
        raise ValueError(f"the tag {tag!r} is not known; a newer Lineal may have written it")

    def _read_deep(self, parts: list[Json]) -> Any:
        # A part only refers to later ones, so the last comes first and what is referred to is always there.
        known: list[Any] = [None] * (len(parts) - 1)
        self._parts = known
        for n in range(len(parts) - 1, 0, -1):
            known[n - 1] = self.read(parts[n])
        return self.read(parts[0])

    def _read_structured(self, node: Mapping[str, Json], kind: str) -> Any:
        if self._hints is None:
            self._hints = classes_in(self._annotation)
        cls = find_class(node["class"], kind, self._hints)
        sections = {name: {key: self.read(item) for key, item in node[name].items()} for name in node if name not in (TAG, "class")}
        return SHAPES[kind].make(cls, sections)

    def items(self, node: Mapping[str, Json]) -> list[Any]:
        """Give the values under `items`."""
        return [self.read(item) for item in node["items"]]

    def pairs(self, node: Mapping[str, Json]) -> list[tuple[Any, Any]]:
        """Give the pairs of keys and values under `items`."""
        return [(self.read(key), self.read(item)) for key, item in node["items"]]


def _counter(reader: Reader, node: Mapping[str, Json]) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    dict.update(counter, reader.pairs(node))  # Counter's own update adds, and takes a list of pairs for elements
    return counter


_NESTS: Final[Mapping[str, Callable[[Reader, Mapping[str, Json]], Any]]] = {
    "tuple": lambda reader, node: tuple(reader.items(node)),
    "set": lambda reader, node: set(reader.items(node)),
    "frozenset": lambda reader, node: frozenset(reader.items(node)),
    "deque": lambda reader, node: deque(reader.items(node), node["maxlen"]),
    "slice": lambda reader, node: slice(*reader.items(node)),
    "dict": lambda reader, node: dict(reader.pairs(node)),
    "defaultdict": lambda reader, node: defaultdict(FACTORIES[node["factory"]], reader.pairs(node)),
    "OrderedDict": lambda reader, node: OrderedDict(reader.pairs(node)),
    "Counter": _counter,
}
