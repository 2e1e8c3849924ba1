"""Run the classes of faults: `python -m torture --hours 0.5`, or `--short` for what the tests do.

Ends with 1 when anything was violated. The seed is printed; with the same seed a class of faults tries the same things in the same order.
"""

import argparse
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from torture import report, shim
from torture.outcome import Outcome

MEMORY = Path("/dev/shm")
"""Where trials run if it is there: what a sync waits for is no part of them."""

Run = Callable[[Path, int, float, bool], list[Outcome]]


@dataclass(frozen=True, slots=True)
class Phase:
    """A class of faults: what runs it, its share of the time, and whether it must run on a real disk."""

    run: Run
    share: float
    on_disk: bool = False


def phases(*, short: bool) -> dict[str, Phase]:
    """Give the classes of faults. Imported late: the process must be under the shim first."""
    from torture import calls, corruption, cost, machine, powercuts, realdisk, stress

    return {
        "cost": Phase(cost.run, 0.5, on_disk=True),
        "stress": Phase(stress.run, 2.0, on_disk=True),
        "machine": Phase(machine.run, 4.0),
        "corruption": Phase(corruption.run, 2.0),
        "powercuts": Phase(powercuts.run, 5.0),
        **({} if short else {"realdisk": Phase(realdisk.run, 2.0)}),
        "calls": Phase(calls.run, 5.0),
    }


def main() -> int:
    """Run, print, and give the exit code."""
    arguments = _arguments()
    _enter_shim()
    known = phases(short=arguments.short)
    wanted = arguments.only or list(known)
    total = sum(known[name].share for name in wanted)
    print(f"seed: {arguments.seed} (again with --seed {arguments.seed})", flush=True)
    outcomes: dict[str, list[Outcome]] = {}
    began = time.monotonic()
    for name in wanted:
        phase = known[name]
        # Not a TemporaryDirectory, which forked children would remove when they end.
        folder = Path(tempfile.mkdtemp(prefix="lineal-torture-", dir=None if phase.on_disk or not MEMORY.is_dir() else MEMORY)).resolve()
        try:
            outcomes[name] = phase.run(folder, arguments.seed, arguments.hours * 3600 * phase.share / total, arguments.short)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for outcome in outcomes[name]:
            _show(name, outcome)
        _keep(arguments, outcomes, time.monotonic() - began)  # after each: hours of work are not lost with the last of them
    violated = sum(len(outcome.violations) for found in outcomes.values() for outcome in found)
    print(f"{sum(outcome.trials for found in outcomes.values() for outcome in found):,} trials, {violated} violations", flush=True)
    return 1 if violated else 0


def _keep(arguments: argparse.Namespace, outcomes: dict[str, list[Outcome]], seconds: float) -> None:
    if arguments.add:
        earlier = json.loads(arguments.add.read_text(encoding="utf-8"))
        outcomes = {name: [Outcome(**each) for each in found] for name, found in earlier["outcomes"].items()} | outcomes
        seconds += earlier["seconds"]
    if arguments.json:
        found = {name: [asdict(each) for each in found] for name, found in outcomes.items()}
        arguments.json.write_text(json.dumps({"seconds": seconds, "outcomes": found}, indent=1), encoding="utf-8")
    if arguments.write:
        arguments.write.write_text(report.text(outcomes, arguments.seed, seconds), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--hours", type=float, default=0.05, help="how long, all classes of faults together")
    parser.add_argument("--short", action="store_true", help="few trials of each, as in the tests")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--only", nargs="*", help="only these classes of faults")
    parser.add_argument("--json", type=Path, help="also write what came out to this file")
    parser.add_argument("--add", type=Path, help="take over what an earlier run wrote with --json, where this one does not try it again")
    parser.add_argument("--write", type=Path, help="write the report to this file")
    return parser.parse_args()


def _enter_shim() -> None:
    """Start this program anew under the shim, which cannot be loaded later."""
    if not shim.is_loaded():
        environment = {**os.environ, "LD_PRELOAD": str(shim.build()), "PYTHONDONTWRITEBYTECODE": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "torture", *sys.argv[1:]], environment)


def _show(phase: str, outcome: Outcome) -> None:
    stamp = time.strftime("%H:%M:%S")
    facts = ", ".join(f"{name}: {value if isinstance(value, str) else f'{value:g}'}" for name, value in outcome.facts.items())
    tail = f"{len(outcome.violations)} violations"
    print(f"{stamp} {phase}: {outcome.name}: {outcome.trials} trials of {outcome.points}; {facts}; {tail}", flush=True)
    for violation in outcome.violations[:4]:
        print(f"    {violation}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
