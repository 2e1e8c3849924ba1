"""Texts differ by lines, bytes by their first place."""

from lineal.compare.texts import LARGEST, LINES, compare_bytes, compare_text


def test_lines_that_came_and_went_are_shown_as_a_unified_difference() -> None:
    """With the lines around them, as every tool shows it."""
    result = compare_text("a\nb\nc\n", "a\nx\ny\nc\n")
    assert result.summary == "2 lines added, 1 removed"
    assert list(result.parts[0].lines) == ["--- before", "+++ after", "@@ -1,3 +1,4 @@", " a", "-b", "+x", "+y", " c"]
    assert result.data["added"] == 2


def test_only_other_line_ends_are_said_to_be_that() -> None:
    """They cannot be seen in a list of lines."""
    assert compare_text("a\nb", "a\r\nb").summary == "the same lines, with other line ends"
    assert compare_text("a\nb", "a\nb").same


def test_a_long_difference_is_cut_and_says_so() -> None:
    """The number of all lines stands there."""
    result = compare_text("".join(f"{n}\n" for n in range(5000)), "".join(f"x{n}\n" for n in range(5000)))
    assert result.summary == "5,000 lines added, 5,000 removed"
    assert len(result.parts[0].lines) == LINES + 1
    assert str(result.parts[0].lines[-1]).endswith("more lines")


def test_very_long_texts_are_not_aligned() -> None:
    """That would take minutes; the first line that differs takes none."""
    lines = [str(n) for n in range(LARGEST + 1)]
    result = compare_text("\n".join(lines), "\n".join([*lines[:7], "x", *lines[8:]]))
    assert result.data["first_different"] == 8
    assert compare_text("\n".join(lines), "\n".join([*lines, "more"])).data["first_different"] == LARGEST + 2


def test_bytes_differ_from_a_place_on() -> None:
    """Found at memory speed, also at the end of much."""
    one = bytes(1_000_000)
    assert compare_bytes(one, one).same
    assert compare_bytes(one, one[:-1] + b"x").data == {"lengths": [1_000_000, 1_000_000], "first_different": 999_999}
    assert compare_bytes(b"ab", b"abc").data["first_different"] == 2
    assert compare_bytes(b"xb", b"ab").data["first_different"] == 0
