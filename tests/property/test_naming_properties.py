"""Names over any text: what is accepted is safe, stays as it is, and can be put in a template."""

import contextlib
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from hypothesis import given
from hypothesis import strategies as st

from lineal.errors import InvalidName
from lineal.model.naming import check_name, check_template, check_version, expand, placeholders

NEAR_NAMES = st.text(st.characters() | st.sampled_from("ab01._-:/\\@%{} \u0301\u200b\u202e"), max_size=20)


@given(NEAR_NAMES)
def test_what_is_accepted_is_safe(text: str) -> None:
    """An accepted name prints, is one path component on every system, is in normal form, and is accepted again as it is."""
    with contextlib.suppress(InvalidName):
        name = check_name(text)
        assert name
        assert name.isprintable()
        assert len(name) <= 255
        assert unicodedata.is_normalized("NFC", name)
        assert check_name(name) == name
        assert PurePosixPath(name).parts == (name,)
        assert PureWindowsPath("C:/x", name).name in (name, name.partition(":")[2]) or ":" in name
        assert not set(name) & set('/\\@%<>"|?*{}')
        assert not name.startswith(("-", "."))
        assert "@" not in name


@given(NEAR_NAMES)
def test_names_that_are_canonically_equal_are_one(text: str) -> None:
    """Whether a name is accepted, and as what, does not depend on how its accents were typed."""

    def outcome(form: str) -> str | None:
        try:
            return check_name(unicodedata.normalize(form, text))
        except InvalidName:
            return None

    assert outcome("NFC") == outcome("NFD")


@given(st.integers(1, 10**30))
def test_a_number_is_one_version(number: int) -> None:
    """As a number or as its text, it is the same version."""
    assert check_version(number) == check_version(str(number)) == str(number)


@given(NEAR_NAMES)
def test_accepted_versions_are_accepted_again(text: str) -> None:
    """A stored version can be asked for as it is shown, and a number has one spelling."""
    with contextlib.suppress(InvalidName):
        version = check_version(text)
        assert check_version(version) == version
        assert len(version) <= 64
        if version.isdecimal():
            assert str(int(version)) == version


PIECES = st.lists(st.sampled_from(["{a}", "{b}", "x", "_", "é", "1"]), min_size=1, max_size=8).map("".join)


@given(PIECES, st.sampled_from(["1", "abc", "é"]), st.sampled_from(["2", "z"]))
def test_a_checked_template_expands_to_a_name(template: str, a: str, b: str) -> None:
    """Filling in proper pieces gives an accepted name, and each placeholder is gone."""
    assert check_template(template) == template
    name = expand(template, {"a": a, "b": b})
    assert check_name(name)
    assert placeholders(name) == []
    assert name == template.replace("{a}", a).replace("{b}", b)
