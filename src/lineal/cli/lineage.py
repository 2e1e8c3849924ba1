"""`lineal lineage`: a version's ancestors and descendants as a tree."""

import click

from lineal.cli.options import split_version
from lineal.cli.output import json_option, print_json
from lineal.client import Client


@click.command("lineage", short_help="Show what a version comes from and what was made from it.")
@click.argument("version", metavar="NAME[@VERSION]")
@click.option("--depth", type=click.IntRange(min=1), help="How many steps far; all by default.")
@json_option
def command(version: str, depth: int | None, as_json: bool) -> None:
    """Show what a version comes from, through all pipelines up to the data, and what was made from it.

    NAME alone is the newest version. The id of a version, or its beginning, does as well.
    """
    lineage = Client().get_artifact_version(*split_version(version)).lineage(depth)
    if as_json:
        print_json(lineage.to_json())
    else:
        click.echo(str(lineage))
