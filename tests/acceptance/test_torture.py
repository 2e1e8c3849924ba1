"""The fault harness of `torture/` in its short form; `make torture` runs the long one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis.errors import FlakyStrategyDefinition
from torture import machine, report
from torture.outcome import Outcome

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the shim stands before the C library of Linux")


@pytest.mark.parametrize("phase", ["calls", "corruption", "machine", "powercuts", "stress"])
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
    outcomes = json.loads((tmp_path / "out").read_text())["outcomes"][phase]
    assert outcomes
    assert all(outcome["trials"] and not outcome["violations"] for outcome in outcomes)


def test_the_report_counts_trials_and_violations_and_says_what_each_durability_costs_and_loses():
    """Figures come from the outcomes alone; a class of faults that was not tried has no section."""
    costs = {f"{level}, a file, ms": cost for level, cost in (("off", 2.0), ("run", 3.0), ("step", 5.0))}
    cut = Outcome("power cut, durability run", 7, 90, {"reported done before the cuts": 12.0, "reported done and lost": 4.0}, ["lost"])
    text = report.text({"cost": [Outcome("cost of a step", facts=costs)], "powercuts": [cut]}, 5, 120.0)
    assert "**7 trials, 1 violations** in 2 minutes, seed 5." in text
    assert "## Many processes" not in text
    assert "| power cut, durability run | 7 | 90 | reported done before the cuts: 12; reported done and lost: 4 | 1 |" in text
    assert "| `run` | 3.00 (1.5x) | nothing that was reported done | 4 of 12 steps and versions, in 7 cuts |" in text
    assert "| `step` | 5.00 (2.5x) | nothing that was reported done | not tried |" in text


@pytest.mark.parametrize("broken", [True, False])
def test_a_machine_that_could_not_be_repeated_is_a_violation_only_if_a_rule_failed(broken, tmp_path, monkeypatch):
    """A kill may come at another moment the second time, on which hypothesis gives up; what a rule had found by then stays found."""

    @machine.rule()
    def checked(made):
        assert made is None

    def give_up(made, *, settings):
        if broken:
            with pytest.raises(AssertionError):
                checked(made)
        raise FlakyStrategyDefinition("Inconsistent data generation!")

    monkeypatch.setattr(machine, "run_state_machine_as_test", give_up)
    [outcome] = machine.run(tmp_path, 1, 0.0, True)
    assert [each.startswith("seed 1: checked: AssertionError") for each in outcome.violations] == [True] * broken
    assert outcome.facts == {"begun anew, as a kill came at another moment than before": 1.0}
