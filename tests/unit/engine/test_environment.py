"""What a run ran in is known: Python, the platform, and the commit."""

import platform
import subprocess
from pathlib import Path

from lineal import pipeline, step


@step
def one() -> int:
    return 1


@pipeline
def counting():
    one()


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def test_python_and_platform_are_noted_without_a_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = counting().environment
    assert found["python"] == platform.python_version()
    assert "git_commit" not in found


def test_the_commit_and_whether_files_were_changed_are_noted(tmp_path, monkeypatch):
    for name, dirty in (("clean", False), ("dirty", True)):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        git("init", "-q")
        Path("code.py").write_text("1\n")
        git("add", "code.py")
        git("commit", "-qm", "first")
        if dirty:
            Path("code.py").write_text("2\n")
        found = counting().environment
        assert (found["git_commit"], found["git_dirty"]) == (git("rev-parse", "HEAD"), dirty)
