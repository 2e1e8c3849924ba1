"""Takes pictures of every page of the dashboard: light and dark, wide and narrow, with something to show, with nothing, and with errors.

    python docs/make_screenshots.py [FOLDER] [PART-OF-A-NAME ...]

Everything goes into a folder that git ignores (`.screenshots` by default), named after the page; the few that the README and the pages show
are also written to docs/pictures. Chromium must be on the path.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT: Final = Path(__file__).parents[1]
FLAGS: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
WIDTHS: Final = {"wide": 1400, "narrow": 420}
THEMES: Final = ("light", "dark")
SHOWN: Final = {"run-graph": "dashboard-run", "compare-versions": "dashboard-compare"}
"""Pages of which the docs show the wide light picture, and under which name."""

UP: Final = [sys.executable, "-c", "from lineal.cli import main; main(['up', '--no-browser', '--port', '0', '--json'])"]

MORE: Final = """
import sys, time
import pandas as pd
from lineal import pipeline, step, log_metadata, save_artifact
from lineal.client import Client
from lineal.types import HTMLString, MarkdownString, CSVString, JSONString

@step
def measure(days: int) -> pd.DataFrame:
    print("asking the meters")
    hours = range(days * 24)
    return pd.DataFrame({"hour": hours, "load": [100 + 30 * (each % 24 - 12) ** 2 / 144 + each / 50 for each in hours], "site": "north"})

@step
def forecast(measured: pd.DataFrame, window: int) -> pd.DataFrame:
    print("averaging", len(measured), "hours")
    found = measured.assign(expected=measured["load"].rolling(window, min_periods=1).mean())
    log_metadata({"error": round(float((found["expected"] - found["load"]).abs().mean()), 3), "window": window})
    return found

@step
def report(found: pd.DataFrame) -> MarkdownString:
    return MarkdownString(f"# Load\\n\\nMean **{found['load'].mean():.1f}** over {len(found)} hours.\\n\\n- peak {found['load'].max():.1f}\\n- lowest {found['load'].min():.1f}\\n")

@step
def page(found: pd.DataFrame) -> HTMLString:
    return HTMLString("<h2>Load</h2><table>" + "".join(f"<tr><td>{h}</td><td>{v:.1f}</td></tr>" for h, v in zip(found["hour"][:12], found["load"])) + "</table>")

@step
def publish(text: MarkdownString, days: int) -> str:
    if days == 13:
        raise ValueError("the mail server does not answer: 13 days are too many")
    return "sent"

@step
def wait(x: str) -> str:
    for number in range(6000):
        print("still waiting", number, flush=True)
        time.sleep(0.2)
    return x

@pipeline(tags=["nightly"])
def energy(days: int = 7, window: int = 3):
    measured = measure(days)
    found = forecast(measured, window)
    page(found)
    publish(report(found), days)

def table(name):
    @step(name=name)
    def take(x: int) -> int:
        return x + 1
    return take

@pipeline
def warehouse():
    first = table("connect")(1)
    for area in ("sales", "stock", "staff"):
        x = first
        for number in range(60):
            x = table(f"{area}_{number:02}")(x)

@pipeline
def slow():
    wait(publish(report(measure(3)), 3))

if sys.argv[1] == "slow":
    slow()
    sys.exit()
for days, window in ((7, 3), (7, 6), (14, 6), (14, 12), (21, 12), (21, 12)):
    energy(days, window)
warehouse()
try:
    energy(13, 2)
except Exception as error:
    print(error)
for number in range(12):
    save_artifact({"threshold": number / 10}, "thresholds", tags=["best"] if number == 7 else None)
Client().get_artifact_version("thresholds").pin()
"""


class View(NamedTuple):
    """A page to look at: its name, the address behind the #, and what to do before the picture is taken."""

    name: str
    place: str
    click: tuple[str, ...] = ()
    signed_in: bool = True
    palette: bool = False


def views(found: dict[str, str]) -> list[View]:
    """Give all pages of a store; `found` has the ids of what they show."""
    run, failed, live, version, before = (found[name] for name in ("run", "failed", "live", "version", "before"))
    return [
        View("home", "/"),
        View("runs", "/runs"),
        View("runs-filtered", "/runs?pipeline=energy&sort=-duration"),
        View("runs-none", "/runs?name=nothing-like-it"),
        View("run-graph", f"/runs/{run}?step=forecast"),
        View("run-timeline", f"/runs/{run}?view=timeline"),
        View("run-steps", f"/runs/{run}?view=steps"),
        View("run-facts", f"/runs/{run}?view=facts"),
        View("run-log", f"/runs/{run}?step=forecast", ("Log",)),
        View("run-code", f"/runs/{run}?step=forecast", ("Code",)),
        View("run-failed", f"/runs/{failed}?step=publish", ("Error",)),
        View("run-live", f"/runs/{live}?step=wait", ("Log",)),
        View("run-large", f"/runs/{found['large']}"),
        View("run-unknown", "/runs/00000000-0000-7000-8000-000000000000"),
        View("compare-runs", f"/compare/runs?run={run},{failed}"),
        View("artifacts", "/artifacts"),
        View("artifact", "/artifact?name=energy::forecast::output"),
        View("version-preview", f"/versions/{version}"),
        View("version-rows", f"/versions/{version}?tab=rows"),
        View("version-facts", f"/versions/{version}?tab=facts"),
        View("version-lineage", f"/versions/{found['model']}?tab=lineage"),
        View("version-used", f"/versions/{version}?tab=used"),
        View("version-files", f"/versions/{version}?tab=files"),
        View("version-load", f"/versions/{version}?tab=load"),
        View("version-markdown", f"/versions/{found['markdown']}"),
        View("version-html", f"/versions/{found['html']}"),
        View("compare-versions", f"/compare/versions?a={before}&b={version}"),
        View("pipelines", "/pipelines"),
        View("pipeline", "/pipeline?name=energy"),
        View("storage", "/storage"),
        View("settings", "/settings"),
        View("settings-users", "/settings?tab=users"),
        View("settings-audit", "/settings?tab=audit"),
        View("palette", "/", palette=True),
        View("no-page", "/nowhere"),
        View("sign-in", "/", signed_in=False),
    ]


EMPTY: Final = [View("empty-home", "/"), View("empty-runs", "/runs"), View("empty-artifacts", "/artifacts"), View("empty-pipelines", "/pipelines"),
                View("empty-storage", "/storage")]  # fmt: skip


def fill(home: Path) -> "subprocess.Popen[bytes]":
    """Run the example and more, and leave one run going on."""
    script = home.parent / "energy.py"
    script.write_text(MORE, encoding="utf-8")
    env = environment(home)
    subprocess.run(
        [sys.executable, str(ROOT / "examples" / "breast_cancer.py")], env=env, cwd=home.parent, check=True, stdout=subprocess.DEVNULL
    )
    subprocess.run([sys.executable, str(script), "more"], env=env, cwd=home.parent, check=True, stdout=subprocess.DEVNULL)
    return subprocess.Popen([sys.executable, str(script), "slow"], env=env, cwd=home.parent, stdout=subprocess.DEVNULL)


def environment(home: Path) -> dict[str, str]:
    """Give an environment in which Lineal uses a home, and shows no runs."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LINEAL_")}
    return clean | {"LINEAL_HOME": str(home), "LINEAL_QUIET": "1"}


@contextmanager
def serving(home: Path) -> Iterator[dict[str, str]]:
    """Serve a home; gives the address, and the link that signs in once."""
    process = subprocess.Popen(UP, env=environment(home), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        yield json.loads(text)
    finally:
        process.terminate()
        process.wait()


def ids(page: Page) -> dict[str, str]:
    """Ask the API for what the pages show."""

    def first(path: str) -> Any:
        return page.evaluate("path => fetch('api/v1' + path).then(answer => answer.json()).then(page => page.items)", path)

    frames = first("/versions?artifact=energy%3A%3Aforecast%3A%3Aoutput")
    found = {
        "run": first("/runs?pipeline=energy&status=completed")[1]["id"], "failed": first("/runs?status=failed")[0]["id"],
        "live": first("/runs?pipeline=slow")[0]["id"], "large": first("/runs?pipeline=warehouse")[0]["id"], "version": frames[0]["id"], "before": frames[1]["id"],
        "markdown": first("/versions?artifact=energy%3A%3Areport%3A%3Aoutput")[0]["id"],
        "html": first("/versions?artifact=energy%3A%3Apage%3A%3Aoutput")[0]["id"], "model": first("/versions?step=train&limit=1")[0]["id"],
    }  # fmt: skip
    return {name: str(each) for name, each in found.items()}


def take(browser: Browser, address: dict[str, str], listed: list[View] | None, folder: Path, wanted: list[str]) -> None:
    """Take the pictures of some pages, by default of all of a store that is filled."""
    opened = browser.new_context()
    page = opened.new_page()
    page.goto(address["link"])
    page.get_by_role("heading", name="Home").wait_for()
    cookies = opened.cookies()
    if listed is None:
        listed = views(ids(page))
    opened.close()
    for theme in THEMES:
        for width, pixels in WIDTHS.items():
            context = browser.new_context(viewport={"width": pixels, "height": 900}, color_scheme="dark" if theme == "dark" else "light")
            for view in listed:
                if wanted and not any(part in view.name for part in wanted):
                    continue
                context.clear_cookies()
                if view.signed_in:
                    context.add_cookies(cookies)  # type: ignore[arg-type]
                page = context.new_page()
                page.goto(f"{address['url']}/#{view.place}")
                show(page, view)
                path = folder / f"{view.name}-{theme}-{width}.png"
                page.screenshot(path=path, full_page=width == "narrow")
                if (theme, width) == ("light", "wide") and view.name in SHOWN and folder.name == ".screenshots":
                    optimise(path, ROOT / "docs" / "pictures" / f"{SHOWN[view.name]}.png")
                page.close()
            context.close()
            print(f"{theme}, {width}", flush=True)


def show(page: Page, view: View) -> None:
    """Do what a page needs before it shows what it is looked at for."""
    settle(page)
    for name in view.click:
        page.get_by_role("tab", name=name).last.click()
        settle(page)
    if view.palette:
        page.keyboard.press("Control+k")
        page.keyboard.type("model")
        settle(page)


def settle(page: Page) -> None:
    """Wait until what was asked for is drawn. A live page never stops to listen, so the network cannot tell."""
    page.wait_for_timeout(300)
    page.get_by_text("Loading…", exact=True).first.wait_for(state="hidden", timeout=15_000)
    page.wait_for_timeout(400)


def optimise(source: Path, target: Path) -> None:
    """Write a picture small: 256 colours show a page of text as it is."""
    from PIL import Image

    with Image.open(source) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


def main(arguments: list[str]) -> None:
    """Fill a store, serve it and an empty one, and take all pictures, or those whose names hold one of some words."""
    folder = Path(arguments[0] if arguments else ROOT / ".screenshots").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("no chromium on the path; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        home, empty = Path(scratch, "home"), Path(scratch, "empty")
        going = fill(home)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        try:
            with serving(home) as address:
                take(browser, address, None, folder, arguments[1:])
            with serving(empty) as address:
                take(browser, address, EMPTY, folder, arguments[1:])
        finally:
            browser.close()
            going.kill()
            going.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
