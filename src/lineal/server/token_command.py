"""`lineal token`: what programs sign in to a server with."""

import click

from lineal.console import json_option, print_json
from lineal.model.accounts import ROLES
from lineal.server.desk import desk_of, print_rows, server_option
from lineal.server.people import DAYS, MOST_DAYS

_FIELDS = ["id", "user", "name", "role", "created", "expires", "used", "revoked"]


@click.group("token", short_help="Make, list and end the tokens of programs for a server.")
def command() -> None:
    """Make, list and end tokens, with which programs sign in to a server: LINEAL_TOKEN, or `lineal login URL --token`."""


@command.command("list")
@click.option("--all", "everybody", is_flag=True, help="Those of everybody; for admins.")
@server_option
@json_option
def list_tokens(everybody: bool, server: str | None, as_json: bool) -> None:
    """List tokens, never their secrets."""
    found = desk_of(server).tokens(everybody=everybody)
    if as_json:
        print_json(found)
    else:
        print_rows(_FIELDS, found)


@command.command("create")
@click.argument("name")
@click.option("--user", metavar="NAME", help="Whose token it is: a service. On a server without, your own.")
@click.option("--role", type=click.Choice(ROLES), help="What it may do, never more than its user. By default as much as its user.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=DAYS, show_default=True, help="How long it is good for.")
@click.option("--forever", is_flag=True, help="It does not expire.")
@server_option
@json_option
def create_token(name: str, user: str | None, role: str | None, days: int, forever: bool, server: str | None, as_json: bool) -> None:
    """Make a token called NAME, and print it: it cannot be shown again."""
    made = desk_of(server).create_token(name, role, None if forever else days, user)
    if as_json:
        print_json(made)
        return
    click.echo(made["token"])
    until = f"until {made['expires']}" if made["expires"] else "for ever"
    click.echo(f"token {made['id']} of {made['user']}, {made['role']}, good {until}; it is not shown again", err=True)


@command.command("revoke")
@click.argument("token_id", metavar="ID")
@server_option
@json_option
def revoke_token(token_id: str, server: str | None, as_json: bool) -> None:
    """End a token at once; `lineal token list` shows the ids."""
    desk_of(server).revoke_token(token_id)
    if as_json:
        print_json({"id": token_id, "revoked": True})
    else:
        click.echo(f"token {token_id} works no more")
