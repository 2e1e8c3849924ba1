"""Graphs come back with every node, edge and attribute, and all of them in order."""

import datetime as dt
import enum
import inspect
import json
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers import numpy_items
from lineal.materializers.networkx import GraphMaterializer
from lineal.materializers.registry import registry
from lineal.model import values
from lineal.testing.materializers import MaterializerTests

CLASSES = (nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph)


class Colour(enum.Enum):
    RED = 1


def exactly(one: Any, other: Any) -> bool:
    """Tell whether two graphs are equal in class, nodes, edges and attributes, in the order of each, and in the types of nodes."""
    if type(one) is not type(other) or one.graph != other.graph or nx.is_frozen(one) != nx.is_frozen(other):
        return False
    sides = ["adj", "pred"] if one.is_directed() else ["adj"]
    around = [[(repr(n), [(repr(m), repr(d)) for m, d in getattr(g, side)[n].items()]) for side in sides for n in g] for g in (one, other)]
    nodes = [[(repr(n), repr(list(d.items()))) for n, d in g.nodes(data=True)] for g in (one, other)]
    return around[0] == around[1] and nodes[0] == nodes[1]


def made(cls: Any, *edges: Any, **attributes: Any) -> Any:
    """Give a graph of edges, added one by one in this order."""
    graph = cls(**attributes)
    graph.add_edges_from(edges)
    return graph


def odd() -> Any:
    """Give a graph whose nodes and attributes are of many types, some with the names that JSON uses."""
    graph = nx.MultiDiGraph(name="odd", when=dt.date(2020, 1, 1))
    graph.add_node((1, "a"), id="mine", weight=np.float32(0.5))
    graph.add_node(frozenset({1, 2}))
    graph.add_node(Colour.RED, **{"$type": "tuple", "_id": 1})
    graph.add_edge((1, "a"), 1.5, key="k", source="here", embedding=np.arange(3), nested={"a": (1, None)})
    graph.add_edge((1, "a"), 1.5, key=(2, 3), key_=b"x")
    graph.nodes[1.5][5] = "a key that is no text"
    graph.edges[(1, "a"), 1.5, "k"]["key"] = float("nan")
    return graph


class TestGraph(MaterializerTests):
    """Graphs of the four classes."""

    materializer = GraphMaterializer()
    values = (
        *(cls() for cls in CLASSES),
        *(made(cls, (2, 1), (3, 1), (1, 1), (1, 2), name="g") for cls in CLASSES),
        made(nx.Graph, (1, 2, {"w": 1})),
        made(nx.Graph, (1, 2, {"w": 1.0})),
        made(nx.Graph, ("1", "2", {"w": 1})),
        made(nx.MultiGraph, (1, 2, 0), (1, 2, 5), (2, 1, "x")),
        nx.freeze(made(nx.Graph, (1, 2))),
        odd(),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return exactly(one, other)

    def mutate(self, value: Any) -> bool:
        if nx.is_frozen(value):
            return False
        value.add_node("changed by the test")
        return True


def back(graph: Any) -> Any:
    return GraphMaterializer().loads(GraphMaterializer().dumps(graph), None)


@pytest.mark.parametrize("cls", CLASSES)
def test_order_of_neighbours_is_kept(cls: Any) -> None:
    """Also where going through the edges node by node would give another order."""
    graph = made(cls, ("c", "a"), ("b", "a"), ("a", "d"), ("c", "b"), ("a", "a"), ("d", "c"))
    graph.remove_edge("c", "a")
    graph.add_edge("c", "a")
    assert exactly(back(graph), graph)


def test_an_order_that_no_adding_gives_still_keeps_the_graph() -> None:
    """Whoever wrote into the graph's own dicts gets all edges back, if not in that order."""
    graph = made(nx.Graph, (1, 2), (2, 3), (3, 1))
    for node, order in {1: [2, 3], 2: [3, 1], 3: [1, 2]}.items():
        graph._adj[node] = {other: graph._adj[node][other] for other in order}
    assert nx.utils.graphs_equal(back(graph), graph)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_view_comes_back_as_a_graph_of_its_own(cls: Any) -> None:
    """A subgraph, which is frozen, and a view the other way round have their nodes and edges."""
    graph = made(cls, *((a, b) for a in "abcdefgh" for b in "abcdefgh" if a < b))
    views = [graph.subgraph("hbd"), nx.subgraph_view(graph, filter_node=lambda node: node > "c")]
    for view in [*views, graph.reverse(copy=False)] if graph.is_directed() else views:
        found = back(view)
        assert nx.utils.graphs_equal(found, view)
        assert nx.is_frozen(found)


def test_views_have_one_order_in_every_process(elsewhere: Callable[..., str]) -> None:
    """A view goes through a set of nodes, whose order depends on the hash seed; the digest does not."""
    program = (
        "import networkx as nx; from lineal.materializers.networkx import GraphMaterializer as M; from lineal.model import digest; "
        "print(digest.of_bytes(M().dumps(nx.complete_graph(list('abcdefghijklmnop')).subgraph(['d', 'b', 'p', 'a']))))"
    )
    assert elsewhere(program, seed=1) == elsewhere(program, seed=2)


def test_networkx_reads_the_file_of_a_plain_graph() -> None:
    """Nodes, keys and attributes that JSON has are node-link JSON as networkx writes it."""
    graph = made(nx.MultiDiGraph, ("a", "b", 0, {"w": 1}), ("b", "a", 3, {"w": None}), name="g")
    name = "edges" if "edges" in inspect.signature(nx.node_link_graph).parameters else "link"  # which it was before 3.4
    found = nx.node_link_graph(json.loads(GraphMaterializer().dumps(graph)), **{name: "edges"})
    assert exactly(found, graph)


def test_what_cannot_be_held_is_declined_by_its_path() -> None:
    """A node or attribute that is not plain is named, and the graph goes to the next candidate."""
    with pytest.raises(NoMaterializer, match=r"graph\['edges'\]\[0\]\['f'\].*left to the fallback"):
        GraphMaterializer().dumps(made(nx.Graph, (1, 2, {"f": object()})))


def test_a_subclass_is_declined() -> None:
    """What would come back as its base class is left to the next candidate."""

    class Mine(nx.DiGraph):
        pass

    assert not GraphMaterializer().accepts(Mine())
    with pytest.raises(NoMaterializer, match="Mine"):
        GraphMaterializer().dumps(Mine())


def test_metadata_and_registry() -> None:
    """Counts, and what kind of graph it is."""
    graph = made(nx.MultiGraph, (1, 2), (1, 2))
    assert GraphMaterializer().metadata(graph) == {"nodes": 2, "edges": 2, "directed": False, "multigraph": True}
    assert registry.for_value(graph) is registry.by_id("networkx.Graph/1")


@pytest.mark.parametrize(
    "value",
    [np.float32(1.5), np.datetime64("2020-01-01"), np.arange(6, dtype=">i2").reshape(2, 3), np.array([None, [1], "a", np.int8(1)], object)],
    ids=["scalar", "time", "array", "objects"],
)
def test_numpy_inside_typed_json(value: Any) -> None:
    """Scalars and arrays come back with their dtype; arrays are writeable."""
    node = values.to_json([value], foreign=numpy_items.write)
    [found] = values.from_json(json.loads(json.dumps(node)), foreign=numpy_items.read)
    assert type(found) is type(value)
    assert found.dtype == value.dtype
    assert np.array_equal(found, value)
    assert not isinstance(found, np.ndarray) or found.flags.writeable


def test_an_unknown_item_is_refused() -> None:
    """What a newer release wrote is an error, not a guess."""
    with pytest.raises(ValueError, match=r"'numpy\.new' is not known"):
        numpy_items.read({"kind": "numpy.new"})


def test_an_array_of_objects_inside_is_not_unpickled(trap: Any) -> None:
    """A pickle inside the bytes of an array is refused."""
    import base64
    import io

    out = io.BytesIO()
    np.save(out, np.array([trap], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        numpy_items.read({"kind": "numpy.ndarray", "npy": base64.b64encode(out.getvalue()).decode()})
    assert not trap.sprung
