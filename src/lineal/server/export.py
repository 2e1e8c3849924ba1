"""`lineal export html`: pages of the dashboard as one file that opens by double click."""

from pathlib import Path

import click

from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import UsageError
from lineal.model.text import size_text
from lineal.server.exporting import export


@click.group("export", short_help="Write what is stored into files for others.")
def command() -> None:
    """Write what is stored into files for others."""


@command.command("html")
@click.argument("words", nargs=-1, metavar="[NAME[@VERSION] | RUN] FILE")
@click.option("--all", "everything", is_flag=True, help="The newest 200 runs and 200 versions, instead of one.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@json_option
def html(words: tuple[str, ...], everything: bool, overwrite: bool, as_json: bool) -> None:
    """Write a run or a version, with all that belongs to it, into one HTML FILE that opens by double click and asks nobody.

    NAME alone is the newest version of an artifact; RUN is a run's name, its id, or `latest`. A run wins.
    """
    if len(words) != (1 if everything else 2):
        raise UsageError("say which run or version to export, or --all, and the file to write: lineal export html model@3 model.html")
    *whats, name = words
    file = Path(name)
    if file.exists() and not overwrite:
        raise UsageError(f"{file} is there already; --overwrite replaces it, or name another file")
    client = Client()
    text = export(client, whats[0] if whats else None)
    file.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"file": str(file), "size": file.stat().st_size})
    else:
        click.echo(f"{file} ({size_text(file.stat().st_size)})")
