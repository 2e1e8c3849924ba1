"""`lineal artifact load`, `download`, `save` and `register`: values and files out of the store and into it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import click

from lineal.cli.names import version_argument
from lineal.cli.options import split_version
from lineal.cli.output import print_text
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import PathNotFound, UsageError
from lineal.materializers.builtin import JsonMaterializer
from lineal.materializers.paths import PathMaterializer
from lineal.model.text import shown, size_text
from lineal.saving import register_artifact, save_artifact
from lineal.views import VersionView
from lineal.views.base import name_text


@click.command()
@version_argument()
@json_option
def load(version: str, as_json: bool) -> None:
    """Print the value of one version: text as it is, a file or folder as its path, anything else as Python shows it.

    NAME alone is the newest version. With --json the value as it is stored, if that is JSON.
    """
    view = Client().get_artifact_version(*split_version(version))
    if as_json:
        print_json(_stored_json(view))
    elif view.materializer == PathMaterializer.id:
        print_text(f"{view.path}\n")
    else:
        value = view.load()
        print_text(value if isinstance(value, str) else f"{value!r}\n")


def _stored_json(view: VersionView) -> Any:
    if view.materializer != JsonMaterializer.id:
        raise UsageError(
            f"{name_text(view.record)} is stored as {view.materializer}, which is not JSON; use lineal artifact download, or load without --json"
        )
    held = view.record.object
    if held.inline is not None:
        return json.loads(held.inline)
    [entry] = held.files
    return json.loads((view.workspace.artifacts.fetch(held, verify=True) / entry.path).read_bytes())


@click.command()
@version_argument()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--overwrite", is_flag=True, help="Replace files of the same names that are in the folder already.")
@json_option
def download(version: str, folder: Path, overwrite: bool, as_json: bool) -> None:
    """Copy the files of one version into FOLDER, which is made when it does not exist. NAME alone is the newest."""
    view = Client().get_artifact_version(*split_version(version))
    place = view.download(folder, overwrite=overwrite)
    if as_json:
        print_json({"version": name_text(view.record), "folder": str(place), "files": len(view.files), "size": view.size})
    else:
        click.echo(f"{name_text(view.record)}: {_amount(view)} in {shown(place)}")


def _said_of_it(command: Callable[..., Any]) -> Callable[..., Any]:
    kinds = "Kind: data, model, schema, statistics or service."
    command = click.option("--data-type", help=kinds)(command)
    command = click.option("--tag", "tags", multiple=True, help="A tag for the version; may be given several times.")(command)
    command = click.option("--version", help="The version, instead of the next number.")(command)
    return click.option("--name", required=True, help="Name of the artifact.")(command)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@_said_of_it
@json_option
def save(path: Path, name: str, version: str | None, tags: tuple[str, ...], data_type: str | None, as_json: bool) -> None:
    """Save a copy of the file or folder at PATH as a version."""
    if not path.exists():
        raise PathNotFound(f"{str(path)!a} cannot be saved: there is no such file or folder")
    _print_new("saved", save_artifact(path, name, version, data_type, tags), as_json)


@click.command()
@click.argument("path", metavar="PATH")
@_said_of_it
@click.option(
    "--mode",
    type=click.Choice(["reference", "copy"]),
    default="reference",
    show_default=True,
    help="Leave the bytes where they are, or store a copy.",
)
@json_option
def register(
    path: str,
    name: str,
    version: str | None,
    tags: tuple[str, ...],
    data_type: str | None,
    mode: Literal["reference", "copy"],
    as_json: bool,
) -> None:
    """Make a version of the file or folder at PATH (a path or a file:// URL), which stays where it is."""
    _print_new("registered", register_artifact(path, name, version, data_type, tags, mode=mode), as_json)


def _print_new(done: str, view: VersionView, as_json: bool) -> None:
    if as_json:
        print_json(view.to_json())
    else:
        click.echo(f"{done} {name_text(view.record)}: {_amount(view)}, {shown(view.uri)}")


def _amount(view: VersionView) -> str:
    count = len(view.files)
    return f"{count:,} {'file' if count == 1 else 'files'}, {size_text(view.size)}"
