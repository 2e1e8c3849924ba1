"""Faults F25 and F33 to F61: names, facts, code and values that misbehave; and the limits of docs/limits.md, at them and just past them."""

import ctypes
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineal import Client, add_tags, load_artifact, log_metadata, pipeline, register_artifact, save_artifact, step
from lineal.errors import (
    ArtifactCorrupted,
    ArtifactMissing,
    InvalidName,
    LinealError,
    OutputError,
    ParameterError,
    StepCrashed,
    UsageError,
    VersionExists,
)
from lineal.materializers.base import Materializer
from lineal.memory import peak

LATE: list[Any] = []


class Late(Materializer):
    id = "test.Late/1"

    def save(self, value: Any, folder: Path) -> None:
        LATE.append((folder / "data").open("w"))
        LATE[-1].write("never flushed")
        (folder / "other").write_text("whole")

    def load(self, folder: Path, type_: Any) -> str:
        return (folder / "data").read_text()


def test_f24_f52_what_a_materializer_writes_after_it_returned_is_noticed() -> None:
    """The digest is that of what was there when it returned; what comes late through a file that it left open is never given as the value."""
    version = save_artifact("value", "late", materializer=Late)
    assert version.load() == ""
    LATE.pop().close()  # flushes
    with pytest.raises(ArtifactCorrupted):
        Client().get_artifact_version("late").load()


def test_f25_names_that_differ_only_in_case_share_nothing() -> None:
    """On disk there are digests only, so no file system can take two names for one."""
    for name in ("Model", "model", "MODEL"):
        save_artifact(name.encode() * 10_000, name)
    assert {name: load_artifact(name)[:5].decode() for name in ("Model", "model", "MODEL")} == {
        "Model": "Model", "model": "model", "MODEL": "MODEL",
    }  # fmt: skip
    assert "odel" not in Client().get_artifact_version("Model").uri.rpartition("store")[2]
    save_artifact(1, "e\u0301tude")
    assert load_artifact("\u00e9tude") == 1, "two ways to write one name are one name"


def test_f35_f37_threads_that_make_the_same_name_and_tag_at_once() -> None:
    """One artifact, dense versions, each with its value."""
    together = threading.Barrier(8)

    def save(n: int) -> None:
        together.wait()
        save_artifact(n, "same", tags=["shared"])
        add_tags("of-all", artifact="same")

    threads = [threading.Thread(target=save, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Client().list_artifacts().total == 1
    found = Client().list_artifact_versions("same", tags="shared")
    assert sorted(int(each.version) for each in found) == list(range(1, 9))
    assert sorted(each.load() for each in found) == list(range(8))
    assert Client().get_artifact("same").tags == ["of-all"]


def test_f36_an_explicit_version_is_one_content() -> None:
    """The same again changes nothing; another one is refused, and hangs on the exception."""
    first = save_artifact([1], "fixed", version="v1")
    assert save_artifact([1], "fixed", version="v1").id == first.id
    with pytest.raises(VersionExists) as caught:
        save_artifact([2], "fixed", version="v1")
    assert caught.value.value == [2]


@step(enable_cache=False)
def count(n: int) -> int:
    return n


@pipeline
def counting(n: int) -> None:
    count(n)


def test_f43_a_clock_that_jumps_a_day_back_changes_no_order_and_no_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions count, and durations come from another clock."""
    counting(1)
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() - 86_400 * 10**9)
    run = counting(2)
    assert run.steps["count"].output.version == "2"
    assert Client().get_artifact_version(run.steps["count"].output.name).load() == 2
    assert run.duration is not None
    assert run.duration.total_seconds() >= 0
    assert run.end_time is not None
    assert run.end_time >= run.start_time


def test_f45_a_reader_that_goes_on_and_on_holds_up_no_writer(lineal_home: Path) -> None:
    """It sees what was there when it began."""
    save_artifact(1, "a")
    reader = sqlite3.connect(lineal_home / "lineal.db", isolation_level=None)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM versions").fetchone()
    for n in range(20):
        save_artifact(n, "a")
    assert reader.execute("SELECT count(*) FROM versions").fetchone() == before == (1,)
    reader.close()
    assert Client().list_artifact_versions("a").total == 21


def open_file() -> Any:
    return Path(os.devnull).open()


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"k": value}
    return value


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    "held",
    [
        {"n": 2**70},
        {"f": float("nan"), "g": float("-inf")},
        {"nul\0": "a\0b"},
        {"s": "\ud800"},
        {f"k{n}": n for n in range(10_000)},
        nested(40),
    ],
    ids=["big", "nan", "NUL", "surrogate", "many", "deep"],
)
def test_f49_unusual_metadata_comes_back(held: dict[str, Any]) -> None:
    """What is within the limits is kept exactly."""
    save_artifact(1, "a", user_metadata=held)
    found = Client().get_artifact_version("a").metadata
    assert repr({key: found[key] for key in held}) == repr(held)


@pytest.mark.parametrize(
    "refused",
    [
        {"x": "x" * (10 << 20)},
        {"x": nested(10_000)},
        {"x": CYCLE},
        {f"k{n}": "x" * 20 for n in range(100_000)},
        {"": 1},
        {1: 2},
        {"x": object()},
    ],
    ids=["large", "deep", "cyclic", "many", "no key", "a number as key", "object"],
)
def test_f49_metadata_beyond_the_limits_is_refused_before_anything_is_written(refused: dict[Any, Any]) -> None:
    """With a typed error, in a script and in a step, and without a crash of the recursion."""
    with pytest.raises(LinealError):
        save_artifact(1, "a", user_metadata=refused)
    assert Client().list_artifact_versions().total == 0

    @step
    def logs() -> int:
        with pytest.raises(LinealError):
            log_metadata(refused)
        return 1

    @pipeline
    def logging() -> None:
        logs()

    assert logging().status == "completed"


def test_limits_of_names_versions_tags_and_metadata() -> None:
    """At the limit it is taken, one past it refused with the limit in the message."""
    room = (1 << 20) - len("m") - len('""')
    assert save_artifact(1, "n" * 255, version="v" * 64, tags=["t" * 255], user_metadata={"m": "x" * room}).load() == 1
    assert save_artifact(1, "deep", user_metadata={"m": nested(100)}).metadata["m"] == nested(100)
    past: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"name": "n" * 256}, InvalidName, "255"),
        ({"version": "v" * 65}, InvalidName, "64"),
        ({"tags": ["t" * 256]}, InvalidName, "255"),
        ({"user_metadata": {"m": "x" * (room + 1)}}, UsageError, "1,048,576"),
        ({"user_metadata": {"m": nested(101)}}, UsageError, "100 levels"),
    ]
    for given, error, limit in past:
        with pytest.raises(error, match=limit):
            save_artifact(1, **{"name": "a", **given})


def test_a_thousand_levels_are_held_and_a_circle_is_refused() -> None:
    """As a value, and as a parameter."""
    deep = nested(1000)
    found = save_artifact(deep, "deep").load()
    for _ in range(1000):  # Python itself cannot compare what is so deep
        found = found["k"]
    assert found == 1

    @step
    def takes(value: list[Any]) -> int:
        return len(value)

    @pipeline
    def taking() -> None:
        takes(CYCLE)

    with pytest.raises(ParameterError, match="cannot be held"):
        taking()


def levels(value: Any) -> int:
    """Count them without recursion."""
    found = 0
    while isinstance(value, dict):
        found, value = found + 1, value["k"]
    return found


@step
def dig(value: dict[str, Any]) -> dict[str, Any]:
    assert value["k"] is not GIVEN[0]["k"], "it is private to the step"
    return value


@pipeline
def digging(value: dict[str, Any]) -> None:
    dig(value)


GIVEN: list[Any] = []


def test_ten_thousand_levels_are_a_parameter_and_a_value_and_one_more_is_refused() -> None:
    """Python itself copies what nests a few hundred levels, and a step used to fail with its RecursionError."""
    GIVEN[:] = [nested(10_000)]
    output = digging(GIVEN[0]).steps["dig"].output
    assert levels(output.load()) == 10_000
    with pytest.raises(LinealError, match="10,000 levels"):
        save_artifact(nested(10_001), "too-deep")
    with pytest.raises(LinealError):
        digging(nested(10_001))


@pytest.mark.parametrize("make", [lambda: (n for n in range(3)), lambda: None, lambda: "text", lambda: (1, 2), open_file])
def test_f54_what_is_no_int_is_refused_with_what_was_expected_and_got(make: Callable[[], Any]) -> None:
    """And what the step gave hangs on the exception."""
    given: list[Any] = []

    @step(enable_cache=False)
    def wrong() -> int:
        given.append(make())
        return given[0]

    @pipeline
    def working() -> None:
        wrong()

    with pytest.raises(OutputError, match=r"wrong.*int|int.*wrong") as caught:
        working()
    assert caught.value.value is given[0]
    if hasattr(given[0], "close"):
        given[0].close()
    assert Client().list_artifact_versions().total == 0


@step
def exits() -> int:
    sys.exit(3)


@step
def leaves() -> int:
    os._exit(3)


@step
def segfaults() -> int:
    return len(ctypes.string_at(0))


@step
def recurses() -> int:
    def again(n: int) -> int:
        return again(n + 1)

    return again(0)


class Unsendable(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__("cannot be made again from its text")
        self.lock = threading.Lock()


@step
def raises_what_cannot_be_sent() -> int:
    raise Unsendable(1, 2)


@pytest.mark.parametrize(
    ("bad", "error", "told"),
    [
        (exits, SystemExit, "SystemExit"),
        (recurses, RecursionError, "recursion"),
        (raises_what_cannot_be_sent, Unsendable, "cannot be made again"),
    ],
)
def test_f55_a_step_that_ends_badly_is_a_failed_step(bad: Any, error: type[BaseException], told: str) -> None:
    """Whatever it raised is raised, and recorded with its traceback."""

    @pipeline
    def working() -> None:
        bad()

    with pytest.raises(error):
        working()
    [failed] = Client().list_pipeline_runs()[0].steps.values()
    assert failed.status == "failed"
    assert told in (failed.error or "")


@pytest.mark.parametrize(("bad", "told"), [(leaves, r"EXIT\(3\)"), (segfaults, "SIGSEGV"), (raises_what_cannot_be_sent, "Unsendable")])
def test_f55_a_worker_that_dies_or_cannot_answer_is_a_failed_step(bad: Any, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its exit code, or the text of what it raised; the run does not hang."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")

    @pipeline
    def working() -> None:
        bad()

    with pytest.raises(StepCrashed, match=told):
        working()
    assert Client().list_pipeline_runs()[0].status == "failed"


@step
def one(n: int) -> int:
    return n


@pipeline
def many(steps: int) -> None:
    for _ in range(steps):
        one(1)


def test_f60_a_thousand_equal_calls_wait_for_the_first_and_then_for_nobody() -> None:
    """Each used to wait a fifth of a second for the one before it."""
    before = time.monotonic()
    run = many(1000)
    assert time.monotonic() - before < 100
    assert [each.status for each in run.steps.values()].count("cached") == 999


def test_f61_a_file_larger_than_it_seems_is_read_in_pieces(tmp_path: Path) -> None:
    """A sparse file of 300 MB: registered and copied with little memory."""
    path = tmp_path / "sparse.bin"
    with path.open("wb") as file:
        file.truncate(300 << 20)
    before = peak() or 0
    for mode in ("reference", "copy"):
        version = register_artifact(path, f"sparse-{mode}", mode=mode)  # type: ignore[arg-type]
        assert version.record.object.size == 300 << 20
    assert (peak() or 0) - before < 100 << 20
    path.unlink()
    with pytest.raises(ArtifactMissing):
        Client().get_artifact_version("sparse-reference").load()
