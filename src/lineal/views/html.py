"""Small tables for notebooks. Every text is escaped here; nothing that a name, a tag or a value holds becomes markup."""

import html
from collections.abc import Iterable, Mapping, Sequence

from lineal.model.text import shown, shown_lines

_LONGEST = 400
# Inherited colours and translucent lines: readable on a light and on a dark page.
_LINE = "1px solid rgba(128,128,128,.35)"
_TABLE = '<table style="border-collapse:collapse;font-size:.9em;margin:.3em 0">'
_CELL = f"padding:.15em .8em .15em 0;text-align:left;vertical-align:top;border-bottom:{_LINE}"
_DIM = "opacity:.65;font-weight:normal"


def escaped(text: object) -> str:
    """Give text for use between tags and in attributes: one line, at most 400 characters."""
    return html.escape(shown(text, _LONGEST), quote=True)


def card(title: str, facts: Mapping[str, object]) -> str:
    """Give a title over a table of names and values; empty values are left out."""
    rows = "".join(
        f'<tr><th style="{_CELL};{_DIM}">{escaped(name)}</th><td style="{_CELL}">{escaped(value)}</td></tr>'
        for name, value in facts.items()
        if value not in (None, "")
    )
    return f"<div><strong>{escaped(title)}</strong>{_TABLE}{rows}</table></div>"


def grid(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give a title over a table with a head."""
    head = "".join(f'<th style="{_CELL};{_DIM}">{escaped(name)}</th>' for name in columns)
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{escaped(cell)}</td>' for cell in row) + "</tr>" for row in rows)
    return f"<div><strong>{escaped(title)}</strong>{_TABLE}<tr>{head}</tr>{body}</table></div>"


def preformatted(text: str) -> str:
    """Give text of several lines in its own shape."""
    return f'<pre style="line-height:1.25;overflow-x:auto">{html.escape(shown_lines(text))}</pre>'
