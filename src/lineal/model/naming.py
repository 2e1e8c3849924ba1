"""Names, versions and placeholders: the one validator, used by the API and the command line alike.

Names never become paths: what lies on disk is named by digests and ids. The rules keep names printable, unambiguous on a
command line (`NAME@VERSION`), and safe to show.
"""

import os
import re
import time
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from lineal.errors import InvalidName

MAX_NAME = 255
MAX_VERSION = 64
_FORBIDDEN = frozenset('/\\@%<>"|?*{}\x7f')
_RESERVED = frozenset({"con", "prn", "aux", "nul", "latest"} | {f"{device}{n}" for device in ("com", "lpt") for n in range(1, 10)})
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_plain = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:.\-]{0,200}\Z").match


def check_name(name: object, what: str = "name") -> str:
    """Give `name` in NFC form, or raise InvalidName that says what is wrong with it.

    Allowed: 1 to 255 printable characters (letters of any script, digits, spaces inside, punctuation) except ``/ \\ @ % < > " | ? * { }``;
    not `.` or `..`, no leading `-` or `.`, no space or dot at the end, not a reserved device name, not `latest`.
    """
    if not isinstance(name, str):
        raise InvalidName(f"{what} must be a str, got {type(name).__name__}: {name!r}")
    name = str.__str__(name)  # a plain str also of an enum's member or of numpy's str_: names enter digests and databases
    if _plain(name) and name[-1] != "." and name.split(".", 1)[0].lower() not in _RESERVED:
        return name  # the common case costs one match
    name = unicodedata.normalize("NFC", name)
    reason = _refusal(name, MAX_NAME)
    if reason:
        raise InvalidName(f"{what} {_shown(name)} is not allowed: {reason}")
    return name


def check_version(version: object) -> str:
    """Give an explicit version as text: a positive integer or a name of at most 64 characters.

    A number is written in one way only: `7`, not `07`. Raises InvalidName that says what is wrong.
    """
    if isinstance(version, bool) or not isinstance(version, str | int):
        raise InvalidName(f"version must be a str or an int, got {type(version).__name__}: {version!r}")
    if isinstance(version, int) and not 1 <= version < 10**MAX_VERSION:
        shown = version if abs(version) < 10**MAX_VERSION else "of that size"
        raise InvalidName(f"version {shown} is not allowed: versions count from 1, in at most {MAX_VERSION} digits")
    text = unicodedata.normalize("NFC", str.__str__(version) if isinstance(version, str) else str(int(version)))
    reason = _refusal(text, MAX_VERSION)
    if reason is None and text.isdecimal() and (text[0] == "0" or not text.isascii()):
        reason = "versions count from 1, in plain digits without leading zeros"
    if reason:
        raise InvalidName(f"version {_shown(text)} is not allowed: {reason}")
    return text


def check_tags(tags: object) -> list[str]:
    """Give tags, one or several, as a list without repetitions.

    A tag has 1 to 255 printable characters and does not begin or end with a space. Raises InvalidName that says what is wrong.
    """
    given = [tags] if isinstance(tags, str) else tags
    if not isinstance(given, Iterable):
        raise InvalidName(f"tags must be text or a list of texts, got {type(tags).__name__}: {tags!r}")
    return list(dict.fromkeys(_check_tag(tag) for tag in given))


def _check_tag(tag: object) -> str:
    if not isinstance(tag, str):
        raise InvalidName(f"a tag must be a str, got {type(tag).__name__}: {tag!r}")
    text = unicodedata.normalize("NFC", str.__str__(tag))
    if not text or len(text) > MAX_NAME or not text.isprintable() or text != text.strip():
        raise InvalidName(f"tag {_shown(text)} is not allowed: 1 to {MAX_NAME} printable characters, without spaces at the ends")
    return text


def check_template(template: object, what: str = "name") -> str:
    """Give a name that may hold placeholders in NFC form, or raise InvalidName when nothing put in their place could make it a name."""
    if not isinstance(template, str):
        raise InvalidName(f"{what} must be a str, got {type(template).__name__}: {template!r}")
    placeholders(template)
    check_name(_PLACEHOLDER.sub("0", template), what)
    return unicodedata.normalize("NFC", template)


def check_version_template(template: object) -> str:
    """Give an explicit version that may hold placeholders as text, or raise InvalidName as `check_template` does."""
    if not isinstance(template, str) or not placeholders(template):
        return check_version(template)
    check_version(_PLACEHOLDER.sub("x", template))
    return unicodedata.normalize("NFC", template)


def _refusal(name: str, longest: int) -> str | None:
    if not name:
        return "it is empty"
    if len(name) > longest:
        return f"it has {len(name)} characters, at most {longest} are allowed"
    for character in name:
        if character in _FORBIDDEN:
            return f"it contains {character!r}; use letters, digits and . _ - : + instead"
        if not character.isprintable():
            return f"it contains the control or invisible character U+{ord(character):04X}"
    if name[0] in "-.":
        return f"it begins with {name[0]!r}"
    if name[0] == " " or name[-1] in " .":
        return "it begins or ends with a space or ends with a dot"
    if name.split(".", 1)[0].lower() in _RESERVED:
        return f"{name.split('.', 1)[0]!r} is a reserved word"
    return None


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 60 else name[:57] + "...")


def placeholders(template: str) -> list[str]:
    """Give the names of the placeholders in a template, in order. Only `{name}` is understood."""
    found = _PLACEHOLDER.findall(template)
    rest = _PLACEHOLDER.sub("", template)
    if "{" in rest or "}" in rest:
        raise InvalidName(f"{_shown(template)} has a brace that belongs to no placeholder: write {{name}}")
    for key in found:
        if not key.isidentifier():
            raise InvalidName(
                f"{_shown(template)}: {{{key}}} is not a placeholder; only {{name}} is understood, without attributes, indexes or formats"
            )
    return found


def expand(template: str, values: Mapping[str, str]) -> str:
    """Fill the placeholders of a template. An unknown one raises InvalidName and names those that exist."""
    if "{" not in template and "}" not in template:
        return template
    for key in placeholders(template):
        if not isinstance(values.get(key, ""), str):
            raise InvalidName(f"{_shown(template)}: the substitution for {{{key}}} must be a str, got {values[key]!r}")
        if key not in values:
            known = ", ".join(sorted(values))
            raise InvalidName(
                f"{_shown(template)} uses the unknown placeholder {{{key}}}; known are: {known}. Give it with substitutions={{{key!r}: ...}}"
            )
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def time_placeholders(start: datetime) -> dict[str, str]:
    """Give `{date}` (2023_06_15) and `{time}` (14_30_45_123456) of a run's start in UTC; a time without a zone is one in UTC."""
    if start.tzinfo is not None:
        start = start.astimezone(UTC)
    return {"date": start.strftime("%Y_%m_%d"), "time": start.strftime("%H_%M_%S_%f")}


def new_id() -> str:
    """Give a new UUID, version 7 (RFC 9562): ids sort by the time of their making, which keeps index pages warm."""
    stamp = time.time_ns() // 1_000_000
    # 74 random bits; from the system, so that a forked child cannot repeat its parent's ids.
    tail = os.urandom(10).hex()
    variant = "89ab"[int(tail[3], 16) & 3]
    head = f"{stamp:012x}"
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-{variant}{tail[4:7]}-{tail[7:19]}"
