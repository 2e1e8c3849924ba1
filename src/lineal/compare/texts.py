"""Text: which lines came and went. Bytes: where they begin to differ."""

from difflib import unified_diff
from itertools import islice
from typing import Final

from lineal.compare.base import LONGEST, Comparison, Part, count_text
from lineal.model.text import shown

LINES: Final = 100
"""Lines of a difference that are shown."""

LARGEST: Final = 20_000
"""Lines up to which texts are aligned; of longer ones only the first line that differs is told."""


def compare_text(one: str, other: str) -> Comparison:
    """Compare two texts line by line, as `diff -u` does."""
    before, after = one.splitlines(), other.splitlines()
    if before == after:
        summary = "equal" if one == other else "the same lines, with other line ends"
        return Comparison("text", same=one == other, summary=summary, data={"added": 0, "removed": 0, "diff": []})
    if max(len(before), len(after)) > LARGEST:
        place = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), min(len(before), len(after)))
        summary = f"{count_text(len(before), 'line')} → {count_text(len(after), 'line')}, the first that differs is line {place + 1:,}"
        data = {"lines": [len(before), len(after)], "first_different": place + 1}
        return Comparison("text", same=False, summary=summary, parts=[Part(summary)], data=data)
    diff = list(unified_diff(before, after, "before", "after", lineterm=""))
    added = sum(line.startswith("+") for line in diff[2:])
    removed = sum(line.startswith("-") for line in diff[2:])
    summary = f"{count_text(added, 'line')} added, {removed:,} removed"
    lines = [shown(line, 4 * LONGEST) for line in islice(diff, LINES)]
    rest = [f"… {len(diff) - LINES:,} more lines"] if len(diff) > LINES else []
    return Comparison(
        "text", same=False, summary=summary, parts=[Part(summary, [*lines, *rest])],
        data={"added": added, "removed": removed, "diff": lines},
    )  # fmt: skip


def compare_bytes(one: bytes, other: bytes) -> Comparison:
    """Compare two byte strings: their lengths, and the first place that differs."""
    if one == other:
        return Comparison("bytes", same=True, summary="equal")
    shorter = min(len(one), len(other))
    low, high = 0, shorter  # the first difference by halving: slices are compared at memory speed
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    summary = f"{count_text(len(one), 'byte')} → {count_text(len(other), 'byte')}, the first that differs is at {low:,}"
    data = {"lengths": [len(one), len(other)], "first_different": low}
    return Comparison("bytes", same=False, summary=summary, parts=[Part(summary)], data=data)
