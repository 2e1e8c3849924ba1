"""The command line in process, for the tests of what is promised."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lineal.cli import main


class Result(NamedTuple):
    """What one call of the command line gave."""

    code: Any
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def lineal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Give a function that runs `lineal` with arguments."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*arguments: object) -> Result:
        loaded = set(sys.modules)
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        # A file is run once in a process of its own; here the next call has one of the same name.
        for name in set(sys.modules) - loaded:
            if str(Path.cwd()) in str(getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]
        return Result(exit_.value.code, *capsys.readouterr())

    return run
