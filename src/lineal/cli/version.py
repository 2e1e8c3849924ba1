"""`lineal version`."""

import platform
from importlib import metadata

import click

from lineal.console import json_option, print_json


@click.command("version", short_help="Show the version of Lineal.")
@json_option
def command(as_json: bool) -> None:
    """Show the version of Lineal and of the Python that it runs on."""
    version, python = metadata.version("lineal"), platform.python_version()
    if as_json:
        print_json({"lineal": version, "python": python})
    else:
        click.echo(f"lineal {version} (Python {python})")
