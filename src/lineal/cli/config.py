"""`lineal config`: each setting and where it comes from."""

import click

from lineal.cli.output import Column, print_table
from lineal.console import json_option, print_json
from lineal.settings import Settings, setting_names, shown, variable_of

_UNSET = {"metadata_store": "(lineal.db in home)", "artifact_store": "(store in home)", "token": "(none)"}


@click.command("config", short_help="Show each setting and where it comes from.")
@json_option
def command(as_json: bool) -> None:
    """Show each setting in force, where it comes from, and the variable that sets it."""
    settings = Settings.load()
    rows = [(name, shown(name, getattr(settings, name)), settings.sources[name], variable_of(name)) for name in setting_names()]
    if as_json:
        print_json({"settings": [dict(zip(("name", "value", "source", "variable"), row, strict=True)) for row in rows]})
        return
    texts = [(name, _UNSET.get(name, "") if value is None else str(value), source, variable) for name, value, source, variable in rows]
    print_table([Column("setting"), Column("value", whole=True), Column("from", whole=True), Column("variable")], texts)
