"""What must hold end to end, in real processes on a real store."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lineal import Client

PROJECT = {
    "project/__init__.py": "",
    "project/clean.py": """
        RATE = 2

        def scale(values):
            # a comment
            return [value * RATE for value in values]

        def unrelated():
            return 1
        """,
    "project/features.py": """
        from project import clean

        def features(values):
            return clean.scale(values)
        """,
    "flow.py": """
        from typing import Annotated
        from lineal import pipeline, step
        from project.features import features
        from project import clean

        @step
        def load() -> list[int]:
            return [1, 2, 3]

        @step
        def prepare(values: list[int]) -> Annotated[list[int], "prepared"]:
            return features(values)

        @step
        def other(values: list[int]) -> int:
            return len(values) + clean.unrelated()

        @step
        def train(values: list[int]) -> Annotated[int, "model"]:
            return sum(values)

        @pipeline
        def training():
            values = load()
            train(prepare(values))
            other(values)

        if __name__ == "__main__":
            run = training()
            print(" ".join(f"{name}={each.status}" for name, each in run.steps.items()))
        """,
}


def write_project(folder: Path) -> None:
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def run_flow(folder: Path) -> dict[str, str]:
    done = subprocess.run([sys.executable, "flow.py"], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return dict(part.split("=") for part in done.stdout.split())


def test_editing_a_helper_two_modules_away_reruns_exactly_the_steps_that_reach_it(tmp_path):
    write_project(tmp_path)
    assert set(run_flow(tmp_path).values()) == {"completed"}
    assert set(run_flow(tmp_path).values()) == {"cached"}
    clean = tmp_path / "project/clean.py"
    original = clean.read_text()

    clean.write_text(original.replace("# a comment", "# another comment\n"))
    assert set(run_flow(tmp_path).values()) == {"cached"}, "a comment re-runs nothing"

    clean.write_text(original.replace("value * RATE", "value * RATE + 1"))
    assert run_flow(tmp_path) == {"load": "cached", "prepare": "completed", "train": "completed", "other": "cached"}

    clean.write_text(original.replace("RATE = 2", "RATE = 3"))
    assert run_flow(tmp_path) == {"load": "cached", "prepare": "completed", "train": "completed", "other": "cached"}

    clean.write_text(original.replace("return 1", "return 2"))
    assert run_flow(tmp_path) == {"load": "cached", "prepare": "cached", "train": "cached", "other": "completed"}

    features = tmp_path / "project/features.py"
    features.write_text(features.read_text().replace("return clean.scale(values)", "return list(clean.scale(values))"))
    assert run_flow(tmp_path) == {"load": "cached", "prepare": "completed", "train": "cached", "other": "cached"}, (
        "equal content stops the ripple"
    )


def test_sixteen_processes_run_the_same_pipeline_at_once_on_one_fresh_store(tmp_path):
    (tmp_path / "flow.py").write_text(
        textwrap.dedent(
            """
            import sys
            from typing import Annotated
            from lineal import pipeline, step

            @step(enable_cache=False)
            def make(n: int) -> Annotated[int, "counted"]:
                return n

            @step
            def twice(n: int) -> Annotated[list[int], "doubled"]:
                return [n] * 5000

            @pipeline
            def working(n: int):
                twice(make(n))

            for round in range(3):
                working(int(sys.argv[1]) % 4)
            """
        )
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "flow.py", str(n)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for n in range(16)
    ]  # fmt: skip
    try:
        outputs = [racer.communicate(timeout=100)[0] for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
    assert [racer.returncode for racer in racers] == [0] * 16, "\n".join(outputs)
    client = Client()
    versions = client.list_artifact_versions(artifact="counted", limit=1000)
    assert sorted(int(each.version) for each in versions) == list(range(1, 49))
    assert client.list_pipeline_runs(limit=1000).total == 48
    doubled = client.list_artifact_versions(artifact="doubled", limit=1000)
    assert sorted(int(each.version) for each in doubled) == list(range(1, len(doubled) + 1))
    for each in doubled:
        assert len(each.load()) == 5000


KILLED = """
    import sys
    import numpy as np
    from typing import Annotated
    from lineal import pipeline, step

    @step(enable_cache=False)
    def base(n: int) -> Annotated[list[int], "base"]:
        return list(range(n))

    @step(enable_cache=False)
    def array(values: list[int]) -> tuple[Annotated[np.ndarray, "array"], Annotated[bytes, "blob"]]:
        return np.arange(30_000.0) + len(values), bytes(40_000)

    @step
    def last(array: np.ndarray, blob: bytes) -> Annotated[float, "last"]:
        return float(array.sum()) + len(blob)

    @pipeline
    def working(n: int):
        data = base(n)
        last(*array(data))

    print("ready", flush=True)
    for n in range(int(sys.argv[1]), int(sys.argv[2])):
        working(n)
    """


@pytest.mark.timeout(400)
def test_fifty_kills_at_random_moments_leave_a_store_on_which_the_next_run_succeeds(tmp_path, seeded):
    (tmp_path / "flow.py").write_text(textwrap.dedent(KILLED))
    killed = 0
    for trial in range(50):
        victim = subprocess.Popen(
            [sys.executable, "flow.py", str(trial * 1000), str(trial * 1000 + 1000)],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert victim.stdout is not None
        assert victim.stdout.readline() == "ready\n"
        time.sleep(seeded.uniform(0.0, 0.25))
        victim.send_signal(signal.SIGKILL)
        victim.wait(10)
        victim.stdout.close()
        killed += victim.returncode == -signal.SIGKILL
    assert killed == 50
    done = subprocess.run([sys.executable, "flow.py", "-2", "0"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    client = Client()
    for name in ("base", "array", "blob", "last"):
        versions = client.list_artifact_versions(artifact=name, limit=10000)
        assert versions.total >= 2
        assert sorted(int(each.version) for each in versions) == list(range(1, versions.total + 1)), "versions are dense"
        for each in versions:
            each.load()
    assert client.list_pipeline_runs(status="running").total == 0, "a run whose process died does not stay running"
    assert client.list_pipeline_runs(status="crashed", limit=100).total >= 1


@pytest.mark.parametrize("orchestrator", ["local", "processes"])
def test_ctrl_c_stops_cleanly(tmp_path, orchestrator, monkeypatch):
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", orchestrator)
    (tmp_path / "flow.py").write_text(
        textwrap.dedent(
            """
            import time
            from lineal import pipeline, step

            @step
            def quick() -> int:
                return 1

            @step
            def slow(n: int) -> int:
                print("sleeping", flush=True)
                time.sleep(60)
                return n

            @pipeline
            def working():
                slow(quick())

            if __name__ == "__main__":
                working()
            """
        )
    )
    process = subprocess.Popen([sys.executable, "flow.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "sleeping" in line
        patience = time.monotonic() + 30
        while "slow" not in Client().list_pipeline_runs()[0].steps:  # until others see the step
            assert time.monotonic() < patience
            time.sleep(0.05)
        assert Client().list_pipeline_runs()[0].steps["slow"].status == "running"
        process.send_signal(signal.SIGINT)
        process.wait(20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode != 0
    run = Client().list_pipeline_runs()[0]
    assert run.status == "cancelled"
    assert [(each.name, each.status) for each in Client().workspace.metadata.list_step_runs(str(run.id))] == [
        ("quick", "completed"),
        ("slow", "cancelled"),
    ]
