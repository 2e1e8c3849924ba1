"""Other processes that run a script of ours, and that never outlive the test."""

import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that starts a Python script, given as text, in the working directory; arguments follow."""
    started: list[subprocess.Popen[str]] = []

    def begin(script: str, *arguments: object) -> "subprocess.Popen[str]":
        path = Path(f"script_{zlib.crc32(script.encode())}.py").absolute()  # the same script is the same file again
        path.write_text(textwrap.dedent(script))
        command = [sys.executable, str(path), *map(str, arguments)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def ended(start: Start) -> Callable[..., tuple[int, str, str]]:
    """Give a function that runs a script to its end: its exit code, and what it wrote on standard output and standard error."""

    def run(script: str, *arguments: object) -> tuple[int, str, str]:
        process = start(script, *arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    return run
