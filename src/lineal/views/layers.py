"""Places for the nodes of a graph: in layers from left to right along its edges, with few crossings and no edge through a node."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

SWEEPS: Final = 8
"""How often the order within layers is improved, there and back; more changes little."""

_GAP, _THIN, _BETWEEN = 14.0, 6.0, 56.0  # pixels: between two nodes of a layer, around an edge that passes one, between two layers

Edge = tuple[str, str]


class Box(NamedTuple):
    """A node: its left upper corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


class Layout(NamedTuple):
    """The boxes by node, the points that each edge goes through from one box to the other, and the size of it all."""

    boxes: dict[str, Box]
    paths: dict[Edge, list[tuple[float, float]]]
    width: float
    height: float


def lay_out(sizes: Mapping[str, tuple[float, float]], edges: Iterable[Edge]) -> Layout:
    """Give each node of a graph its place. `sizes` are width and height by node; edges between others are left out."""
    known = [edge for edge in dict.fromkeys(edges) if edge[0] in sizes and edge[1] in sizes]
    depth = _depths(list(sizes), known)
    chains = {edge: _chain(edge, depth) for edge in known if depth[edge[0]] < depth[edge[1]]}
    layers = _layers(depth, chains.values())
    before, after = _neighbours(chains.values())
    _sort(layers, before, after)
    heights = {node: sizes[node][1] + _GAP if node in sizes else _THIN for layer in layers for node in layer}
    middle = _middles(layers, before, after, heights)
    widths = [max((sizes[node][0] for node in layer if node in sizes), default=0.0) for layer in layers]
    lefts = [sum(widths[:place]) + _BETWEEN * place for place in range(len(layers))]
    top = min((middle[node] - size[1] / 2 for node, size in sizes.items()), default=0.0)
    boxes = {
        node: Box(lefts[depth[node]] + (widths[depth[node]] - width) / 2, middle[node] - height / 2 - top, width, height)
        for node, (width, height) in sizes.items()
    }
    paths = {edge: _path(chain, boxes, middle, lefts, widths, depth[edge[0]], top) for edge, chain in chains.items()}
    return Layout(
        boxes, paths, sum(widths) + _BETWEEN * (len(layers) - 1), max((box.y + box.height for box in boxes.values()), default=0.0)
    )


def _depths(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Give the layer of each node: behind all that lead to it; a beginning stands right before the first that it leads to."""
    waiting = dict.fromkeys(nodes, 0)
    following: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in edges:
        waiting[end] += 1
        following[start].append(end)
    depth = dict.fromkeys(nodes, 0)
    begins = [node for node in nodes if not waiting[node]]
    ready = list(begins)
    for node in ready:
        for end in following[node]:
            depth[end] = max(depth[end], depth[node] + 1)
            waiting[end] -= 1
            if not waiting[end]:
                ready.append(end)
    for node in begins:
        depth[node] = min((depth[end] for end in following[node]), default=1) - 1
    return depth


def _chain(edge: Edge, depth: Mapping[str, int]) -> list[str]:
    """Give an edge as a chain from layer to layer: what stands for it in the layers that it passes lies between its ends."""
    start, end = edge
    return [start, *(f"{start}\n{end}\n{place}" for place in range(depth[start] + 1, depth[end])), end]


def _layers(depth: Mapping[str, int], chains: Iterable[Sequence[str]]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for node, place in depth.items():
        layers[place].append(node)
    for chain in chains:
        for step, node in enumerate(chain[1:-1], depth[chain[0]] + 1):
            layers[step].append(node)
    return layers


def _neighbours(chains: Iterable[Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for chain in chains:
        for one, other in itertools.pairwise(chain):
            after.setdefault(one, []).append(other)
            before.setdefault(other, []).append(one)
    return before, after


def _sort(layers: list[list[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> None:
    """Put each node where its neighbours are on average, layer by layer, there and back."""
    for _ in range(SWEEPS):
        for ordered, neighbours in ((layers, before), (layers[::-1], after)):
            for fixed, layer in itertools.pairwise(ordered):
                place = {node: float(number) for number, node in enumerate(fixed)}
                own = {node: float(number) for number, node in enumerate(layer)}
                layer.sort(key=lambda node: _mean([place[each] for each in neighbours.get(node, ())], own[node]))


def _middles(
    layers: Sequence[Sequence[str]], before: Mapping[str, list[str]], after: Mapping[str, list[str]], heights: Mapping[str, float]
) -> dict[str, float]:
    """Give the height of each node's middle: near its neighbours, in the order of its layer, and nowhere over another."""
    middle: dict[str, float] = {}
    for layer in layers:
        total = sum(heights[node] for node in layer)
        at = -total / 2
        for node in layer:
            middle[node] = at + heights[node] / 2
            at += heights[node]
    for _ in range(SWEEPS):
        for ordered, neighbours in ((layers, before), (layers[::-1], after)):
            for layer in ordered[1:]:
                wanted = [_mean([middle[each] for each in neighbours.get(node, ())], middle[node]) for node in layer]
                middle.update(zip(layer, _apart(wanted, [heights[node] for node in layer]), strict=True))
    return middle


def _apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Give middles near those that are wanted, in the same order, and far enough from each other."""
    down, up = list(wanted), list(wanted)
    for n in range(1, len(wanted)):
        down[n] = max(down[n], down[n - 1] + (heights[n - 1] + heights[n]) / 2)
    for n in range(len(wanted) - 2, -1, -1):
        up[n] = min(up[n], up[n + 1] - (heights[n + 1] + heights[n]) / 2)
    # Both keep the distances, so what lies halfway between them does too, and leans to neither side.
    return [(one + other) / 2 for one, other in zip(down, up, strict=True)]


def _path(
    chain: Sequence[str],
    boxes: Mapping[str, Box],
    middle: Mapping[str, float],
    lefts: Sequence[float],
    widths: Sequence[float],
    first: int,
    top: float,
) -> list[tuple[float, float]]:
    """Give the points of an edge: it passes a layer in between straight, from its left to its right side."""
    start, end = boxes[chain[0]], boxes[chain[-1]]
    points = [(start.x + start.width, start.y + start.height / 2)]
    for layer, node in enumerate(chain[1:-1], first + 1):
        height = middle[node] - top
        points += [(lefts[layer], height), (lefts[layer] + widths[layer], height)]
    return [*points, (end.x, end.y + end.height / 2)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
