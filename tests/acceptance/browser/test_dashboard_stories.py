"""What people do with the dashboard, in a real browser."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from lineal import Client, pipeline, save_artifact, step
from lineal.model.visualization import HTMLString
from lineal.server.exporting import export_run
from lineal.server.showing import show

from .conftest import Server

PROJECT = """
import time
from pathlib import Path
from typing import Annotated

from lineal import Client, pipeline, step

def wait_for(name):
    while not Path(name).exists():
        time.sleep(0.02)

@step
def load(n: int) -> Annotated[list[int], "numbers"]:
    print("loading", n)
    return list(range(n))

@step(undeclared="off")
def train(numbers: list[int], rate: float) -> Annotated[dict[str, float], "model"]:
    print("training begins", flush=True)
    wait_for("go")
    print("training ends", flush=True)
    return {"weight": sum(numbers) * rate}

@pipeline
def training(n: int = 5, rate: float = 0.5) -> None:
    train(load(n), rate)

@step
def predict(model: dict[str, float]) -> Annotated[float, "prediction"]:
    return model["weight"] * 2

@pipeline
def inference() -> None:
    predict(Client().get_artifact_version("model"))

if __name__ == "__main__":
    training()
    inference()
"""


@pytest.fixture
def project() -> Any:
    Path("project.py").write_text(textwrap.dedent(PROJECT))
    process = subprocess.Popen([sys.executable, "project.py"], env=os.environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_a_first_time_user_follows_a_run_and_finds_where_a_value_came_from(page: Page, project: "subprocess.Popen[bytes]") -> None:
    """From an empty home to a tag: a live run with its log, its artifact, the lineage into another pipeline."""
    page.get_by_role("link", name=re.compile("^training-")).click()
    train = page.get_by_role("button", name=re.compile("^train")).first
    train.click()
    expect(page.get_by_role("region", name="Step train").or_(page.locator("section[aria-label='Step train']")).first).to_be_visible()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text("training begins")).to_be_visible()
    expect(page.get_by_text("training ends")).to_have_count(0)
    Path("go").touch()
    expect(page.get_by_text("training ends")).to_be_visible()
    expect(page.locator(".head").first.get_by_text("completed")).to_be_visible()
    project.wait(60)

    page.get_by_role("tab", name="About").click()
    page.get_by_role("link", name="model@1").click()
    expect(page.get_by_role("heading", name="model@1")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_text("weight")).to_be_visible()
    page.get_by_role("tab", name="Lineage").click()
    prediction = page.get_by_role("button", name=re.compile("^prediction@1"))
    expect(prediction).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^numbers@1"))).to_be_visible()
    prediction.click()
    expect(page.get_by_role("heading", name="prediction@1")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^inference-")).first).to_be_visible()

    page.get_by_role("button", name="+ tag").click()
    page.get_by_role("textbox", name="New tag").fill("production")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag production")).to_be_visible()
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("button", name="Unpin")).to_be_visible()
    found = Client().get_artifact_version("prediction")
    assert (found.tags, found.pinned) == (["production"], True)


def test_an_empty_home_teaches_the_first_step(page: Page) -> None:
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    expect(page.get_by_text("@pipeline")).to_be_visible()


def test_why_a_step_ran_and_what_failed_are_said(page: Page) -> None:
    @step
    def bad(n: int) -> int:
        raise ValueError("no luck with this one")

    @pipeline
    def failing(n: int = 3) -> None:
        bad(n)

    with pytest.raises(ValueError, match="no luck"):
        failing()
    expect(page.get_by_role("heading", name="Runs that failed last")).to_be_visible()
    page.get_by_role("link", name=re.compile("^failing-")).first.click()
    expect(page.get_by_role("alert")).to_contain_text("no luck with this one")
    expect(page.get_by_role("alert")).to_contain_text("lineal runs resume failing-")
    page.get_by_role("alert").get_by_role("button", name="bad").click()
    expect(page.get_by_text("Traceback")).to_be_visible()
    page.get_by_role("tab", name="About").click()
    expect(page.get_by_text("first time")).to_be_visible()


@step
def sew(x: int) -> int:
    return x


@pipeline
def working() -> None:
    sew(sew(1))


def test_anything_is_found_with_the_keyboard(page: Page) -> None:
    save_artifact([1, 2, 3], "needle")
    save_artifact([1], "hay")
    page.keyboard.press("Control+k")
    page.keyboard.type("need")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="needle")).to_be_visible()
    run = working()
    page.keyboard.press("/")
    page.keyboard.type("sew")
    steps = page.get_by_role("option").filter(has_text=re.compile("^step"))
    expect(steps).to_have_text([f"stepsew_2 in {run.name}", f"stepsew in {run.name}"])
    steps.last.click()
    expect(page.get_by_role("region", name="Step sew")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_link_is_a_view(page: Page, server: Server) -> None:
    """Filter, sort and page stand in the address, and come back with it."""
    for place in range(3):
        save_artifact(place, f"thing-{place}")
    page.goto(f"{server.url}/#/artifacts?name=thing&sort=name")
    expect(page.get_by_role("link", name=re.compile("thing-"))).to_have_count(3)
    assert page.get_by_role("link", name=re.compile("thing-")).first.inner_text() == "thing-0"
    page.get_by_role("button", name=re.compile("^artifact")).click()
    expect(page.get_by_role("link", name=re.compile("thing-")).first).to_have_text("thing-2")
    assert "sort=-name" in page.url
    page.reload()
    expect(page.get_by_role("link", name=re.compile("thing-")).first).to_have_text("thing-2")


def test_without_a_session_the_page_says_how_to_get_one(context: BrowserContext, server: Server, lineal_home: Path) -> None:
    """A wrong token, then the right one; the link of the start works once."""
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Sign in to Lineal")).to_be_visible()
    page.get_by_label("Token").fill("wrong")
    with page.expect_response(lambda answer: answer.status == 403):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the token of this server")
    page.get_by_label("Token").fill((lineal_home / "server" / "token").read_text().strip())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    assert "token" not in page.url


def test_a_session_that_has_ended_asks_for_the_token_again(page: Page, server: Server) -> None:
    page.evaluate("fetch('api/v1/session/end', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'})")
    page.goto(f"{server.url}/#/runs")
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to Lineal")).to_be_visible()


HOSTILE = "<img src=x onerror=document.title='stolen'>&amp;{{7*7}}"


def test_hostile_names_and_html_do_nothing(page: Page, server: Server, expected: list[str]) -> None:
    """A14, A17: names are text everywhere; a visualization cannot reach the page around it, its cookie or the network."""
    script = f"""<script>
        const tries = {{}};
        for (const [name, act] of Object.entries({{
            cookie: () => document.cookie,
            parent: () => parent.document.title = 'stolen',
            storage: () => localStorage.length,
            top: () => {{ top.location = 'http://evil.test/'; return 'navigated' }},
        }})) {{ try {{ tries[name] = String(act()) }} catch (error) {{ tries[name] = error.name }} }}
        addEventListener('load', () => fetch('{server.url}/api/v1/runs').then(() => 'reached', () => 'refused').then(found => {{
            tries.fetch = found; document.body.dataset.tries = JSON.stringify(tries);
        }}));
    </script><h1>a report</h1>"""

    @step
    def make() -> HTMLString:
        return HTMLString(script)

    @pipeline
    def making() -> None:
        make()

    version = making().steps["make"].output
    odd = save_artifact({HOSTILE: HOSTILE}, "an 'odd' & #1; name", user_metadata={HOSTILE: HOSTILE})
    for place in ("/", "/artifacts", f"/versions/{odd.id}", f"/versions/{odd.id}?tab=facts", f"/artifact?name={quote(HOSTILE)}", "/runs"):
        page.goto(f"{server.url}/#{place}")
        page.reload()
        expect(page.get_by_role("navigation")).to_be_visible()
    expected += ["Content Security Policy", "Unsafe attempt to initiate navigation"]  # the browser says what it has refused
    page.goto(f"{server.url}/#/versions/{version.id}")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="a report")).to_be_visible()
    tries = frame.locator("body[data-tries]").get_attribute("data-tries")
    assert tries is not None
    assert "stolen" not in page.title()
    assert page.url.startswith(server.url)
    for name, found in re.findall(r'"(\w+)":"(\w+)"', tries):
        assert found in ("SecurityError", "refused", "DataCloneError"), (name, found)


def test_an_exported_file_opens_without_a_server(browser: Browser, tmp_path: Path) -> None:
    """The same pages from a file: a graph, a step's log, a visualization, a lineage; nobody is asked for anything."""

    @step
    def make() -> HTMLString:
        print("made here")
        return HTMLString("<h1>a report</h1>")

    @pipeline
    def making() -> None:
        make()

    file = tmp_path / "run.html"
    file.write_text(export_run(Client(), making()), encoding="utf-8")
    context = browser.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(file.as_uri())
    page.get_by_role("button", name=re.compile("^make$|^make")).first.click()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text("made here")).to_be_visible()
    page.get_by_role("tab", name="About").click()
    page.get_by_role("link", name="making::make::output@1").click()
    expect(page.frame_locator("iframe").get_by_role("heading", name="a report")).to_be_visible()
    page.get_by_role("tab", name="Lineage").click()
    expect(page.get_by_role("button", name="make in making")).to_be_visible()
    expect(page.get_by_role("button", name="Pin")).to_have_count(0)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_pages_in_a_notebooks_frame_are_walked_and_reach_nothing(browser: Browser, tmp_path: Path) -> None:
    """As below a cell: links, filters and themes work, and the page around it stays as it is."""

    @step
    def make() -> HTMLString:
        return HTMLString("<h1>a report</h1>")

    @pipeline
    def making() -> None:
        make()

    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<title>notebook</title><h1>cells</h1>{show(making())._repr_html_()}", encoding="utf-8")
    context = browser.new_context()
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    page = context.new_page()
    page.goto(notebook.as_uri())
    shown = page.frame_locator("iframe")
    shown.get_by_role("tab", name="Steps").click()
    shown.get_by_role("tab", name="Graph").click()
    shown.get_by_role("button", name=re.compile("^make$|^make")).first.click()
    shown.get_by_role("link", name="making::make::output@1").click()
    expect(shown.frame_locator("iframe").get_by_role("heading", name="a report")).to_be_visible()
    shown.get_by_role("link", name="making::make::output", exact=True).click()
    expect(shown.get_by_role("heading", name="making::make::output")).to_be_visible()
    theme = shown.get_by_role("button", name=re.compile("^(Light|Dark)$"))
    before = theme.inner_text()
    theme.click()
    expect(theme).not_to_have_text(before)
    expect(page.get_by_role("heading", name="cells")).to_be_visible()
    assert page.url == notebook.as_uri()
    assert [url for url in asked if url != notebook.as_uri() and not url.startswith(("about:", "data:", "blob:"))] == []
    assert wrong == []
    context.close()


PAGES = ["/", "/runs", "/run", "/run?view=timeline", "/run?view=steps", "/run?view=facts", "/artifacts", "/artifact", "/version", "/version?tab=lineage",
         "/version?tab=facts", "/version?tab=used", "/version?tab=files", "/version?tab=load", "/pipelines", "/pipeline", "/compare/runs", "/storage"]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(page: Page, server: Server, theme: str) -> None:
    """Contrast, names, roles, keyboard: every page, in both themes."""
    Path("go").touch()
    Path("project.py").write_text(textwrap.dedent(PROJECT))
    subprocess.run([sys.executable, "project.py"], check=True, capture_output=True)
    subprocess.run([sys.executable, "-c", "import project; project.training(rate=0.7)"], check=True, capture_output=True)
    run, earlier = Client().list_pipeline_runs(pipeline="training")[:2]
    version = Client().get_artifact_version("model")
    page.evaluate(f"localStorage.setItem('lineal-theme', '{theme}')")
    page.emulate_media(reduced_motion="reduce")
    serious = {}
    for place in PAGES:
        whole = place.replace("/run?", f"/runs/{run.id}?step=train&").replace("/version?", f"/versions/{version.id}?")
        whole = {
            "/run": f"/runs/{run.id}?step=train", "/version": f"/versions/{version.id}", "/artifact": "/artifact?name=model",
            "/pipeline": "/pipeline?name=training", "/compare/runs": f"/compare/runs?run={earlier.id},{run.id}&only=no",
            "/runs": f"/runs?pick={earlier.id},{run.id}",
        }.get(whole, whole)  # fmt: skip
        page.goto(f"{server.url}/#{whole}")
        page.reload()
        page.wait_for_load_state("networkidle")
        expect(page.locator("h1").first).to_be_visible()
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        bad = [
            f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        if bad:
            serious[place] = bad
    assert serious == {}
