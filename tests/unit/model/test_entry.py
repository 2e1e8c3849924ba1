"""Where a pipeline is defined, as it is recorded, and how parameters that are no plain values are told from those that are."""

from typing import Any

import pytest

from lineal.model import values
from lineal.model.entry import ARTIFACT, ENTRY, EXTERNAL, Entry, mark_of, unmarked


@pytest.mark.parametrize(
    "entry",
    [
        Entry("/project/train.py", "train", "training", "training", "/project"),
        Entry("", "__main__", "flow", options={"substitutions": {"region": "eu"}}, lost=("cache_policy", "on_failure")),
    ],
)
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    assert Entry.of({"python": "3.12", ENTRY: entry.to_json()}) == entry


def test_what_a_newer_version_adds_is_left_out_and_nothing_is_no_entry() -> None:
    assert Entry.of({ENTRY: {"file": "/a.py", "module": "a", "function": "f", "shape": "round"}}) == Entry("/a.py", "a", "f")
    assert Entry.of({}) is None


@pytest.mark.parametrize(
    "value", [{ARTIFACT: "data@1"}, {EXTERNAL: "list"}, {ARTIFACT: 1, "b": 2}, {"a": {ARTIFACT: "x"}}, [ARTIFACT], 5, None]
)
def test_a_value_that_looks_like_a_mark_is_none(value: Any) -> None:
    """And is given again as it was."""
    node = unmarked(values.to_json(value))
    assert mark_of(node) is None
    assert values.from_json(node) == value
    assert mark_of({ARTIFACT: "data@1"}) == ARTIFACT
