"""The dashboard where there is much: many runs, a run of many steps; and below a path of a proxy."""

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bench.large import make
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from lineal import pipeline, step
from lineal.views import RunView

from .conftest import Server

RUNS = int(os.environ.get("LARGE_RUNS", "2000"))
STEPS = int(os.environ.get("LARGE_STEPS", "300"))
PATIENCE = 10.0
"""Seconds that a page may take on a slow machine with others at work; a page that draws everything at once takes minutes."""

BELOW = """
import socket, sys, uvicorn
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.server.serve import listen
from lineal.workspace import open_workspace

with listen(0) as listener:
    port = listener.getsockname()[1]
    access = OwnerAccess("t" * 43)
    app = create_app(open_workspace(), access, [f"127.0.0.1:{port}"], root_path="/teams/lineal")
    print(f"http://127.0.0.1:{port}/teams/lineal/", access.new_link(), flush=True)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none")
    uvicorn.Server(config).run(sockets=[listener])
"""


@step
def advance(x: int) -> int:
    return x + 1


@pipeline
def long(start: int, steps: int) -> None:
    x = start
    for _ in range(steps):
        x = advance(x)


@pytest.fixture
def lineal_home(lineal_home: Path) -> Path:
    """The home of the test, with a large store in it before anything opens it."""
    make(lineal_home, RUNS)
    return lineal_home


@pytest.fixture
def run(lineal_home: Path) -> RunView:
    """A run of many steps beside all the others."""
    return long(0, STEPS)


def test_many_runs_are_found_page_by_page(page: Page) -> None:
    """First page, the next, sorted, filtered, found by ctrl-k: each is there at once."""
    began = time.monotonic()
    page.get_by_role("link", name="Runs").click()
    rows = page.get_by_role("region", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(page.get_by_text(re.compile(f"{RUNS:,}"))).to_be_visible()
    page.get_by_role("button", name="Older").click()
    expect(rows.first).to_contain_text(f"{RUNS - 51:07}")
    page.get_by_role("button", name="time").click()
    expect(page).to_have_url(re.compile("sort=-duration"))
    field = page.get_by_label("Part of the name")
    field.fill("0000123")
    field.press("Enter")
    expect(rows).to_have_count(1)
    page.keyboard.press("Control+k")
    page.keyboard.type("0000456")
    page.get_by_role("option").filter(has_text="0000456").click()
    expect(page.get_by_role("heading", name=re.compile("0000456"))).to_be_visible()
    assert time.monotonic() - began < 3 * PATIENCE


def test_a_run_of_many_steps_stays_usable(run: RunView, page: Page) -> None:
    """Its equal steps are one node; the list of all and one of them are a click away."""
    began = time.monotonic()
    page.evaluate(f"location.hash = '#/runs/{run.id}'")
    group = page.get_by_label("Steps and artifacts of the run").get_by_text("advance").first
    expect(group).to_be_visible()
    assert time.monotonic() - began < PATIENCE
    group.click()
    expect(page.get_by_text(f"{STEPS} calls of advance")).to_be_visible()
    page.get_by_role("tab", name="Timeline").click()
    page.get_by_role("tab", name="Steps", exact=True).click()
    page.get_by_role("table").get_by_text(f"advance_{STEPS}", exact=True).first.click()
    expect(page.get_by_role("tab", name="Code")).to_be_visible()
    assert time.monotonic() - began < 2 * PATIENCE


DIFFERENT = 1000


def different(place: int) -> Any:
    """Give a step that no other is like: only calls of one step are one by themselves."""

    @step(name=f"work_{place:04}")
    def work(x: int) -> int:
        return x + place

    return work


@pipeline
def chained() -> None:
    x: Any = 0
    for place in range(DIFFERENT):
        x = different(place)(x)


@step
def gather(found: list[int]) -> int:
    return sum(found)


@pipeline
def spread() -> None:
    first = advance(0)
    gather([different(place)(first) for place in range(DIFFERENT)])


@pytest.mark.parametrize(
    ("made", "boxes", "first", "members"), [(chained, 24, "work_0000 … 0041", 42), (spread, 1, "work_0000 … 0999", 1000)]
)
def test_a_thousand_different_steps_are_few_boxes_that_open(
    page: Page, server: Server, made: Any, boxes: int, first: str, members: int
) -> None:
    """A chain in parts, a fan as one; each part opens to its steps, whose page is a click away. How long it took is printed, and not judged."""
    run = made()
    began = time.monotonic()
    page.goto(f"{server.url}/#/runs/{run.id}")
    canvas = page.get_by_label("Steps and artifacts of the run")
    box = canvas.get_by_role("button", name=re.compile(f"^{first}"))
    box.wait_for()
    print(f"{made.name}: the first box after {time.monotonic() - began:.2f} s")
    expect(canvas.get_by_role("button", name=re.compile("^work_.* … ", re.DOTALL))).to_have_count(boxes)
    click_until(box, page.get_by_role("heading", name=f"{members} steps: {first}"))
    opens, code = page.get_by_role("button", name="Open"), page.get_by_role("tab", name="Code")
    inner = canvas.get_by_role("button", name=re.compile("^work_0000")).first
    while opens.is_visible():
        opened = inner.text_content() or ""
        opens.click()
        expect(inner).not_to_have_text(opened)  # until then the graph is the one before
        click_until(inner, opens.or_(code))  # a part again, or at last a step
    expect(page).to_have_url(re.compile("step=work_0000"))
    expect(page.get_by_role("tab", name="Code")).to_be_visible()
    page.get_by_role("button", name="Fold again").click()
    expect(canvas.get_by_role("button", name=re.compile("^work_.* … ", re.DOTALL))).to_have_count(boxes)
    expect(canvas.get_by_role("button", name=re.compile(f"^{first}"), pressed=True)).to_be_visible()


def click_until(box: Locator, effect: Locator) -> None:
    """Click on a box of the graph until something is shown: a click while the graph is drawn anew can fall between two drawings."""
    for _ in range(10):
        box.click()
        with contextlib.suppress(AssertionError):
            expect(effect).to_be_visible(timeout=3_000)
            return
    raise AssertionError("no click took effect")


def test_it_works_below_a_path(lineal_home: Path, browser: Browser) -> None:
    """As a proxy shows it: assets, answers, links and the session lie below that path, and nothing is asked for above it."""
    process = subprocess.Popen([sys.executable, "-c", BELOW], stdout=subprocess.PIPE, text=True)
    context: BrowserContext | None = None
    try:
        assert process.stdout is not None
        url, code = process.stdout.readline().split()
        context = browser.new_context()
        elsewhere: list[str] = []
        context.on(
            "request", lambda request: elsewhere.append(request.url) if not request.url.startswith((url, "data:", "blob:")) else None
        )
        page = context.new_page()
        page.goto(f"{url}open?code={code}")
        page.get_by_role("heading", name="Home").wait_for()
        page.get_by_role("link", name="Runs").click()
        page.get_by_role("region", name="Runs").get_by_role("link").first.click()
        page.get_by_role("tab", name="Timeline").click()
        page.get_by_role("link", name="Artifacts").click()
        page.get_by_role("region", name="Artifacts").get_by_role("link").first.click()
        page.reload()
        page.get_by_role("heading").first.wait_for()
        assert [cookie["path"] for cookie in context.cookies()] == ["/teams/lineal/"]
        assert page.url.startswith(url)
        assert elsewhere == []
    finally:
        if context is not None:
            context.close()
        process.kill()
        process.communicate()
