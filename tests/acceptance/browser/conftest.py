"""A real browser on a real server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

# Without the flags for the background a browser asks its maker's hosts at every start.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--host-resolver-rules=MAP evil.test 127.0.0.1",
]  # fmt: skip
PATIENCE = 30_000  # milliseconds: how busy a machine is decides no story
expect.set_options(timeout=PATIENCE)
UP = [sys.executable, "-c", "from lineal.cli import main; main(['up', '--no-browser', '--port', '0'])"]


@dataclass
class Server:
    """A server of the test's home. `link` signs a browser in, once."""

    url: str
    link: str
    process: "subprocess.Popen[str]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of one module. Not of the session: while it is open an event loop runs in this process, and other tests bring their own."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium on the path; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def server(lineal_home: Path) -> Iterator[Server]:
    process = subprocess.Popen(UP, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    text = "".join(process.stdout.readline() for _ in range(3))
    found = re.search(r"up at (\S+) .*\nopen +(\S+)\n", text)
    assert found is not None, text
    yield Server(found[1], found[2], process)
    process.kill()
    process.communicate()


@pytest.fixture
def expected() -> list[str]:
    """What pages may complain of in this test, as parts of messages. An answer that is not 200 is seen by the page, and no complaint."""
    return ["Failed to load resource"]


@pytest.fixture
def context(browser: Browser, server: Server, expected: list[str]) -> Iterator[BrowserContext]:
    """A browser of its own, which may reach this server and nothing else. What it asks elsewhere, and what its pages complain of, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    context.on("request", lambda request: wrong.append(request.url) if not request.url.startswith((server.url, "data:", "blob:")) else None)
    context.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    yield context
    context.close()
    assert [each for each in wrong if not any(part in each for part in expected)] == []


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    """A page that is signed in, at the first page."""
    page = context.new_page()
    page.goto(server.link)
    page.get_by_role("heading", name="Home").wait_for()
    return page
