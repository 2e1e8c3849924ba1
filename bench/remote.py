"""What one trivial step costs when its facts are on a Lineal server: over loopback, against the same store in the own process.

Both are measured in turns in one process; the server is a process of its own, so a step also pays for being handed to it and back.

    python -m bench.remote
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.chain import APART, lineal_shapes
from bench.floor import per_step
from bench.table import table

STEPS = 50
ROUNDS = 7
UP = "from lineal.cli import main; main(['up', '--no-browser', '--json', '--port', '0'])"


@contextlib.contextmanager
def server(home: Path, durability: str) -> Iterator[tuple[str, str]]:
    """Serve a home while the block runs; gives the address and the token."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
    environment |= {"LINEAL_HOME": str(home), "LINEAL_DURABILITY": durability}
    process = subprocess.Popen([sys.executable, "-c", UP], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the server did not start")
            said += line
        found = json.loads(said)
        yield found["url"], Path(found["token_file"]).read_text(encoding="ascii").strip()
    finally:
        process.kill()
        process.communicate()


def measure(durability: str) -> dict[str, Any]:
    """Give milliseconds and requests per step, by side and kind: the best of the rounds."""
    from lineal.settings import Settings
    from lineal.workspace import Workspace

    chain, _ = lineal_shapes()
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        server(Path(folder, "served"), durability) as (url, token),
    ):
        common: dict[str, Any] = {"durability": durability, "quiet": True}
        remote = Settings(
            home=Path(folder, "client"), metadata_store=url, token=token, artifact_store=str(Path(folder, "served", "store")), **common
        )
        sides = {"embedded": Workspace(Settings(home=Path(folder, "own"), **common)), "server": Workspace(remote)}
        link: Any = sides["server"].metadata
        times: dict[str, list[float]] = {}
        requests: dict[str, int] = {}
        for number in range(-1, ROUNDS):
            for kind in ("fresh", "cached"):
                for side, workspace in sides.items():
                    before = link.link.requests
                    with workspace.inside():
                        taken = per_step(chain, number * APART, STEPS)
                    if number >= 0:  # imports and connections are paid once a process
                        times.setdefault(f"{side} {kind}", []).append(taken)
                        requests[f"{side} {kind}"] = link.link.requests - before
        for workspace in sides.values():
            workspace.metadata.close()
    return {"times": {name: min(found) for name, found in times.items()}, "requests": requests}


def report() -> list[str]:
    """Measure, and give the section of the results."""
    rows = []
    for durability in ("off", "step"):
        found = measure(durability)
        for kind in ("fresh", "cached"):
            own, far = (found["times"][f"{side} {kind}"] for side in ("embedded", "server"))
            asked = found["requests"][f"server {kind}"]
            rows.append([durability, kind, f"{own:.2f}", f"{far:.2f}", f"{far / own:.1f}", f"{asked / STEPS:.2f}"])
    return [
        "## A trivial step whose facts are on a server: milliseconds per step",
        "",
        f"A chain of {STEPS} steps, the best of {ROUNDS} rounds, over loopback to a server in a process of its own. Requests count those of the run itself too.",
        "",
        *table(["durability", "step", "embedded", "server", "server / embedded", "requests"], rows, words=2),
    ]


if __name__ == "__main__":
    print("\n".join(report()))
