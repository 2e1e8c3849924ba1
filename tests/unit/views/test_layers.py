"""Where the nodes of a graph are put: in order, apart, and with no edge through a node."""

import random
from itertools import combinations

import pytest

from lineal.views.layers import Layout, lay_out

SIZE = (80.0, 30.0)


def laid(edges: list[tuple[str, str]]) -> Layout:
    return lay_out({node: SIZE for edge in edges for node in edge}, edges)


def overlap(layout: Layout) -> list[tuple[str, str]]:
    """Give the pairs of nodes that lie over each other."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(layout.boxes.items(), 2)
        if a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
    ]


def test_a_chain_is_a_straight_line() -> None:
    layout = laid([("a", "b"), ("b", "c")])
    assert len({box.y for box in layout.boxes.values()}) == 1
    assert [layout.boxes[node].x for node in "abc"] == sorted(box.x for box in layout.boxes.values())
    assert layout.paths["a", "b"] == [(80.0, 15.0), (layout.boxes["b"].x, 15.0)]
    assert (layout.width, layout.height) == (layout.boxes["c"].x + 80, 30)


def test_two_that_lead_to_one_lie_above_and_below_it_without_a_crossing() -> None:
    layout = laid([("a", "c"), ("b", "d"), ("c", "e"), ("d", "e")])
    above, below = sorted("ab", key=lambda node: layout.boxes[node].y)
    assert (layout.boxes["c"].y < layout.boxes["d"].y) == ((above, below) == ("a", "b"))
    assert layout.boxes["e"].y == pytest.approx((layout.boxes["c"].y + layout.boxes["d"].y) / 2)


def test_an_edge_goes_around_what_lies_between_its_ends() -> None:
    layout = laid([("a", "b"), ("b", "c"), ("a", "c")])
    passed = layout.paths["a", "c"][1:-1]
    between = layout.boxes["b"]
    assert [x for x, _ in passed] == [between.x, between.x + between.width]
    assert all(not between.y <= y <= between.y + between.height for _, y in passed)


def test_a_late_beginning_stands_before_what_it_leads_to() -> None:
    layout = laid([("a", "b"), ("b", "c"), ("c", "d"), ("late", "d")])
    assert layout.boxes["late"].x == layout.boxes["c"].x


def test_a_circle_and_unknown_ends_do_no_harm() -> None:
    layout = lay_out({"a": SIZE, "b": SIZE}, [("a", "b"), ("b", "a"), ("a", "nowhere")])
    assert set(layout.boxes) == {"a", "b"}
    assert lay_out({}, []) == Layout({}, {}, 0.0, 0.0)
    assert not overlap(layout)


def test_nothing_lies_over_anything_in_any_graph(seeded: random.Random) -> None:
    """Nodes stay apart and inside of the picture, and edges lead to the right."""
    for _ in range(30):
        nodes = [str(n) for n in range(seeded.randint(1, 60))]
        edges = [(one, other) for one, other in combinations(nodes, 2) if seeded.random() < 2 / len(nodes)]
        layout = lay_out({node: (seeded.uniform(60, 200), seeded.choice([26.0, 36.0])) for node in nodes}, edges)
        assert overlap(layout) == []
        assert all(box.x >= 0 and box.y >= 0 for box in layout.boxes.values())
        assert all(box.x + box.width <= layout.width + 1e-6 and box.y + box.height <= layout.height + 1e-6 for box in layout.boxes.values())
        assert set(layout.paths) == set(edges)
        assert all([x for x, _ in path] == sorted(x for x, _ in path) for path in layout.paths.values())
