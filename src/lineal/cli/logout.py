"""`lineal logout`: the token for a server ends, and is forgotten."""

import click

from lineal.asking import ask
from lineal.console import json_option, print_json
from lineal.credentials import forget_token, server_url
from lineal.errors import LinealError, NotFound


@click.command("logout", short_help="End the token for a server, and forget it.")
@click.argument("url")
@json_option
def command(url: str, as_json: bool) -> None:
    """End the token that is kept for the server at URL, there and here."""
    server = server_url(url)
    token = forget_token(server)
    if token is None:
        raise NotFound(f"no token is kept for {server}")
    token_id = token.split("_", 2)[1] if token.startswith("lineal_") else ""
    ended = False
    if token_id:
        try:
            ask(server, "POST", f"/tokens/{token_id}/revoke", {}, token=token)
            ended = True
        except LinealError as error:
            click.echo(f"note: the token is forgotten here, and not ended there: {error}", err=True)
    if as_json:
        print_json({"url": server, "ended": ended})
    else:
        click.echo(f"the token for {server} is forgotten{' and works no more' if ended else ''}")
