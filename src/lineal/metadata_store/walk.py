"""Lineage in the order of distance: the query gives all edges that can be reached, this puts them in line."""

from collections import defaultdict
from collections.abc import Iterable

from lineal.model.records import Edge

# (step run, role, name, version): a row of the queries `upstream` and `downstream`
Found = tuple[str, str, str, str]


def nearest_first(rows: Iterable[Found], start: str, *, upstream: bool, depth: int | None) -> list[Edge]:
    """Give the edges that are reached from a version, level by level: each version and each step run is passed once.

    Upstream goes from a version to the step run that made it and on to what that used; downstream from a version to the step runs
    that used it and on to what they gave. `depth` counts versions; None is all.
    """
    inputs: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    outputs: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    steps: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)  # by version, the step runs to go on to
    for step, role, name, version in rows:
        (inputs if role == "used" else outputs)[step].append((name, version))
        if role == ("made" if upstream else "used"):
            steps[version].append((step, name))
    near, far = ("output", "input") if upstream else ("input", "output")
    beyond = inputs if upstream else outputs
    edges: list[Edge] = []
    seen, passed, level = {start}, set[str](), [start]
    while level and depth != 0:
        following: list[str] = []
        for version in level:
            for step, name in steps[version]:
                edges.append(Edge(version, step, near, name))  # type: ignore[arg-type]
                if step in passed:
                    continue
                passed.add(step)
                for other_name, other in beyond[step]:
                    edges.append(Edge(other, step, far, other_name))  # type: ignore[arg-type]
                    if other not in seen:
                        seen.add(other)
                        following.append(other)
        level = following
        depth = None if depth is None else depth - 1
    return edges
