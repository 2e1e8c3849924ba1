"""What the key of a call with 1,000 inputs costs, against one digest over the digests of its inputs.

python -m bench.key
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench.table import table, verdict

INPUTS = 1000
ROUNDS = 15
AIM = 5.0


def make(n: int) -> int:
    """Make one input."""
    return n


def take(values: list[int]) -> int:
    """Take all."""
    return len(values)


def child() -> None:
    """Run a pipeline in which one step takes many inputs, all cached, and print the least milliseconds of its key and of the floor."""
    from blake3 import blake3

    from lineal import pipeline, step
    from lineal.engine import cache

    one, all_of_them = step(make), step(take)
    seen: list[tuple[float, Any]] = []
    plain = cache.inquire

    def timed(*args: Any) -> Any:
        began = time.perf_counter()
        inquiry = plain(*args)
        seen.append((time.perf_counter() - began, inquiry.digests))
        return inquiry

    @pipeline
    def gather() -> None:
        all_of_them([one(n) for n in range(INPUTS)])

    gather()
    cache.inquire = timed
    for _ in range(ROUNDS):
        gather()
    times, [inputs, *_] = zip(*((seconds, digests) for seconds, digests in seen if digests), strict=True)
    floors = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        blake3(json.dumps(inputs).encode()).hexdigest()
        floors.append(time.perf_counter() - began)
    print(json.dumps({"key": min(times) * 1e3, "floor": min(floors) * 1e3}))


def measure() -> dict[str, float]:
    """Give the milliseconds of the key and of the floor, measured in a process and a store of their own."""
    with tempfile.TemporaryDirectory(prefix="bench-key-") as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
        environment = {**clean, "LINEAL_HOME": folder, "LINEAL_QUIET": "1", "LINEAL_DURABILITY": "off"}
        command = [sys.executable, "-m", "bench.key", "child"]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def report() -> list[str]:
    """Measure, and give the section of the results."""
    found = measure()
    row = [f"{found['key']:.2f}", f"{found['floor']:.2f}", verdict(found["key"] / found["floor"], AIM)]
    return [
        f"## Key of a call with {INPUTS:,} inputs: milliseconds",
        "",
        "All that is asked before the look-up: the inputs resolved, the code looked at, the key made. Floor: the digests of the inputs as JSON, and one digest over that.",
        "",
        *table(["key", "floor", "key / floor"], [row], words=0),
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child()
    else:
        print("\n".join(report()))
