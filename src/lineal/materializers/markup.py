"""Pieces of HTML for visualizations: no script, no style sheet, nothing from elsewhere; every text is escaped here.

Colours are inherited or translucent, so that a piece reads as well on a dark page as on a light one, whoever's page that is. What is
made of these pieces stays within the subset that `lineal.views.subset` checks before a notebook shows it as part of its own page.
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lineal.model.text import shown, shown_lines
from lineal.model.visualization import Visualization

LONGEST: Final = 400
"""Characters of one text that are shown."""

ACCENT: Final = "#4a8fdd"
WARNING: Final = "#c98a1b"

TIMES: Final = "\N{MULTIPLICATION SIGN}"

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What our own pages may do: no script, and nothing that comes from elsewhere."""

PRE: Final = "margin:4px 0;overflow:auto;max-height:420px;white-space:pre;font-family:monospace;font-size:12px;line-height:1.4"
"""The style of text in its own shape."""

_LINE = "1px solid #8884"
_FONT = "font-family:system-ui,-apple-system,Segoe UI,sans-serif;font-size:13px;line-height:1.45"
_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark">'
)
_BODY = "<style>:root{color-scheme:light dark}body{margin:16px;font:13px/1.45 system-ui,sans-serif;background:Canvas;color:CanvasText}</style></head><body>\n"


def escaped(text: object, longest: int = LONGEST) -> str:
    """Give text for use between tags and in attributes: one line, cut to `longest` characters."""
    return html.escape(shown(text, longest), quote=True)


def escaped_lines(text: str) -> str:
    """Give text of several lines in its own shape."""
    return html.escape(shown_lines(text), quote=True)


def document(title: str, body: str, policy: str = POLICY) -> str:
    """Give a page of its own that follows the light or dark of whoever looks at it."""
    return f'{_HEAD}<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{escaped(title)}</title>{_BODY}{body}\n</body></html>\n'


def page(*parts: str, title: str = "") -> Visualization:
    """Give pieces, one below the other, as a visualization."""
    body = f'<div style="{_FONT}">{"".join(parts)}</div>'
    return Visualization("html", document(title, body), title)


def beside(*parts: str) -> str:
    """Give pieces side by side where there is room, else one below the other; empty pieces are left out."""
    shown_parts = "".join(f"<div>{part}</div>" for part in parts if part)
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px 40px">{shown_parts}</div>'


def dim(text: object) -> str:
    """Give text in the background."""
    return f'<span style="opacity:.65">{escaped(text)}</span>'


def note(*texts: str) -> str:
    """Give a line in the background; empty texts are left out."""
    line = " · ".join(escaped(text) for text in texts if text)
    return f'<div style="opacity:.65;margin:4px 0">{line}</div>' if line else ""


def heading(text: str) -> str:
    """Give a line that says what follows."""
    return f'<div style="font-weight:600;margin:10px 0 4px">{escaped(text)}</div>'


def facts(pairs: Mapping[str, object]) -> str:
    """Give names and values; None and the empty text are left out."""
    name, value = "padding:2px 18px 2px 0;text-align:left;vertical-align:top;opacity:.65", "padding:2px 0;text-align:left"
    rows = "".join(
        f'<tr style="background:none"><td style="{name}">{escaped(key)}</td><td style="{value}">{escaped(each)}</td></tr>'
        for key, each in pairs.items()
        if each is not None and each != ""
    )
    return f'<table style="border-collapse:collapse;margin:4px 0;font-size:13px"><tbody>{rows}</tbody></table>' if rows else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool]) -> str:
    """Give a table of pieces that are markup already; `right` says which columns stand to the right."""
    styles = [f"padding:2px 10px;white-space:nowrap;text-align:{'right' if each else 'left'}" for each in right]
    first = "".join(f'<th style="{style};vertical-align:top;font-weight:400">{cell}</th>' for style, cell in zip(styles, head, strict=True))
    head_row = f'<thead><tr style="background:none">{first}</tr></thead>' if any(head) else ""
    body = "".join(
        f'<tr style="background:none;border-top:{_LINE}">'
        + "".join(f'<td style="{style}">{cell}</td>' for style, cell in zip(styles, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        '<div style="overflow-x:auto;max-width:100%"><table style="border-collapse:collapse;margin:4px 0;font-size:13px">'
        f"{head_row}<tbody>{body}</tbody></table></div>"
    )


def histogram(counts: Sequence[int], width: int = 110, height: int = 32) -> str:
    """Give counts as columns, the highest as high as the picture; a count that is not zero is always seen."""
    top, step = max(counts, default=0) or 1, width / max(len(counts), 1)
    path = "".join(
        f"M{_short(place * step + 0.4)} {height}v-{_short(max(count / top * (height - 1), 1))}h{_short(step - 0.8)}V{height}z"
        for place, count in enumerate(counts)
        if count
    )
    return _svg(width, height, "histogram", f'<path d="{path}" fill="{ACCENT}"/><path d="M0 {height}h{width}" stroke="#8888" fill="none"/>')


def shares(parts: Sequence[float], width: int = 110, height: int = 8) -> str:
    """Give parts of 1 as a bar, the first in the strongest colour; what is missing to 1 stays grey."""
    drawn, start = [f'<rect width="{width}" height="{height}" fill="#8884"/>'], 0.0
    for place, part in enumerate(parts):
        opacity = _short(max(1 - 0.25 * place, 0.25))
        drawn.append(
            f'<rect x="{_short(start * width)}" width="{_short(part * width)}" height="{height}" fill="{ACCENT}" fill-opacity="{opacity}"/>'
        )
        start += part
    return _svg(width, height, "shares", "".join(drawn))


def bars(items: Sequence[tuple[str, float]], unit: str = "") -> str:
    """Give names with numbers as horizontal bars; numbers below zero are drawn in the colour of a warning."""
    top, length = max((abs(value) for _, value in items if math.isfinite(value)), default=0) or 1, 160
    rows = []
    for name, value in items:
        width = length * abs(value) / top if math.isfinite(value) else 0
        fill = ACCENT if value >= 0 else WARNING
        bar = _svg(length, 12, "bar", f'<rect width="{_short(max(width, 1))}" height="12" rx="1" fill="{fill}"/>')
        rows.append((escaped(name, 60), bar, f"{escaped(number_text(value))}{escaped(unit)}"))
    return table(("", "", ""), rows, (False, False, True)) if rows else ""


def picture(png: bytes, alt: str) -> str:
    """Give a PNG image as part of the page."""
    from base64 import b64encode

    return f'<img src="data:image/png;base64,{b64encode(png).decode()}" alt="{escaped(alt)}" style="max-width:100%">'


def number_text(value: object, digits: int = 6) -> str:
    """Give a number as a person reads it: `1,234,567`, `0.00123457`, `6.02e+23`."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if value.bit_length() <= 64 else f"{float(value):.6g}" if value.bit_length() < 1000 else "a huge number"
    if isinstance(value, float):
        whole = value.is_integer() or abs(value) >= 10**digits
        return f"{value:,.0f}" if whole and abs(value) < 1e15 else f"{value:.{digits}g}"
    return shown(value, 60)


def percent_text(part: float) -> str:
    """Give a part of 1 as `12 %`; what is neither nothing nor all never reads as 0 % or 100 %."""
    if 0 < part < 0.01:
        return "< 1 %"
    return f"{math.floor(part * 100) if part > 0.99 else round(part * 100)} %"


def _svg(width: int, height: int, label: str, content: str) -> str:
    # A notebook's style sheet would shrink it with its column.
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" style="max-width:none"'
    return f'<svg {size} role="img" aria-label="{label}">{content}</svg>'


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
