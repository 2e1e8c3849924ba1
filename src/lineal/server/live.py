"""Runs as they go on: one look at the facts serves everybody who follows a run."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from lineal.client import Client
from lineal.errors import LinealError
from lineal.model.text import finite
from lineal.server.answers import problem
from lineal.server.reading import Id, run_json
from lineal.server.routes import Table

LOOK: Final = 0.5
"""Seconds between two looks at a run that is followed."""

QUIET: Final = 15.0
"""Seconds after which a line that says nothing is sent, so that a broken connection is noticed and a proxy keeps a good one."""

MOST: Final = 1000
"""Followers at the same time."""


class Live:
    """Runs that are followed. Belongs to one event loop.

    Args:
        look: Gives a run as JSON, by id; called in a thread. Raises when there is no such run.
    """

    def __init__(self, look: Callable[[str], dict[str, Any]]) -> None:
        self._look = look
        self._followers: dict[str, set[asyncio.Queue[str | None]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._latest: dict[str, str] = {}

    @property
    def is_full(self) -> bool:
        """Whether nobody else can follow a run now."""
        return sum(map(len, self._followers.values())) >= MOST

    async def follow(self, run_id: str) -> AsyncIterator[str]:
        """Give the run as JSON each time it changes, empty text when it is quiet, and end when the run has ended."""
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
        followers = self._followers.setdefault(run_id, set())
        followers.add(queue)
        try:
            if run_id in self._latest:
                queue.put_nowait(self._latest[run_id])
            if run_id not in self._tasks or self._tasks[run_id].done():
                self._tasks[run_id] = asyncio.create_task(self._watch(run_id))
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), QUIET)
                except TimeoutError:
                    text = ""
                if text is None:
                    return
                yield text
        finally:
            followers.discard(queue)
            if not followers:
                self._followers.pop(run_id, None)
                self._latest.pop(run_id, None)
                task = self._tasks.pop(run_id, None)
                if task is not None:
                    task.cancel()

    async def _watch(self, run_id: str) -> None:
        seen = b""
        try:
            while True:
                payload = await run_in_threadpool(self._look, run_id)
                text = json.dumps(finite(payload), separators=(",", ":"))
                digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
                if digest != seen:
                    seen = digest
                    self._latest[run_id] = text
                    self._tell(run_id, text)
                if payload["status"] != "running":
                    return
                await asyncio.sleep(LOOK)
        except LinealError:  # deleted meanwhile, or the store is gone: who follows it asks again and is told
            return
        finally:
            self._tell(run_id, None)

    def _tell(self, run_id: str, text: str | None) -> None:
        for queue in self._followers.get(run_id, ()):
            if text is None:
                asyncio.get_running_loop().create_task(queue.put(None))
                continue
            if queue.full():  # a slow reader gets the newest state, not every state
                queue.get_nowait()
            queue.put_nowait(text)


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` finds what they give."""
    live = Live(lambda run_id: run_json(client.get_pipeline_run(run_id)))

    @table.get("/runs/{run_id}/events", "read", {"type": "string"}, media="text/event-stream")
    async def follow_run(request: Request, run_id: Id) -> Response:
        """Follow a run: an event `run` with the run as JSON each time it changes, and an event `end` when it has ended."""
        await run_in_threadpool(client.get_pipeline_run, run_id)  # an unknown run is an answer, not a stream that breaks off
        if live.is_full:
            return problem(503, "Too many followers", f"{MOST} pages follow runs at this moment; close some and try again")
        return StreamingResponse(_events(live, run_id), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _events(live: Live, run_id: str) -> AsyncIterator[str]:
    async for text in live.follow(run_id):
        yield f"event: run\ndata: {text}\n\n" if text else ": quiet\n\n"
    yield "event: end\ndata: {}\n\n"
