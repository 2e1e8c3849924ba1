"""`lineal backup`: a copy of everything, made while runs go on."""

import dataclasses
import shlex
import sys
from pathlib import Path

import click

from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import StoreError
from lineal.model.text import shown, size_text


@click.command("backup", short_help="Copy everything into a folder while runs go on.")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@json_option
def command(path: Path, as_json: bool) -> None:
    """Copy the database, the artifacts and the logs, as they are at one moment, into the folder PATH. Runs may go on.

    PATH is new or empty, or holds an earlier backup: then only what is new is copied. Registered data stays where it is.
    Ends with 5 when something could not be copied because it is missing or damaged here.
    """
    report = Client().backup(path)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        click.echo(
            f"{report.objects:,} object{'' if report.objects == 1 else 's'}, {size_text(report.bytes)}, in {shown(report.path)}; copied {report.copied:,}, {size_text(report.copied_bytes)}"
        )
        if report.external:
            click.echo(f"{report.external:,} registered files or folders were not copied: their bytes are where they were registered")
        for problem in report.problems:
            click.echo(f"not copied: {shown(problem)}", err=True)
        variables = {"HOME": "", "METADATA_STORE": "/lineal.db", "ARTIFACT_STORE": "/store"}
        given = [
            shlex.quote(f"LINEAL_{name}={'sqlite:///' if name == 'METADATA_STORE' else ''}{report.path}{inner}")
            for name, inner in variables.items()
        ]
        click.echo(f"to verify it: {' '.join(given)} lineal verify --read-data", err=True)
    if report.problems:
        sys.exit(StoreError.exit_code)
