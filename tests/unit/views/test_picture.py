"""Visualizations as HTML: what is harmless in the page itself, everything else in a frame that is shut off."""

import html
import json
import re
from pathlib import Path

import pytest

from lineal.errors import UsageError
from lineal.materializers import markup
from lineal.model.visualization import Visualization
from lineal.views import picture
from lineal.views.picture import bundle, json_text, page, pieces, write_pages
from lineal.views.subset import body_of, parse

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def test_our_own_html_stands_in_the_page() -> None:
    made = pieces(markup.page(markup.facts({"rows": 5}), title="Table"))
    assert "<iframe" not in made
    assert "<!doctype" not in made
    assert "rows" in made
    assert parse(made.replace(";contain:content", "")) is not None


def test_html_of_others_is_framed_without_access_to_the_page_and_to_the_network() -> None:
    """A frame with an opaque origin; the policy comes before anything that the HTML holds."""
    content = "<html><head><script>fetch('https://example.org')</script></head></html>"
    made = pieces(Visualization("html", content))
    frame = re.fullmatch(r'<iframe sandbox="(?P<sandbox>[^"]*)" [^>]*srcdoc="(?P<srcdoc>[^"]*)"></iframe>', made)
    assert frame is not None
    assert frame["sandbox"] == "allow-scripts"
    policy, rest = re.fullmatch(
        r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">(.*)', html.unescape(frame["srcdoc"]), re.DOTALL
    ).groups()
    assert rest == content
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy  # as default-src says: nothing
    assert "http" not in policy


def test_a_frame_cannot_be_left_by_its_content() -> None:
    made = pieces(Visualization("html", '"></iframe><script>alert(1)</script>'))
    assert made.count("<") == 2  # <iframe ...> and </iframe>


@pytest.mark.parametrize(
    ("visualization", "source"),
    [
        (Visualization("image", PNG), "data:image/png;base64,"),
        (Visualization("image", b"\xff\xd8\xff"), "data:image/jpeg;base64,"),
        (Visualization("svg", "<svg><script>alert(1)</script></svg>"), "data:image/svg+xml;base64,"),
    ],
)
def test_images_and_svg_are_images_in_which_nothing_runs(visualization, source) -> None:
    made = pieces(visualization)
    assert made.startswith(f'<img src="{source}')
    assert "<script" not in made


def test_csv_is_a_table_whose_cells_are_text() -> None:
    made = pieces(Visualization("csv", "name,n\n<script>,1\nlonger\n"))
    assert parse(made) is not None
    assert "&lt;script&gt;" in made
    many = pieces(Visualization("csv", "n\n" + "1\n" * 100))
    assert "the first 50 rows of" in many


def test_csv_that_cannot_be_read_is_shown_line_by_line() -> None:
    assert "&quot;aaaa" in pieces(Visualization("csv", '"' + "a" * 200_000))


def test_markdown_is_rendered_without_html_scripts_and_remote_images() -> None:
    text = (
        "# Head\n\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) [b](https://example.org) [c](other.md)\n\n"
        "![pixel](https://example.org/x.png)\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx < 1\n```\n"
    )
    made = pieces(Visualization("markdown", text))
    assert "<iframe" not in made
    assert parse(made.replace(";contain:content", "")) is not None
    assert "<h1>Head</h1>" in made
    assert "&lt;script&gt;" in made
    assert "javascript" not in re.sub(r">[^<]*<", "><", made)
    assert "[pixel]" in made
    assert 'href="https://example.org"' in made
    assert "other.md" not in made
    assert "<td" in made


def test_a_short_list_of_plain_values_stands_on_one_line() -> None:
    """Not one with others in it, nor a long one."""
    assert json_text(Visualization("json", '{"a":[],"b":[[1,2],["]","["]],"c":[{"d":[1]},2]}')).split("\n") == [
        "{", '  "a": [],', '  "b": [', "    [1, 2],", '    ["]", "["]', "  ],", '  "c": [', "    {", '      "d": [1]', "    },", "    2", "  ]", "}",
    ]  # fmt: skip
    assert json_text(Visualization("json", json.dumps(list(range(100))))).count("\n") == 101


def test_a_page_may_ask_for_a_lower_frame_and_for_no_taller_one() -> None:
    """What draws it knows about how tall it is."""
    for said, height in (
        ('<meta name="lineal-height" content="150">', 150),
        ('<meta name="lineal-height" content="9999">', 360),
        ("", 360),
    ):
        assert f"height:{height}px" in pieces(Visualization("html", f"{said}<script></script>"))


def test_json_is_shown_one_value_a_line_and_text_as_it_is() -> None:
    assert "{\n  &quot;a&quot;: [1, &quot;&lt;b&gt;&quot;]\n}" in pieces(Visualization("json", '{"a": [1, "<b>"]}'))
    assert "not json" in pieces(Visualization("json", "not json"))
    assert "&lt;b&gt;\\x1b\n" in pieces(Visualization("text", "<b>\x1b\n"))
    assert "the first 50,000 of 60,000 characters" in pieces(Visualization("text", "a" * 60_000))


def test_a_chart_that_notebooks_draw_is_given_as_such() -> None:
    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v5.8.0.json", "mark": "bar"}
    made = bundle(Visualization("json", json.dumps(spec), "Chart"))
    assert made["application/vnd.vegalite.v5+json"] == spec
    assert "<pre" in made["text/html"]
    assert set(bundle(Visualization("json", "[1]"))) == {"text/html", "text/plain"}
    assert set(bundle(Visualization("json", '{"$schema": "https://example.org/v5"}'))) == {"text/html", "text/plain"}


def test_titles_are_text() -> None:
    for kind in ("text", "html", "csv", "json", "markdown", "svg"):
        assert "<b>" not in pieces(Visualization(kind, "x", "<b>title")).replace("<b>x</b>", "")


def test_files_are_written_with_a_page_that_shows_all(tmp_path: Path) -> None:
    shown = [markup.page(markup.heading("ours"), title="Ours"), Visualization("html", "<script>1</script>"), Visualization("image", PNG)]
    index = write_pages("model@1", shown, tmp_path / "new" / "folder", overwrite=False)
    assert sorted(path.name for path in index.parent.iterdir()) == ["0.html", "1.html", "2.png", "index.html"]
    assert (index.parent / "2.png").read_bytes() == PNG
    text = index.read_text(encoding="utf-8")
    assert text.count("<iframe") == 1
    assert "model@1" in text


def test_pages_follow_light_and_dark_and_load_nothing(tmp_path: Path) -> None:
    for made in (page("t", [Visualization("text", "x")]), str(markup.page("x").content)):
        assert '<meta name="color-scheme" content="light dark">' in made
        assert "default-src 'none'" in made
        assert not re.search(r"(src|href)=\"?https?:", made)


def test_files_that_are_there_are_not_replaced_unasked(tmp_path: Path) -> None:
    shown = [Visualization("text", "new")]
    (tmp_path / "0.txt").write_text("old")
    with pytest.raises(UsageError, match=r"0.txt is there already; give another folder"):
        write_pages("t", shown, tmp_path, overwrite=False)
    assert (tmp_path / "0.txt").read_text() == "old"
    write_pages("t", shown, tmp_path, overwrite=True)
    assert (tmp_path / "0.txt").read_text() == "new"


def test_cells_that_a_spreadsheet_would_compute_are_exported_as_text(tmp_path: Path) -> None:
    text = 'name,n\n=1+1,-5\n"@x, y",+1e5\n-a,5%\n\ttab,\n'
    write_pages("t", [Visualization("csv", text)], tmp_path, overwrite=False)
    assert (tmp_path / "0.csv").read_text() == "name,n\n'=1+1,-5\n\"'@x, y\",+1e5\n'-a,5%\n'\ttab,\n"


def test_what_a_page_of_its_own_holds_is_what_was_checked() -> None:
    """The head of a stored page is dropped: only its body reaches a notebook."""
    hostile = markup.document("t", "<p>x</p>").replace("</head>", "<script>alert(1)</script></head>")
    assert "script" not in pieces(Visualization("html", hostile)).replace("allow-scripts", "")
    assert picture.parse(body_of(hostile)) is not None
