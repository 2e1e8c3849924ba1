"""Memory as the system tells it, in the layouts that systems have."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineal import memory


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty folder in place of /proc and /sys."""
    for name in ("_CGROUP", "_PROCESS", "_MACHINE"):
        monkeypatch.setattr(memory, name, tmp_path / name.strip("_").lower())
    for cached in (memory.limit, memory._groups):
        cached.cache_clear()
    yield tmp_path
    for cached in (memory.limit, memory._groups):
        cached.cache_clear()


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_peak_is_that_of_this_process() -> None:
    """It grows by what a process takes, and tells that of a child once it has ended."""
    child = "from lineal import memory; before = memory.peak(); b = b'x' * (64 << 20); print(memory.peak() - before)"
    # By way of a small process: on Linux a process begins with the peak of the one that started it.
    code = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    grown = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert 60 << 20 < grown < 80 << 20
    assert (memory.children_peak() or 0) >= 64 << 20


def test_the_peak_is_not_that_of_the_process_that_started_it() -> None:
    """A worker that a large notebook starts has not used what the notebook has."""
    child = "from lineal import memory; print(memory.peak())"
    code = f"import subprocess, sys; b = b'x' * (256 << 20); sys.exit(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"
    found = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert found < 128 << 20


@pytest.mark.parametrize(
    ("groups", "folder", "limit_file", "kills_file"),
    [
        ("0::/job/one\n", "cgroup/job/one", "memory.max", "memory.events"),
        ("0::/not/seen/from/here\n", "cgroup", "memory.max", "memory.events"),
        ("4:memory:/job\n3:cpuset:/\n0::/\n", "cgroup/memory/job", "memory.limit_in_bytes", "memory.oom_control"),
    ],
    ids=["v2", "container", "v1"],
)
def test_a_control_group_limits_and_counts(groups: str, folder: str, limit_file: str, kills_file: str, system: Path) -> None:
    """The group's own count decides before the machine's, which speaks of others too."""
    put(system / "process", groups)
    put(system / folder / limit_file, "1048576\n")
    put(system / folder / kills_file, "low 0\noom_kill 3\n")
    put(system / "machine", "nr_free_pages 1\noom_kill 7\n")
    assert memory.limit() == 1 << 20
    kills = memory.kills()
    assert list(kills.values()) == [3, 7]
    put(system / "machine", "oom_kill 8\n")
    assert memory.killed_since(kills) is False
    put(system / folder / kills_file, "oom_kill 4\n")
    assert memory.killed_since(kills) is True
    (system / folder / kills_file).unlink()  # the group ended with its processes
    assert memory.killed_since(kills) is True


def test_a_group_without_a_limit_has_that_of_the_machine(system: Path) -> None:
    """`max` is no number."""
    machine = memory.limit()
    put(system / "process", "0::/\n")
    put(system / "cgroup/memory.max", "max\n")
    memory.limit.cache_clear()
    memory._groups.cache_clear()
    assert memory.limit() == machine


def test_a_system_that_tells_nothing(system: Path) -> None:
    """No count is no answer, and no error."""
    assert memory.kills() == {}
    assert memory.killed_since({str(system / "gone"): 1}) is None
