"""Lineage in the order of distance."""

from lineal.metadata_store.walk import nearest_first
from lineal.model.records import Edge

# raw -> s1 -> mid (and side) -> s2 -> end; s3 gives mid again from the cache
ROWS = [
    ("s2", "used", "x", "mid"),
    ("s2", "made", "out", "end"),
    ("s1", "used", "x", "raw"),
    ("s1", "made", "out", "mid"),
    ("s1", "made", "side", "side"),
    ("s3", "used", "x", "raw"),
    ("s3", "reused", "out", "mid"),
]


def test_upstream_follows_makers_only() -> None:
    """A sibling output is not reached, nor the step that only reused the version."""
    assert nearest_first(ROWS, "end", upstream=True, depth=None) == [
        Edge("end", "s2", "output", "out"),
        Edge("mid", "s2", "input", "x"),
        Edge("mid", "s1", "output", "out"),
        Edge("raw", "s1", "input", "x"),
    ]


def test_downstream_follows_users_and_all_that_they_gave() -> None:
    """A cached step run is an edge too."""
    found = nearest_first(ROWS, "raw", upstream=False, depth=None)
    assert [(edge.step_run_id, edge.version_id) for edge in found] == [
        ("s1", "raw"), ("s1", "mid"), ("s1", "side"), ("s3", "raw"), ("s3", "mid"), ("s2", "mid"), ("s2", "end"),
    ]  # fmt: skip


def test_depth_counts_versions() -> None:
    """Depth 1 ends with the direct inputs."""
    assert [edge.version_id for edge in nearest_first(ROWS, "end", upstream=True, depth=1)] == ["end", "mid"]
    assert nearest_first(ROWS, "end", upstream=True, depth=0) == []


def test_a_circle_ends() -> None:
    """Each version and each step run is passed once."""
    rows = [("s1", "used", "x", "a"), ("s1", "made", "y", "b"), ("s2", "used", "x", "b"), ("s2", "reused", "y", "a")]
    assert len(nearest_first(rows, "a", upstream=False, depth=None)) == 4
