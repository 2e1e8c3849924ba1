"""`lineal up`: the dashboard of this home, on this machine. A command of the server's own room: no other command needs the server."""

import sys
import webbrowser

import click

from lineal.server.serve import Started, serve
from lineal.workspace import open_workspace


@click.command("up", short_help="Open the dashboard of what is stored.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for any free one. By default 8237, or any when that is taken."
)
@click.option("--no-browser", is_flag=True, help="Print the link instead of opening it.")
def command(port: int | None, no_browser: bool) -> None:
    """Serve the dashboard and the HTTP API on this machine until Ctrl-C.

    The link that is printed opens the dashboard once; `lineal up` again makes a new one. Programs send the token in the file that is named.
    """
    serve(open_workspace(), port, lambda started: _tell(started, no_browser))


def _tell(started: Started, no_browser: bool) -> None:
    click.echo(f"Lineal is up at {started.url} (Ctrl-C ends it)")
    click.echo(f"open      {started.link}")
    click.echo(f"programs  Authorization: Bearer, with the token in {started.token_file}")
    sys.stdout.flush()
    if not no_browser:
        webbrowser.open(started.link)
