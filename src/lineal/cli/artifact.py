"""`lineal artifact`: list artifacts and versions, show one version and its visualizations."""

import tempfile
import webbrowser
from base64 import b64encode
from pathlib import Path

import click

from lineal.cli import delete, lineage, values
from lineal.cli import tags as marks
from lineal.cli.diff import diff
from lineal.cli.names import artifact_argument, version_argument
from lineal.cli.options import list_options, metadata_option, split_version, time_options, when
from lineal.cli.output import Column, print_facts, print_page, print_rest, print_table
from lineal.cli.reproduce import reproduce
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.model.records import Json
from lineal.model.text import moment_text, size_text
from lineal.model.visualization import Visualization
from lineal.views import VersionView
from lineal.views.base import name_text

SOME = 5
"""Users of a version that are named."""


@click.group("artifact", short_help="Look at artifacts and their versions.")
def command() -> None:
    """Look at artifacts and their versions."""


@command.command("list")
@click.option("--name", help="Name of the artifact; * stands for anything.")
@click.option("--tag", "tags", multiple=True, help="A tag of its own or of any of its versions; may be given several times.")
@click.option("--type", help="Python type, such as pandas.DataFrame.")
@click.option("--data-type", help="Kind: data, model, schema, statistics or service.")
@list_options("-updated")
@json_option
def list_(
    name: str | None, tags: tuple[str, ...], type: str | None, data_type: str | None, sort: str, limit: int, offset: int, as_json: bool
) -> None:
    """List artifacts, the last changed first."""
    page = Client().list_artifacts(name, tags=tags or None, type=type, data_type=data_type, sort=sort, limit=limit, offset=offset)
    if as_json:
        print_page([artifact.to_json() for artifact in page], page.total, offset)
        return
    columns = [Column("name", whole=True), Column("versions", right=True), Column("newest"), Column("type"), Column("size", right=True)]
    records = [artifact.record for artifact in page]
    rows = [(each.name, each.versions, each.latest, each.type, size_text(each.size), moment_text(each.updated)) for each in records]
    print_table([*columns, Column("updated (UTC)")], rows)
    print_rest(len(page), page.total, "artifacts")


@command.command()
@artifact_argument("name", required=False)
@click.option("--tag", "tags", multiple=True, help="A tag of the version; may be given several times.")
@click.option("--type", help="Python type, such as pandas.DataFrame.")
@click.option("--data-type", help="Kind: data, model, schema, statistics or service.")
@click.option("--pipeline", help="Name of the pipeline that made it.")
@click.option("--step", help="Name of the step that made it.")
@click.option("--run", help="Name or id of the run that made it.")
@metadata_option
@time_options
@list_options("-created")
@json_option
def versions(
    name: str | None,
    tags: tuple[str, ...],
    type: str | None,
    data_type: str | None,
    pipeline: str | None,
    step: str | None,
    run: str | None,
    metadata: tuple[str, ...],
    since: str | None,
    until: str | None,
    sort: str,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """List versions of all artifacts, or of those called NAME (* stands for anything), newest first."""
    page = Client().list_artifact_versions(
        name, tags=tags or None, type=type, data_type=data_type, pipeline=pipeline, step=step, run=run, metadata=metadata or None, created_after=when(since),
        created_before=when(until), sort=sort, limit=limit, offset=offset,
    )  # fmt: skip
    if as_json:
        print_page([version.to_json() for version in page], page.total, offset)
        return
    columns = [
        Column("version", whole=True),
        Column("type"),
        Column("size", right=True),
        Column("created (UTC)"),
        Column("step"),
        Column("tags"),
    ]
    records = [version.record for version in page]
    rows = [
        (name_text(each), each.type, size_text(each.object.size), moment_text(each.created), each.step or "", ", ".join(each.tags))
        for each in records
    ]
    print_table(columns, rows)
    print_rest(len(page), page.total, "versions")


@command.command()
@version_argument()
@json_option
def show(version: str, as_json: bool) -> None:
    """Show one version: what it is, who made it, who used it. NAME alone is the newest."""
    view = Client().get_artifact_version(*split_version(version))
    if as_json:
        print_json(
            {
                **view.to_json(),
                "consumers": [{"step": each.name, "run": each.run.name} for each in view.consumers],
                "trusted": marks.trusts_json(view),
            }
        )
        return
    print_facts(name_text(view.record), _facts(view))
    if view.record.metadata:
        print_facts("metadata", view.record.metadata)
    if view.uri.startswith("inline:"):
        return
    click.echo()
    print_table([Column("file", whole=True), Column("size", right=True)], [(entry.path, size_text(entry.size)) for entry in view.files])


@command.command()
@version_argument()
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write them into this folder, with an index.html.")
@click.option("--overwrite", is_flag=True, help="Replace files that are in the folder already.")
@click.option("--open", "open_", is_flag=True, help="Open them in the browser.")
@json_option
def visualize(version: str, output: Path | None, overwrite: bool, open_: bool, as_json: bool) -> None:
    """Show the visualizations of one version: printed as far as they can be, as files, or in the browser. NAME alone is the newest."""
    view = Client().get_artifact_version(*split_version(version))
    if as_json:
        print_json([_visualization_json(each) for each in view.visualizations])
    elif output is None and not open_:
        view.visualize()
    else:
        folder = Path(tempfile.mkdtemp(prefix="lineal-")) if output is None else output
        page = view.visualize_to(folder, overwrite=overwrite)
        click.echo(page)
        if open_:
            webbrowser.open(page.absolute().as_uri())


def _visualization_json(visualization: Visualization) -> dict[str, Json]:
    content = visualization.content
    held = {"base64": b64encode(content).decode("ascii")} if isinstance(content, bytes) else {"content": content}
    return {"kind": visualization.kind, "title": visualization.title, **held}


for each in (
    marks.tag,
    marks.untag,
    marks.pin,
    marks.unpin,
    diff,
    lineage.command,  # the same as `lineal lineage`
    reproduce,
    marks.trust,
    delete.delete_artifact,
    delete.prune,
    values.load,
    values.download,
    values.save,
    values.register,
):
    command.add_command(each)


def _facts(view: VersionView) -> dict[str, object]:
    record = view.record
    made_by = "" if view.step is None or view.run is None else f"{view.step.name} in run {view.run.name}"
    users = [f"{each.name} in run {each.run.name}" for each in view.consumers]
    used_by = ", ".join(users[:SOME]) + (f" and {len(users) - SOME} more" if len(users) > SOME else "")
    return {
        "type": record.type,
        "kind": record.data_type,
        "size": size_text(record.object.size),
        "created": f"{moment_text(record.created)} UTC",
        "made by": made_by or record.save_type,
        "used by": used_by,
        "tags": ", ".join(record.tags),
        "materializer": record.materializer,
        "digest": record.object.digest,
        "uri": view.uri,
        "id": record.id,
        "pinned": "yes" if record.pinned else "",
        "trusted by": ", ".join(marks.trusts_text(view)),
        "data": "" if record.state == "live" else f"{record.state} on {moment_text(record.pruned)} UTC",
    }
