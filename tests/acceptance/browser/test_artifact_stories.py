"""What people do with artifacts, versions and storage, in a real browser."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from lineal import Client, pipeline, save_artifact, step
from lineal.model.visualization import CSVString, HTMLString, MarkdownString
from lineal.server.exporting import export_version

from .conftest import Server

HOSTILE = "<img src=x onerror=document.title='stolen'>&amp;{{7*7}}"


class Odd:
    """Only pickle keeps it."""

    def __init__(self, number: int) -> None:
        self.number = number


@step
def orders(n: int, bias: float) -> Annotated[pd.DataFrame, "orders"]:
    return pd.DataFrame({"id": range(n), "amount": [number % 7 + bias for number in range(n)], "country": ["de", "fr"] * (n // 2)})


@step
def train(frame: pd.DataFrame, rate: float) -> Annotated[dict[str, float], "model"]:
    return {"weight": float(frame["amount"].mean()) * rate}


@pipeline
def training(n: int = 100, bias: float = 0.0) -> None:
    train(orders(n, bias), 0.5)


@step
def predict(model: dict[str, float], n: int) -> Annotated[float, "prediction"]:
    return model["weight"] * n


@pipeline
def inference() -> None:
    model = Client().get_artifact_version("model")
    for number in range(6):
        predict(model, number)


def test_versions_are_searched_charted_compared_noted_and_tagged(page: Page) -> None:
    """From a question about metadata to why two versions differ, in the browser's own clicks."""
    for number, bias in enumerate((0.0, 3.0)):
        training(100 + 20 * number, bias)
        Client().update_artifact_version("orders", metadata={"quality": 0.5 + number / 4})
    page.get_by_role("link", name="Artifacts", exact=True).click()
    question = page.get_by_role("searchbox", name="Metadata, as accuracy > 0.9")
    question.fill("quality >> 0.6")
    question.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("metadata query, character")
    expect(page.get_by_role("heading", name="Questions about metadata")).to_be_visible()
    question.fill("quality > 0.6")
    question.press("Enter")
    expect(page.get_by_role("link", name="orders@2")).to_be_visible()
    expect(page.get_by_role("link", name="orders@1")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name=re.compile("^DataFrame")).click()
    expect(page.get_by_role("link", name="model", exact=True)).to_have_count(0)
    page.get_by_role("link", name="orders", exact=True).click()

    page.get_by_label("Over versions", exact=True).select_option("quality")
    expect(page.get_by_role("img", name="quality over 2 versions: 1 0.5, 2 0.75")).to_be_visible()
    page.get_by_role("checkbox", name="Compare version 1").check()
    page.get_by_role("checkbox", name="Compare version 2").check()
    page.get_by_role("link", name="Compare 1 with 2").click()
    expect(page.get_by_role("heading", name="orders@1 → 2")).to_be_visible()
    expect(page.get_by_text("100 → 120 rows, 100 changed cells in 1 column")).to_be_visible()
    expect(page.get_by_role("region", name="drift of numbers", exact=True).get_by_role("row", name=re.compile("^amount"))).to_be_visible()
    expect(page.get_by_text("parameter `bias` 0.0 -> 3.0")).to_be_visible()
    expect(page.get_by_text("lineal artifact diff orders@1 orders@2")).to_be_visible()
    key = page.get_by_role("searchbox", name=re.compile("^Match rows"))
    key.fill("nowhere")
    key.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("has no column 'nowhere'")
    key.fill("id")
    key.press("Enter")
    expect(page.get_by_text("rows are matched by key id")).to_be_visible()

    page.get_by_label("After", exact=True).get_by_role("link", name="orders@2").click()
    page.get_by_role("button", name="+ note").click()
    page.get_by_role("textbox", name="Note").fill("better,\nsince March")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("button", name="Edit note")).to_be_visible()
    page.get_by_role("button", name="+ tag").click()
    page.get_by_role("textbox", name="New tag").fill("production")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag production")).to_be_visible()
    found = Client().get_artifact_version("orders", 2)
    assert (found.metadata["note"], found.tags) == ("better,\nsince March", ["production"])


def test_a_lineage_is_walked_hop_by_hop_into_another_pipeline(page: Page, server: Server) -> None:
    """In words, folded where many calls are alike, and opened step by step in both directions."""
    training()
    inference()
    version = Client().get_artifact_version("orders")
    page.goto(f"{server.url}/#/versions/{version.id}?tab=lineage&depth=1")
    words = page.get_by_role("region", name="In words")
    expect(words).to_contain_text("orders@1 was made by step orders of pipeline training")
    expect(page.get_by_role("button", name=re.compile("^predict"))).to_have_count(0)
    page.get_by_role("button", name="Show 6 more uses of model@1").click()
    folded = page.get_by_role("button", name=re.compile("^predict 6 step runs"))
    folded.click()
    members = page.get_by_role("region", name="6 step runs of predict")
    members.get_by_role("searchbox").fill("predict_6")
    expect(members.get_by_role("link")).to_have_count(1)
    members.get_by_role("button", name="Draw each").click()
    expect(page.get_by_role("button", name=re.compile("^predict_6 in inference"))).to_be_visible()
    page.get_by_role("button", name="Fold again").click()
    expect(page.get_by_role("button", name=re.compile("^predict"))).to_have_count(0)
    page.get_by_role("button", name=re.compile("^model@1")).click()
    expect(page.get_by_role("heading", name="model@1")).to_be_visible()
    expect(words).to_contain_text("model@1 was made by step train of pipeline training")
    expect(words).to_contain_text("6 step runs have used it")
    words.get_by_role("link", name=re.compile("^training-")).click()
    expect(page.get_by_role("heading", name=re.compile("^training-"))).to_be_visible()


def test_space_is_pruned_after_a_preview_and_what_is_lost_is_found(page: Page, server: Server) -> None:
    for number in range(4):
        save_artifact(list(range(9000 + number)), "scratch")
    stored = page.get_by_role("region", name="What is stored")
    expect(stored).to_contain_text("was never verified")
    stored.get_by_role("button", name="Verify").click()
    expect(stored).to_contain_text(re.compile("verified .* all was there"))
    lost = save_artifact(pd.DataFrame({"a": range(9000)}), "gone")
    folder = lost.path.parent
    page.get_by_role("link", name="Storage", exact=True).click()
    expect(page.get_by_role("region", name="Artifacts that take most", exact=True).get_by_role("link", name="scratch")).to_be_visible()
    keep = page.get_by_role("searchbox", name="Keep the last")
    keep.fill("1")
    keep.press("Enter")
    expect(page.get_by_text("lineal artifact prune --keep-last 1")).to_be_visible()
    names = page.get_by_role("list", name="Versions that would go")
    expect(names.get_by_role("listitem")).to_have_text(["scratch@1", "scratch@2", "scratch@3"])
    page.get_by_role("button", name="Prune…").click()
    page.get_by_role("button", name="Cancel").click()
    assert Client().get_artifact("scratch").version_count == 4
    page.get_by_role("button", name="Prune…").click()
    page.get_by_role("dialog").get_by_role("button", name="Prune").click()
    expect(page.get_by_role("status").filter(has_text="Pruned 3 versions, freed")).to_be_visible()
    assert [each.version for each in Client().get_artifact("scratch").versions] == ["4"]
    going = {"state": "running", "progress": {"all": 3, "done": 1, "all_bytes": 2000, "done_bytes": 1000}, "result": None}
    page.route("**/storage/prune/job", lambda route: route.fulfill(json=going))
    page.reload()  # whoever comes while it goes on sees how far it is
    expect(page.get_by_role("status").filter(has_text="Pruning… 1 of 3 versions, 1.0 kB freed")).to_be_visible()
    page.unroute("**/storage/prune/job")
    expect(page.get_by_role("status").filter(has_text="Pruned 3 versions, freed")).to_be_visible()  # and what became of it, in any tab

    folder.chmod(0o755)
    shutil.rmtree(folder)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("1 problem", exact=True)).to_be_visible()
    problems = page.locator(".panel.wrong")
    expect(problems).to_contain_text("gone@1")
    expect(problems).to_contain_text("get it back")
    page.get_by_role("link", name="Home", exact=True).click()
    stored = page.get_by_role("region", name="What is stored")
    expect(stored).to_contain_text(re.compile("verified .* 1 problem"))
    expect(stored).to_contain_text("missing")


def test_what_a_run_made_is_not_deleted_and_the_refusal_says_which_run(page: Page, server: Server) -> None:
    run = training()
    made, loose = run.steps["train"].output, save_artifact([1], "loose")
    for version in (made, loose):
        page.goto(f"{server.url}/#/versions/{version.id}")
        page.get_by_role("button", name="Delete…").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        if version is made:
            expect(page.get_by_role("alert")).to_contain_text(run.name)
    expect(page.get_by_text("No such artifact")).to_be_visible()
    assert Client().list_artifacts("loose").total == 0


def test_a_table_is_sorted_by_the_server(page: Page, server: Server) -> None:
    frame = save_artifact(pd.DataFrame({"n": [*range(200)], "word": ["b", "a"] * 100}), "frame")
    page.goto(f"{server.url}/#/versions/{frame.id}?tab=rows")
    rows = page.get_by_role("region", name="Rows as a table").get_by_role("row")
    expect(page.get_by_text(re.compile("^200 rows . 2 columns$"))).to_be_visible()
    expect(page.get_by_text("mean 99.5, median 99.5")).to_be_visible()
    page.get_by_role("button", name=re.compile("^n")).click()
    page.get_by_role("button", name=re.compile("^n")).click()
    expect(rows.nth(1)).to_contain_text("199")
    page.get_by_role("button", name="After →").click()
    expect(rows.nth(1)).to_contain_text("149")
    page.reload()
    expect(rows.nth(1)).to_contain_text("149")


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_pickled_values_are_compared_by_everything_but_their_values(page: Page, server: Server) -> None:
    """A01: and the page says why, and where the rest can be had."""
    one, other = (save_artifact(Odd(number), "odd", user_metadata={"n": number}) for number in (1, 2))
    page.goto(f"{server.url}/#/compare/versions?a={one.id}&b={other.id}")
    expect(page.get_by_role("note")).to_contain_text("can run code when it is loaded, and the server never does that")
    expect(page.get_by_role("region", name="metadata", exact=True).get_by_role("row", name="n 1 2")).to_be_visible()
    expect(page.get_by_text("lineal artifact diff odd@1 odd@2")).to_be_visible()


def test_a_frame_is_as_high_as_its_page_and_a_hostile_one_only_within_bounds(page: Page, server: Server, expected: list[str]) -> None:
    """All that a page of users can say is a number, and that not without end."""
    expected.append("Content Security Policy")
    long = save_artifact(HTMLString("".join(f"<p>line {number}</p>" for number in range(40))), "long")
    short = save_artifact(HTMLString("<p>one line</p>"), "short")
    hostile = save_artifact(
        HTMLString(
            "<p>grows</p><script>let h = 100; setInterval(() => parent.postMessage({lineal: 'height', height: h *= 2}, '*'), 20);"
            "parent.postMessage({lineal: 'run', code: 'document.title=1'}, '*'); parent.postMessage('x'.repeat(1e6), '*')</script>"
        ),
        "hostile",
    )
    heights = {}
    for version in (long, short, hostile):
        page.goto(f"{server.url}/#/versions/{version.id}")
        expect(page.frame_locator("iframe").locator("p").first).to_be_visible()
        page.wait_for_timeout(800)
        heights[version.name] = page.locator("iframe").bounding_box()["height"]  # type: ignore[index]
    assert 40 * 30 < heights["long"] < 40 * 50
    assert heights["short"] < 120
    assert heights["hostile"] <= 2402
    assert "Lineal" in page.title()


def test_hostile_names_notes_and_texts_are_text(page: Page, server: Server) -> None:
    """A17: also where they are searched, compared, charted, noted, drawn as Markdown or as a table."""
    one, other = (
        save_artifact({HOSTILE: number}, "an 'odd' & #1; name", user_metadata={HOSTILE: number, "note": HOSTILE}) for number in (1, 2)
    )
    card = save_artifact(
        MarkdownString(
            f"# {HOSTILE}\n\n[x](javascript:document.title='stolen') <script>document.title='stolen'</script>\n\n| {HOSTILE} |\n|-|\n| a |"
        ),
        "card",
    )
    cells = save_artifact(CSVString(f"{HOSTILE},b\n1,{HOSTILE}\n"), "cells")
    frame = save_artifact(pd.DataFrame({HOSTILE: [HOSTILE]}), "frame")
    places = [
        f"/compare/versions?a={one.id}&b={other.id}", f"/versions/{one.id}", f"/versions/{one.id}?tab=facts", f"/versions/{one.id}?tab=lineage",
        f"/versions/{card.id}", f"/versions/{cells.id}", f"/versions/{frame.id}?tab=rows", "/artifacts?metadata=note+exists",
    ]  # fmt: skip
    for place in places:
        page.goto(f"{server.url}/#{place}")
        page.reload()
        expect(page.get_by_text("onerror").first).to_be_visible()
        assert "stolen" not in page.title(), place
        assert page.locator("main img[onerror], main script, main a[href^='javascript']").count() == 0, place


def test_an_exported_version_shows_its_rows_and_what_differs_from_the_one_before(browser: Browser, tmp_path: Path) -> None:
    for number in (1, 2):
        version = save_artifact(pd.DataFrame({"a": [0, number]}), "frame", user_metadata={"note": "from a file"})
    file = tmp_path / "version.html"
    file.write_text(export_version(Client(), version), encoding="utf-8")
    context = browser.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.get_by_text("from a file")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text(re.compile("^2 rows . 1 column"))).to_be_visible()
    page.get_by_role("tab", name="Rows").click()
    expect(page.get_by_text(re.compile("^2 rows . 1 column$"))).to_be_visible()
    page.get_by_label("Compare with").select_option(label="1 (before)")
    expect(page.get_by_text("1 changed cell in 1 column")).to_be_visible()
    for gone in ("+ tag", "Delete…", "+ note", "Swap"):
        expect(page.get_by_role("button", name=gone)).to_have_count(0)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_narrow_pages_fit(page: Page, server: Server, theme: str) -> None:
    """Contrast, names, roles, keyboard, in both themes; and no page is wider than a small screen."""
    for number in range(2):
        training(100 + 20 * number, float(number))
        Client().update_artifact_version("orders", metadata={"quality": number, "note": "a note"}, add_tags=["good"])
    inference()
    card = save_artifact(MarkdownString("# Title\n\n- one\n\n`code` [link](https://example.org)\n\n|a|\n|-|\n|1|"), "card")
    cells = save_artifact(CSVString("a,b\n1,x\n"), "cells")
    one, other = (Client().get_artifact_version("orders", number) for number in (1, 2))
    page.evaluate(f"localStorage.setItem('lineal-theme', '{theme}')")
    page.emulate_media(reduced_motion="reduce")
    places = [
        "/artifacts", "/artifacts?metadata=quality+exists", "/artifacts?metadata=%3C", "/artifact?name=orders", f"/versions/{other.id}", f"/versions/{other.id}?tab=rows",
        f"/versions/{other.id}?tab=facts", f"/versions/{other.id}?tab=lineage", f"/versions/{card.id}", f"/versions/{cells.id}",
        f"/compare/versions?a={one.id}&b={other.id}", "/compare/versions", "/storage?keep_last=0",
    ]  # fmt: skip
    for place in places:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{server.url}/#{place}")
        page.reload()
        page.get_by_role("navigation").wait_for()
        page.wait_for_load_state("networkidle")
        if place.startswith("/storage"):
            page.get_by_role("button", name="Verify").click()
            page.get_by_text("All is well").wait_for()
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            (each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], place
        page.set_viewport_size({"width": 420, "height": 900})
        page.wait_for_function(
            "() => document.documentElement.scrollWidth <= 420"
        )  # a chart is drawn anew when its place has another width
