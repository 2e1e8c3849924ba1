"""The metadata store over HTTP: a route for each operation of the table that its clients use too."""

import gzip
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lineal.client import Client
from lineal.errors import UsageError
from lineal.metadata_store.operations import StoreOperation, operations
from lineal.model.records import RunRecord, StepRunRecord
from lineal.pruning import delete_versions
from lineal.server.answers import WORTH
from lineal.server.once import LONGEST_KEY, Once
from lineal.server.recording import LONGEST
from lineal.server.routes import Table
from lineal.server.vetting import vet
from lineal.workspace import Workspace

APART: Final = 30_000_000
"""Microseconds by which the clock of another machine may differ from ours until ours counts in its place."""


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; the stores of the client's workspace are what they work on."""
    once, work = Once(), _Work(client.workspace)
    for operation in operations().values():
        table.add(operation, _handler(operation, work, once), _details)


def _details(body: bytes) -> dict[str, Any]:
    return {"arguments": body.decode("ascii", "replace")} if len(body) <= LONGEST else {"size": len(body)}


def _handler(operation: StoreOperation, work: "_Work", once: Once) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        body = await request.body()
        found = await run_in_threadpool(_answer, operation, work, once, body, request.headers.get("idempotency-key"))
        headers = {}
        if len(found) > WORTH and "gzip" in request.headers.get("accept-encoding", ""):
            found, headers = await run_in_threadpool(gzip.compress, found, 1, mtime=0), {"content-encoding": "gzip"}
        return Response(found, media_type="application/json", headers=headers)

    return serve


def _answer(operation: StoreOperation, work: "_Work", once: Once, body: bytes, key: str | None) -> bytes:
    def do() -> bytes:
        given, named = operation.unpack(body)
        vet(given)
        return operation.pack_result(work.method(operation)(*given, **named))

    if key is None or not operation.takes_key:
        return do()
    if len(key) > LONGEST_KEY:
        raise UsageError(f"an Idempotency-Key has at most {LONGEST_KEY} characters, got {len(key)}")
    return once.answer(key, hashlib.blake2b(operation.call.encode() + b"\0" + body).digest(), do)


class _Work:
    """Does the operations, and those that are more here than a transaction."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._own: Mapping[str, Callable[..., Any]] = {
            "begin_run": self._begin_run, "heartbeat": self._heartbeat, "crash_run": self._crash_run,
            "delete_versions": self._delete_versions,
        }  # fmt: skip

    def method(self, operation: StoreOperation) -> Callable[..., Any]:
        """Give what does an operation."""
        _ = self._workspace.artifacts  # opened first: these facts belong to our bytes, not to those of the first who asks
        return self._own.get(operation.call) or operation.bound(self._workspace.metadata)

    # Runs of other machines are judged by the age of their heartbeat. Clocks that are wrong must neither keep a dead run alive nor
    # declare a living one dead, so where they differ it is ours that counts.

    def _begin_run(self, run: RunRecord) -> RunRecord:
        return self._workspace.metadata.begin_run(run if run.heartbeat is None else replace(run, heartbeat=_near(run.heartbeat)))

    def _heartbeat(self, run_id: str, now: int, running: Sequence[StepRunRecord]) -> None:
        self._workspace.metadata.heartbeat(run_id, _near(now), running)

    def _crash_run(self, run_id: str, reason: str, now: int) -> None:
        if _near(now) == now:
            self._workspace.metadata.crash_run(run_id, reason, now)
        else:
            self._workspace.metadata.get_run(run_id)  # raises when there is none

    def _delete_versions(self, version_ids: Sequence[str]) -> None:
        workspace = self._workspace
        delete_versions(workspace.metadata, workspace.artifact_store, workspace.prune_lock, version_ids)


def _near(moment: int) -> int:
    """Give the time of another machine, or ours where it is far from it."""
    now = time.time_ns() // 1000
    return moment if abs(moment - now) <= APART else now
