"""A notebook that was run for real, in a real browser: what stands below its cells can be seen and read, in a light theme and in a dark one."""

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from tests.acceptance.notebooks import executed

PIPELINE = """
from typing import Annotated

import lineal
from lineal import Client, pipeline, step

@step
def load(n: int) -> Annotated[list[int], "numbers"]:
    return list(range(n))

@step
def work(numbers: list[int], k: int) -> int:
    return sum(numbers) * k

@step
def gather(found: list[int]) -> Annotated[int, "total"]:
    return sum(found)

@pipeline
def training(n: int = 4) -> None:
    numbers = load(n)
    gather([work(numbers, k) for k in range(8)])

run = training()
run
"""
CELLS = (PIPELINE, 'Client().get_artifact_version("total").lineage()', "lineal.show(run)")
SCALE = 2
"""Pixels of a picture in one of the page, so that letters have a pixel of their own colour."""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """Before the browser is open, as both run an event loop in this process."""
    return executed(tmp_path_factory.mktemp("notebook"), CELLS)


@pytest.fixture(params=["light", "dark"])
def page(notebook: nbformat.NotebookNode, browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The notebook as JupyterLab shows it, in both of its themes; what it would fetch from elsewhere is kept from it."""
    theme = request.param
    text, _ = HTMLExporter(template_name="lab", theme=theme).from_notebook_node(notebook)
    file = tmp_path / "notebook.html"
    file.write_text(text, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1200, "height": 2400}, color_scheme=theme, device_scale_factor=SCALE)
    context.route(lambda url: url.startswith("http"), lambda route: route.abort())
    page = context.new_page()
    page.goto(file.as_uri())
    yield page
    context.close()


@cache
def luminance(colour: tuple[int, ...]) -> float:
    red, green, blue = (each / 255 / 12.92 if each <= 10 else ((each / 255 + 0.055) / 1.055) ** 2.4 for each in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PLACES = """all => all.map(each => {
  const box = each.getBoundingClientRect();
  return [each.textContent, box.x, box.y, box.width, box.height];
})"""


def contrasts(texts: Locator, picture: Image.Image, frame: tuple[float, float] = (0, 0)) -> dict[str, float]:
    """Give how much each text stands out from what is around it, as WCAG counts it: 1 is not at all, 21 the most. `frame` is where theirs is."""
    found = {}
    for text, x, y, width, height in texts.evaluate_all(PLACES):
        left, top = (x + frame[0]) * SCALE, (y + frame[1]) * SCALE
        part = picture.crop((int(left), int(top), int(left + width * SCALE), int(top + height * SCALE)))
        colours = [(number, luminance(colour)) for number, colour in part.getcolors(1 << 24)]
        _, around = max(colours)
        ratios = [(max(each, around) + 0.05) / (min(each, around) + 0.05) for _, each in colours]
        found[f"{text} at {x:.0f}, {y:.0f}"] = round(max(ratios), 1)
    return found


def seen(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def test_the_graphs_of_a_run_and_of_a_lineage_can_be_read(page: Page) -> None:
    graphs = page.locator(".jp-OutputArea-output svg")
    expect(graphs).to_have_count(2)
    picture = seen(page)
    run, lineage = (contrasts(graphs.nth(place).locator("text"), picture) for place in (0, 1))
    assert [each.partition(" at ")[0] for each in run if "cached" not in each][:1] == ["load"]
    assert any(each.startswith("work, 8 calls") for each in run)
    assert any(each.startswith("training::work_8::output@1") for each in lineage)
    assert {name: ratio for name, ratio in {**run, **lineage}.items() if ratio < 4.5} == {}
    for graph in graphs.all():
        box = graph.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1200


def test_what_show_gives_is_the_page_of_the_run_with_its_graph(page: Page) -> None:
    shown = page.frame_locator("iframe[title=Lineal]")
    boxes = shown.locator(".node b")
    expect(boxes).to_have_text(["load", "work", "gather", "numbers@1", "total@1"])
    page.wait_for_timeout(300)  # until the graph has the place that fits
    frame = page.locator("iframe[title=Lineal]").bounding_box()
    assert frame is not None
    found = contrasts(boxes, seen(page), (frame["x"] + 1, frame["y"] + 1))  # its border
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}
    shown.get_by_role("button", name="gather").click()
    expect(shown.get_by_role("region", name="Step gather")).to_be_visible()
