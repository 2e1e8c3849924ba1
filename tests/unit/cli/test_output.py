"""Tables, facts and JSON."""

import io
import json
import re
import sys

import pytest

from lineal.cli.output import Column, one_line, print_facts, print_table, print_text
from lineal.console import print_json

COLUMNS = [Column("name", whole=True), Column("type"), Column("size", right=True), Column("status")]
ROWS = [["a-long-name-that-someone-copies", "pandas.core.frame.DataFrame", 1200, "failed"], ["日本", "[bold]int", 7, "\x1b[31mx"]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch):
    def show(width: int, **environ: str) -> str:
        stream = Terminal()
        for name, value in {"TERM": "xterm-256color", "COLUMNS": str(width), **environ}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdout", stream)
        print_table(COLUMNS, ROWS)
        return stream.getvalue()

    return show


def test_without_a_terminal_columns_are_aligned_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "name                             type                         size  status",
        "a-long-name-that-someone-copies  pandas.core.frame.DataFrame  1200  failed",
        "日本                             [bold]int                       7  \\x1b[31mx",
    ]


def test_an_empty_table_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [])
    assert capsys.readouterr().out == "name  type  size  status\n"


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_table_fits_the_terminal_and_keeps_names_whole(on_terminal, width: int) -> None:
    lines = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(width)).splitlines()
    assert max(len(line) for line in lines) <= width
    name = "".join(line.split("  ")[0].strip() for line in lines if line.split("  ")[0].strip() not in ("name", "日本"))
    assert name == ROWS[0][0]


def test_colour_only_where_it_is_wanted(on_terminal) -> None:
    assert "\x1b[31mfailed" in on_terminal(100)
    assert "\x1b[31m" not in on_terminal(100, NO_COLOR="1")


def test_nothing_in_a_table_is_markup_or_obeyed(on_terminal) -> None:
    text = on_terminal(100, NO_COLOR="1")
    assert "[bold]int" in text
    assert "\\x1b[31mx" in text


def test_json_is_standard_and_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [float("nan"), float("inf"), 1.5], "b": "é\x1b"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out, parse_constant=pytest.fail) == {"a": ["nan", "inf", 1.5], "b": "é\x1b"}


def test_facts_leave_out_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts("title", {"a": 1, "longer": "x\ny", "none": None, "empty": ""})
    assert capsys.readouterr().out == "title\n  a       1\n  longer  x\\ny\n"


def test_what_a_step_wrote_is_plain_on_a_terminal_and_untouched_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\x1b[32mgreen\x1b[0m \x1b]0;title\x07\n"
    print_text(text)
    assert capsys.readouterr().out == text
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    print_text(text)
    assert stream.getvalue() == "green \\x1b]0;title\\x07\n"


def test_an_error_of_several_lines_becomes_one() -> None:
    assert one_line("a\n  b\r\n\n c\x1b") == "a b c\\x1b"
