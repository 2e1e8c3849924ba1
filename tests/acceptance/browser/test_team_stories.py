"""A server for a team in a real browser: from its first start to a token that is ended."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from lineal import pipeline, save_artifact, step
from lineal.model.accounts import Role
from lineal.server.access import Principal, Source
from lineal.server.people import People
from lineal.workspace import open_workspace

from .conftest import Server

SERVE = [sys.executable, "-c", "from lineal.cli import main; main(['server', '--port', '0', '--json'])"]
PASSWORD = "the engine weaves"
OFFERED = {"versions": ("+ tag", "Pin", "+ note", "Delete…"), "runs": ("+ tag", "+ note", "Delete…")}
"""Buttons that editors have on the pages of versions and of runs."""


@step
def count(n: int) -> int:
    return n


@pipeline
def counting() -> None:
    count(3)


@pytest.fixture
def server(lineal_home: Path) -> Iterator[Server]:
    """A server that nobody has set up. `link` is the one that does."""
    process = subprocess.Popen(SERVE, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, text
        text += line
    found = json.loads(text)
    yield Server(found["url"], f"{found['url']}/#/setup?token={found['setup_token']}", process)
    process.kill()
    process.communicate()


def add(name: str, role: Role) -> None:
    People(open_workspace().accounts, Principal("test", Role.ADMIN), Source()).add_user(name, role, PASSWORD)


def sign_in(context: BrowserContext, server: Server, name: str, password: str = PASSWORD) -> Page:
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def serious(page: Page) -> list[str]:
    """Give what axe finds serious on a page as it stands, in both themes; the one that it had is there again afterwards."""
    page.emulate_media(reduced_motion="reduce")
    before = page.evaluate("document.documentElement.dataset.theme")
    wrong = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        wrong += [f"{theme}: {each['id']}: {each['nodes'][0]['html'][:150]}" for each in found if each["impact"] in ("serious", "critical")]
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", before)
    return wrong


def test_a_server_is_set_up_and_a_token_is_made_and_ended(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(server.link)
    expect(page.get_by_role("heading", name="Set up this server")).to_be_visible()
    assert "token" not in page.url, "the secret has left the address"
    assert serious(page) == []
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password, 10 characters or more").fill(PASSWORD)
    page.get_by_label("The password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the first admin").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    for tab in ("Users", "Audit", "Stack", "Tokens"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert serious(page) == [], tab
    page.get_by_text("Change the password").click()
    page.get_by_label("Token for").fill("nightly")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("region", name="All tokens")).to_contain_text("nightly")
    assert serious(page) == []
    shown = page.locator(".command code", has_text="lineal_").inner_text()
    headers = {"authorization": f"Bearer {shown}"}
    assert page.request.get(f"{server.url}/api/v1/me", headers=headers).json()["name"] == "ada"
    page.reload()
    expect(page.get_by_text("nightly")).to_be_visible()
    assert shown not in page.content(), "it is shown once"
    page.get_by_role("button", name="Revoke nightly").click()
    assert serious(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("revoked", exact=True)).to_be_visible()
    assert serious(page) == []
    assert page.request.get(f"{server.url}/api/v1/me", headers=headers).status == 401


def test_a_wrong_password_is_said_and_a_session_that_ended_is_asked_for_again(context: BrowserContext, server: Server) -> None:
    add("ada", Role.ADMIN)
    page = sign_in(context, server, "ada", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("the name or the password is not right")
    assert serious(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    People(open_workspace().accounts, Principal("test", Role.ADMIN), Source()).change_user("ada", active=True)
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", name="Sign in to Lineal")).to_be_visible()


def test_a_viewer_is_offered_nothing_that_only_others_may(context: BrowserContext, server: Server) -> None:
    """A33: the API refuses it, too."""
    add("ada", Role.ADMIN)
    add("vera", Role.VIEWER)
    version, run = save_artifact([1, 2, 3], "numbers"), counting()
    editor = sign_in(context, server, "ada")
    expect(editor.get_by_role("heading", name="Home")).to_be_visible()
    for kind, of in (("versions", version), ("runs", run)):
        editor.goto(f"{server.url}/#/{kind}/{of.id}")
        for name in OFFERED[kind]:
            expect(editor.get_by_role("button", name=name, exact=True)).to_be_visible()
    context.clear_cookies()
    page = sign_in(context, server, "vera")
    expect(page.get_by_role("button", name="Sign out vera")).to_be_visible()
    page.goto(f"{server.url}/#/versions/{version.id}")
    expect(page.get_by_role("heading", name="numbers")).to_be_visible()
    for name in OFFERED["versions"]:
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.goto(f"{server.url}/#/runs/{run.id}")
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()
    for name in OFFERED["runs"]:
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.goto(f"{server.url}/#/settings")
    expect(page.get_by_role("tab")).to_have_text(["Tokens"])
    page.get_by_role("button", name="Sign out vera").click()
    expect(page.get_by_role("heading", name="Sign in to Lineal")).to_be_visible()


def test_users_of_every_kind_are_shown_so_that_all_can_read_them(context: BrowserContext, server: Server) -> None:
    """A person, a service, one who was turned off, who is asked about before being deleted; and on a small screen."""
    add("ada", Role.ADMIN)
    add("vera", Role.VIEWER)
    page = sign_in(context, server, "ada")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.goto(f"{server.url}/#/settings?tab=users")
    page.get_by_label("Name", exact=True).fill("robot")
    page.get_by_label("Is a").select_option("service")
    page.get_by_role("button", name="Add user").click()
    page.get_by_role("button", name="Deactivate vera").click()
    rows = page.get_by_role("region", name="All users").locator("tbody tr")
    expect(rows.filter(has_text="robot")).to_contain_text("service")
    expect(rows.filter(has_text="vera")).to_contain_text("deactivated")
    assert serious(page) == []
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 420")
    assert serious(page) == []
    page.get_by_role("button", name="Delete robot").click()
    assert serious(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(2)


def test_a_machine_is_approved_by_its_code(context: BrowserContext, server: Server) -> None:
    add("ada", Role.ADMIN)
    add("eddy", Role.EDITOR)
    begun = context.request.post(f"{server.url}/api/v1/device", data={"name": "laptop"}).json()
    page = sign_in(context, server, "eddy")
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.goto(f"{server.url}{begun['page']}")
    page.get_by_label("Code").fill(begun["code"])
    assert serious(page) == []
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("laptop gets its token now")
    assert serious(page) == []
    found = context.request.post(f"{server.url}/api/v1/device/token", data={"device": begun["device"]}).json()
    assert (found["user"], found["role"]) == ("eddy", "editor")
