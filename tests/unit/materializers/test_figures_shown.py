"""What is shown of sparse matrices, graphs, pictures and charts."""

import io
import json

import altair as alt
import matplotlib as mpl
import networkx as nx
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import scipy.sparse as sp
from matplotlib.figure import Figure
from PIL import Image

from lineal.materializers.registry import registry
from lineal.model.records import FileEntry
from lineal.testing.materializers import save
from lineal.views import picture
from lineal.views.subset import body_of, parse

RNG = np.random.default_rng(0)
DATA = pd.DataFrame(
    {"x": [1.0, 2.0, 3.0], "y": [3.0, 1.0, 2.0], "who": ["a", "b", "<script>"], "day": pd.date_range("2024-01-01", periods=3)}
)


def shown(value) -> list[tuple[str, str]]:
    """Give the kind and the text of each visualization that is made when a value is saved."""
    found = []
    for made in registry.for_value(value).visualize(value):
        if made.kind == "html":
            assert parse(body_of(made.content)) is not None, "a notebook would show it in a frame"
        found.append((made.kind, body_of(made.content) if made.kind == "html" else made.content))
    return found


def previewed(value, folder):
    """Give what is shown of the stored files."""
    materializer = registry.for_value(value)
    save(materializer, value, folder)
    files = [FileEntry(path.name, path.stat().st_size, "") for path in sorted(folder.iterdir())]
    return materializer.preview(files, lambda path: (folder / path).read_bytes())


# -- scipy


def test_a_sparse_matrix_shows_where_its_elements_lie() -> None:
    for form in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok"):
        (_, body), (kind, png) = shown(sp.eye_array(50).asformat(form))
        assert "50 (2 % of all)" in body
        assert kind == "image"
        pixels = np.asarray(Image.open(io.BytesIO(png)))[..., 3]
        assert pixels[0, 0] == pixels[-1, -1] == 255
        assert pixels[0, -1] == 0


@pytest.mark.parametrize("value", [sp.csr_array((0, 5)), sp.dok_array((3, 3)), sp.coo_array(np.ones(5)), sp.csr_matrix(np.eye(3) * 1j)])
def test_any_sparse_matrix_is_shown(value) -> None:
    assert shown(value)[0][0] == "html"


def test_of_a_large_sparse_matrix_a_part_is_looked_at() -> None:
    large = sp.random_array((100_000, 50_000), density=2e-4, format="csr", rng=RNG)
    assert [kind for kind, _ in shown(large)] == ["html", "image"]


# -- networkx


def test_a_graph_is_drawn() -> None:
    [(_, body)] = shown(nx.DiGraph([("a", "b"), ("b", "<script>"), ("b", "b")]))
    assert body.count("<circle") == 3
    assert body.count("<polygon") == 2
    assert "&lt;script&gt;" in body


def test_of_a_large_graph_the_largest_nodes_are_drawn() -> None:
    [(_, body)] = shown(nx.barabasi_albert_graph(3000, 2, seed=0))
    assert "3,000" in body
    assert body.count("<circle") <= 80
    assert "with the most edges" in body


@pytest.mark.parametrize("graph", [nx.Graph(), nx.empty_graph(3), nx.empty_graph(100), nx.MultiGraph([(1, 2), (1, 2)]), nx.path_graph(1)])
def test_any_graph_is_shown(graph) -> None:
    assert len(shown(graph)) == 1


def test_weights_that_are_no_numbers_do_no_harm() -> None:
    graph = nx.Graph()
    graph.add_edge(1, 2, weight="heavy")
    assert "<line" in shown(graph)[0][1]


# -- Pillow and matplotlib


def test_a_small_picture_shows_itself(tmp_path) -> None:
    image = Image.new("RGB", (100, 50), (1, 2, 3))
    assert shown(image) == []
    [made] = previewed(image, tmp_path / "image")
    assert Image.open(io.BytesIO(made.content)).size == (100, 50)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK", "I", "F", "I;16", "LAB", "P", "1", "La"])
def test_a_large_picture_and_an_odd_mode_has_a_smaller_picture(mode, tmp_path) -> None:
    image = Image.new("RGBA" if mode == "La" else "L", (3000, 1000), 0).convert("LA" if mode == "La" else "L")
    image = image.convert(mode) if mode not in ("I;16", "LAB") else Image.new(mode, (3000, 1000))
    [(kind, png)] = shown(image)
    assert kind == "image"
    assert Image.open(io.BytesIO(png)).size == (800, 267)
    assert list(previewed(image, tmp_path / "image")) == []


def test_numbers_beyond_bytes_are_brought_into_range() -> None:
    [(_, png)] = shown(Image.fromarray(np.array([[-1000, 0], [0, 70000]], np.int32)))
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert (pixels[0, 0], pixels[1, 1]) == (0, 255)
    shown(Image.fromarray(np.array([[np.nan, np.inf]], np.float32)))


def test_a_figure_shows_its_picture(tmp_path) -> None:
    with mpl.rc_context():
        figure = Figure(figsize=(2, 1))
        figure.add_subplot().plot([1, 2])
    [made] = previewed(figure, tmp_path / "figure")
    assert made.kind == "image"


# -- plotly and altair


@pytest.mark.parametrize(
    ("trace", "drawn"),
    [
        (go.Scatter(x=[1, 2], y=[3, 4]), "<polyline"),
        (go.Scatter(x=[1, 2], y=[3, 4], mode="markers"), "<circle"),
        (go.Scatter(y=[3, 4]), "<polyline"),
        (go.Scatter(x=["2024-01-01", "2024-01-02"], y=[3, 4]), ">2024-01-01<"),
        (go.Scatter(x=["2024-99-99"], y=[3]), ">2024-99-99<"),
        (go.Bar(x=["a", "b"], y=[3, 4]), "<rect"),
        (go.Bar(y=["a", "b"], x=[3, 4], orientation="h"), "<rect"),
        (go.Histogram(x=RNG.normal(size=100)), "<rect"),
        (go.Histogram(x=["a", "b", "a"]), "<rect"),
        (go.Pie(labels=["a", "b"], values=[3, 4]), "<rect"),
        (go.Heatmap(z=[[1, 2], [3, 4]]), "<img"),
        (go.Scatter(x=np.array(["2024-01-01"], "M8[ns]"), y=np.array([1.0])), "<polyline"),
        (go.Scatter3d(x=[1], y=[2], z=[3]), "not drawn here: scatter3d (1 of 1 traces)"),
    ],
)
def test_a_plotly_figure_is_drawn_without_script(trace, drawn) -> None:
    [(_, body)] = shown(go.Figure(trace, layout={"title": {"text": "<script>"}, "xaxis": {"title": {"text": "time"}}}))
    assert drawn in body
    assert "&lt;script&gt;" in body


def test_an_empty_plotly_figure_is_shown() -> None:
    assert len(shown(go.Figure())) == 1


def test_notebooks_that_know_plotly_draw_the_figure_itself(tmp_path) -> None:
    [made] = previewed(go.Figure(go.Scatter(x=np.array([1.0, 2.0]), y=[3, 4])), tmp_path / "figure")
    spec = picture.bundle(made)["application/vnd.plotly.v1+json"]
    x = spec["data"][0]["x"]
    assert (x["dtype"], x["bdata"]) == ("f8", "AAAAAAAA8D8AAAAAAAAAQA==")  # what plotly.js takes for an array
    assert "<details>" in picture.bundle(made)["text/html"]


@pytest.mark.parametrize(
    ("chart", "drawn"),
    [
        (alt.Chart(DATA).mark_point().encode(x="x", y="y", color="who"), "<circle"),
        (alt.Chart(DATA).mark_line().encode(x="day:T", y="y"), ">2024-01-01<"),
        (alt.Chart(DATA).mark_bar().encode(x="who", y="y"), "<rect"),
        (alt.Chart(DATA).mark_bar().encode(x="y", y="who"), "<rect"),
        (alt.Chart(DATA, title="<script>").mark_bar().encode(x="who", y="count()"), "a notebook draws it"),
        (alt.Chart(DATA).mark_line().encode(x="x", y="y") + alt.Chart(DATA).mark_point().encode(x="x", y="y"), "<polyline"),
        (alt.Chart(DATA).mark_line().encode(x="x", y="y") | alt.Chart(DATA).mark_point().encode(x="x", y="y"), "a notebook draws it"),
        (alt.Chart("https://example.org/data.csv").mark_point().encode(x="x:Q", y="y:Q"), "a notebook draws it"),
        (alt.Chart(DATA).mark_point().encode(x="x").transform_filter("datum.x > 1"), "a notebook draws it"),
    ],
)
def test_an_altair_chart_is_drawn_as_far_as_it_can_be(chart, drawn) -> None:
    [(_, body)] = shown(chart)
    assert drawn in body


def test_notebooks_draw_the_specification_of_an_altair_chart(tmp_path) -> None:
    [made] = previewed(alt.Chart(DATA).mark_point().encode(x="x", y="y"), tmp_path / "chart")
    [(mime, spec)] = [(mime, spec) for mime, spec in picture.bundle(made).items() if "vega" in mime]
    assert mime.startswith("application/vnd.vegalite.v")
    assert spec == json.loads(made.content)
