"""What people do with the pages about runs, in a real browser."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Annotated

from playwright.sync_api import Browser, Page, expect

from lineal import Client, log_metadata, pipeline, step
from lineal.server.exporting import export_all
from lineal.views import RunView

from .conftest import Server


@step
def load(n: int) -> Annotated[list[int], "numbers"]:
    print("first line")
    print("the needle")
    return list(range(n))


@step
def fit(numbers: list[int], rate: float) -> Annotated[float, "fitted"]:
    log_metadata({"accuracy": rate / 2})
    return sum(numbers) * rate


@pipeline
def fitting(n: int = 4, rate: float = 0.5) -> None:
    fit(load(n), rate)


@step(enable_cache=False)
def square(x: int) -> int:
    return x * x


@pipeline
def thousand() -> None:
    for x in range(1000):
        square(x)


def test_two_runs_are_chosen_and_compared(page: Page, server: Server) -> None:
    """From the table: what differs stands first, the rest on request; the choice is in the address."""
    one, other = fitting(), fitting(rate=0.75)
    page.get_by_role("navigation").get_by_role("link", name="Runs").click()
    page.get_by_role("checkbox", name=f"Choose {one.name}").check()
    expect(page.get_by_text("choose another to compare")).to_be_visible()
    page.get_by_role("checkbox", name=f"Choose {other.name}").check()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    table = page.get_by_role("region", name="Runs side by side")
    expect(table.get_by_role("row", name=re.compile("^rate"))).to_contain_text("0.75")
    expect(table.get_by_role("row", name=re.compile("fit: accuracy"))).to_contain_text("+0.125")
    expect(table.get_by_role("row", name=re.compile("^n "))).to_have_count(0)
    page.get_by_role("switch", name="Show differences only").uncheck()
    expect(table.get_by_role("row", name=re.compile("^n "))).to_be_visible()
    page.reload()
    expect(table.get_by_role("row", name=re.compile("^n "))).to_be_visible()
    expect(page.get_by_text(f"lineal runs compare {one.name} {other.name}")).to_be_visible()
    table.get_by_role("row", name=re.compile("^fit .*fitted@1")).get_by_role("link", name="Diff").click()
    expect(page.get_by_role("heading", name="fitted@1")).to_be_visible()


def test_why_a_step_ran_is_a_table_of_what_its_key_is_made_of(page: Page, server: Server) -> None:
    fitting()
    run = fitting(rate=0.75)
    page.goto(f"{server.url}/#/runs/{run.id}?step=fit")
    parts = page.get_by_role("region", name="What its key is made of")
    expect(parts.get_by_role("row", name="parameter rate 0.5 0.75")).to_be_visible()
    page.get_by_text(re.compile("parts of its key are the same")).click()
    expect(page.get_by_role("region", name="What is the same").get_by_role("row", name=re.compile("input numbers"))).to_be_visible()
    page.get_by_role("tab", name="Code").click()
    expect(page.get_by_text("The code is the same as in")).to_be_visible()


def test_a_timeline_says_who_waited_for_whom(page: Page, server: Server) -> None:
    run = fitting()
    page.goto(f"{server.url}/#/runs/{run.id}?view=timeline&step=fit")
    expect(page.get_by_text("load → fit")).to_be_visible()
    expect(page.get_by_text("fit waited for it")).to_be_visible()


def test_a_log_is_searched(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/#/runs/{fitting().id}?step=load")
    page.get_by_role("tab", name="Log").click()
    page.get_by_role("searchbox", name="Search the log").fill("NEEDLE")
    expect(page.get_by_role("log")).to_have_text("the needle")


def test_notes_and_tags_of_a_run_are_edited_in_place(page: Page, server: Server) -> None:
    run = fitting()
    page.goto(f"{server.url}/#/runs/{run.id}")
    page.get_by_role("button", name="+ note").click()
    page.get_by_role("textbox", name="Note").fill("the <b>baseline</b>")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text("the <b>baseline</b>")).to_be_visible()
    page.get_by_role("button", name="+ tag").click()
    page.get_by_role("textbox", name="New tag").fill("kept")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag kept")).to_be_visible()
    found = run.refresh()
    assert (found.metadata["note"], found.tags) == ("the <b>baseline</b>", ["kept"])


def test_a_run_is_deleted_and_what_may_go_then_is_said(page: Page, server: Server) -> None:
    """After it is confirmed; what it shares with another run stays referred to."""
    one, other = fitting(), fitting(rate=0.75)
    page.goto(f"{server.url}/#/runs/{one.id}")
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text(
        re.compile("Its 2 steps and their logs go for good. .* Only this run refers to 1 version, [0-9]+ B of data")
    )
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert Client().list_pipeline_runs().total == 2
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text(f"Deleted {one.name}. Nothing refers to 1 version any more")
    assert [run.name for run in Client().list_pipeline_runs()] == [other.name]
    page.get_by_role("link", name="see what may go").click()
    expect(page.get_by_role("list", name="Versions that would go").get_by_role("listitem")).to_have_text(["fitted@1"])


def test_a_pipeline_has_a_page(page: Page, server: Server) -> None:
    """Its outcome over time, each run a link, and its code as it is now."""
    fitting()
    run = fitting()
    page.goto(f"{server.url}/#/pipelines")
    page.get_by_role("link", name="fitting", exact=True).click()
    expect(page.get_by_role("heading", name="fitting")).to_be_visible()
    expect(page.get_by_text("100 %").first).to_be_visible()
    page.locator("summary", has_text="fit").click()
    expect(page.get_by_text("return sum(numbers) * rate")).to_be_visible()
    page.get_by_role("link", name=re.compile(f"^{run.name}: completed")).press("Enter")
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()


def test_a_run_of_a_thousand_steps_stays_usable(page: Page, server: Server) -> None:
    """Calls of one step are one box, opened on request; the table of its calls leads to each."""
    run = thousand()
    page.goto(f"{server.url}/#/runs/{run.id}")
    box = page.get_by_role("button", name=re.compile("^square"))
    expect(box).to_contain_text("1000: 1000 completed")
    box.click()
    expect(page.get_by_role("heading", name="1000 calls of square")).to_be_visible()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("button", name=re.compile("^square_?[0-9]* … "))).to_have_count(24)
    page.get_by_role("button", name=re.compile("^square … square_42")).click()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("button", name=re.compile("^square_42 completed"))).to_be_attached()
    page.get_by_role("button", name="Fold again").click()
    expect(box).to_have_count(1)
    page.get_by_role("button", name="Zoom In").click()
    page.get_by_role("tab", name="Timeline").click()
    expect(page.get_by_role("button", name="square_1000", exact=True)).to_be_attached()


def test_the_exported_file_has_the_page_of_a_pipeline(browser: Browser, lineal_home: Path, tmp_path: Path) -> None:
    run = fitting()
    file = tmp_path / "all.html"
    file.write_text(export_all(Client()), encoding="utf-8")
    page = browser.new_page()
    page.goto(f"{file.as_uri()}#/pipeline?name=fitting")
    expect(page.get_by_role("heading", name="fitting")).to_be_visible()
    page.get_by_role("region", name="Newest runs").get_by_role("link", name=run.name).click()
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()
    page.close()


def edited(factor: int) -> RunView:
    """Give a run of a file that was edited meanwhile."""
    text = f"""
        from lineal import pipeline, step

        @step
        def scale(x: int) -> int:
            return x * {factor}

        @pipeline
        def scaling() -> None:
            scale(2)

        scaling()
    """
    Path("edited.py").write_text(textwrap.dedent(text))
    subprocess.run([sys.executable, "edited.py"], check=True, capture_output=True)
    return Client().get_pipeline_run("latest")


def test_code_that_changed_is_shown_as_a_diff(page: Page, server: Server) -> None:
    """On the page of the run, since the call that it is compared with; and side by side."""
    before, after = edited(2), edited(3)
    page.goto(f"{server.url}/#/runs/{after.id}?step=scale")
    page.get_by_role("tab", name="Code").click()
    diff = page.get_by_role("region", name="How the code of scale changed")
    expect(diff.get_by_text("-    return x * 2")).to_be_visible()
    expect(diff.get_by_text("+    return x * 3")).to_be_visible()
    page.goto(f"{server.url}/#/compare/runs?run={before.id},{after.id}")
    page.get_by_role("row", name=re.compile("^scale")).get_by_role("button", name="Diff").click()
    expect(page.get_by_role("region", name="How the code of scale differs").get_by_text("+    return x * 3")).to_be_visible()
