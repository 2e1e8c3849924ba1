"""Faults F01 to F12: processes that die, at the worst moments."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineal import Client, pipeline, step
from lineal.engine.claims import claims_at
from lineal.errors import StepCrashed
from lineal.host import alone, life_sign
from lineal.materializers.base import Materializer
from lineal.memory import peak
from lineal.metadata_store.sql import SqliteMetadataStore

TWO_STEPS = """
    import os, signal, sys
    from typing import Annotated
    from lineal import pipeline, step
    from lineal.metadata_store.sql import SqliteMetadataStore

    @step
    def first() -> Annotated[bytes, "first"]:
        return bytes(40_000)

    @step
    def second(values: bytes) -> Annotated[bytes, "second"]:
        return values + b"2"

    @pipeline
    def working():
        second(first())

    commit, calls = SqliteMetadataStore.finish_steps, []

    def die(self, commits):
        calls.append(1)
        if len(calls) == 2 and sys.argv[1] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = commit(self, commits)
        if len(calls) == 2 and sys.argv[1] == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    SqliteMetadataStore.finish_steps = die
    print(*(each.status for each in working().steps.values()))
    """


def test_f02_a_kill_between_the_files_and_the_facts_leaves_no_row(ended: Any) -> None:
    """The files are in place and nobody speaks of them; the next run adopts them."""
    assert ended(TWO_STEPS, "before")[0] == -signal.SIGKILL
    client = Client()
    assert client.list_artifact_versions(artifact="second").total == 0
    store = client.workspace.artifact_store
    assert len(list(store.digests())) == 2, "the second object was put in place before the kill"
    assert ended(TWO_STEPS, "never")[:2] == (0, "cached completed\n")
    assert len(list(store.digests())) == 2
    assert client.get_artifact_version("second").load() == bytes(40_000) + b"2"


def test_f03_a_kill_after_the_commit_loses_nothing_and_repeats_nothing(ended: Any) -> None:
    """The caller never heard of the commit: asking again finds it, and makes no second version."""
    assert ended(TWO_STEPS, "after")[0] == -signal.SIGKILL
    assert ended(TWO_STEPS, "never")[:2] == (0, "cached cached\n")
    client = Client()
    assert [each.version for each in client.list_artifact_versions(artifact="second")] == ["1"]


SLEEPER = """
    import sys, time
    from lineal import pipeline, step

    @step
    def done() -> list[int]:
        return [1, 2, 3]

    @step
    def sleeps(values: list[int]) -> int:
        print("asleep", flush=True)
        if len(sys.argv) > 1:
            time.sleep(600)
        return len(values)

    @pipeline
    def working():
        sleeps(done())

    run = working()
    print(*(each.status for each in run.steps.values()))
    """


@pytest.mark.parametrize("orchestrator", ["local", "processes"])
def test_f07_a_run_whose_process_is_killed_is_crashed_with_its_reason(
    orchestrator: str, start: Any, ended: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it: the first look says so, the command line too, and the next run takes over what was finished."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", orchestrator)
    victim = start(SLEEPER, "sleep")
    assert "asleep" in victim.stdout.readline()
    patience = time.monotonic() + 60
    while "sleeps" not in (steps := Client().list_pipeline_runs()[0].steps) or steps["sleeps"].status != "running":
        assert time.monotonic() < patience, "the running step was never shown"
        time.sleep(0.05)
    victim.kill()
    victim.wait()
    [run] = Client().list_pipeline_runs()
    assert run.status == "crashed"
    assert run.error is not None
    assert run.error.startswith("killed: ")
    assert "it had used" in run.error
    assert {name: (each.status, each.error) for name, each in run.steps.items()} == {
        "done": ("completed", None),
        "sleeps": ("crashed", run.error),
    }
    command = [sys.executable, "-c", "from lineal.cli import main; main()", "runs", "show", run.name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "crashed" in shown.stdout
    assert "killed: its process ended without finishing it" in shown.stdout
    code, out, err = ended(SLEEPER)
    assert (code, out.splitlines()[-1]) == (0, "cached completed"), err
    victim.communicate(timeout=60)  # ends when the last worker does: none goes on with a step that nobody waits for


@step
def eats_and_dies(megabytes: int) -> int:
    held = b"x" * (megabytes << 20)
    os.kill(os.getpid(), signal.SIGKILL)
    return len(held)


@step
def leaves(code: int) -> int:
    os._exit(code)


@step
def sibling() -> int:
    return 1


def test_f08_a_killed_worker_fails_its_step_with_the_reason_and_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's killer works with SIGKILL; what the worker had used is kept in the step's record, and siblings go on."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")
    held = 64 + ((peak() or 0) >> 20)  # a worker begins with the peak of the process that started it

    @pipeline
    def eating() -> None:
        eats_and_dies(held)
        sibling()

    with pytest.raises(StepCrashed, match=r"SIGKILL.*killed.*out of memory.*it had used") as caught:
        eating()
    steps = Client().list_pipeline_runs()[0].steps
    assert {name: each.status for name, each in steps.items()} == {"eats_and_dies": "failed", "sibling": "completed"}
    assert steps["eats_and_dies"].peak_memory is not None
    assert steps["eats_and_dies"].peak_memory >= held << 20
    assert steps["eats_and_dies"].peak_memory == caught.value.peak_memory
    assert json.loads(json.dumps(steps["eats_and_dies"].to_json()))["peak_memory"] == caught.value.peak_memory


ROOM = 256 << 20

STARVED = """
    import os, signal, sys
    from pathlib import Path

    group, kind, orchestrator = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if kind == "real":  # before anything is imported that asks for the limit
        (group / "cgroup.procs").write_text(str(os.getpid()))

    from lineal import Client, memory, pipeline, step
    from lineal.errors import StepCrashed

    if kind == "pretended":
        memory._groups = lambda: (group,)

    @step
    def eats(group: str, most: int) -> int:
        held = []
        while len(held) < most:
            held.append(bytes([1]) * (1 << 20))
        Path(group, "memory.events").write_text("oom_kill 1\\n")  # nobody comes here where memory is short in truth
        os.kill(os.getpid(), signal.SIGKILL)
        return len(held)

    @step
    def sibling() -> int:
        return 1

    @pipeline
    def starving(most: int):
        sibling()
        eats(str(group), most)

    try:
        starving(1 << 20 if kind == "real" else 160)
    except StepCrashed as error:
        eaten = Client().list_pipeline_runs()[0].steps
        print(error)
        print(eaten["sibling"].status, eaten["eats"].status, eaten["eats"].peak_memory)
    """


@contextlib.contextmanager
def little_memory(folder: Path, kind: str) -> Iterator[tuple[Path, str]]:
    """Give a control group with room for ROOM bytes, in this process's own; or a folder that looks like one, where none may be made."""
    try:
        if kind == "pretended":
            raise PermissionError
        group = memory_group() / f"lineal-test-{os.getpid()}"
        group.mkdir()
    except OSError:
        (folder / "memory.max").write_text(str(ROOM))
        (folder / "memory.events").write_text("oom_kill 0\n")
        yield folder, "pretended"
        return
    try:
        if (group / "memory.max").exists():
            (group / "memory.max").write_text(str(ROOM))
            swap = group / "memory.swap.max", "0"
        else:
            (group / "memory.limit_in_bytes").write_text(str(ROOM))
            swap = group / "memory.memsw.limit_in_bytes", str(ROOM)
        if swap[0].exists():
            swap[0].write_text(swap[1])
        yield group, "real"
    finally:
        deadline = time.monotonic() + 20
        while True:
            try:
                group.rmdir()
                break
            except OSError:  # a process in it has not quite ended
                assert time.monotonic() < deadline
                time.sleep(0.05)


def memory_group() -> Path:
    """Give this process's control group for memory. Raises PermissionError when none may be made in it."""
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        folder = Path("/sys/fs/cgroup", "memory" if controllers else "", path.lstrip("/"))
        if "memory" in controllers.split(",") and (folder / "memory.limit_in_bytes").exists():
            return folder
        given = folder / "cgroup.subtree_control"
        if not controllers and given.exists() and "memory" in given.read_text(encoding="ascii").split():
            return folder
    raise PermissionError


@pytest.mark.parametrize("kind", ["real", "pretended"])
def test_f08_a_worker_that_takes_all_memory_is_told_from_one_that_was_killed(
    kind: str, ended: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system kills it, in a control group with little room; where none may be made, its count of such kills is pretended."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")
    with little_memory(tmp_path, kind) as (group, real):
        code, out, err = ended(STARVED, group, real, "processes")
    assert code == 0, err
    said, facts = out.splitlines()[-2:]
    assert re.search(r"eats.*its worker process died.*SIGKILL.* \(killed by the system: out of memory; it had used \d+ MB\)", said), said
    sibling_status, status, peak_memory = facts.split()
    assert (sibling_status, status) == ("completed", "failed")
    assert 100 << 20 < int(peak_memory) <= ROOM


@pytest.mark.parametrize("kind", ["real", "pretended"])
def test_f07_a_run_that_takes_all_memory_is_told_from_one_that_was_killed(kind: str, ended: Any, tmp_path: Path) -> None:
    """Its process writes nothing any more; the next look says what it died of, and how much it had used."""
    with little_memory(tmp_path, kind) as (group, real):
        assert ended(STARVED, group, real, "local")[0] == -signal.SIGKILL
        run = Client().list_pipeline_runs()[0]
        assert run.status == "crashed"
        used = re.fullmatch(r"out of memory: the system killed its process, .*; it had used (\d+) MB of 268 MB", run.error)
    assert used, run.error
    assert 30 < int(used[1]) <= 268
    assert run.steps["sibling"].status == "completed"


@pytest.mark.parametrize("signals", [1, 2])
def test_f09_ctrl_c_during_a_commit_waits_for_it_once(signals: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One Ctrl-C lets the commit end; a second one does not wait, and what is recorded is whole either way."""
    whole = SqliteMetadataStore.finish_steps

    def interrupted(self: SqliteMetadataStore, commits: Any) -> Any:
        if commits[-1].step_run.name == "sibling" and commits[-1].outputs:
            for _ in range(signals):
                signal.raise_signal(signal.SIGINT)
        return whole(self, commits)

    monkeypatch.setattr(SqliteMetadataStore, "finish_steps", interrupted)
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.default_int_handler)

    @pipeline
    def working() -> None:
        sibling()
        leaves(1)

    with pytest.raises(KeyboardInterrupt):
        working()
    run = Client().list_pipeline_runs()[0]
    assert run.status == "cancelled"
    done = {name: each.status for name, each in run.steps.items()}
    assert done == {"sibling": "completed" if signals == 1 else "cancelled", "leaves": "cancelled"}
    assert Client().list_artifact_versions().total == (1 if signals == 1 else 0)


class Interrupted(Materializer):
    id = "test.Interrupted/1"

    def save(self, value: Any, folder: Path) -> None:
        (folder / "half").write_text("half")
        signal.raise_signal(signal.SIGINT)


def test_f09_ctrl_c_while_a_value_is_saved_leaves_nothing() -> None:
    """The run is cancelled; nothing is staged, recorded or lost of what was there."""

    @step(output_materializers=Interrupted)
    def unfinished() -> int:
        return 1

    @pipeline
    def working() -> None:
        unfinished()

    with pytest.raises(KeyboardInterrupt):
        working()
    client = Client()
    assert client.list_pipeline_runs()[0].status == "cancelled"
    assert client.list_artifact_versions().total == 0
    assert list((client.workspace.artifact_store.path / "staging").iterdir()) == []  # type: ignore[attr-defined]


HOLDER = """
    import sys
    from pathlib import Path
    from lineal.engine.claims import claims_at
    from lineal.host import alone, life_sign

    here = Path(sys.argv[1])
    with alone(here / "prune.lock") as mine:
        assert mine
        assert claims_at(here / "claims").take("0" * 64)
        print(life_sign(here / "alive").token(), flush=True)
        sys.stdin.read()
    """


def test_f12_locks_claims_and_signs_of_life_go_with_their_process(start: Any, tmp_path: Path) -> None:
    """No lock needs to be removed by hand after a kill."""
    holder = start(HOLDER, tmp_path)
    token = holder.stdout.readline().strip()
    claims, life = claims_at(tmp_path / "claims"), life_sign(tmp_path / "alive")
    with alone(tmp_path / "prune.lock") as mine:
        assert not mine
    assert not claims.take("0" * 64)
    assert life.is_alive(token) is True
    holder.kill()
    holder.wait()
    with alone(tmp_path / "prune.lock") as mine:
        assert mine
    assert claims.take("0" * 64)
    assert life.is_alive(token) is False
    claims.drop("0" * 64)
    claims.rest()
