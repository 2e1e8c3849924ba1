"""What must hold of a store after any fault; each check gives the violations that it found, as sentences."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from lineal import Client
from lineal.artifact_store import tree
from lineal.model import digest

NAMES = ("numbers", "array", "blob", "last", "saved", "registered", "words")


def violations(acks: Iterable[Any], again: Callable[[], Any] | None, check_value: Callable[[str, Any, Any], bool]) -> list[str]:
    """Check everything in the home in force. `again` is run first: the next run must succeed."""
    found = [*acknowledged(acks)]
    if again is not None:
        again()
    return found + everything(Client(), check_value)


def everything(client: Client, check_value: Callable[[str, Any, Any], bool]) -> list[str]:
    """Check what is there, whatever was acknowledged."""
    return [*_runs(client), *_versions(client, check_value), *_bytes(client)]


def whole() -> list[str]:
    """Check what holds of any home: no run stays running, bytes and records agree."""
    client = Client()
    return [*_runs(client), *_bytes(client)]


def acknowledged(acks: Iterable[Any]) -> list[str]:
    """What was reported done before the fault must be there, and load."""
    client, found = Client(), []
    for ack in acks:
        try:
            if ack[0] == "version":
                client.get_artifact_version(ack[1], ack[2]).load()
                continue
            run = client.get_pipeline_run(ack[0])
            if ack[1] is None:
                if run.status != "completed":
                    found.append(f"run {ack[0]} was acknowledged as completed and is {run.status}")
                continue
            step = run.steps[ack[1]]
            if step.status not in ("completed", "cached"):
                found.append(f"step {ack[1]} was acknowledged and is {step.status}")
            for views in step.outputs.values():
                for version in views if isinstance(views, list | tuple) else [views]:
                    version.load()
        except Exception as error:
            found.append(f"what was acknowledged is lost: {ack}: {type(error).__name__}: {error}")
    return found


def _runs(client: Client) -> list[str]:
    found = [f"run {run.name} stays {run.status}" for run in client.list_pipeline_runs(status="running", limit=1000)]
    for run in client.list_pipeline_runs(status="completed", limit=1000):
        open_steps = [step.name for step in run.steps.values() if step.status not in ("completed", "cached")]
        if open_steps:
            found.append(f"run {run.name} is completed and its steps {open_steps} are not")
    return found


def _versions(client: Client, check_value: Callable[[str, Any, Any], bool]) -> list[str]:
    found = []
    for name in NAMES:
        versions = client.list_artifact_versions(artifact=name, limit=10_000)
        numbers = sorted(int(each.version) for each in versions)
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"the versions of {name} are not dense: {numbers}")
        for each in versions:
            try:
                value = each.load()
            except Exception as error:
                found.append(f"{name}@{each.version} does not load: {type(error).__name__}: {error}")
                continue
            if not check_value(name, value, each):
                found.append(f"{name}@{each.version} loads as something else than was saved: {str(value)[:80]}")
    return found


def _bytes(client: Client) -> list[str]:
    """Objects against their digests, rows against objects, what is left in staging after a sweep, and SQLite's own check."""
    store: Any = client.workspace.artifact_store
    store.sweep(0.0)
    found = [f"staging holds {path.name} after a sweep" for path in (store.path / "staging").iterdir()]
    for name in store.digests():
        place = f"{store.path}/objects/{name[:2]}/{name}"
        files, _ = tree.listing(place)
        if digest.of_object([(path, *tree.digest_file(f"{place}/{path}")) for path in sorted(files)]) != name:
            found.append(f"object {name} holds other bytes than its name says")
    report = client.verify(read_data=True)
    found += [f"verify says: {problem.kind}: {problem.what}" for problem in report.problems]
    with closing(sqlite3.connect(client.workspace.settings.home / "lineal.db")) as db:
        [(answer,)] = db.execute("PRAGMA integrity_check").fetchall()[:1]
        if answer != "ok":
            found.append(f"SQLite says of lineal.db: {answer}")
        if db.execute("PRAGMA foreign_key_check").fetchall():
            found.append("a row refers to a row that is not there")
    return found
