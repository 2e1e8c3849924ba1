"""The lineage of a version as a picture: versions as boxes, step runs as pills between them, from left to right.

The picture needs nothing else: no script, no font, no image. Its colours are those of the page around it, or translucent, so that it
is read on a light and on a dark one; as a file of its own it follows the light or dark of whoever opens it.
"""

import html
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from lineal.model.text import shown
from lineal.views.layers import Box, lay_out

NODES: Final = 400
"""Nodes that are drawn, the nearest first."""

_ACCENT, _WRONG = "#4a8fdd", "#d9534f"
_LETTER, _SMALL = 7.2, 5.9  # pixels of an average letter of 12 and of 10 px
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif"
_MARGIN, _NOTE = 12.0, 22.0


class Node(NamedTuple):
    """What is drawn of a version (`step` False) or a step run: a name, a line below it, and what is told when it is pointed at."""

    name: str
    below: str
    told: str
    step: bool = False
    main: bool = False
    wrong: bool = False


def picture(nodes: Mapping[str, Node], edges: Mapping[tuple[str, str], str], *, inside: bool = False) -> str:
    """Give the SVG of a graph.

    Args:
        nodes: What is drawn by id, the nearest to the version first.
        edges: What is told of an edge, by the ids of its ends.
        inside: Whether it stands in a page, whose colours it takes.
    """
    drawn = dict(list(nodes.items())[:NODES])
    layout = lay_out({id: _size(node) for id, node in drawn.items()}, edges)
    lines = [_edge(points, edges[edge]) for edge, points in layout.paths.items()]
    boxes = [(_step if node.step else _version)(node, layout.boxes[id]) for id, node in drawn.items()]
    left_out = len(nodes) - len(drawn)
    note = f"and {left_out:,} more, farther away" if left_out else ""
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN + (_NOTE if note else 0)
    colours = "" if inside else "color-scheme:light dark;background:Canvas;color:CanvasText;"
    written = (
        f'<text x="0" y="{_short(layout.height + _NOTE)}" font-size="11" fill="currentColor" opacity=".65">{note}</text>' if note else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_short(width)}" height="{_short(height)}" viewBox="0 0 {_short(width)} {_short(height)}" '
        f'style="{colours}{_FONT};max-width:none" role="img" aria-label="lineage">'
        f'<g transform="translate({_short(_MARGIN)} {_short(_MARGIN)})">{"".join(lines)}{"".join(boxes)}{written}</g></svg>'
    )


def _size(node: Node) -> tuple[float, float]:
    width = max(_cells(_cut(node.name)) * _LETTER, _cells(_cut(node.below)) * _SMALL)
    return max(width + 24, 64), (36 if node.below else 26)


def _version(node: Node, box: Box) -> str:
    strong = ("2", ".28") if node.main else ("1", ".12")
    return _shape(node, box, f'rx="5" stroke="{_ACCENT}" stroke-width="{strong[0]}" fill="{_ACCENT}" fill-opacity="{strong[1]}"')


def _step(node: Node, box: Box) -> str:
    colour = _WRONG if node.wrong else "currentColor"
    return _shape(node, box, f'rx="{_short(box.height / 2)}" stroke="{colour}" stroke-opacity=".45" fill="{colour}" fill-opacity=".06"')


def _shape(node: Node, box: Box, style: str) -> str:
    x, middle = _short(box.x + box.width / 2), box.y + box.height / 2
    weight = ' font-weight="600"' if node.main else ""
    name = (
        f'<text x="{x}" y="{_short(middle + (-1.5 if node.below else 4))}" text-anchor="middle" font-size="12" fill="currentColor"{weight}>'
        f"{_escaped(_cut(node.name))}</text>"
    )
    below = (
        f'<text x="{x}" y="{_short(middle + 12)}" text-anchor="middle" font-size="10" fill="currentColor" opacity=".65">'
        f"{_escaped(_cut(node.below))}</text>"
        if node.below
        else ""
    )
    rect = f'<rect x="{_short(box.x)}" y="{_short(box.y)}" width="{_short(box.width)}" height="{_short(box.height)}" {style}/>'
    return f"<g><title>{_escaped(node.told)}</title>{rect}{name}{below}</g>"


def _edge(points: Sequence[tuple[float, float]], told: str) -> str:
    (x, y), path = points[0], f"M{_short(points[0][0])} {_short(points[0][1])}"
    for place, (to_x, to_y) in enumerate(points[1:]):
        if place % 2:  # beside the nodes of a layer that it passes
            path += f"H{_short(to_x)}"
        else:
            half = (x + to_x) / 2
            path += f"C{_short(half)} {_short(y)} {_short(half)} {_short(to_y)} {_short(to_x)} {_short(to_y)}"
        x, y = to_x, to_y
    head = f"M{_short(x)} {_short(y)}l-7 -3.5v7z"
    return (
        f'<g stroke="currentColor" opacity=".45"><title>{_escaped(told)}</title><path d="{path}" fill="none" stroke-width="1.2"/>'
        f'<path d="{head}" fill="currentColor" stroke="none"/></g>'
    )


def _cut(text: str) -> str:
    return shown(text, 30)


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _escaped(text: str) -> str:
    # Half a character is not in any encoding, and a file of its own must be one that a parser takes.
    return html.escape(shown(text, 400).encode("utf-8", "backslashreplace").decode(), quote=True)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
