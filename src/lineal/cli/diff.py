"""`lineal artifact diff`: what differs between two versions."""

import click

from lineal.cli.names import version_argument
from lineal.cli.options import split_version
from lineal.client import Client
from lineal.console import json_option, print_json


@click.command()
@version_argument()
@version_argument("other", "OTHER[@VERSION]")
@click.option("--key", "keys", metavar="COLUMN", multiple=True, help="Match rows of tables by it; may be given several times.")
@json_option
def diff(version: str, other: str, keys: tuple[str, ...], as_json: bool) -> None:
    """Show what differs from one version to another: values, facts, and what in their lineages differed first.

    NAME alone is the newest version.
    """
    client = Client()
    one, two = (client.get_artifact_version(*split_version(each)) for each in (version, other))
    difference = one.diff(two, key=keys or None)
    if as_json:
        print_json(difference.to_json())
    else:
        click.echo(str(difference))
