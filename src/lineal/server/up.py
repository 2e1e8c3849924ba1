"""`lineal up`: the dashboard of this home, on this machine."""

import sys
import webbrowser

import click

from lineal.console import json_option, print_json
from lineal.server.serve import Started, serve
from lineal.workspace import open_workspace


@click.command("up", short_help="Open the dashboard of what is stored.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any free one. By default 8237, or any when that is taken."
)
@click.option("--no-browser", is_flag=True, help="Print the link instead of opening it.")
@json_option
def command(port: int | None, no_browser: bool, as_json: bool) -> None:
    """Serve the dashboard and the HTTP API on this machine until Ctrl-C.

    The link that is printed opens the dashboard once; `lineal up` again makes a new one. Programs send the token in the file that is named.
    """
    serve(open_workspace(), port, lambda started: _tell(started, no_browser=no_browser, as_json=as_json))


def _tell(started: Started, *, no_browser: bool, as_json: bool) -> None:
    if as_json:
        print_json({"url": started.url, "link": started.link, "token_file": str(started.token_file)})
    else:
        click.echo(f"Lineal is up at {started.url} (Ctrl-C ends it)")
        click.echo(f"open      {started.link}")
        click.echo(f"programs  Authorization: Bearer, with the token in {started.token_file}")
    sys.stdout.flush()
    if not no_browser:
        webbrowser.open(started.link)
