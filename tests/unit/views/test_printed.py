"""Visualizations in a terminal."""

import io
import sys

import pytest

from lineal.materializers import markup
from lineal.materializers.table_view import Column, Table, view
from lineal.model.visualization import Visualization
from lineal.views.printed import show_in_terminal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8) + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + bytes(100)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed(*shown: Visualization) -> str:
    """Give what is printed where standard output is no terminal."""
    before, sys.stdout = sys.stdout, io.StringIO()
    try:
        show_in_terminal("it@1", list(shown), "OPEN")
        return sys.stdout.getvalue()
    finally:
        sys.stdout = before


def test_a_table_is_printed_as_text() -> None:
    column = Column("n", "int64", [1, 2], [1, 2])
    assert printed(view(Table(2, 2, [Column("", "", ["a", "b"], [])], [column, Column("text", "str", ["x", None], ["x", None])]))) == (
        "it@1\n"
        "2 rows \N{MULTIPLICATION SIGN} 2 columns\n"
        "       n  text\n"
        "   int64  str\n"
        "   1 … 2  always x\n"
        "          50 % missing\n"
        "-  -----  ------------\n"
        "a      1  x\n"
        "b      2  \N{EN DASH}\n"
    )


def test_facts_headings_and_bars_are_printed() -> None:
    shown = markup.page(
        markup.heading("Parameters"), markup.facts({"depth": 3}), markup.bars([("age", 0.5)]), markup.picture(PNG, "a curve")
    )
    assert printed(shown) == "it@1\nParameters\ndepth  3\nage  0.5\n[a curve]\n"


def test_what_cannot_be_printed_is_named_with_the_command_that_opens_it() -> None:
    text = printed(Visualization("image", PNG, "Loss"), Visualization("html", "<script>1</script>"), Visualization("svg", "<svg/>"))
    assert text == "it@1\nimage, 640 x 480, 124 B: Loss\nhtml, 18 B\nsvg, 6 B\nto see them: OPEN\n"


def test_several_are_printed_under_their_titles() -> None:
    text = printed(Visualization("text", "one", "First"), Visualization("json", '{"a":1}', "Second"), Visualization("markdown", "# x"))
    assert text == 'it@1\n\nFirst\none\n\nSecond\n{\n  "a": 1\n}\n# x\n'


def test_nothing_is_said_to_be_nothing() -> None:
    assert "there is nothing to show" in printed()


def test_csv_is_a_table_and_long_output_is_cut() -> None:
    assert printed(Visualization("csv", "a,b\n1,2\n")) == "it@1\na  b\n-  -\n1  2\n"
    assert printed(Visualization("csv", "")) == "it@1\n"
    assert printed(Visualization("text", "x\n" * 300)).endswith("x\n... 100 more lines\n")


@pytest.mark.parametrize("kind", ["text", "json", "markdown", "csv", "html"])
def test_nothing_reaches_a_terminal_that_it_would_obey(kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape sequences in values and titles are shown, not sent."""
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    hostile = "a\x1b]0;title\x07b\x9b31m"
    content = str(markup.page(f"<p>{hostile}</p>").content) if kind == "html" else hostile
    show_in_terminal("it@1\x1b[31m", [Visualization(kind, content, hostile), Visualization("text", "x", hostile)], "OPEN")
    assert "\\x1b" in out.getvalue()
    assert not {"\x1b]", "\x07", "\x9b", "\x1b[31m"} & {part for part in ("\x1b]", "\x07", "\x9b", "\x1b[31m") if part in out.getvalue()}


def test_markdown_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    show_in_terminal("it@1", [Visualization("markdown", "- one\n- two\n")], "OPEN")
    assert "one" in out.getvalue()
    assert "- one" not in out.getvalue()


def test_columns_that_do_not_fit_a_terminal_are_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "20")
    show_in_terminal("it@1", [Visualization("csv", "aaaaaaaa,bbbbbbbb,cccccccc\n1,2,3\n")], "OPEN")
    assert out.getvalue().splitlines()[1:] == [
        "aaaaaaaa  bbbbbbbb",
        "--------  --------",
        "1         2",
        "(1 more columns: they do not fit this terminal)",
    ]


def test_what_an_encoding_does_not_have_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    show_in_terminal("ü", [Visualization("text", "⋮")], "OPEN")
    sys.stdout.flush()
    assert raw.getvalue().split() == [b"?", b"?"]


def test_wide_characters_keep_columns_straight() -> None:
    assert printed(Visualization("csv", "a,b\n日本,1\nxy,2\n")).splitlines()[3:] == ["日本  1", "xy    2"]
