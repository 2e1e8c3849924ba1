"""What people do with a file that `lineal export html` wrote, opened by double click."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from lineal import Client, log_metadata, pipeline, save_artifact, step
from lineal.server.exporting import export_all, export_run, export_version
from lineal.views import RunView

from .conftest import Server


@step
def load(n: int) -> Annotated[pd.DataFrame, "numbers"]:
    print("loading", n)
    return pd.DataFrame({"x": range(n)})


def fitted(factor: int) -> RunView:
    """Give a run of a pipeline whose second step was edited meanwhile."""

    if factor == 2:

        @step
        def fit(numbers: pd.DataFrame, rate: float) -> Annotated[float, "fitted"]:
            log_metadata({"accuracy": rate / 2})
            return float(numbers["x"].sum()) * rate * 2

    else:

        @step
        def fit(numbers: pd.DataFrame, rate: float) -> Annotated[float, "fitted"]:
            log_metadata({"accuracy": rate / 2})
            return float(numbers["x"].sum()) * rate * 3

    @pipeline
    def fitting(n: int = 4, rate: float = 0.5) -> None:
        fit(load(n), rate)

    return fitting(rate=factor / 4)


@step
def use(fitted: float) -> float:
    return fitted + 1


@pipeline
def using() -> None:
    use(Client().get_artifact_version("fitted"))


@contextmanager
def opened(browser: Browser, file: Path, text: str) -> Iterator[Page]:
    """Open a file, which may ask nobody for anything and has nothing to complain of."""
    file.write_text(text, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    wrong: list[str] = []
    context.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(("file:", "data:", "blob:")) else None)
    context.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    page = context.new_page()
    page.goto(file.as_uri())
    yield page
    context.close()
    assert wrong == []


def compared(page: Page) -> list[list[str]]:
    """Give the rows of a comparison that is open, with everything that is the same too."""
    page.get_by_role("switch", name="Show differences only").uncheck()
    table = page.get_by_role("region", name="Runs side by side")
    expect(table.get_by_role("row", name=re.compile("^n "))).to_be_visible()
    return [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]


def test_runs_are_chosen_and_compared_in_a_file_as_on_the_server(browser: Browser, page: Page, server: Server, tmp_path: Path) -> None:
    """The same rows in the same order, with how the code differs; runs are found, filtered and sorted without anybody to ask."""
    one, other = fitted(2), fitted(3)
    using()
    with opened(browser, tmp_path / "all.html", export_all(Client())) as shown:
        shown.get_by_role("navigation").get_by_role("link", name="Runs").click()
        rows = shown.get_by_role("region", name="Runs").locator("tbody tr")
        expect(rows).to_have_count(3)
        shown.get_by_role("button", name="pipeline").click()
        expect(rows.first).to_contain_text("using")
        shown.get_by_label("Pipeline").fill("fitting")
        shown.keyboard.press("Enter")
        expect(rows).to_have_count(2)
        shown.get_by_role("checkbox", name=f"Choose {one.name}").check()
        shown.get_by_role("checkbox", name=f"Choose {other.name}").check()
        shown.get_by_role("link", name="Compare").click()
        expect(shown.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
        shown.get_by_role("row", name=re.compile("^fit Diff .{12}")).get_by_role("button", name="Diff").click()
        diff = shown.get_by_role("region", name="How the code of fit differs")
        expect(diff.get_by_text(re.compile(r"^\+ .*rate \* 3$"))).to_be_visible()
        diff_text = diff.inner_text()
        shown.get_by_role("button", name="Hide diff").click()
        in_file = compared(shown)
        command = f"lineal runs compare {one.name} {other.name}"
        expect(shown.get_by_text(command)).to_be_visible()
    page.goto(f"{server.url}/#/compare/runs?run={one.id},{other.id}")
    page.get_by_role("row", name=re.compile("^fit Diff .{12}")).get_by_role("button", name="Diff").click()
    assert page.get_by_role("region", name="How the code of fit differs").inner_text() == diff_text
    page.get_by_role("button", name="Hide diff").click()
    assert compared(page) == in_file
    assert page.get_by_text(command).is_visible()


def test_the_file_of_a_version_compares_the_runs_that_it_has(browser: Browser, lineal_home: Path, tmp_path: Path) -> None:
    fitted(2)
    using()
    with opened(browser, tmp_path / "version.html", export_version(Client(), Client().get_artifact_version("fitted"))) as shown:
        shown.get_by_role("navigation").get_by_role("link", name="Runs").click()
        for box in shown.get_by_role("checkbox").all():
            box.check()
        shown.get_by_role("link", name="Compare").click()
        expect(shown.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
        expect(shown.get_by_role("row", name=re.compile("^use completed|^use none completed"))).to_be_visible()


def test_a_file_offers_only_what_it_has(browser: Browser, lineal_home: Path, tmp_path: Path) -> None:
    """That of a run: no overview and no settings, which tell of more than the run; what is found is in it."""
    run = fitted(2)
    save_artifact(1, "elsewhere")
    with opened(browser, tmp_path / "run.html", export_run(Client(), run)) as shown:
        expect(shown.get_by_role("heading", name=run.name)).to_be_visible()
        assert shown.get_by_role("navigation").get_by_role("link").all_inner_texts() == ["Lineal", "Runs", "Artifacts"]
        shown.keyboard.press("Control+k")
        found = shown.get_by_role("option")
        expect(found).to_have_count(3)
        shown.keyboard.type("itte")
        expect(found).to_have_count(1)
        shown.keyboard.press("Enter")
        expect(shown.get_by_role("heading", name="fitted")).to_be_visible()
        shown.goto(f"{shown.url.partition('#')[0]}#/artifact?name=elsewhere")
        expect(shown.get_by_text("Not in this file")).to_be_visible()


def walked(shown: Page) -> set[str]:
    """Follow all links and open all tabs of a file, none of which may lead to what is not in it; give the kinds of its pages.

    axe finds nothing serious on the first of each kind.
    """
    first = shown.get_by_role("link", name="Lineal, home").get_attribute("href")
    assert first is not None
    waiting, seen, kinds = [first], {first}, set[str]()
    while waiting:
        place = waiting.pop()
        shown.evaluate("place => { location.hash = place }", place)
        shown.get_by_text("Loading…", exact=True).wait_for(state="detached")
        expect(shown.locator("h1").first).to_be_visible()
        assert shown.get_by_role("alert").all_inner_texts() == [], place
        for label in shown.get_by_role("tab").all_inner_texts():
            shown.get_by_role("tab", name=label, exact=True).first.click()
            assert shown.get_by_role("alert").all_inner_texts() == [], (place, label)
        kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]+|\?.*", "…", place)
        if kind not in kinds:
            kinds.add(kind)
            found = Axe().run(shown, options={"resultTypes": ["violations"]}).response["violations"]
            assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == [], place
        links = shown.locator("a[href^='#/']").evaluate_all("all => all.map(each => each.getAttribute('href'))")
        fresh = dict.fromkeys(each for each in links if each not in seen)
        seen |= fresh.keys()
        waiting += fresh
    return kinds


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_link_of_a_file_of_everything_leads_to_nothing(browser: Browser, lineal_home: Path, tmp_path: Path, theme: str) -> None:
    fitted(2), fitted(3), using()
    with opened(browser, tmp_path / "all.html", export_all(Client())) as shown:
        shown.evaluate(f"localStorage.setItem('lineal-theme', '{theme}')")
        shown.reload()
        assert walked(shown) >= {
            "#/", "#/runs", "#/runs/…", "#/artifacts", "#/artifact…", "#/versions/…", "#/pipelines", "#/pipeline…", "#/storage", "#/settings",
        }  # fmt: skip
