"""`lineal login`: a token for a server."""

import socket
import sys
import time
from typing import Any

import click

from lineal.asking import ask
from lineal.console import json_option, print_json
from lineal.credentials import is_private, keep_token, server_url
from lineal.errors import UsageError


@click.command("login", short_help="Sign in to a server, and keep a token for it.")
@click.argument("url")
@click.option("--code", is_flag=True, help="Show a code to type in a browser, and ask for nothing.")
@click.option("--token", is_flag=True, help="Keep a token that you have, which is asked for.")
@click.option("--insecure-http", is_flag=True, help="Send it unencrypted to another machine.")
@json_option
def command(url: str, code: bool, token: bool, insecure_http: bool, as_json: bool) -> None:
    """Sign in to the server at URL, and keep a token for it in a file that only you can read.

    On a terminal it asks for name and password, which are sent once and kept nowhere. With --code, without a name, and where there is no
    terminal, it shows a short code and a page: open that page in a browser on any machine, sign in, and type the code; nothing secret is
    typed here. With --token it asks for a token instead, or reads it from standard input where that is no terminal. LINEAL_TOKEN wins over
    what is kept.
    """
    if code and token:
        raise UsageError("--code and --token are two ways to sign in; choose one")
    server = server_url(url)
    if not is_private(server) and not insecure_http:
        raise UsageError(f"{server} is not encrypted: who is in between could read the token. Use https, or --insecure-http")
    health = ask(server, "GET", "/health")
    if token or not health.get("team"):
        text = _given_token()
    else:
        text = (None if code or not sys.stdin.isatty() else _password_token(server)) or _device_token(server)
    me = ask(server, "GET", "/me", token=text)
    path = keep_token(server, text)
    if as_json:
        print_json({"url": server, "name": me["name"], "role": me["role"], "file": str(path)})
    else:
        click.echo(f"{server} knows you as {me['name']} ({me['role']}); the token is in {path}")


def _given_token() -> str:
    stdin = sys.stdin
    text: str = click.prompt("Token", hide_input=True, err=True) if stdin.isatty() else stdin.readline()
    if not text.strip():
        raise UsageError("no token was given; make one in the dashboard, under Settings, or with `lineal token create`")
    return text.strip()


def _password_token(server: str) -> str | None:
    """Give a token for a name and password that are typed; None where no name is given."""
    name = click.prompt("Name (empty for a code to type in a browser)", default="", show_default=False, err=True).strip()
    if not name:
        return None
    password = click.prompt("Password", hide_input=True, err=True)
    return str(ask(server, "POST", "/device/login", {"user": name, "password": password, "name": _machine()})["token"])


def _machine() -> str:
    return f"login on {socket.gethostname()}"[:40]


def _device_token(server: str) -> str:
    begun = ask(server, "POST", "/device", {"name": _machine()})
    click.echo(f"open      {server}{begun['page']}", err=True)
    click.echo(f"and type  {begun['code']}", err=True)
    deadline = time.monotonic() + begun["seconds"]
    while time.monotonic() < deadline:
        found: Any = ask(server, "POST", "/device/token", {"device": begun["device"]})
        if found is not None:
            return str(found["token"])
        time.sleep(begun["interval"])
    raise UsageError(f"the code was not typed within {begun['seconds'] // 60} minutes; try again")
