"""`lineal artifact tag`, `untag`, `pin` and `unpin`: marks on versions."""

import click

from lineal.cli.options import split_version
from lineal.cli.output import json_option, print_json
from lineal.client import Client
from lineal.views import VersionView
from lineal.views.base import name_text


@click.command()
@click.argument("version", metavar="NAME[@VERSION]")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@click.option("--exclusive", is_flag=True, help="Take the tags away from all other versions of the artifact.")
@json_option
def tag(version: str, tags: tuple[str, ...], exclusive: bool, as_json: bool) -> None:
    """Add tags to one version. NAME alone is the newest."""
    view = Client().get_artifact_version(*split_version(version))
    _print_marks(view.add_tags(tags, exclusive=exclusive), as_json)


@click.command()
@click.argument("version", metavar="NAME[@VERSION]")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@json_option
def untag(version: str, tags: tuple[str, ...], as_json: bool) -> None:
    """Take tags away from one version. NAME alone is the newest."""
    _print_marks(Client().get_artifact_version(*split_version(version)).remove_tags(tags), as_json)


@click.command()
@click.argument("version", metavar="NAME[@VERSION]")
@json_option
def pin(version: str, as_json: bool) -> None:
    """Keep one version: it can neither be deleted nor pruned. NAME alone is the newest."""
    _print_marks(Client().get_artifact_version(*split_version(version)).pin(), as_json)


@click.command()
@click.argument("version", metavar="NAME[@VERSION]")
@json_option
def unpin(version: str, as_json: bool) -> None:
    """Let one version be deleted and pruned again. NAME alone is the newest."""
    _print_marks(Client().get_artifact_version(*split_version(version)).unpin(), as_json)


def _print_marks(view: VersionView, as_json: bool) -> None:
    if as_json:
        print_json(view.to_json())
        return
    marks = [*(["pinned"] if view.pinned else ["not pinned"]), f"tags: {', '.join(view.tags)}" if view.tags else "no tags"]
    click.echo(f"{name_text(view.record)}: {', '.join(marks)}")
