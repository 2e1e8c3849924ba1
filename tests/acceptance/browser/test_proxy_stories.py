"""The dashboard in a real browser, over TLS and below a path, behind nginx as docs/server.md shows it."""

import re
from typing import Any

from playwright.sync_api import Browser, expect

PASSWORD = "the engine weaves"


def test_behind_nginx_a_run_is_watched_from_its_begin_to_its_end(browser: Browser, behind: Any) -> None:
    """Signing in, pages, and what goes on: nothing is asked for outside of the path, and no page is loaded again."""
    context = browser.new_context(ignore_https_errors=True)  # the browser does not know our authority
    context.set_default_timeout(30_000)
    wrong: list[str] = []
    context.on("request", lambda request: None if request.url.startswith((behind.url, "data:", "blob:")) else wrong.append(request.url))
    context.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" and "Failed to load" not in message.text else None
    )
    page = context.new_page()
    page.goto(f"{behind.url}/")
    page.get_by_label("Name").fill("eddy")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["path"], cookie["secure"], cookie["httpOnly"]) == ("__Secure-lineal_session", "/lineal/", True, True)

    process = behind.machine.script("watch", behind.url)
    assert process.stdout is not None
    page.goto(f"{behind.url}/#/runs/{process.stdout.readline().strip()}")
    expect(page.get_by_role("heading", name=re.compile("^watched-"))).to_be_visible()
    expect(page.get_by_text("running").first).to_be_visible()
    out, err = process.communicate("\n", timeout=60)
    assert "['completed', 'completed']" in out, err
    expect(page.get_by_text("running")).to_have_count(0)
    expect(page.get_by_text("completed").first).to_be_visible()
    context.close()
    assert wrong == []
