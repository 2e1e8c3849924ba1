"""What the tests of several libraries need: a pickle that leaves a trace when it is read, and a process of its own."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineal.testing.materializers import MaterializerTests, content, save

# Read when the libraries are imported, which is when the test files are.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["KERAS_BACKEND"] = "torch"


class Trap:
    """A value whose pickle creates a file when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)

    @property
    def pickled(self) -> bytes:
        """The bytes of the pickle."""
        return pickle.dumps(self)

    @property
    def sprung(self) -> bool:
        """Whether the pickle was read."""
        return self.marker.exists()


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    """Give a trap that works, which is proved by reading one like it."""
    proof = Trap(tmp_path / "proof")
    pickle.loads(proof.pickled)
    assert proof.sprung
    return Trap(tmp_path / "sprung")


@pytest.fixture
def elsewhere() -> Callable[..., str]:
    """Give a function that runs a program in a process of its own, with a hash seed, and gives what it prints."""

    def run(program: str, *arguments: object, seed: int = 0) -> str:
        command = [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


_SAVE_AGAIN = """
import importlib.util, json, sys
from pathlib import Path
name, path, folder, *classes = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, path)
module = sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from lineal.testing.materializers import content, save
for cls in classes:
    suite = getattr(module, cls)
    for index, value in enumerate(suite.values):
        print(json.dumps(content(save(suite.materializer, value, Path(folder) / f"{cls}-{index}"))))
"""


@pytest.fixture
def assert_same_elsewhere(elsewhere: Callable[..., str], tmp_path: Path) -> Callable[..., None]:
    """Give a function that has a process with another hash seed make and save the values of test classes, and compares the bytes.

    One process for all classes of a file: importing the library takes most of the time. The values must be made the same each time.
    """

    def check(*suites: type[MaterializerTests]) -> None:
        module = sys.modules[suites[0].__module__]
        names = [suite.__name__ for suite in suites]
        (tmp_path / "here").mkdir()
        (tmp_path / "there").mkdir()
        there = elsewhere(_SAVE_AGAIN, module.__name__, module.__file__, tmp_path / "there", *names, seed=7).splitlines()
        pairs = [(suite, index, value) for suite in suites for index, value in enumerate(suite.values)]
        for (suite, index, value), line in zip(pairs, there, strict=True):
            here = content(save(suite.materializer, value, tmp_path / "here" / f"{suite.__name__}-{index}"))
            assert here == json.loads(line), f"{suite.__name__}.values[{index}] has other bytes in another process"

    return check
