"""Reads `queries.sql`: every statement by its name, so that Python holds no SQL and a reader finds all of it in one place."""

import re
from pathlib import Path

_NAME = re.compile(r"^-- name: (\S+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)
_INCLUDE = re.compile(r"\{(\w+)\}")


def parse(text: str) -> dict[str, str]:
    """Give the statements of a text by name, without comments and closing semicolons, `{other}` replaced by the earlier `other`.

    Raises ValueError when a name occurs twice. What names no earlier statement (`{where}`) is left for `str.replace`.
    """
    parts = _NAME.split(text)[1:]
    found: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in found:
            raise ValueError(f"the statement {name!r} is there twice")
        statement = _COMMENT.sub("", body).strip().removesuffix(";")
        found[name] = _INCLUDE.sub(lambda match: found.get(match[1], match[0]), statement)
    return found


SQL = parse(Path(__file__).with_name("queries.sql").read_text(encoding="utf-8"))
