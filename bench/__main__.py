"""Run all benchmarks and write RESULTS.md.

python -m bench
"""

import importlib.metadata
import os
import platform
import sqlite3
import sys
from pathlib import Path
from typing import Any

from bench import chain, register, startup, values

RESULTS = Path(__file__).with_name("RESULTS.md")

# Times the floor, or times the bare interpreter: what Lineal aims at.
AIMS = {("off", "fresh"): 5.0, ("off", "cached"): 4.0, ("step", "fresh"): 2.5, ("step", "cached"): 2.0}
START_AIMS = {"import lineal": 8.0, "lineal --help": 15.0}


def main() -> None:
    """Measure, write and print."""
    chains = {durability: chain.measure(durability) for durability in ("off", "step")}
    measured = [*_steps(chains), *_growth(chains), *_start(startup.measure()), *_values(values.measure()), *_register(register.measure())]
    text = "\n".join([*_head(), *measured]) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def _head() -> list[str]:
    return [
        "# Results",
        "",
        "Written by `make bench`. Compare ratios, not times: both sides of each were measured in turns in the same run.",
        "",
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {_file_system(Path.cwd())}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, Lineal {importlib.metadata.version('lineal')}.",
        "",
    ]


def _steps(chains: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        f"## A trivial step: milliseconds per step in a chain of {chain.STEPS}",
        "",
        "The floor (`bench/floor.py`) is hand-written SQLite that keeps the same facts and nothing else. joblib.Memory keeps values only, and never syncs.",
        "",
        "| durability | step | Lineal | floor | Lineal / floor | aim | joblib.Memory |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (durability, kind), aim in AIMS.items():
        found = chains[durability]
        own, floor, peer = found[f"lineal {kind}"], found[f"floor {kind}"], found.get(f"joblib {kind}")
        lines.append(
            f"| {durability} | {kind} | {own:.3f} | {floor:.3f} | {_verdict(own / floor, aim)} | {f'{peer:.3f}' if peer else 'not installed'} |"
        )
    return [*lines, ""]


def _growth(chains: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "## Long chains: milliseconds per step",
        "",
        "| durability | step | " + " | ".join(f"{length} steps" for length in chain.LENGTHS) + " | last / first |",
        "|---|---|" + "--:|" * (len(chain.LENGTHS) + 1),
    ]
    for durability, found in chains.items():
        for place, kind in enumerate(("fresh", "cached")):
            times = [pair[place] for pair in found["growth"].values()]
            lines.append(f"| {durability} | {kind} | " + " | ".join(f"{t:.3f}" for t in times) + f" | {times[-1] / times[0]:.2f} |")
    return [*lines, ""]


def _values(found: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    lines = [
        "## Large values: seconds, against the bare library calls with the same durability (written, synced, renamed)",
        "",
        "The frame has 5 million rows: four float columns, one of integers, one of eight words. The array has 1 GiB of floats. Memory is "
        "the peak above the value itself; `describe` is the metadata and the visualization, made from a sample, and part of `save`.",
        "",
        "| value | save | bare | ratio | aim | describe / save | load | bare | memory MB | bare |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, sides in found.items():
        own, bare = sides["lineal"], sides["bare"]
        lines.append(
            f"| {kind} | {own['save']:.2f} | {bare['save']:.2f} | {own['save'] / bare['save']:.2f} | {_verdict_of(own['save'] / bare['save'], 1.25)} | "
            f"{own['describe'] / own['save']:.0%} | {own['load']:.4f} | {bare['load']:.4f} | {own['memory']:.0f} | {bare['memory']:.0f} |"
        )
    return [*lines, ""]


def _register(found: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        f"## Registering a folder of {register.FILES:,} files of {register.SIZE:,} bytes: seconds, against the bare reads",
        "",
        "Bare read: every file read and digested, one after the other. Bare look: the system asked about every file. Bare copy: "
        "`shutil.copytree`. Each in a process of its own; memory is its peak.",
        "",
        "| | seconds | memory MB |",
        "|---|--:|--:|",
    ]
    return [*lines, *(f"| {job} | {each['seconds']:.2f} | {each['peak']:.0f} |" for job, each in found.items()), ""]


def _verdict_of(ratio: float, aim: float) -> str:
    return f"at most {aim:g}" if ratio <= aim else f"**missed:** {aim:g}"


def _start(found: dict[str, float]) -> list[str]:
    bare = found["bare interpreter"]
    lines = [
        "## Start: milliseconds",
        "",
        "| command | time | times a bare interpreter | aim |",
        "|---|--:|--:|--:|",
        f"| bare interpreter | {bare:.0f} | 1 | |",
    ]
    return [*lines, *(f"| {name} | {found[name]:.0f} | {_verdict(found[name] / bare, aim)} |" for name, aim in START_AIMS.items()), ""]


def _verdict(ratio: float, aim: float) -> str:
    return f"{ratio:.1f} | {'at most' if ratio <= aim else '**missed:**'} {aim:g}"


def _file_system(folder: Path) -> str:
    """Give the type of the file system that holds a folder, where the system tells it in a file."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return f"{sys.platform} file system"
    around = [(len(place), kind) for place, kind in mounts if folder.is_relative_to(place)]
    return max(around)[1]


if __name__ == "__main__":
    main()
