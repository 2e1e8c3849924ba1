"""Names, versions, placeholders and ids."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from typing import Any

import numpy as np
import pytest

from lineal.errors import InvalidName
from lineal.model.naming import (
    MAX_NAME,
    check_name,
    check_template,
    check_version,
    check_version_template,
    expand,
    new_id,
    placeholders,
    time_placeholders,
)

GOOD = [
    "a", "model", "train_data", "v1.2", "training::train::output", "a b", "x+y", "données", "数据", "🚀", "_x", "1", "a.b.c", "connect", "(x)",
    "x" * 255, "é" * 255, "latest_model", "common", "a-", "nul_values", "a,b;c=d", "l'été", "#1", "$x", "[a]", "a!", "~a", "^", "&", "`",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD, ids=ascii)
def test_allowed_names_come_back(name: str) -> None:
    """Letters of any script, digits, punctuation and spaces inside are allowed, also past the fast path."""
    assert check_name(name) == name


BAD = [
    ("", "empty"),
    ("x" * 256, "256 characters"),
    (".", "begins with '.'"),
    ("..", "begins with '.'"),
    ("../x", "'/'"),
    (".hidden", "begins with '.'"),
    ("-rf", "begins with '-'"),
    ("a/b", "'/'"),
    ("a\\b", r"contains '\\\\'"),
    ("a@1", "'@'"),
    ("%2e%2e", "'%'"),
    ("a%", "'%'"),
    ("a<b", "'<'"),
    ("a>b", "'>'"),
    ('a"b', "'\"'"),
    ("a|b", "'|'"),
    ("a?", "'?'"),
    ("*", "'*'"),
    ("{date}", "'{'"),
    ("a}", "'}'"),
    ("a\nb", r"U\+000A"),
    ("a\x00", r"U\+0000"),
    ("a\x7f", r"'\\x7f'"),
    ("a\u200bb", r"U\+200B"),
    ("\u202eabc", r"U\+202E"),
    ("a\ufeff", r"U\+FEFF"),
    ("a\u00a0b", r"U\+00A0"),
    ("\ud800", r"U\+D800"),
    (" a", "space"),
    ("a ", "space"),
    ("a.", "dot"),
    ("data..", "dot"),
    ("CON", "reserved"),
    ("nul.txt", "reserved"),
    ("Com1", "reserved"),
    ("lpt9.tar.gz", "reserved"),
    ("latest", "reserved"),
    ("LATEST", "reserved"),
]


@pytest.mark.parametrize(("name", "reason"), BAD, ids=[ascii(name)[:20] for name, _ in BAD])
def test_refused_names_say_why(name: str, reason: str) -> None:
    """What could be a path, an option, a pattern, invisible, or another thing's name is refused, and the message has the reason."""
    with pytest.raises(InvalidName, match=reason) as caught:
        check_name(name, "artifact name")
    assert str(caught.value).startswith("artifact name ")
    assert str(caught.value).isascii(), "an invisible character must be seen in the message"


@pytest.mark.parametrize("name", [None, 1, b"a", ["a"]], ids=repr)
def test_a_name_is_text(name: object) -> None:
    """Another type is named in the message."""
    with pytest.raises(InvalidName, match=f"must be a str, got {type(name).__name__}"):
        check_name(name)


def test_names_that_look_alike_are_one_name() -> None:
    """An accent typed as one character or as two gives the same name; the length counts what is stored."""
    assert check_name("e\u0301") == check_name("\u00e9") == "\u00e9"
    assert check_name("e\u0301" * MAX_NAME) == "\u00e9" * MAX_NAME
    with pytest.raises(InvalidName, match="characters"):
        check_name("\u0958" * MAX_NAME)  # one character whose normal form has two


class Word(StrEnum):
    """Names as members."""

    A = "alpha"


class Old(str, Enum):  # noqa: UP042 - the older way, which prints as Old.A
    """Names as members, the older way."""

    A = "alpha"


@pytest.mark.parametrize("name", [Word.A, Old.A, np.str_("alpha")], ids=repr)
def test_a_name_is_plain_text(name: str) -> None:
    """What enters digests and databases is a str and nothing more."""
    assert type(check_name(name)) is str
    assert check_name(name) == "alpha"
    assert type(check_version(name)) is str


@pytest.mark.parametrize(
    ("version", "text"), [(1, "1"), ("1", "1"), (10**63, str(10**63)), ("v1.2-rc", "v1.2-rc"), ("2024_01_01", "2024_01_01"), ("é", "é")]
)
def test_allowed_versions(version: str | int, text: str) -> None:
    """A version is a positive number or a name."""
    assert check_version(version) == text


@pytest.mark.parametrize(
    "version",
    [
        0,
        -1,
        "0",
        "01",
        "007",
        "\u0661",
        "",
        "latest",
        "a/b",
        "a@b",
        "{date}",
        "x" * 65,
        10**64,
        10**5000,
        True,
        1.0,
        None,
        b"1",
        "-1",
        ".5",
    ],
    ids=lambda version: repr(version)[:12] if not isinstance(version, int) or version < 10**64 else "huge",
)
def test_refused_versions(version: object) -> None:
    """No version can be mistaken for another one, and none is written in two ways."""
    with pytest.raises(InvalidName, match="version"):
        check_version(version)


def test_placeholders_are_found_in_order() -> None:
    """Each is named as often as it stands there."""
    assert placeholders("{a}_{b}-{a}") == ["a", "b", "a"]
    assert placeholders("plain") == []


BROKEN = ["{", "}", "a{b", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}", "{{a}}", "{a}}", "{ a }", "{1}", "{a-b}"]


@pytest.mark.parametrize("template", BROKEN)
@pytest.mark.parametrize("use", [placeholders, check_template, check_version_template, lambda template: expand(template, {"a": "x"})])
def test_only_plain_placeholders_are_understood(template: str, use: Callable[[str], Any]) -> None:
    """No attribute, index, conversion or format: a template cannot look into anything."""
    with pytest.raises(InvalidName):
        use(template)


def test_expanding() -> None:
    """Every placeholder is filled in; text without any is given back; what was filled in is not looked at again."""
    assert expand("{a}_{b}_{a}", {"a": "1", "b": "2"}) == "1_2_1"
    assert expand("plain", {}) == "plain"
    assert expand("{a}", {"a": "{b}", "b": "no"}) == "{b}"


def test_an_unknown_placeholder_names_those_that_exist() -> None:
    """The message tells what could have been meant and how to give it."""
    with pytest.raises(InvalidName, match=r"unknown placeholder \{env\}; known are: date, time.*substitutions=\{'env'"):
        expand("{env}", {"time": "t", "date": "d"})


def test_a_substitution_is_text() -> None:
    """A number says so instead of failing inside."""
    with pytest.raises(InvalidName, match="must be a str, got 3"):
        expand("{n}", {"n": 3})  # type: ignore[dict-item]


@pytest.mark.parametrize("template", ["model", "{date}", "{a}{b}", "m_{date}.{time}", "数据_{x}"])
def test_allowed_templates_come_back(template: str) -> None:
    """A template that something put in its placeholders makes a name is fine."""
    assert check_template(template) == template
    assert check_version_template(template) == template


@pytest.mark.parametrize("template", ["", "a/{b}", "-{a}", "{a} ", "{a}.", "{a}@{b}", "x" * 256 + "{a}", None, 3], ids=repr)
def test_refused_templates(template: object) -> None:
    """What can never become a name is refused at once, not when it is filled in."""
    with pytest.raises(InvalidName):
        check_template(template)


def test_versions_as_templates() -> None:
    """A number is a version and no template; a version that can never be one is refused."""
    assert check_version_template(3) == "3"
    for bad in (0, "a/{b}", "latest", "{a}."):
        with pytest.raises(InvalidName):
            check_version_template(bad)


def test_time_placeholders_are_in_utc() -> None:
    """A start in another zone is told in UTC, so that two machines name alike."""
    start = datetime(2023, 6, 15, 14, 30, 45, 123456, tzinfo=UTC)
    assert time_placeholders(start) == {"date": "2023_06_15", "time": "14_30_45_123456"}
    east = start.astimezone(timezone(timedelta(hours=14)))
    assert time_placeholders(east) == time_placeholders(start)
    assert time_placeholders(start.replace(tzinfo=None)) == time_placeholders(start)


def test_ids_are_uuids_of_version_7() -> None:
    """Any tool reads them; no two are equal."""
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    for each in ids:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each)
        assert uuid.UUID(each).version == 7
        assert uuid.UUID(each).variant == uuid.RFC_4122


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later millisecond gives a greater id, and the id tells the millisecond."""
    ids = []
    for stamp in (1, 2, 1_700_000_000_000, 1_700_000_000_001, 2**48 - 1):
        monkeypatch.setattr("lineal.model.naming.time.time_ns", lambda stamp=stamp: stamp * 1_000_000)
        ids.append(new_id())
        assert uuid.UUID(ids[-1]).int >> 80 == stamp
    assert ids == sorted(ids)
