"""`lineal artifact delete`, `lineal artifact prune` and `lineal runs delete`: what goes is shown first, and then asked for."""

import dataclasses
import sys
from collections.abc import Sequence

import click

from lineal.cli.names import artifact_argument, run_argument, version_argument
from lineal.cli.noting import noted
from lineal.cli.options import age, split_version
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import UsageError
from lineal.model.text import shown, size_text
from lineal.pruning import PRUNE, PruneReport, check_here
from lineal.views import RunView
from lineal.views.base import name_text

SHOWN = 20
"""Names that are shown one by one."""


@click.command("delete")
@version_argument()
@click.option("--all", "whole", is_flag=True, help="Delete all versions of the artifact NAME.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def delete_artifact(version: str, whole: bool, yes: bool, as_json: bool) -> None:
    """Delete one version with its data, or with --all an artifact. Refused for what a run made or used, and for what is pinned."""
    client = Client()
    name, wanted = split_version(version)
    if whole == (wanted is not None):
        raise UsageError(
            f"{name!r} alone could mean much: write {name}@{client.get_artifact_version(name).version} to delete its newest version, or add "
            "--all to delete all of them"
            if wanted is None
            else f"--all deletes all versions of an artifact: write {name} --all, or {version} without it"
        )
    if whole:
        names = [name_text(each.record) for each in client.get_artifact(name).versions]
    else:
        view = client.get_artifact_version(name, wanted)
        names = [name_text(view.record)]
    if not _confirmed(f"delete {_few(names)}?", yes):
        return
    with noted("delete artifact" if whole else "delete version", name if whole else names[0]):
        if whole:
            client.delete_artifact(name)
        else:
            client.delete_artifact_version(view)
    if as_json:
        print_json({"deleted": names})
    else:
        click.echo(f"deleted {_few(names)}")


@click.command("delete")
@run_argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def delete_runs(runs: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete runs with their steps and logs. Versions that only they refer to stay until they are deleted or pruned."""
    client = Client()
    views = list({view.record.id: view for view in map(client.get_pipeline_run, runs)}.values())
    names = [view.name for view in views]
    only = client.workspace.metadata.only_of_runs([view.record.id for view in views])
    if only.versions and not as_json:
        these = "this run refers" if len(views) == 1 else "these runs refer"
        click.echo(f"{_count(only.versions, 'version')}, {size_text(only.bytes)} of data, to which only {these}")
    if not _confirmed(f"delete {'run' if len(names) == 1 else f'{len(names)} runs:'} {_few(names)}?", yes):
        return
    unreferenced = sum(_delete_run(client, view) for view in views)
    if as_json:
        print_json({"deleted": names, "unreferenced": unreferenced})
        return
    click.echo(f"deleted {_few(names)}")
    if unreferenced:
        click.echo(f"{_count(unreferenced, 'version')} that nothing refers to any more: lineal artifact prune removes them")


def _delete_run(client: Client, view: RunView) -> int:
    with noted("delete run", view.record.id, name=view.name):
        return client.delete_pipeline_run(view)


@click.command()
@artifact_argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--only-artifact", is_flag=True, help="Delete the data and keep the records.")
@click.option("--only-metadata", is_flag=True, help="Delete the records and leave the data where it is.")
@click.option("--older-than", metavar="AGE", help="Only versions made longer ago: 30m, 12h, 30d, 8w.")
@click.option("--keep-last", metavar="N", type=click.IntRange(min=0), help="Keep the newest N versions of each artifact.")
@click.option("--ignore-errors", is_flag=True, help="Go on when data cannot be removed.")
@click.option("--force", is_flag=True, help="Also when more than 1 GiB and more than half of all data would go.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def prune(
    names: tuple[str, ...],
    only_artifact: bool,
    only_metadata: bool,
    older_than: str | None,
    keep_last: int | None,
    ignore_errors: bool,
    force: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete the versions that no run and no pin refers to, of all artifacts or of those called NAME (* stands for anything)."""
    client = Client()
    old = None if older_than is None else age(older_than)
    if not dry_run:
        check_here(client.workspace.metadata, PRUNE)  # before anything is asked

    def pruned(*, dry: bool) -> PruneReport:
        return client.prune_artifacts(
            names or None, only_artifact=only_artifact, only_metadata=only_metadata, ignore_errors=ignore_errors, dry_run=dry,
            older_than=old, keep_last=keep_last, force=force,
        )  # fmt: skip

    plan = pruned(dry=True)
    if not as_json:
        _print_plan(plan)
    anything = bool(plan.versions or plan.freed)
    if dry_run or not anything:
        if as_json:
            print_json(dataclasses.asdict(plan))
        return
    if not _confirmed(f"prune {_count(plan.versions, 'version')}?", yes):
        return
    given = {
        "older_than": older_than,
        "keep_last": keep_last,
        "only_artifact": only_artifact,
        "only_metadata": only_metadata,
        "force": force,
    }
    with noted("prune", " ".join(names), versions=plan.versions, **{name: each for name, each in given.items() if each}):
        report = pruned(dry=False)
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    click.echo(f"pruned {_count(report.versions, 'version')} of {_count(report.artifacts, 'artifact')}, freed {size_text(report.freed)}")
    for error in report.errors:
        click.echo(f"could not remove: {shown(error)}", err=True)


def _print_plan(plan: PruneReport) -> None:
    if not plan.versions and not plan.freed:
        click.echo("nothing to prune")
        return
    for name in plan.names[:SHOWN]:
        click.echo(f"  {shown(name)}")
    if plan.versions > SHOWN:
        click.echo(f"  and {plan.versions - SHOWN} more")
    data = f"{size_text(plan.bytes)} of data, {size_text(plan.freed)} to be freed"
    click.echo(f"{_count(plan.versions, 'version')} of {_count(plan.artifacts, 'artifact')}, {data}")


def _confirmed(question: str, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask on: add -y to go on, and nothing was changed")
    if click.confirm(question, err=True):
        return True
    click.echo("nothing was changed", err=True)
    return False


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shown(name) for name in names[:SHOWN]) + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
