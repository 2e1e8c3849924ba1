"""Names of modules as they are stored: a script's do not depend on how it was started."""

import os
import subprocess
import sys
import sysconfig
import textwrap
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from lineal.model import values
from lineal.model.scripts import module_key, module_of, script_name, set_script_name
from lineal.model.values_classes import class_name

LINEAL = str(Path(sysconfig.get_path("scripts"), "lineal"))
SCRIPT = """
    import enum
    from dataclasses import dataclass
    from lineal import pipeline, step

    class Kind(enum.Enum):
        A = 1

    @dataclass(frozen=True)
    class Config:
        rate: float = 0.5
        kind: Kind = Kind.A

    @step
    def make(config: Config) -> Config:
        return Config(config.rate * 2, config.kind)

    @step
    def use(config: Config, again: list[Config]) -> float:
        return config.rate

    @pipeline
    def flow():
        use(make(Config(0.25)), [Config()])

    if __name__ == "__main__":
        print(*sorted({str(each.status) for each in flow().steps.values()}))
        from lineal.client import Client
        print(Client().get_artifact_version("flow::make::output").load() == Config(0.5))
"""


def test_a_script_counts_under_its_own_name() -> None:
    """Run directly, by `python -m`, in a worker process: as if it were imported. A notebook has no name but Python's."""
    assert module_key({"__name__": "pkg.prep"}) == "pkg.prep"
    assert module_key({"__name__": "__main__", "__spec__": None, "__file__": "a/prep.py"}) == "prep"
    assert module_key({"__name__": "__mp_main__", "__file__": "a/prep.py"}) == "prep"
    assert module_key({"__name__": "__main__", "__spec__": ModuleSpec("pkg.prep", None)}) == "pkg.prep"
    assert module_key({"__name__": "__main__", "__spec__": ModuleSpec("pkg.__main__", None)}) == "pkg"
    assert module_key({"__name__": "__main__"}) == "__main__"
    assert module_key({}) == ""


def test_a_worker_is_told_which_script_its_classes_are_of() -> None:
    """Its own script is the one that starts workers."""
    cls = type("Config", (), {"__module__": "__main__"})
    assert module_of(cls) == script_name() != "train"
    set_script_name("train")
    try:
        assert (module_of(cls), class_name(cls), module_of(int)) == ("train", "train:Config", "builtins")
    finally:
        set_script_name("")


def test_what_was_stored_under_the_name_that_python_gives_a_script_is_read() -> None:
    """Values of before are found in the script that runs now, by either name."""
    main = sys.modules["__main__"]
    cls = values_class()
    vars(main)["OldConfig"] = cls
    try:
        for name in ("__main__", script_name()):
            assert values.loads(f'{{"$type":"enum","class":"{name}:OldConfig","member":{{"name":"A"}}}}'.encode()) is cls["A"]
    finally:
        del vars(main)["OldConfig"]


def values_class():  # type: ignore[no-untyped-def]
    """Give an enumeration of the script that runs now."""
    from enum import Enum

    return Enum("OldConfig", {"A": 1}, module="__main__")


@pytest.mark.parametrize("orchestrator", ["local", "processes"])
def test_a_script_and_lineal_run_share_what_is_made(orchestrator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters and results that hold classes of the script have the same identity either way, so the second way hits."""
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(textwrap.dedent(SCRIPT))
    environment = {**os.environ, "LINEAL_HOME": str(tmp_path / "home"), "LINEAL_ORCHESTRATOR": orchestrator}

    def said(*command: str) -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    first = said(sys.executable, "train.py")
    assert "completed\nTrue\n" in first
    assert "2 cached" in said(LINEAL, "run", "train.py")
    assert "cached\nTrue\n" in said(sys.executable, "train.py")
    shown = said(LINEAL, "artifact", "show", "flow::make::output")
    assert "train.Config" in shown
    assert "train.Kind" in shown
