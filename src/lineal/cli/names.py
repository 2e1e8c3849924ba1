"""Arguments that name what is stored, and how a shell completes them."""

import contextlib
from collections.abc import Callable
from typing import Any

import click

from lineal.client import Client
from lineal.errors import LinealError
from lineal.settings import Settings

MOST = 100
"""Names that are offered."""

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def version_argument(name: str = "version", metavar: str = "NAME[@VERSION]") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add an argument that names a version, or an artifact for its newest one."""
    return click.argument(name, metavar=metavar, shell_complete=_complete(_versions))


def artifact_argument(name: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add an argument that names an artifact."""
    return click.argument(name, shell_complete=_complete(_artifacts), **options)


def run_argument(name: str = "run", **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add an argument that names a run."""
    return click.argument(name, shell_complete=_complete(_runs), **options)


def _complete(offered: Callable[[str], list[str]]) -> Complete:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        # A key that was pressed in a shell neither makes a home nor prints an error: there is nothing to offer then.
        with contextlib.suppress(LinealError):
            if Settings.load().home.is_dir():
                return [name for name in offered(incomplete) if name.startswith(incomplete) and name.isprintable()]
        return []

    return complete


def _artifacts(begun: str) -> list[str]:
    return [each.name for each in Client().list_artifacts(f"{begun}*", sort="name", limit=MOST)]


def _versions(begun: str) -> list[str]:
    name, at, _ = begun.partition("@")
    if not at:
        return _artifacts(begun)
    return [f"{name}@{each.version}" for each in Client().list_artifact_versions(artifact=name, limit=MOST)]


def _runs(begun: str) -> list[str]:
    found = Client().workspace.metadata.list_runs({"name": f"{begun}*"}, "-started", MOST, 0).items
    return ["latest", *dict.fromkeys(each.name for each in found)]
