"""`lineal artifact tag`, `untag`, `pin` and `unpin`: marks on versions, and tags of artifacts themselves."""

import click

from lineal.cli.names import version_argument
from lineal.cli.noting import noted
from lineal.cli.options import split_version
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import UsageError
from lineal.model.records import Json
from lineal.model.text import moment_text, shown
from lineal.views import ArtifactView, VersionView
from lineal.views.base import name_text
from lineal.views.shapes import time_text

_whole_option = click.option("--artifact", "whole", is_flag=True, help="The tags of the artifact NAME itself, not of a version.")


def _artifact(name: str) -> ArtifactView:
    name, version = split_version(name)
    if version is not None:
        raise UsageError(f"--artifact is for the tags of an artifact itself: write {name} without the version, or leave out --artifact")
    return Client().get_artifact(name)


def _version(text: str) -> VersionView:
    return Client().get_artifact_version(*split_version(text))


@click.command()
@version_argument()
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@click.option("--exclusive", is_flag=True, help="Take the tags away from all other versions of the artifact.")
@_whole_option
@json_option
def tag(version: str, tags: tuple[str, ...], exclusive: bool, whole: bool, as_json: bool) -> None:
    """Add tags to one version, or with --artifact to an artifact itself. NAME alone is the newest version."""
    if whole:
        if exclusive:
            raise UsageError("--exclusive is for versions: one of them holds the tag; leave out --artifact, or --exclusive")
        artifact = _artifact(version)
        with noted("tag artifact", artifact.name, add=tags):
            artifact.add_tags(tags)
        _print_tags(artifact, as_json)
        return
    view = _version(version)
    with noted("tag version", name_text(view.record), add=tags, **({"exclusive": True} if exclusive else {})):
        view.add_tags(tags, exclusive=exclusive)
    _print_marks(view, as_json)


@click.command()
@version_argument()
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@_whole_option
@json_option
def untag(version: str, tags: tuple[str, ...], whole: bool, as_json: bool) -> None:
    """Take tags away from one version, or with --artifact from an artifact itself. NAME alone is the newest version."""
    if whole:
        artifact = _artifact(version)
        with noted("tag artifact", artifact.name, remove=tags):
            artifact.remove_tags(tags)
        _print_tags(artifact, as_json)
        return
    view = _version(version)
    with noted("tag version", name_text(view.record), remove=tags):
        view.remove_tags(tags)
    _print_marks(view, as_json)


@click.command()
@version_argument()
@json_option
def pin(version: str, as_json: bool) -> None:
    """Keep one version: it can neither be deleted nor pruned. NAME alone is the newest."""
    view = _version(version)
    with noted("pin version", name_text(view.record), pinned=True):
        view.pin()
    _print_marks(view, as_json)


@click.command()
@version_argument()
@json_option
def unpin(version: str, as_json: bool) -> None:
    """Let one version be deleted and pruned again. NAME alone is the newest."""
    view = _version(version)
    with noted("pin version", name_text(view.record), pinned=False):
        view.unpin()
    _print_marks(view, as_json)


@click.command()
@version_argument()
@json_option
def trust(version: str, as_json: bool) -> None:
    """Let one version be loaded although that can run code and no run of this workspace made it.

    Also although another release of Python or of a library pickled it, which may fail or give something else.

    It holds for these bytes only. Who decided and when is kept, and shown by `artifact show`. NAME alone is the newest version.
    """
    view = _version(version)
    with noted("trust version", name_text(view.record), digest=view.record.object.digest):
        view.trust()
    if as_json:
        print_json({"version": name_text(view.record), "trusted": trusts_json(view)})
        return
    click.echo(f"{name_text(view.record)}: trusted by {', '.join(trusts_text(view))}")


def trusts_text(view: VersionView) -> list[str]:
    """Give who trusted a version's bytes, for people."""
    return [f"{shown(each.person)} on {moment_text(each.given)} UTC" for each in view.trusts]


def trusts_json(view: VersionView) -> list[Json]:
    """Give who trusted a version's bytes, for programs."""
    return [{"version": each.version, "digest": each.digest, "by": each.person, "at": time_text(each.given)} for each in view.trusts]


def _print_tags(view: ArtifactView, as_json: bool) -> None:
    if as_json:
        print_json(view.to_json())
    else:
        click.echo(f"{shown(view.name)}: {_tags_text(view.tags)}")


def _tags_text(tags: list[str]) -> str:
    return f"tags: {', '.join(map(shown, tags))}" if tags else "no tags"


def _print_marks(view: VersionView, as_json: bool) -> None:
    if as_json:
        print_json(view.to_json())
        return
    click.echo(f"{name_text(view.record)}: {'pinned' if view.pinned else 'not pinned'}, {_tags_text(view.tags)}")
