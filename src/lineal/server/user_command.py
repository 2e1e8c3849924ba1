"""`lineal user`: who may sign in to a server, and what they may do."""

import sys

import click

from lineal.console import json_option, print_json
from lineal.model.accounts import ROLES
from lineal.server.desk import desk_of, print_rows, server_option

_FIELDS = ["name", "kind", "role", "active", "created"]
_role = click.Choice(ROLES)


@click.group("user", short_help="Say who may sign in to a server, and what they may do.")
def command() -> None:
    """Say who may sign in to a server, and what they may do.

    viewer: looks at everything; editor: also tags, pins and deletes; admin: also prunes, and says who may what.
    """


@command.command("list")
@server_option
@json_option
def list_users(server: str | None, as_json: bool) -> None:
    """List all users."""
    found = desk_of(server).users()
    if as_json:
        print_json(found)
    else:
        print_rows(_FIELDS, found)


@command.command("add")
@click.argument("name")
@click.option("--role", type=_role, default="viewer", show_default=True, help="What the user may do.")
@click.option("--service", is_flag=True, help="A service: it has tokens, and no password.")
@server_option
@json_option
def add_user(name: str, role: str, service: bool, server: str | None, as_json: bool) -> None:
    """Add a user. The password is asked for, or read from standard input where that is no terminal."""
    user = desk_of(server).add_user(name, role, None if service else _new_password())
    _told(user, f"{user['name']} is added as {user['role']}", as_json=as_json)


@command.command("set-role")
@click.argument("name")
@click.argument("role", type=_role)
@server_option
@json_option
def set_role(name: str, role: str, server: str | None, as_json: bool) -> None:
    """Change what a user may do. It signs in again."""
    user = desk_of(server).change_user(name, {"role": role})
    _told(user, f"{user['name']} is {user['role']} now", as_json=as_json)


@command.command("deactivate")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the user in again.")
@server_option
@json_option
def deactivate(name: str, undo: bool, server: str | None, as_json: bool) -> None:
    """Keep a user out, at once, and keep what is known of it."""
    user = desk_of(server).change_user(name, {"active": undo})
    _told(user, f"{user['name']} may {'' if undo else 'not '}sign in", as_json=as_json)


@command.command("reset-password")
@click.argument("name")
@server_option
@json_option
def reset_password(name: str, server: str | None, as_json: bool) -> None:
    """Give a user another password, which is asked for. All of its sessions end."""
    user = desk_of(server).change_user(name, {"password": _new_password()})
    _told(user, f"{user['name']} has another password, and signs in again", as_json=as_json)


@command.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_option
@json_option
def delete_user(name: str, yes: bool, server: str | None, as_json: bool) -> None:
    """Delete a user with its tokens. What it has done stays in the audit."""
    if not yes and not as_json:
        click.confirm(f"Delete the user {name!r} with its tokens?", abort=True)
    desk_of(server).delete_user(name)
    _told({"name": name, "deleted": True}, f"{name} is deleted", as_json=as_json)


def _told(value: object, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        click.echo(text)


def _new_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password
