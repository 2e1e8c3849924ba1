"""Pieces of HTML for visualizations."""

import math
import re

import pytest

from lineal.materializers import markup
from lineal.materializers.markup import (
    bars,
    document,
    escaped,
    facts,
    histogram,
    note,
    number_text,
    page,
    percent_text,
    picture,
    shares,
    table,
)


def test_every_text_is_escaped_on_one_line_and_bounded() -> None:
    assert escaped("<a href='x'>&\n\x1b") == "&lt;a href=&#x27;x&#x27;&gt;&amp;\\n\\x1b"
    assert len(escaped("a" * 1000)) == 400


def test_a_page_is_self_contained_and_follows_light_and_dark() -> None:
    made = str(page("<p>x</p>", title="T").content)
    assert made.startswith("<!doctype html>")
    assert "default-src 'none'" in made
    assert 'name="color-scheme" content="light dark"' in made
    assert "<script" not in made
    assert not re.search(r"(?:src|href)=", made)


def test_titles_of_pages_are_text() -> None:
    assert "<title>&lt;b&gt;</title>" in document("<b>", "")


def test_empty_facts_and_notes_are_left_out() -> None:
    assert facts({}) == facts({"a": None, "b": ""}) == ""
    assert "false" in facts({"a": False}).lower()
    assert ">a · c<" in note("a", "", "c")
    assert note("", "") == ""


def test_a_histogram_has_a_column_for_each_count_and_shows_the_smallest() -> None:
    made = histogram([0, 1, 1000, 0, 5])
    assert made.count("M") == 1 + 3
    heights = [float(each) for each in re.findall(r"v-([\d.]+)", made)]
    assert heights[1] == max(heights)
    assert min(heights) >= 1
    assert histogram([]).startswith("<svg")


def test_shares_leave_the_rest_grey() -> None:
    assert shares([0.5, 0.25]).count("<rect") == 3
    assert shares([]).count("<rect") == 1


def test_bars_are_as_long_as_their_numbers() -> None:
    made = bars([("a", 4.0), ("b", -2.0), ("c", math.nan), ("d", math.inf)])
    assert [float(each) for each in re.findall(r'<rect width="([\d.]+)"', made)] == [160, 80, 1, 1]
    assert bars([]) == ""


def test_a_table_has_a_head_and_rows() -> None:
    made = table(["a", "b"], [["1", "2"], ["3", "4"]], [False, True])
    assert made.count("<tr") == 3
    assert made.count("text-align:right") == 3
    assert "<thead" not in table(["", ""], [["1", "2"]], [False, False])


def test_a_picture_is_part_of_the_page() -> None:
    assert picture(b"\x89PNG", "a <plot>").startswith('<img src="data:image/png;base64,iVBORw==" alt="a &lt;plot&gt;"')


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (1234567, "1,234,567"), (True, "True"), (0.1 + 0.2, "0.3"), (1234567.0, "1,234,567"), (1.23456789e-9, "1.23457e-09"),
        (6.02e23, "6.02e+23"), (math.nan, "nan"), (-math.inf, "-inf"), (10**30, "1e+30"), (10**400, "a huge number"), ("x", "x"), (-71766.5, "-71766.5"), (1234567.8, "1,234,568"), (1e15 + 0.5, "1e+15"),
    ],
)  # fmt: skip
def test_numbers_read_well(number, text) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(("part", "text"), [(0, "0 %"), (1, "100 %"), (0.001, "< 1 %"), (0.999, "99 %"), (0.125, "12 %"), (0.5, "50 %")])
def test_parts_read_as_nothing_or_all_only_when_they_are(part, text) -> None:
    assert percent_text(part) == text


def test_names_of_colours_need_no_style_sheet() -> None:
    assert markup.ACCENT.startswith("#")
