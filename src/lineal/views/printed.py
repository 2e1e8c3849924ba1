"""Visualizations as text: what a terminal can show is printed, and of the rest is said how to open it."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from unicodedata import combining, east_asian_width

from lineal.model.text import shown, shown_lines, size_text
from lineal.model.visualization import Visualization
from lineal.views.picture import csv_rows, json_text
from lineal.views.subset import Element, body_of, parse

LINES: Final = 200
"""Lines of one visualization that are printed."""

_BLOCKS = frozenset({"div", "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "pre", "br", "hr", "blockquote", "dt", "dd"})
_WIDEST = 40


def show_in_terminal(title: str, visualizations: list[Visualization], opener: str) -> None:
    """Print all of them to standard output; `opener` is what opens those that cannot be printed."""
    out = _Out(sys.stdout)
    out.line(title)
    if not visualizations:
        out.line("there is nothing to show: no visualization was made when it was saved")
    rest = [each for each in visualizations if not _is_printable(each)]
    for each in visualizations:
        if each not in rest:
            if each.title and len(visualizations) > 1:
                out.line("")
                out.line(each.title)
            _PRINTERS[each.kind](each, out)
    for each in rest:
        out.line(f"{each.kind}{_extent(each)}, {size_text(len(each.data))}{': ' if each.title else ''}{each.title}")
    if rest:
        out.line(f"to see {'it' if len(rest) == 1 else 'them'}: {opener}")


class _Out:
    """Standard output: what it cannot encode is replaced, and what a terminal would obey is made visible."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.is_terminal = bool(stream.isatty())

    def line(self, text: str) -> None:
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        safe = shown_lines(text).encode(encoding, "replace").decode(encoding)
        self.stream.write(f"{safe}\n")

    def lines(self, text: str) -> None:
        lines = text.splitlines()
        for each in lines[:LINES]:
            self.line(each)
        if len(lines) > LINES:
            self.line(f"... {len(lines) - LINES:,} more lines")

    def rows(self, rows: Sequence[Sequence[str]], right: Sequence[bool] = (), *, head: bool = True) -> None:
        """Print a table; a cell may have several lines. Columns that do not fit are left out, and said.

        `right` says which columns stand to the right, `head` whether the first row is a head.
        """
        cells = [[[shown(line, _WIDEST) for line in cell.split("\n")] for cell in row] for row in rows]
        widths = [max(width_of(line) for row in cells for line in row[place]) for place in range(len(rows[0]))] if rows else []
        fitting = _fitting(widths, shutil.get_terminal_size().columns if self.is_terminal else 10_000)
        sides = [place < len(right) and right[place] for place in range(fitting)]
        for number, row in enumerate(cells):
            for part in range(max(len(cell) for cell in row[:fitting]) if any(rows[number]) else 0):
                pieces = [cell[part] if part < len(cell) else "" for cell in row[:fitting]]
                self.line("  ".join(map(padded, pieces, widths, sides)).rstrip())
            if head and not number and len(cells) > 1 and any(rows[0]):
                self.line("  ".join("-" * width for width in widths[:fitting]))
        if fitting < len(widths):
            self.line(f"({len(widths) - fitting} more columns: they do not fit this terminal)")


def padded(text: str, width: int, right: bool = False) -> str:
    """Give text with spaces up to a width, before it when it stands to the right."""
    space = " " * (width - width_of(text))
    return space + text if right else text + space


def width_of(text: str) -> int:
    """Give how many places a text takes in a terminal: East Asian characters take two."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(each) in "WF" else 0 if combining(each) else 1 for each in text)


def _fitting(widths: Sequence[int], room: int) -> int:
    used = 0
    for place, width in enumerate(widths):
        used += width + 2
        if used > room + 2 and place:
            return place
    return len(widths)


def _is_printable(visualization: Visualization) -> bool:
    return visualization.kind in _PRINTERS and (visualization.kind != "html" or _tree(visualization) is not None)


def _tree(visualization: Visualization) -> Element | None:
    return parse(body_of(str(visualization.content)))


def _html(visualization: Visualization, out: _Out) -> None:
    lines: list[str] = []
    for part in _parts(_tree(visualization) or Element("")):
        if isinstance(part, str):
            lines.append(part)
        else:
            _flush(lines, out)
            out.rows(*_table(part), head=next(_found(part, "th"), None) is not None)
    _flush(lines, out)


def _flush(lines: list[str], out: _Out) -> None:
    text = "\n".join(line for line in "".join(lines).split("\n") if line.strip())
    lines.clear()
    if text:
        out.lines(text)


def _parts(element: Element) -> Iterator[str | Element]:
    """Give the text of a tree piece by piece, and each table as a whole."""
    for child in element.children:
        if isinstance(child, str) or child.tag == "table":
            yield child
        elif child.tag == "img":
            yield f"[{child.attributes.get('alt') or 'image'}]"
        elif child.tag != "svg":
            edge = "\n" if child.tag in _BLOCKS else ""
            yield edge
            yield from _parts(child)
            yield edge


def _table(table: Element) -> tuple[list[list[str]], list[bool]]:
    """Give the rows of a table without columns that hold nothing to print, and which columns stand to the right."""
    cells = [[cell for cell in row.children if isinstance(cell, Element)] for row in _found(table, "tr")]
    rows = [[_cell(cell) for cell in row] for row in cells]
    width = max(map(len, rows), default=0)
    rows = [row + [""] * (width - len(row)) for row in rows]
    right = ["text-align:right" in cell.attributes.get("style", "") for cell in (cells or [[]])[-1]] + [False] * width
    kept = [place for place in range(width) if any(row[place] for row in rows)]
    return [[row[place] for place in kept] for row in rows], [right[place] for place in kept]


def _found(element: Element, tag: str) -> Iterator[Element]:
    for child in element.children:
        if isinstance(child, Element):
            if child.tag == tag:
                yield child
            else:
                yield from _found(child, tag)


def _cell(cell: Element) -> str:
    text = "".join(part for part in _parts(cell) if isinstance(part, str))
    return "\n".join(line for line in text.split("\n") if line.strip())


def _csv(visualization: Visualization, out: _Out) -> None:
    out.rows(csv_rows(visualization))


def _markdown(visualization: Visualization, out: _Out) -> None:
    if not out.is_terminal:
        _text(visualization, out)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(file=out.stream).print(Markdown(shown_lines(str(visualization.content)), hyperlinks=False))


def _json(visualization: Visualization, out: _Out) -> None:
    out.lines(json_text(visualization))


def _text(visualization: Visualization, out: _Out) -> None:
    out.lines(str(visualization.content))


def _extent(visualization: Visualization) -> str:
    """Give width and height of an image whose format says them near its beginning."""
    data = visualization.data
    if visualization.suffix == "png" and len(data) >= 24:
        return f", {int.from_bytes(data[16:20], 'big')} x {int.from_bytes(data[20:24], 'big')}"
    if visualization.suffix == "gif" and len(data) >= 10:
        return f", {int.from_bytes(data[6:8], 'little')} x {int.from_bytes(data[8:10], 'little')}"
    return ""


_PRINTERS: Final[Mapping[str, Callable[[Visualization, _Out], None]]] = {
    "html": _html,
    "csv": _csv,
    "markdown": _markdown,
    "json": _json,
    "text": _text,
}
