"""`lineal doctor`: can this machine and this home do what Lineal relies on."""

import dataclasses
import sys

import click

from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import StoreError
from lineal.model.text import shown

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


@click.command("doctor", short_help="Check what Lineal relies on here, and test the stores.")
@json_option
def command(as_json: bool) -> None:
    """Check versions, file systems, space, permissions and the durability in force, and test the stores in a scratch folder.

    Ends with 0 when there is no problem, and with 5 when there is one.
    """
    checks = Client().doctor()
    bad = any(check.state == "problem" for check in checks)
    if as_json:
        print_json({"ok": not bad, "checks": [dataclasses.asdict(check) for check in checks]})
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            click.echo(f"{click.style(f'{check.state:<7}', fg=_COLOURS[check.state])}  {check.name:<{width}}  {shown(check.found)}")
            if check.remedy:
                click.echo(f"{'':<7}  {'':<{width}}  {shown(check.remedy)}")
    if bad:
        sys.exit(StoreError.exit_code)
