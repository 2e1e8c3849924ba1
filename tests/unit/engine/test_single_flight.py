"""One computation: who needs a result that somebody is making waits for it, and never for the dead."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineal import Client, pipeline, step
from lineal.engine import cache, waits
from lineal.engine.claims import Claims

PROJECT = """
    import os, sys, time
    from pathlib import Path
    from lineal import pipeline, step

    @step(undeclared="off")
    def slow(n: int) -> int:
        with Path("computed.txt").open("a") as file:
            print(n, os.getpid(), file=file, flush=True)
        end = time.monotonic() + float(Path("seconds.txt").read_text())
        while time.monotonic() < end and not Path("stop.txt").exists():
            time.sleep(0.01)
        if Path("fail.txt").exists():
            Path("fail.txt").unlink()
            raise RuntimeError("the first one fails")
        return n + 1

    @pipeline
    def flow(numbers: str = "1") -> None:
        for n in map(int, numbers.split(",")):
            slow(n)

    if __name__ == "__main__":
        print("ready", flush=True)
        if len(sys.argv) > 2:
            while time.time() < float(sys.argv[2]):
                time.sleep(0.001)
        run = flow(sys.argv[1])
        print(*(f"{each.status}" for each in run.steps.values()), flush=True)
    """


@pytest.fixture(autouse=True)
def _project() -> None:
    Path("project.py").write_text(textwrap.dedent(PROJECT))
    Path("seconds.txt").write_text("1")


class Processes:
    """Runs of the project in processes of their own."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(self, numbers: str = "1", *arguments: object, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "project.py", numbers, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


@pytest.fixture
def processes() -> Iterator[Processes]:
    found = Processes()
    yield found
    found.end()


def result(process: "subprocess.Popen[str]") -> tuple[str, str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.splitlines()[-1], err


def computed() -> list[str]:
    path = Path("computed.txt")
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def wait_until_waiting(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if "waits for" in line:
            return str(line)
    raise AssertionError("it did not wait")


def wait_until_computing(count: int = 1) -> None:
    deadline = time.monotonic() + 30
    while len(computed()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run_here(numbers: str = "1") -> Any:
    sys.path.insert(0, str(Path.cwd()))
    try:
        import project  # type: ignore[import-not-found]

        return project.flow(numbers)
    finally:
        sys.path.pop(0)
        sys.modules.pop("project", None)


@pytest.mark.slow
def test_processes_that_start_together_compute_once(processes: Processes) -> None:
    """At the very same moment: no half second in which two may begin."""
    begin = time.time() + 3
    found = [result(each)[0] for each in [processes.start("1", begin) for _ in range(3)]]
    assert sorted(found) == ["cached", "cached", "completed"]
    assert computed() == ["1"]


def test_the_second_takes_the_result_of_the_first_and_says_that_it_waits(processes: Processes) -> None:
    Path("seconds.txt").write_text("60")
    first = processes.start()
    wait_until_computing()
    time.sleep(1.2)  # long enough for the first to be shown as running
    second = processes.start()
    said = wait_until_waiting(second)
    Path("stop.txt").touch()
    out, err = result(second)
    assert out == "cached"
    assert result(first)[0] == "completed"
    leader = next(run for run in Client().list_pipeline_runs() if run.steps["slow"].status == "completed")
    assert f"waits for run {leader.name}, which is making the same result" in said
    assert f"from run {leader.name}" in err


def test_a_leader_that_dies_blocks_nobody(processes: Processes) -> None:
    Path("seconds.txt").write_text("60")
    first = processes.start()
    wait_until_computing()
    second = processes.start()
    wait_until_waiting(second)
    Path("seconds.txt").write_text("0")
    first.kill()
    died = time.monotonic()
    assert result(second)[0] == "completed"
    assert time.monotonic() - died < 10  # far less than the lease


def test_a_leader_that_fails_lets_the_next_one_try(processes: Processes) -> None:
    Path("fail.txt").touch()
    Path("seconds.txt").write_text("60")
    first = processes.start()
    wait_until_computing()
    second = processes.start()
    wait_until_waiting(second)
    Path("stop.txt").touch()
    assert result(second)[0] == "completed"
    assert first.wait(30) == 1
    assert computed() == ["1", "1"]


def test_a_leader_without_a_sign_of_life_is_waited_for_no_longer_than_the_lease(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there, and stopped: a laptop's lid, a debugger."""
    monkeypatch.setattr(waits, "LEASE", 1.5)
    first = processes.start()
    wait_until_computing()
    first.send_signal(signal.SIGSTOP)
    try:
        Path("seconds.txt").write_text("0")
        began = time.monotonic()
        run = run_here()
        assert run.steps["slow"].status == "completed"
        assert 1.4 < time.monotonic() - began < 15
    finally:
        first.send_signal(signal.SIGCONT)
    assert result(first)[0] == "completed"  # and it ends well when it goes on


def test_as_long_as_the_leader_gives_signs_of_life_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease runs from the last sign of life, not from the beginning."""
    monkeypatch.setattr(waits, "LEASE", 1.5)
    beats = iter(range(1, 1000))

    class Beating:
        """A store in which the run's heart beats with every look."""

        def find_running(self, key: str) -> Any:
            return type("Run", (), {"heartbeat": next(beats), "name": "leader"})()

    class Taken:
        def take(self, key: str) -> bool:
            return False

    held = waits.Waits(Taken(), Beating())  # type: ignore[arg-type]
    call = type("Call", (), {"position": 0})()
    assert not held.claim(call, "00")
    began = time.monotonic()
    while time.monotonic() - began < 2.5:
        assert held.due() == []
        held.pause()
    assert held


def test_it_can_be_switched_off(processes: Processes) -> None:
    Path("seconds.txt").write_text("60")
    first, second = (processes.start(LINEAL_SINGLE_FLIGHT="off") for _ in range(2))
    wait_until_computing(2)
    Path("stop.txt").touch()
    assert [result(first)[0], result(second)[0]] == ["completed", "completed"]
    assert computed() == ["1", "1"]


def test_other_keys_do_not_wait(processes: Processes) -> None:
    Path("seconds.txt").write_text("60")
    processes.start("1")
    wait_until_computing()
    Path("seconds.txt").write_text("0")
    began = time.monotonic()
    assert run_here("2").steps["slow"].status == "completed"
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_runs_that_need_each_others_results_do_not_block_each_other(processes: Processes) -> None:
    """Each runs one step and waits for the other's at the same time: waiting stops nothing that runs."""
    begin = time.time() + 3
    pair = [processes.start(numbers, begin, LINEAL_ORCHESTRATOR="processes") for numbers in ("1,2", "2,1")]
    statuses = sorted(" ".join(result(each)[0] for each in pair).split())
    assert statuses == ["cached", "cached", "completed", "completed"]
    assert sorted(computed()) == ["1", "2"]


@pytest.mark.slow
def test_the_same_call_twice_in_one_run_is_computed_once(processes: Processes) -> None:
    assert result(processes.start("1,1", LINEAL_ORCHESTRATOR="processes"))[0] == "completed cached"
    assert computed() == ["1"]


def test_two_threads_compute_once() -> None:
    count = []

    @step(undeclared="off")
    def slow(n: int) -> int:
        with Path("computed.txt").open("a") as file:
            print(n, file=file)
        time.sleep(0.5)
        return n

    @pipeline
    def flow() -> None:
        slow(7)

    threads = [threading.Thread(target=lambda: count.append(flow().steps["slow"].status)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(count) == ["cached", "cached", "completed"]
    assert computed() == ["7"]


def test_what_was_made_between_the_look_and_the_claim_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run commits its result and drops its claim at the worst moment: just after this one looked in the cache."""

    @step(undeclared="off")
    def quick(n: int) -> int:
        with Path("computed.txt").open("a") as file:
            print(n, file=file)
        return n

    @pipeline
    def flow() -> None:
        quick(7)

    looked = cache.look_up
    others = []

    def look_and_be_late(*given: Any) -> Any:
        found = looked(*given)
        if not others:
            others.append(threading.Thread(target=flow))
            others[0].start()
            others[0].join(1)  # without a claim, it comes to its end here
        return found

    monkeypatch.setattr(cache, "look_up", look_and_be_late)
    flow()
    others[0].join()
    assert computed() == ["7"]


def test_a_hit_needs_no_claim_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who only looks may have the claim at that moment."""

    @step(undeclared="off")
    def quick(n: int) -> int:
        return n

    @pipeline
    def flow() -> None:
        quick(7)

    flow()
    monkeypatch.setattr(Claims, "take", lambda self, key: False)
    assert flow().steps["quick"].status == "cached"


def test_a_run_that_begins_in_another_thread_while_a_step_is_at_work_waits_too() -> None:
    """It is no part of that step, although no other step runs in this process."""

    @step(undeclared="off")
    def slow(n: int) -> int:
        with Path("computed.txt").open("a") as file:
            print(n, file=file)
        while not Path("stop.txt").exists():
            time.sleep(0.01)
        return n

    @pipeline
    def flow() -> None:
        slow(7)

    first, second = (threading.Thread(target=flow) for _ in range(2))
    first.start()
    wait_until_computing()
    second.start()
    second.join(1)
    Path("stop.txt").touch()
    first.join()
    second.join()
    assert computed() == ["7"]


def test_a_pipeline_inside_a_step_waits_for_nobody() -> None:
    """Else a step that runs a pipeline with the same call in it would wait for itself."""

    @step(undeclared="off")
    def leaf(n: int) -> int:
        return n

    @pipeline
    def inner() -> None:
        leaf(1)

    @step(undeclared="off")
    def outer() -> str:
        return str(inner().status)

    @pipeline
    def flow() -> None:
        outer()

    assert flow().steps["outer"].output.load() == "completed"


def test_ctrl_c_ends_the_waiting(processes: Processes) -> None:
    Path("seconds.txt").write_text("60")
    processes.start()
    wait_until_computing()
    second = processes.start()
    wait_until_waiting(second)
    second.send_signal(signal.SIGINT)
    _, err = second.communicate(timeout=20)
    assert "KeyboardInterrupt" in err
    waiting = Client().list_pipeline_runs()[0]
    assert (waiting.status, waiting.steps["slow"].status) == ("cancelled", "cancelled")
