"""A small pipeline with one of each: a value in its row, files, a table, a registered folder, a saved value, a tag, a cached step."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np

from lineal import Client, get_step_context, pipeline, register_artifact, save_artifact, step
from torture.forks import acknowledge

WORDS = [f"word {number}" for number in range(50)]


@step(enable_cache=False)
def numbers(n: int) -> Annotated[list[int], "numbers"]:
    """A value small enough for its row."""
    return list(range(n))


@step(enable_cache=False)
def arrays(values: list[int]) -> tuple[Annotated[np.ndarray, "array"], Annotated[bytes, "blob"]]:
    """Two values in files, one of some KB and one of two writes of SQLite's page size and more."""
    context = get_step_context()
    acknowledge((context.run_id, "numbers"))
    save_artifact({"n": len(values)}, "saved", tags=["made-inside"])
    return np.arange(3000.0) + len(values), bytes(range(256)) * 160 + len(values).to_bytes(4, "big")


@step
def last(array: np.ndarray, blob: bytes) -> Annotated[float, "last"]:
    """Cached when its inputs were seen before."""
    context = get_step_context()
    acknowledge((context.run_id, "arrays"))
    return float(array.sum()) + len(blob)


@pipeline(enable_cache=True)
def small(n: int) -> None:
    """The pipeline."""
    array, blob = arrays(numbers(n))
    last(array, blob)


def source(folder: Path) -> Path:
    """Make the folder that is registered."""
    (folder / "inner").mkdir(parents=True)
    for number in range(3):
        (folder / "inner" / f"{number}.txt").write_text(f"line {number}\n" * 200, encoding="utf-8")
    return folder


def work(n: int, registered: Path) -> str:
    """What a user does: run, register and save. Acknowledges each part as soon as it is reported done, and gives the run's id."""
    run: Any = small(n)
    acknowledge((str(run.id), "last"))
    acknowledge((str(run.id), None))
    version = register_artifact(str(registered), "registered")
    acknowledge(("version", "registered", version.version))
    version = save_artifact(WORDS * (n + 1) * 20, "words")
    acknowledge(("version", "words", version.version))
    return str(run.id)


def check_value(name: str, value: Any, metadata: Any) -> bool:
    """Tell whether a loaded value is one that `work` can have made."""
    if name == "numbers":
        return bool(value == list(range(len(value))))
    if name == "array":
        return bool(value.shape == (3000,) and (np.diff(value) == 1.0).all())
    if name == "blob":
        return bool(value[:-4] == bytes(range(256)) * 160)
    if name == "words":
        return len(value) % (50 * 20) == 0 and value[:50] == WORDS
    if name == "registered":
        return (Path(value) / "inner" / "2.txt").read_text(encoding="utf-8") == "line 2\n" * 200
    return name in ("last", "saved")


def client() -> Client:
    """A client of the home in force."""
    return Client()
