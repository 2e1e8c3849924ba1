"""Tables for notebooks: nothing from outside becomes markup."""

import pytest

from lineal.views.html import card, escaped, grid, preformatted

HOSTILE = "<script>alert(1)</script>\" onmouseover='x' &amp; \x1b[31m\u202e"


@pytest.mark.parametrize(
    "page", [card(HOSTILE, {HOSTILE: HOSTILE}), grid(HOSTILE, [HOSTILE], [[HOSTILE]]), preformatted(HOSTILE), escaped(HOSTILE)]
)
def test_hostile_text_stays_text(page: str) -> None:
    assert "<script" not in page
    assert "onmouseover='" not in page
    assert "&amp;amp;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_a_card_leaves_out_what_is_empty() -> None:
    page = card("title", {"a": 1, "b": "", "c": None, "d": 0})
    assert ">a</th>" in page
    assert ">d</th>" in page
    assert ">b</th>" not in page
    assert ">c</th>" not in page


def test_tables_take_the_colours_of_the_page() -> None:
    page = grid("t", ["a"], [["b"]])
    assert "background" not in page
    assert "#" not in page


def test_long_text_is_cut() -> None:
    assert len(escaped("x" * 10_000)) == 400
