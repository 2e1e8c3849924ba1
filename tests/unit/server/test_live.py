"""Runs that are followed while they go on."""

import asyncio
import json
from typing import Any

from starlette.testclient import TestClient

from lineal.errors import NotFound
from lineal.server import live
from lineal.server.live import Live
from lineal.views import RunView


def test_a_run_that_has_ended_is_told_once(server: TestClient, run: RunView) -> None:
    text = server.get(f"/api/v1/runs/{run.id}/events").text
    first, last = [each for each in text.split("\n\n") if each]
    assert first.startswith("event: run\ndata: ")
    assert json.loads(first.partition("data: ")[2])["id"] == str(run.id)
    assert last.startswith("event: end")
    assert server.get("/api/v1/runs/00000000-0000-0000-0000-000000000000/events").status_code == 404


class Looks:
    """A run that goes on for some looks."""

    def __init__(self, states: list[str]) -> None:
        self.states = states
        self.count = 0

    def __call__(self, run_id: str) -> dict[str, Any]:
        self.count += 1
        return {"status": self.states.pop(0) if len(self.states) > 1 else self.states[0], "loss": float("nan")}


async def told(following: Any) -> list[str]:
    return [json.loads(text)["status"] async for text in following if text]


def test_many_followers_cost_one_look(monkeypatch: Any) -> None:
    """Two hundred pages on one run ask the store as often as one page; each is told how it ended."""
    monkeypatch.setattr(live, "LOOK", 0.01)
    looks = Looks(["running"] * 5 + ["completed"])
    hub = Live(looks)

    async def follow() -> list[list[str]]:
        return await asyncio.gather(*(told(hub.follow("a")) for _ in range(200)))

    ends = asyncio.run(follow())
    assert all(each[-1] == "completed" for each in ends)
    assert looks.count == 6
    assert not hub._followers
    assert not hub._tasks


def test_who_comes_later_is_told_at_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "LOOK", 0.01)
    looks = Looks(["running"])
    hub = Live(looks)

    async def follow() -> list[str]:
        first = hub.follow("a")
        assert json.loads(await anext(first))["status"] == "running"
        second = hub.follow("a")
        assert json.loads(await asyncio.wait_for(anext(second), 5))["status"] == "running"
        looks.states = ["failed"]
        found = [*await told(first), *await told(second)]
        third = await told(hub.follow("a"))  # after the end: looked at anew
        return [*found, *third]

    assert asyncio.run(follow()) == ["failed", "failed", "failed"]


def test_when_the_run_is_deleted_the_stream_ends(monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "LOOK", 0.01)
    first = [True]

    def look(run_id: str) -> dict[str, Any]:
        if first.pop() if first else False:
            return {"status": "running"}
        raise NotFound("gone")

    assert asyncio.run(asyncio.wait_for(told(Live(look).follow("a")), 10)) == ["running"]


def test_a_quiet_run_is_not_taken_for_a_dead_connection(monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "QUIET", 0.02)
    monkeypatch.setattr(live, "LOOK", 0.01)

    async def first_three() -> list[str]:
        following = Live(Looks(["running"])).follow("a")
        found = [await anext(following) for _ in range(3)]
        await following.aclose()  # type: ignore[attr-defined]
        return found

    assert asyncio.run(first_three())[1:] == ["", ""]
