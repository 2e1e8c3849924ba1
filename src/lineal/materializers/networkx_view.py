"""Shows graphs of networkx as a drawing: nodes that are linked lie close, the largest ones of a large graph are drawn."""

import heapq
import math
from collections.abc import Mapping
from itertools import islice
from operator import itemgetter
from typing import Any, Final

import networkx as nx

from lineal.materializers import markup
from lineal.materializers.markup import ACCENT, escaped
from lineal.model.visualization import Visualization

NODES: Final = 80
"""Nodes that are drawn."""

EDGES: Final = 600
"""Edges that are drawn."""

SEEN: Final = 20_000
"""Nodes of a large graph among which the largest are looked for."""

_NAMED = 40
_WIDTH, _HEIGHT, _EDGE = 560.0, 380.0, 36.0


def show_graph(graph: Any) -> Visualization:
    """Give what is known of a graph, and its drawing."""
    count = graph.number_of_nodes()
    kind = ("directed" if graph.is_directed() else "undirected") + (", several edges between two nodes" if graph.is_multigraph() else "")
    facts = {"nodes": f"{count:,}", "edges": f"{graph.number_of_edges():,}", "kind": kind}
    drawn = graph if count <= NODES else graph.subgraph(_largest(graph))
    left_out = f"of the {NODES} nodes with the most edges those that are linked to each other" if count > NODES else ""
    return markup.page(markup.facts(facts), _drawing(drawn) if len(drawn) else "", markup.note(left_out), title="Graph")


def _largest(graph: Any) -> list[Any]:
    degrees = heapq.nlargest(NODES, islice(graph.degree(), SEEN), key=itemgetter(1))
    chosen = graph.subgraph([node for node, _ in degrees])
    return [node for node, degree in chosen.degree() if degree]


def _drawing(graph: Any) -> str:
    places = _places(graph)
    lines = []
    for start, end in islice(graph.edges(), EDGES):
        (x1, y1), (x2, y2) = places[start], places[end]
        lines.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="#8889"/>')
        if graph.is_directed() and start != end:
            lines.append(_head(x1, y1, x2, y2))
    most = max((degree for _, degree in graph.degree()), default=0) or 1
    dots = []
    for node, degree in graph.degree():
        x, y = places[node]
        dots.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{4 + 5 * math.sqrt(degree / most):.1f}" fill="{ACCENT}"/>')
        if len(places) <= _NAMED:
            dots.append(f'<text x="{x:.0f}" y="{y - 11:.0f}" text-anchor="middle" font-size="11" fill="currentColor">{_name(node)}</text>')
    size = f'width="{_WIDTH:g}" height="{_HEIGHT:g}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}"'
    return f'<div><svg {size} role="img" aria-label="graph">{"".join(lines)}{"".join(dots)}</svg></div>'


def _name(node: Any) -> str:
    try:
        return escaped(node, 16)
    except Exception:  # a node of somebody else's class
        return escaped(f"<{type(node).__qualname__}>", 16)


def _places(graph: Any) -> Mapping[Any, tuple[float, float]]:
    try:
        found = nx.spring_layout(nx.Graph(graph), seed=0, iterations=60, weight=None)
    except ImportError:  # it needs numpy
        step = 2 * math.pi / len(graph)
        found = {node: (math.cos(number * step), math.sin(number * step)) for number, node in enumerate(graph)}
    xs, ys = [float(place[0]) for place in found.values()], [float(place[1]) for place in found.values()]
    return {
        node: (_scaled(float(place[0]), min(xs), max(xs), _WIDTH), _scaled(float(place[1]), min(ys), max(ys), _HEIGHT))
        for node, place in found.items()
    }


def _scaled(value: float, low: float, high: float, side: float) -> float:
    part = (value - low) / (high - low) if high > low else 0.5
    return _EDGE + part * (side - 2 * _EDGE)


def _head(x1: float, y1: float, x2: float, y2: float) -> str:
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    tip = (x2 - 9 * ux, y2 - 9 * uy)
    base = (tip[0] - 8 * ux, tip[1] - 8 * uy)
    corners = [tip, (base[0] - 3 * uy, base[1] + 3 * ux), (base[0] + 3 * uy, base[1] - 3 * ux)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon points="{points}" fill="#888a"/>'
