"""A notebook, run for real: a pipeline gives a table, an array, a figure and a model, and each is shown below its cell."""

import re

import nbformat
import pytest
from nbconvert import HTMLExporter

from lineal.views.subset import parse

from .notebooks import executed

PIPELINE = """
from typing import Annotated

import altair as alt
import matplotlib
matplotlib.use("agg")
import numpy as np
import pandas as pd
import plotly.express as px
from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lineal import Client, pipeline, step
from lineal.types import HTMLString, MarkdownString


@step
def load(rows: int) -> Annotated[pd.DataFrame, "houses"]:
    chance = np.random.default_rng(0)
    size = chance.lognormal(4.5, 0.4, rows)
    rooms = np.clip(size / 28 + chance.normal(0, 0.7, rows), 1, 9).round()
    return pd.DataFrame({
        "size": size,
        "rooms": rooms.astype(int),
        "district": chance.choice(["north", "south", "harbour", "<i>old town</i>"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        "sold": pd.date_range("2023-01-01", periods=rows, freq="7h"),
        "garden": chance.random(rows) < 0.3,
        "price": np.where(chance.random(rows) < 0.05, np.nan, size * 2900 + rooms * 9000 + chance.normal(0, 25000, rows)),
    })


@step
def train(houses: pd.DataFrame) -> Annotated[object, "model"]:
    known = houses.dropna()
    model = make_pipeline(StandardScaler(), RandomForestRegressor(20, max_depth=6, random_state=0))
    return model.fit(known[["size", "rooms", "garden"]], known["price"])


@step
def forest(houses: pd.DataFrame) -> Annotated[RandomForestRegressor, "forest"]:
    known = houses.dropna()
    return RandomForestRegressor(20, max_depth=6, random_state=0).fit(known[["size", "rooms", "garden"]], known["price"])


@step
def residuals(houses: pd.DataFrame, model: object) -> tuple[Annotated[np.ndarray, "residuals"], Annotated[dict, "metrics"]]:
    known = houses.dropna()
    errors = known["price"].to_numpy() - model.predict(known[["size", "rooms", "garden"]])
    metrics = {"rmse": float(np.sqrt(np.mean(errors**2))), "rows": len(known), "model": "forest"}
    return errors, metrics


@step
def correlations(houses: pd.DataFrame) -> Annotated[np.ndarray, "grid"]:
    x, y = np.mgrid[-3:3:120j, -3:3:160j]
    return np.sin(x * 2) * np.cos(y * 1.5) * np.exp(-(x**2 + y**2) / 8)


@step
def draw(houses: pd.DataFrame) -> tuple[Annotated[Figure, "figure"], Annotated[object, "plotly"], Annotated[object, "chart"]]:
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.scatter(houses["size"], houses["price"] / 1000, s=6, alpha=0.5)
    axes.set(xlabel="size (m2)", ylabel="price (thousands)")
    monthly = houses.assign(month=houses["sold"].dt.strftime("%Y-%m-01")).groupby("month", as_index=False)["price"].mean()
    by_district = houses.groupby("district", as_index=False)["price"].mean()
    chart = alt.Chart(by_district).mark_bar().encode(x="district", y="price")
    return figure, px.line(monthly, x="month", y="price", title="Mean price"), chart


@step
def report(metrics: dict) -> tuple[Annotated[MarkdownString, "report"], Annotated[HTMLString, "page"]]:
    text = f"## Result\\n\\nThe error is **{metrics['rmse']:.0f}** on {metrics['rows']} houses.\\n\\n| a | b |\\n|---|--:|\\n| 1 | 2 |\\n"
    page = "<style>h1{color:#b3476b}</style><h1>A page of its own</h1><p id=t>no script</p><script>t.textContent='with its script'</script>"
    return MarkdownString(text), HTMLString(page)


@pipeline
def housing(rows: int = 1500):
    houses = load(rows)
    model = train(houses)
    forest(houses)
    errors, metrics = residuals(houses, model)
    correlations(houses)
    draw(houses)
    report(metrics)


run = housing()
"""
NAMES = ("houses", "residuals", "grid", "figure", "model", "forest", "metrics", "plotly", "chart", "report", "page")


@pytest.fixture(scope="module", name="executed")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """Give the notebook after it was run."""
    show = [f'Client().get_artifact_version("{name}").visualize()' for name in NAMES]
    return executed(tmp_path_factory.mktemp("notebook"), [PIPELINE, *show])


def shown(notebook: nbformat.NotebookNode, name: str) -> list[dict[str, object]]:
    """Give what was displayed below a cell: the title first."""
    outputs = notebook.cells[1 + NAMES.index(name)].outputs
    assert [each.output_type for each in outputs] == ["display_data"] * len(outputs), outputs
    return [each.data for each in outputs]


def test_a_run_in_a_notebook_gives_what_its_steps_made(executed: nbformat.NotebookNode) -> None:
    assert not [each for cell in executed.cells for each in cell.outputs if each.output_type == "error"]
    streams = [each for each in executed.cells[0].outputs if each.output_type == "stream"]
    assert {each.name for each in streams} == {"stdout"}, "what goes well is not shown in red"
    assert "completed in" in "".join(each.text for each in streams)


def test_a_table_is_shown_below_its_cell_as_part_of_the_page(executed: nbformat.NotebookNode) -> None:
    title, table = shown(executed, "houses")
    assert "houses@1" in title["text/html"]
    assert "1,500 rows" in table["text/html"]
    assert "<b>district</b>" in table["text/html"]
    assert "&lt;i&gt;old town" in table["text/html"]
    assert "<iframe" not in table["text/html"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("residuals", ["<path"]), ("grid", ["<path", '<img src="data:image/png']), ("figure", ['<img src="data:image/png']),
        ("forest", ["Features by importance"]), ("model", ["sklearn.pipeline.Pipeline", "<iframe sandbox"]), ("metrics", ["rmse"]),
        ("plotly", ["<polyline", "<details>"]), ("chart", ["<rect", "<details>"]), ("report", ["<h2>Result</h2>"]), ("page", ["<iframe sandbox"]),
    ],
)  # fmt: skip
def test_arrays_figures_models_and_text_are_shown_below_their_cells(
    executed: nbformat.NotebookNode, name: str, expected: list[str]
) -> None:
    _, *outputs = shown(executed, name)
    assert len(outputs) == len(expected)
    for output, part in zip(outputs, expected, strict=True):
        assert part in output["text/html"]


def test_a_notebook_gets_the_charts_that_it_draws_itself(executed: nbformat.NotebookNode) -> None:
    assert "application/vnd.plotly.v1+json" in shown(executed, "plotly")[2]
    assert any(mime.startswith("application/vnd.vegalite.v") for mime in shown(executed, "chart")[2])


def test_nothing_that_is_shown_can_act_on_the_notebooks_page(executed: nbformat.NotebookNode) -> None:
    """Outside of frames there is only what passes the check, and frames are shut off."""
    for name in NAMES:
        for output in shown(executed, name):
            html = str(output["text/html"])
            frames = re.findall(r"<iframe[^>]*>", html)
            assert all('sandbox="allow-scripts"' in frame for frame in frames)
            rest = re.sub(r"<iframe[^>]*></iframe>", "", html).replace(";contain:content", "")
            if "data:image" not in rest:
                assert parse(rest) is not None, name


def test_the_notebook_as_a_page(executed: nbformat.NotebookNode) -> None:
    """What people send each other: the outputs are all in it."""
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(executed)
    assert "1,500 rows" in page
    assert page.count('sandbox="allow-scripts"') == 2
