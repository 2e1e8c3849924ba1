"""networkx: graphs as node-link JSON (`graph.json`), which `networkx.node_link_graph` and d3 read when nodes and attributes are plain.

Nodes, keys and attributes of any type that typed JSON holds, and numpy's, come back exactly, and everything in its order: nodes,
neighbours, parallel edges, attributes. A view (a subgraph, a reversed view) comes back as a graph of its own; what was frozen is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import networkx as nx

from lineal.errors import NoMaterializer, NotPlain
from lineal.materializers import numpy_items
from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.materializers.networkx_view import show_graph
from lineal.model import values
from lineal.model.records import Json
from lineal.model.visualization import Visualization

Link: TypeAlias = tuple[int, int]

_TAG = b'"$type"'
_NAMES: Mapping[str, str] = {name: name for name in ("id", "source", "target", "key")}

_CLASSES: Mapping[tuple[bool, bool], Any] = {
    (False, False): nx.Graph,
    (True, False): nx.DiGraph,
    (False, True): nx.MultiGraph,
    (True, True): nx.MultiDiGraph,
}
"""Classes by whether they are directed and have parallel edges."""


class GraphMaterializer(BytesMaterializer):
    """Saves a graph of one of networkx' four classes; a subclass is left to the fallback."""

    id = "networkx.Graph/1"
    filename: ClassVar[str] = "graph.json"
    types = tuple(_CLASSES.values())

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types

    def dumps(self, value: Any) -> bytes:
        """Give the JSON. Raises NoMaterializer, with the path, for a node or an attribute that cannot be held."""
        if not self.accepts(value):
            raise NoMaterializer(f"{self.id} saves exactly networkx' own graphs, not their subclass {type(value).__qualname__}")
        plain = _plain(value)
        if values.is_plain_json(plain):
            return values.dumps(plain)
        try:
            return values.text(values.to_json(plain, name="graph", foreign=numpy_items.write))
        except NotPlain as error:
            raise NoMaterializer(f"{error}; the graph is left to the fallback") from error

    def loads(self, data: bytes, type_: Any) -> Any:
        found = values.parse(data)
        if _TAG in data:
            found = values.from_json(found, type_, foreign=numpy_items.read)
        return _graph(found)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return {
            "nodes": value.number_of_nodes(),
            "edges": value.number_of_edges(),
            "directed": value.is_directed(),
            "multigraph": value.is_multigraph(),
        }

    def visualize(self, value: Any) -> Sequence[Visualization]:
        return [show_graph(value)]


def _plain(graph: Any) -> dict[str, Any]:
    nodes, links = _in_order(graph)
    several = graph.is_multigraph()
    attributes = [graph.nodes[node] for node in nodes]
    around = dict(graph.adjacency())
    edges = [each for u, v in links for each in _edges(nodes[u], nodes[v], around[nodes[u]][nodes[v]], several=several)]
    names = {"id": _free("id", attributes), **{name: _free(name, (each[-1] for each in edges)) for name in ("source", "target", "key")}}
    plain: dict[str, Any] = {"directed": graph.is_directed(), "multigraph": several, "graph": dict(graph.graph)}
    if nx.is_frozen(graph):
        plain["frozen"] = True
    if names != _NAMES:
        plain["names"] = names
    plain["nodes"] = [{names["id"]: node, **each} for node, each in zip(nodes, attributes, strict=True)]
    ends = [names[name] for name in ("source", "target", "key")]
    plain["edges"] = [{**dict(zip(ends, each[:-1], strict=False)), **each[-1]} for each in edges]
    return plain


def _edges(source: Any, target: Any, found: Any, *, several: bool) -> list[tuple[Any, ...]]:
    """Give the edges between two nodes, each with its attributes last."""
    return [(source, target, key, each) for key, each in found.items()] if several else [(source, target, found)]


def _free(name: str, attributes: Iterable[Mapping[Any, Any]]) -> str:
    """Give a name that is no attribute: most often the usual one."""
    used = {key for each in attributes for key in each}
    while name in used:
        name = f"_{name}"
    return name


def _graph(found: dict[str, Any]) -> Any:
    graph = _CLASSES[found["directed"], found["multigraph"]]()
    graph.graph.update(found["graph"])
    names = found.get("names", _NAMES)
    for attributes in found["nodes"]:
        node = attributes.pop(names["id"])
        graph.add_node(node)
        graph.nodes[node].update(attributes)  # the keywords of add_node would have to be text
    for attributes in found["edges"]:
        source, target = attributes.pop(names["source"]), attributes.pop(names["target"])
        if found["multigraph"]:
            place = attributes.pop(names["key"])
            graph.add_edge(source, target, key=place)
            graph.adj[source][target][place].update(attributes)
        else:
            graph.add_edge(source, target)
            graph.adj[source][target].update(attributes)
    return nx.freeze(graph) if found.get("frozen") else graph


def _in_order(graph: Any) -> tuple[list[Any], list[Link]]:
    """Give the nodes, and the links between their numbers in an order in which adding them gives each node its neighbours in order."""
    root = getattr(graph, "_graph", None)
    # A view goes through a set of nodes where that is shorter: its order would differ from process to process.
    nodes = list(graph) if root is None else [node for node in root if node in graph]
    number = {node: n for n, node in enumerate(nodes)}
    size = len(nodes)

    def lines(view: Any, forward: int, backward: int) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in nodes]
        for node, around in view.adjacency():
            n = number[node]
            others = [number[other] for other in around]
            found[n] = [n * forward + other * backward for other in (others if root is None else sorted(others))]
        return found

    # A link is one number, since there may be millions.
    if graph.is_directed():
        every = lines(graph, size, 1) + lines(graph.reverse(copy=False), 1, size)
    else:
        every = [[min(link, link % size * size + link // size) for link in line] for line in lines(graph, size, 1)]
    links = list(_merged(every, 0 if graph.is_directed() else size + 1))
    distinct = dict.fromkeys(link for line in every for link in line)
    if len(links) < len(distinct):  # no order of adding gives this one, which can only be if someone wrote into the graph's own dicts
        links = list(distinct)
    return nodes, [divmod(link, size) for link in links]


def _merged(lines: list[list[int]], single: int) -> Iterator[int]:
    """Give what stands in two lines in one order that agrees with each line. Multiples of `single` stand in one line only."""
    places = [0] * len(lines)
    heads: dict[int, int] = {}
    waiting = [n for n in range(len(lines) - 1, -1, -1) if lines[n]]
    while waiting:
        n = waiting.pop()
        link = lines[n][places[n]]
        ready = [n]
        if not single or link % single:  # else a loop, which stands once among the neighbours of its node
            other = heads.pop(link, None)
            if other is None:
                heads[link] = n
                continue
            ready = [n, other]
        yield link
        for each in ready:
            places[each] += 1
            if places[each] < len(lines[each]):
                waiting.append(each)


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (GraphMaterializer,)
