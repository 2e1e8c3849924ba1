"""The difference between two versions of a step's code, from the sources that were stored with them."""

import difflib
from collections.abc import Iterator, Mapping

from lineal.engine.code.parts import LONGEST_SOURCE, Fingerprint, Part
from lineal.model.records import CodeRecord
from lineal.model.text import shown_lines


def code_diff(old: CodeRecord, new: CodeRecord) -> str:
    """Give what differs as one unified diff, part by part; empty when nothing does.

    A part whose source was not kept (it was long, or there was none) is named with a line that says so.
    """
    before, after = (Fingerprint.from_json(each.parts, each.source) for each in (old, new))
    changed = [key for key in sorted({*before.parts, *after.parts}) if _says(before.parts.get(key)) != _says(after.parts.get(key))]
    if old.digest == new.digest:
        return ""
    return shown_lines("".join(line for key in changed for line in _part(key, before, after)))


def _says(part: Part | None) -> tuple[str, str] | None:
    return None if part is None else (part.kind, part.digest)


def _part(key: str, before: Fingerprint, after: Fingerprint) -> Iterator[str]:
    titles = [_title(key, each.parts) for each in (before, after)]
    texts = [each.sources().get(key) for each in (before, after)]
    if all(text is None for text in texts):
        values = [each.parts[key].shown if key in each.parts else "" for each in (before, after)]
        yield f"--- {titles[0]}\n+++ {titles[1]}\n"
        yield f"-{values[0]}\n+{values[1]}\n" if any(values) else "# its source was not kept\n"
        return
    old, new = ([] if text is None else _lines(text) for text in texts)
    yield from difflib.unified_diff(old, new, titles[0], titles[1])


def _title(key: str, parts: Mapping[str, Part]) -> str:
    part = parts.get(key)
    if part is None:
        return "/dev/null"
    first, last = part.lines
    return f"{part.file or '?'}{f':{first}-{last}' if first else ''} ({key})"


def _lines(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    if len(text) >= LONGEST_SOURCE:
        lines.append("# cut here\n")
    elif lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines
