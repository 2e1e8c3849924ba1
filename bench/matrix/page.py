"""The page of the documentation that says what was found."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench.matrix.systems import SYSTEMS
from bench.table import table

WORDS = {"right": "✓", "stale": "**old result**", "needless": "ran again", "failed": "-"}


def page(found: Mapping[str, Any]) -> str:
    """Give the page. `found` has, by system, its version and what became of each case."""
    systems = [system for system in SYSTEMS if system.name in found]
    cases = {what: outcome["expected"] for system in systems for what, outcome in found[system.name]["cases"].items()}
    counts = {system.name: Counter(each["outcome"] for each in found[system.name]["cases"].values()) for system in systems}
    musts = Counter(cases.values())
    summary = [
        [
            system.name,
            found[system.name]["version"],
            system.settings,
            counts[system.name].total(),
            *(counts[system.name][kind] for kind in WORDS),
        ]
        for system in systems
    ]
    rows = [
        [what, expected, *(WORDS[found[s.name]["cases"][what]["outcome"]] if what in found[s.name]["cases"] else "" for s in systems)]
        for what, expected in cases.items()
    ]
    lines = [
        "# Caching compared",
        "",
        f"{len(cases)} of the cases of [Caching](caching.md#cases), put to other systems that keep results. Written by `python -m bench.matrix`, which runs them.",
        "",
        "In each case a small project of real files is run, edited, and run again, in two processes. Only cases are here that any system can be given, and whose",
        f"outcome can be told from the result alone: in {musts['runs']} of them the edited step gives another value, so a system that gives the old one is wrong;",
        f"in {musts['reused']} it gives the same, so running it again was not needed.",
        "",
        "| | the system |",
        "|---|---|",
        "| ✓ | ran the step again when it had to, or reused the result when it could |",
        "| **old result** | gave the result of before the edit |",
        "| ran again | did work again that could not give anything new |",
        "| - | did not run this step: it failed before or after the edit |",
        "| (empty) | not tried |",
        "",
        "## Summary",
        "",
        *table(["system", "version", "set up as", "cases run", "✓", "old result", "ran again", "-"], summary, words=3),
        "**How to read this.** Each system keeps results between runs with the settings in the table and its defaults for all else; none was told by hand what its steps use. For most",
        "of them the text of the step's own function is what counts as its code, and code elsewhere is the user's to declare where that can be said at all. So this compares what happens to",
        "someone who edits code and does not think of the cache. Speed, and all else that these systems do, is not compared. Versions and settings other than these may do otherwise.",
        "",
        "## Case by case",
        "",
        *table(["edit", "the step must be", *(system.name for system in systems)], rows, words=2 + len(systems)),
    ]
    return "\n".join(lines).rstrip() + "\n"
