"""The fault harness of `torture/` in its short form; `make torture` runs the long one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the shim stands before the C library of Linux")


@pytest.mark.parametrize("phase", ["calls", "powercuts"])
def test_no_fault_loses_or_falsifies_anything(phase, tmp_path, seeded):
    """Each class of faults makes the fault happen for real, and finds every promise kept afterwards."""
    command = [
        sys.executable,
        "-m",
        "torture",
        "--short",
        "--only",
        phase,
        "--seed",
        str(seeded.randrange(2**32)),
        "--json",
        tmp_path / "out",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = json.loads((tmp_path / "out").read_text())
    assert outcomes
    assert all(outcome["trials"] and not outcome["violations"] for outcome in outcomes)
