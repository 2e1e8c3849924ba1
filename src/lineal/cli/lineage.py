"""`lineal lineage`: a version's ancestors and descendants as a tree, a picture, JSON or OpenLineage events."""

import json
from pathlib import Path

import click

from lineal.cli.names import version_argument
from lineal.cli.options import split_version
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import UsageError


@click.command("lineage", short_help="Show what a version comes from and what was made from it.")
@version_argument()
@click.option("--depth", type=click.IntRange(min=1), help="How many steps far; all by default.")
@click.option("--svg", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file as a picture.")
@click.option("--overwrite", is_flag=True, help="Replace the file of --svg when it is there.")
@click.option("--openlineage", is_flag=True, help="Print its step runs as OpenLineage run events, one a line.")
@json_option
def command(version: str, depth: int | None, svg: Path | None, overwrite: bool, openlineage: bool, as_json: bool) -> None:
    """Show what a version comes from, through all pipelines up to the data, and what was made from it.

    NAME alone is the newest version. The id of a version, or its beginning, does as well.
    """
    if as_json and openlineage:
        raise UsageError("--json prints the graph and --openlineage its events: give one of them")
    if svg is not None and svg.exists() and not overwrite:
        raise UsageError(f"{svg} is there already; give another file, or --overwrite to replace it")
    lineage = Client().get_artifact_version(*split_version(version)).lineage(depth)
    if svg is not None:
        svg.write_text(lineage.to_svg(), encoding="utf-8")
    if as_json:
        print_json(lineage.to_json())
    elif openlineage:
        for event in lineage.to_openlineage():
            click.echo(json.dumps(event))
    else:
        click.echo(str(lineage) if svg is None else svg)
