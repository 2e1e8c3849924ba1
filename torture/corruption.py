"""Files of objects changed behind the store's back, in each materializer's format: noticed at every load and by verify, always."""

import contextlib
import itertools
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from PIL import Image
from scipy import sparse
from sklearn.linear_model import LinearRegression

from lineal import Client, register_artifact, save_artifact
from lineal.errors import ArtifactCorrupted, ArtifactMissing
from torture import flow, forks
from torture.outcome import Outcome

SHORT = 80
"""Trials in the short form."""


@dataclass
class Record:
    """A class of one's own."""

    name: str
    values: list[int]


class Odd:
    """What only pickle can hold."""

    def __init__(self) -> None:
        self.values = list(range(20_000))


def values() -> dict[str, Any]:
    """Give a value of each cheap kind, too large for a row, by the name of the artifact."""
    some = np.random.default_rng(1).normal(size=(500, 20))
    frame = pd.DataFrame({"number": np.arange(3000), "text": [f"row {n % 7}" for n in range(3000)]})
    return {
        "json": [f"word {n}" for n in range(5000)],
        "text": "a line\n" * 5000,
        "bytes": bytes(range(256)) * 200,
        "dataclass": Record("r", list(range(20_000))),
        "array": some,
        "frame": frame,
        "table": pa.table({"n": list(range(5000))}),
        "polars": pl.DataFrame({"n": list(range(5000))}),
        "sparse": sparse.csr_matrix(np.where(some > 0.5, some, 0)),
        "image": Image.fromarray((np.abs(some) * 255 % 256).astype("uint8")),
        "model": LinearRegression().fit(some, some[:, 0]),
        "pickle": Odd(),
        "nested": {"array": some, "frame": frame},
    }


def flip(place: Callable[[random.Random, int], int]) -> Callable[[Path, random.Random, Path], None]:
    """Give a damage that turns one bit over and leaves the time of change as it was."""

    def damage(path: Path, chance: random.Random, _: Path) -> None:
        data, times = bytearray(path.read_bytes()), path.stat()
        data[place(chance, len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    return damage


def _swap(path: Path, _: random.Random, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def _replace(make: Callable[[Path], object]) -> Callable[[Path, random.Random, Path], None]:
    def damage(path: Path, _: random.Random, __: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _link_out(path: Path, _: random.Random, other: Path) -> None:
    path.unlink()
    path.symlink_to(other)


DAMAGES: dict[str, Callable[[Path, random.Random, Path], Any]] = {
    "first byte changed": flip(lambda _, size: 0),
    "a bit flipped somewhere": flip(lambda chance, size: chance.randrange(size)),
    "last byte changed": flip(lambda _, size: size - 1),
    "cut in half": lambda path, _, __: os.truncate(path, path.stat().st_size // 2),
    "emptied": lambda path, _, __: os.truncate(path, 0),
    "one byte longer": lambda path, _, __: path.write_bytes(path.read_bytes() + b"\0"),
    "filled with zeros": lambda path, _, __: path.write_bytes(bytes(path.stat().st_size)),
    "removed": lambda path, _, __: path.unlink(),
    "swapped for another object's file": _swap,
    "a folder in its place": _replace(Path.mkdir),
    "a FIFO in its place": _replace(os.mkfifo),
    "a link in its place": _link_out,
}


def run(folder: Path, seed: int, seconds: float, short: bool) -> list[Outcome]:
    """Damage one file at a time, load and verify, and put it back; the long form goes on with other bits until the time is over."""
    outcome, deadline = Outcome("file of an object damaged"), time.monotonic() + seconds
    home, source = folder / "home", flow.source(folder / "source")
    made = forks.in_child(home, _save, source)
    assert not made.error, made.error
    (folder / "elsewhere").write_bytes(b"something else of no importance" * 100)
    targets = [(name, Path(path)) for name, paths in made.value.items() for path in paths]
    outcome.points = len(targets) * len(DAMAGES)
    outcome.facts["kinds of value"] = len(made.value)
    for number, (what, name, path) in enumerate(_order(targets, seed, endless=not short)):
        if (short and number == SHORT) or (not short and time.monotonic() > deadline):
            break
        outcome.trials += 1
        kept = folder / "kept"
        shutil.copy2(path, kept)
        path.chmod(0o644)
        DAMAGES[what](path, random.Random(f"{seed}:{number}"), folder / "elsewhere")
        checked = forks.in_child(home, _noticed, name)
        found = [f"the check failed: {checked.error or 'hung'}"] if checked.error or checked.hung else checked.value
        outcome.violations += [f"{name}, {path.name} {what}, seed {seed}, trial {number}: {each}" for each in found]
        outcome.count("caught by the load and by verify", not found)
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        shutil.copy2(kept, path)
    return [outcome]


def _order(targets: list[tuple[str, Path]], seed: int, *, endless: bool) -> Iterator[tuple[str, str, Path]]:
    for turn in itertools.count():
        trials = [(what, name, path) for what in DAMAGES for name, path in targets]
        random.Random(f"{seed}:{turn}").shuffle(trials)
        yield from trials
        if not endless:
            return


def _save(source: Path) -> dict[str, list[str]]:
    """Save one of each, and give the paths of their files."""
    found: dict[str, list[str]] = {}
    for name, value in values().items():
        record = save_artifact(value, name).record.object
        folder = Client().workspace.artifact_store.fetch(record)
        found[name] = [str(folder / entry.path) for entry in record.files]
    register_artifact(str(source), "registered")
    found["registered"] = [str(path) for path in source.rglob("*") if path.is_file()]
    return found


def _noticed(name: str) -> list[str]:
    """In a process of its own: the load must fail as it should, and verify must name the version."""
    found, client = [], Client()
    with contextlib.suppress(ArtifactCorrupted, ArtifactMissing):
        client.get_artifact_version(name).load()
        found.append("the load gave a value")
    report = client.verify(read_data=True)
    if not any(f"{name}@1" in problem.versions for problem in report.problems):
        found.append(f"verify did not name it: {report.problems}")
    return found
