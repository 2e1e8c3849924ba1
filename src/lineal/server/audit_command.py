"""`lineal audit`: what was done through a server, and by whom."""

import sys

import click

from lineal.console import json_option, print_json
from lineal.server.desk import desk_of, print_rows, server_option

_FIELDS = ["id", "at", "who", "what", "object", "details", "peer"]


@click.group("audit", short_help="Show who changed, deleted or decided what.")
def command() -> None:
    """Show who changed, deleted or decided what."""


@command.command("list")
@click.option("--who", help="Only what this user did.")
@click.option("--what", help='Only this, such as "login failed".')
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many to show at most.")
@click.option("--offset", type=click.IntRange(0), default=0, help="How many to leave out.")
@server_option
@json_option
def list_audit(who: str | None, what: str | None, limit: int, offset: int, server: str | None, as_json: bool) -> None:
    """List what was done, the newest first."""
    page = desk_of(server).audit(who, what, limit, offset)
    if as_json:
        print_json(page)
    else:
        print_rows(_FIELDS, page["items"])


@command.command("verify")
@server_option
@json_option
def verify_audit(server: str | None, as_json: bool) -> None:
    """Check that no entry was changed or left out. Ends with 6 when one was.

    Whoever can write the file can also write a whole new chain, or take away its end: keep the digest that is printed elsewhere, and compare.
    """
    found = desk_of(server).check_audit()
    if as_json:
        print_json(found)
    elif found["wrong"] is None:
        click.echo(f"{found['entries']} entries fit; the last has the digest {found['digest'] or '(none)'}")
    else:
        click.echo(f"entry {found['wrong']} is not what was written, or one before it is missing; {found['entries']} entries fit before it")
    if found["wrong"] is not None:
        sys.exit(6)
