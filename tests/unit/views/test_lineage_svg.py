"""The picture of a lineage: well-formed, shut off, and with everything in it that the tree has."""

from xml.etree import ElementTree as ET

from lineal import Client
from lineal.views.lineage_svg import NODES, Node, picture

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


def told(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}title")]


def test_versions_and_steps_are_drawn_with_what_joins_them(client: Client) -> None:
    """The one that it is about stands out; pointing at a node or an edge tells more."""
    view = client.get_artifact_version("model").lineage()
    svg = view.to_svg()
    names = {each.artifact for each in view.versions.values()} | {"load", "train", "predict"}
    assert names <= {text.partition("@")[0] for text in texts(svg)}
    assert any(text.startswith("step train, ") and "in run " in text for text in told(svg))
    assert {"input data", "output model"} <= set(told(svg))
    [strong] = [each for each in ET.fromstring(svg).iter(f"{SVG}text") if each.get("font-weight")]
    assert strong.text == f"model@{view.version.version}"


def test_it_is_self_contained_and_shows_itself_in_a_notebook(client: Client) -> None:
    """Nothing is loaded and nothing runs; in a page it takes the page's colours, as a file the reader's light or dark."""
    view = client.get_artifact_version("model").lineage()
    alone, inside = view.to_svg(), view._repr_html_()
    for svg in (alone, inside):
        drawn = {each.tag.removeprefix(SVG) for each in ET.fromstring(svg).iter()}
        assert drawn <= {"div", "svg", "g", "title", "rect", "text", "path"}
        assert "href" not in svg
        assert "url(" not in svg
    assert "CanvasText" in alone
    assert "Canvas" not in inside
    assert inside.startswith('<div style="overflow:auto')


def test_names_of_any_kind_are_text() -> None:
    """Markup, control characters, halves of characters and long names do not break the picture."""
    hostile = "<script>alert(1)</script>&\"'\x1b\ud800" + "x" * 500
    svg = picture({"a": Node(hostile, hostile, hostile), "b": Node("日本語" * 20, "", "", step=True, wrong=True)}, {("a", "b"): hostile})
    assert "<script" not in svg
    assert all(len(text) <= 40 for text in texts(svg))


def test_a_large_graph_shows_the_nearest_and_says_so() -> None:
    nodes = {str(n): Node(f"v{n}", "", "") for n in range(NODES + 25)}
    svg = picture(nodes, {(str(n), str(n + 1)): "" for n in range(NODES + 24)})
    assert "and 25 more, farther away" in texts(svg)
    assert len(texts(svg)) == NODES + 1
