"""Put the cases of `docs/caching.md` to other systems and write `docs/caching-compared.md`.

    python -m bench.matrix [--environments FOLDER] [--only NAME ...] [--limit N]

Each system is installed by pip into an environment of its own, kept in FOLDER if one is named. Each case is a project of real files: its
step runs, the files are edited in place, and it runs again; each run is a process of its own. Takes about half an hour.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.matrix.cases import Trial, trials, write
from bench.matrix.page import page
from bench.matrix.systems import LINEAL, QUIET, SYSTEMS, System

PAGE = Path(__file__).parents[2] / "docs" / "caching-compared.md"
FOUND = Path(__file__).with_name("found")
SERVE = Path(__file__).with_name("serve.py")
WARM = {"steps.py": "def step(x: int) -> int:\n    return x - 1\n"}
WAIT = 180.0
"""Seconds that a server may take to start."""


def main() -> None:
    """Run what was asked for, and write the page from all that was found so far."""
    parser = argparse.ArgumentParser(prog="python -m bench.matrix")
    parser.add_argument("--environments", type=Path, help="folder in which the systems are, or will be, installed")
    parser.add_argument("--only", nargs="+", choices=[system.name for system in SYSTEMS], default=[system.name for system in SYSTEMS])
    parser.add_argument("--limit", type=int, help="only the first N cases")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-matrix-") as name:
        folder = Path(name)
        cases = trials(folder / "plain")[: asked.limit]
        for system in SYSTEMS:
            if system.name in asked.only:
                python = installed(system, asked.environments or folder / "environments")
                began = time.perf_counter()
                found: dict[str, Any] = {"version": version(system, python), "cases": {}}
                for what, outcome in put(system, python, cases, folder / system.distribution):
                    found["cases"][what] = outcome
                    remember(system, found)
                    print(f"{time.perf_counter() - began:6.0f} s  {system.name}: {what}: {outcome['outcome']}", flush=True)
        PAGE.write_text(page(recalled()), encoding="utf-8")


def remember(system: System, found: dict[str, Any]) -> None:
    """Keep what was found of a system."""
    FOUND.mkdir(exist_ok=True)
    text = json.dumps({"system": system.name, **found}, indent=1, ensure_ascii=False)
    (FOUND / f"{system.distribution}.json").write_text(text + "\n", encoding="utf-8")


def recalled() -> dict[str, Any]:
    """Give what was found, by the name of the system."""
    every = [json.loads(file.read_text(encoding="utf-8")) for file in FOUND.glob("*.json")]
    return {found["system"]: found for found in every}


def installed(system: System, folder: Path) -> Path:
    """Give the interpreter of an environment in which the system is, made now if need be."""
    if system is LINEAL:
        return Path(sys.executable)
    place = folder / system.distribution
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *system.requirements], check=True)
    return python


def version(system: System, python: Path) -> str:
    """Give the version that is installed."""
    text = f"from importlib.metadata import version; print(version({system.distribution!r}))"
    return subprocess.run([python, "-c", text], check=True, capture_output=True, text=True).stdout.strip()


def put(system: System, python: Path, cases: Sequence[Trial], folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Put all cases to a system, one after the other; give each with what became of it."""
    folder.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    said = {name: value.replace("{port}", port) for name, value in system.environment.items()}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LINEAL_", "PREFECT_", "ZENML_", "PYTHON"))}
    home = {"HOME": str(folder), "MATRIX_ADAPTER": system.adapter}
    environment = {**clean, **QUIET, **said, **home}
    with _server(system, python, port, environment), _serving(python, environment) as ask:
        write(folder / "warm", WARM)
        (folder / "state").mkdir()
        ask({"folder": str(folder / "warm"), "state": str(folder / "state"), "args": [3]})  # databases are made once, and copied
        for number, case in enumerate(cases):
            yield case.what, _outcome(case, ask, folder, number)


def _outcome(case: Trial, ask: Any, folder: Path, number: int) -> dict[str, str]:
    project, state = folder / f"project{number}", folder / f"state{number}"
    shutil.copytree(folder / "state", state)
    for settings in state.rglob("*.yaml"):  # some hold the path of their database
        settings.write_text(settings.read_text(encoding="utf-8").replace(str(folder / "state"), str(state)), encoding="utf-8")
    request = {"folder": str(project), "state": str(state), "args": list(case.args)}
    write(project, case.before)
    first = ask(request)
    if "error" in first or not first["ran"]:
        return {"expected": _expected(case), "outcome": "failed", "error": first.get("error", "the step did not run the first time")}
    write(project, case.after)
    second = ask(request)
    shutil.rmtree(state)
    if "error" in second:
        return {"expected": _expected(case), "outcome": "failed", "error": second["error"]}
    if case.counts:
        outcome = "right" if second["result"] != first["result"] else "stale"
    else:
        outcome = "needless" if second["ran"] else "right"
    return {"expected": _expected(case), "outcome": outcome}


def _expected(case: Trial) -> str:
    return "runs" if case.counts else "reused"


@contextlib.contextmanager
def _serving(python: Path, environment: Mapping[str, str]) -> Iterator[Any]:
    """Give the function that asks `serve.py` in the system's environment."""
    process = subprocess.Popen(
        [python, "-B", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdin is not None
    assert process.stdout is not None
    given, answers = process.stdin, process.stdout

    def ask(request: Mapping[str, Any]) -> dict[str, Any]:
        given.write(json.dumps(request) + "\n")
        given.flush()
        return dict(json.loads(answers.readline()))

    try:
        yield ask
    finally:
        given.close()
        process.wait(60)


@contextlib.contextmanager
def _server(system: System, python: Path, port: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Keep the system's server running, if it has one."""
    if not system.server:
        yield
        return
    command = [python.with_name(system.distribution), *(each.replace("{port}", port) for each in system.server)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        until = time.monotonic() + WAIT
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), timeout=5):
                break
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the server of {system.name} did not start: {' '.join(map(str, command))}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main()
