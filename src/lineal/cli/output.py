"""How the command line prints: tables and facts for people, JSON for programs. What comes from the store is made safe to show.

This module is part of `lineal --help`: what only some commands need is imported where it is used.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from lineal.console import print_json
from lineal.model.text import shown, shown_lines

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_STYLES = {"completed": "green", "cached": "cyan", "failed": "red", "crashed": "red", "running": "yellow", "cancelled": "yellow"}


class Column(NamedTuple):
    """A column of a table: numbers stand to the right, and what a person may want to copy is never cut short."""

    name: str
    right: bool = False
    whole: bool = False


def print_page(items: Sequence[Any], total: int, offset: int) -> None:
    """Print one page of a list as JSON: `items`, `total` and `offset`."""
    print_json({"items": items, "total": total, "offset": offset})


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: as wide as the terminal, or plain aligned text where there is none."""
    cells = [[shown(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells)
    else:
        click.echo("\n".join(_plain_lines(columns, cells)))


def print_rest(shown_rows: int, total: int, what: str) -> None:
    """Say on standard error how much of a list was not shown."""
    if shown_rows < total:
        click.echo(f"{shown_rows} of {total} {what}; --limit and --offset show others", err=True)


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print a title and names with values below it; empty values are left out."""
    kept = {name: value for name, value in facts.items() if value not in (None, "")}
    width = max((len(name) for name in kept), default=0)
    click.secho(shown(title), bold=True)
    for name, value in kept.items():
        click.echo(f"  {shown(name):<{width}}  {shown(value)}")


def print_text(text: str) -> None:
    """Print text of several lines that a step wrote: as it is into a file or pipe, and with nothing that a terminal would obey on one."""
    terminal = sys.stdout.isatty()
    click.echo(shown_lines(_COLOURS.sub("", text)) if terminal else text, nl=not text.endswith("\n"), color=not terminal)


def one_line(text: str) -> str:
    """Give text on one line that is safe to show."""
    return shown(" ".join(part for line in text.splitlines() if (part := line.strip())))


def _plain_lines(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[str]:
    table = [[column.name for column in columns], *cells]
    widths = [max(_width(row[place]) for row in table) for place in range(len(columns))]
    lines = []
    for row in table:
        padded = [_padded(cell, width, column.right) for cell, width, column in zip(row, widths, columns, strict=True)]
        lines.append("  ".join(padded).rstrip())
    return lines


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _print_rich(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(
            column.name,
            justify="right" if column.right else "left",
            overflow="fold" if column.whole else "ellipsis",
            min_width=len(column.name),
        )
    for row in cells:
        # Text, and not str: in a str rich would read [names] as markup.
        table.add_row(
            *(Text(cell, style=_STYLES.get(cell, "") if column.name == "status" else "") for cell, column in zip(row, columns, strict=True))
        )
    Console(highlight=False, markup=False, emoji=False).print(table)
