"""How long a program waits before its first line: `import lineal` and `lineal --help` against a bare interpreter.

python -m bench.startup
"""

import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from bench.table import table, verdict

ROUNDS = 15
COMMANDS = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "import lineal": [sys.executable, "-c", "import lineal"],
    "lineal --help": [str(Path(sysconfig.get_path("scripts"), "lineal")), "--help"],
}

AIMS = {"import lineal": 8.0, "lineal --help": 15.0}


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Give the median milliseconds of each command, taken in turns after one unmeasured round."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if number:
                times[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(found) for name, found in times.items()}


def report() -> list[str]:
    """Measure, and give the section of the results."""
    found = measure()
    bare = found["bare interpreter"]
    rows = [["bare interpreter", f"{bare:.0f}", "1"]]
    rows += [[name, f"{found[name]:.0f}", verdict(found[name] / bare, aim)] for name, aim in AIMS.items()]
    return ["## Start: milliseconds", "", *table(["command", "time", "times a bare interpreter"], rows)]


if __name__ == "__main__":
    print("\n".join(report()))
