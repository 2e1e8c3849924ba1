"""What takes space, what may go, and whether everything is there."""

import re
import shlex
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from lineal import pruning
from lineal.client import Client
from lineal.errors import Conflict, UsageError
from lineal.model.records import Json, Space
from lineal.pruning import PruneReport, Selection
from lineal.server.answers import answer
from lineal.server.describing import refer
from lineal.server.jobs import Job, Progress, Worker
from lineal.server.overviews import totals_json
from lineal.server.routes import Table
from lineal.verifying import remembered, verify_home

LARGEST: Final = 20
"""Artifacts, and types, that are told one by one."""

NAMES: Final = 500
"""Names and problems that one answer holds."""

_AGE: Final = re.compile(r"([0-9]{1,6})([hdw])")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


class Choice(BaseModel):
    """What a prune may take: versions of artifacts called `name` (`*` stands for anything), made longer ago than `older_than` (`12h`, `30d`,
    `8w`), and not among the newest `keep_last` of their artifact.
    """

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=1000)
    older_than: str | None = Field(None, max_length=10)
    keep_last: int | None = Field(None, ge=0, le=1_000_000)


class Prune(Choice):
    """A choice that somebody has looked at: `versions` is how many the preview said would go."""

    versions: int = Field(ge=0)
    force: bool = False


class Verify(BaseModel):
    """How to look: `read_data` reads all bytes and compares digests."""

    model_config = ConfigDict(extra="forbid", strict=True)

    read_data: bool = False


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` carries them out."""
    verifier, pruner = Worker(), Worker()

    @table.get("/storage", "read")
    def storage(request: Request) -> Response:
        """Say what takes space: totals, the artifacts and the types that take most."""
        metadata = client.workspace.metadata
        return answer(request, {"totals": totals_json(metadata.totals()), **_space_json(metadata.space())})

    @table.get("/storage/prune", "read")
    def preview_prune(request: Request, query: Annotated[Choice, Query()]) -> Response:
        """Say what a prune would take, and change nothing."""
        return answer(request, {**_prune_json(_preview(client, query)), "command": _command(query)})

    @table.get("/storage/prune/job", "read", refer("Job"))
    def last_prune(request: Request) -> Response:
        """Give how far the pruning is, and what it freed; `state` is null when nobody has asked for it since the server began."""
        return answer(request, _job_json(pruner.last))

    @table.post("/storage/prune", "look after", refer("Job"), makes_room=True)
    def prune(request: Request, change: Prune) -> Response:
        """Begin to delete what a preview has shown, beside everything else. Refused when other versions would go than were shown. One at a
        time.
        """
        plan = _preview(client, change)
        if plan.versions != change.versions:
            raise Conflict(f"{plan.versions} versions would go now, and {change.versions} were shown; nothing was deleted: look again")
        return answer(request, _job_json(pruner.start(lambda progress: _prune_json(_pruned(client, change, progress)))))

    @table.get("/storage/verify", "read", refer("Job"))
    def last_verify(request: Request) -> Response:
        """Give how far the verifying is, and what it found; `state` is null when nobody has ever asked for it."""
        return answer(request, _job_json(_last_verify(client, verifier.last)))

    @table.post("/storage/verify", "write", refer("Job"))
    def begin_verify(request: Request, change: Verify) -> Response:
        """Begin to compare all records with the bytes, beside everything else. Nothing is changed. One at a time."""
        return answer(request, _job_json(verifier.start(lambda progress: _verified(client, progress, read_data=change.read_data))))


def _space_json(space: list[Space]) -> dict[str, Json]:
    artifacts, types = _Sums(), _Sums()
    for each in space:
        artifacts.add(each.artifact, each)
        types.add(each.type, each)
    return {"artifacts": artifacts.largest(), "types": types.largest()}


class _Sums:
    """Adds up what takes space, by name."""

    def __init__(self) -> None:
        self._found: dict[str, list[int]] = {}

    def add(self, name: str, space: Space) -> None:
        sums = self._found.setdefault(name, [0, 0, 0])
        for place, number in enumerate((space.bytes_kept, space.bytes_meant, space.versions)):
            sums[place] += number

    def largest(self) -> list[Json]:
        found = sorted(self._found.items(), key=lambda pair: (-pair[1][0], -pair[1][1], pair[0]))[:LARGEST]
        return [{"name": name, "kept": kept, "meant": meant, "versions": versions} for name, (kept, meant, versions) in found]


def _preview(client: Client, chosen: Choice) -> PruneReport:
    return client.prune_artifacts(chosen.name or None, older_than=_older(chosen), keep_last=chosen.keep_last, dry_run=True)


def _pruned(client: Client, chosen: Prune, progress: Progress) -> PruneReport:
    """Do what a preview was made of just now, which has also noticed the runs that crashed."""
    workspace = client.workspace
    selection = Selection("all", (chosen.name,) if chosen.name else None, _older(chosen), chosen.keep_last or 0)
    return pruning.prune(
        workspace.metadata, workspace.artifact_store, workspace.prune_lock, selection, force=chosen.force, progress=progress
    )


def _older(chosen: Choice) -> timedelta | None:
    return _age(chosen.older_than) if chosen.older_than else None


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not an age; write a number and a unit: 12h, 30d, 8w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _prune_json(report: PruneReport) -> dict[str, Json]:
    return {
        "versions": report.versions, "artifacts": report.artifacts, "bytes": report.bytes, "freed": report.freed,
        "names": list(report.names[:NAMES]), "errors": list(report.errors), "dry_run": report.dry_run,
    }  # fmt: skip


def _command(selection: Choice) -> str:
    words = ["lineal", "artifact", "prune"]
    words += [selection.name] if selection.name else []
    words += ["--older-than", selection.older_than] if selection.older_than else []
    words += ["--keep-last", str(selection.keep_last)] if selection.keep_last else []
    return shlex.join(words)


def _verified(client: Client, progress: Progress, *, read_data: bool) -> dict[str, Json]:
    workspace = client.workspace
    return verify_home(workspace.metadata, workspace.artifact_store, workspace.settings.home, progress, read_data=read_data)[1].result


def _last_verify(client: Client, job: Job | None) -> Job | None:
    """Give the job of this server, or what the home remembers where that is newer: of a server before, or of the command line."""
    workspace = client.workspace
    known = remembered(workspace.settings.home, workspace.metadata.identity()[0])
    if known is None or (job is not None and (job.ended is None or known.ended <= job.ended)):
        return job
    objects, size = known.result["objects"], known.result["bytes"]
    return Job(known.started, Progress(objects, objects, size, size), known.ended, known.result)


def _job_json(job: Job | None) -> Json:
    return {"state": None} if job is None else job.to_json()
