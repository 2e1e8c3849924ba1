"""What every command takes and prints: `--json`, `--debug`, and JSON for programs. Commands of the server's room have it from here too.

This module is part of `lineal --help`: what only some commands need is imported where it is used.
"""

from collections.abc import Callable
from typing import Any

import click

from lineal.model.text import finite


def print_json(value: Any) -> None:
    """Print JSON for programs to read. ASCII only, so that it means the same in every terminal and file."""
    import json

    try:
        text = json.dumps(value, indent=2, allow_nan=False)
    except ValueError:  # what is not finite has no form in standard JSON, and becomes text: "nan"
        text = json.dumps(finite(value), indent=2)
    click.echo(text)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`, and `--debug` as after `lineal`, to a command."""
    command = click.option("--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show the traceback of an error.")(
        command
    )
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.obj.debug = ctx.obj.debug or value
