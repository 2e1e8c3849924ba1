"""The page `docs/reliability.md`, from what was found."""

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence

from torture.outcome import Outcome

CLASSES = {
    "calls": (
        "Kills and errors at single system calls",
        "A run that saves values in rows and files, registers a folder and saves two more values is killed at, or refused, one system call that "
        "changes something on disk (write, truncate, create, rename, link, remove, sync), in a new home and in one with a history. Then the next run "
        "must succeed, what was reported done must load, no run may stay running, versions must be dense, `verify` must find nothing, and "
        "an error must be one of Lineal's that names the remedy.",
    ),
    "powercuts": (
        "Power cuts",
        "All calls of a run are recorded, and replayed on a model of a disk under a page cache. What no sync had made durable at the moment of the cut "
        "is lost: all of it, only content, only names, content turned to zeros, or any mixture block by block. The model knows no order between "
        "unsynced calls, so it is harsher than ext4, xfs or btrfs. After a sync that failed, no later sync saves what was written before it.",
    ),
    "realdisk": (
        "Power cuts of a real file system",
        "The same work on an ext4 under a loop device. The process is stopped at a random moment, the disk is copied as it is without the page cache, "
        "the journal of the copy recovers, and all that was reported done must be there.",
    ),
    "stress": (
        "Many processes at once",
        "Processes save values, run a pipeline whose second step they share, load, and prune, all on one store on a real disk.",
    ),
    "machine": (
        "Anything in any order",
        "A state machine publishes, runs, reuses, registers, tags, pins, deletes, prunes, reopens, verifies, and is killed at any system call of any "
        "of these; a model in memory says what must be there after each step.",
    ),
    "corruption": (
        "Damaged files",
        "Files of stored objects and of registered folders, in each of the cheap formats, are changed by a bit, cut, emptied, lengthened, swapped, "
        "removed, or replaced by a folder, a FIFO or a link. Each load must fail, and `verify` must name the version.",
    ),
}


def text(outcomes: Mapping[str, Sequence[Outcome]], seed: int, seconds: float) -> str:
    """Give the page."""
    shown = [each for name in CLASSES for each in outcomes.get(name, ())]
    trials, violations = sum(each.trials for each in shown), sum(len(each.violations) for each in shown)
    lines = [
        "# Reliability",
        "",
        "Written by `make torture HOURS=...`, which makes faults happen for real and checks after each that every promise was kept.",
        "",
        f"**{trials:,} trials, {violations:,} violations** in {seconds / 60:.0f} minutes, seed {seed}. "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores.",
        "",
    ]
    for name, (title, about) in CLASSES.items():
        if name in outcomes:
            lines += [f"## {title}", "", about, "", "| what | trials | out of | what came of them | violations |", "|---|--:|--:|---|--:|"]
            lines += [_row(each) for each in outcomes[name]]
            lines.append("")
    if "cost" in outcomes:
        lines += _cost(outcomes["cost"][0], outcomes.get("powercuts", ()))
    return "\n".join(lines)


def _row(outcome: Outcome) -> str:
    facts = "; ".join(f"{name}: {value if isinstance(value, str) else f'{value:,g}'}" for name, value in outcome.facts.items())
    return f"| {outcome.name} | {outcome.trials:,} | {outcome.points:,} | {facts} | {len(outcome.violations):,} |"


def _cost(cost: Outcome, cuts: Sequence[Outcome]) -> list[str]:
    sizes = list(dict.fromkeys(name.split(", ")[1] for name in cost.facts))
    lines = [
        "## What durability costs, and what it keeps",
        "",
        "Milliseconds per step of a chain of trivial steps, each with one output, on a real disk, and how many times `off` that is. "
        "The last column is what the power cuts above took of that which had been reported done.",
        "",
        f"| durability | {' | '.join(sizes)} | lost at a process crash | lost at a power cut |",
        f"|---|{'--:|' * len(sizes)}---|---|",
    ]
    for level in ("off", "run", "step"):
        cells = []
        for size in sizes:
            own, floor = float(cost.facts[f"{level}, {size}, ms"]), float(cost.facts[f"off, {size}, ms"])
            cells.append(f"{own:.2f}" if level == "off" else f"{own:.2f} ({own / floor:.1f}x)")
        lines.append(f"| `{level}` | {' | '.join(cells)} | nothing that was reported done | {_lost(level, cuts)} |")
    return [*lines, ""]


def _lost(level: str, cuts: Sequence[Outcome]) -> str:
    for outcome in cuts:
        if outcome.name.endswith(f"durability {level}"):
            lost, done = outcome.facts.get("reported done and lost", 0), outcome.facts.get("reported done before the cuts", 0)
            return f"{float(lost):,.0f} of {float(done):,.0f} steps and versions, in {outcome.trials:,} cuts"
    return "not tried"
