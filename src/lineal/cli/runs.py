"""`lineal runs`: list runs, show one, print what its steps logged, delete some."""

import click

from lineal.cli.compare import compare
from lineal.cli.delete import delete_runs
from lineal.cli.names import run_argument
from lineal.cli.options import list_options, metadata_option, time_options, when
from lineal.cli.output import Column, print_facts, print_page, print_rest, print_table, print_text
from lineal.cli.reproduce import replay
from lineal.cli.resume import resume_run
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.engine.undeclared import summary
from lineal.engine.why import value_text
from lineal.model.entry import RESUMES
from lineal.model.states import Status
from lineal.model.text import moment_text, shown, size_text
from lineal.views import RunView, StepRunView
from lineal.views.base import error_line, name_text, state_text, took_text


@click.group("runs", short_help="Look at pipeline runs, and delete them.")
def command() -> None:
    """Look at pipeline runs, and delete them. RUN is a run's name, its id, the beginning of its id, or `latest`."""


@command.command("list")
@click.option("--pipeline", help="Name of the pipeline.")
@click.option("--name", help="Name of the run; * stands for anything.")
@click.option("--status", type=click.Choice([each.value for each in Status]), help="State of the run.")
@click.option("--tag", "tags", multiple=True, help="A tag of the run; may be given several times.")
@metadata_option
@time_options
@list_options("-started")
@json_option
def list_(
    pipeline: str | None,
    name: str | None,
    status: str | None,
    tags: tuple[str, ...],
    metadata: tuple[str, ...],
    since: str | None,
    until: str | None,
    sort: str,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """List runs, newest first."""
    page = Client().list_pipeline_runs(
        name,
        pipeline=pipeline,
        status=status,
        tags=tags or None,
        metadata=metadata or None,
        created_after=when(since),
        created_before=when(until),
        sort=sort,
        limit=limit,
        offset=offset,
    )
    if as_json:
        print_page([run.facts_json() for run in page], page.total, offset)
        return
    columns = [Column("name", whole=True), Column("pipeline"), Column("status"), Column("started (UTC)"), Column("time", right=True)]
    rows = [(run.name, run.pipeline, run.record.status, moment_text(run.record.started), took_text(run.record)) for run in page]
    print_table(columns, rows)
    print_rest(len(page), page.total, "runs")


@command.command()
@run_argument()
@json_option
def show(run: str, as_json: bool) -> None:
    """Show a run and its steps."""
    view = Client().get_pipeline_run(run)
    if as_json:
        print_json(view.to_json())
        return
    record = view.record
    print_facts(
        view.name,
        {
            "pipeline": view.pipeline,
            "status": state_text(record),
            "started": f"{moment_text(record.started)} UTC",
            "id": view.id,
            "parameters": ", ".join(f"{name}={value_text(node)}" for name, node in record.parameters.items()),
            "tags": ", ".join(record.tags),
            "resumes": view.environment.get(RESUMES),
            "error": error_line(view.error),
            **record.metadata,
        },
    )
    columns = [
        Column("step", whole=True), Column("status"), Column("time", right=True), Column("memory", right=True),
        Column("outputs", whole=True), Column("error"),
    ]  # fmt: skip
    click.echo()
    print_table(columns, [_step_row(step) for step in view.steps.values()])
    for step in view.steps.values():
        if step.undeclared:
            click.echo(f"{shown(step.name)} used what its cache key does not know: {shown(summary(step.undeclared))}")


def _step_row(step: StepRunView) -> tuple[object, ...]:
    outputs = ", ".join(name_text(version.record) for version in step.outputs.values())
    took = "" if step.status is Status.CACHED else took_text(step.record)
    memory = "" if step.peak_memory is None else size_text(step.peak_memory)
    return (step.name, step.status, took, memory, outputs, error_line(step.error))


@command.command()
@run_argument()
@click.argument("step", required=False)
@json_option
def logs(run: str, step: str | None, as_json: bool) -> None:
    """Print what the steps of a run printed and logged, or what one STEP did."""
    view = Client().get_pipeline_run(run)
    found = {each.name: each.logs for each in _chosen(view, step)}
    if as_json:
        print_json({"run": view.name, "steps": [{"name": name, "log": text} for name, text in found.items()]})
        return
    texts = {name: text for name, text in found.items() if text}
    if not texts:
        click.echo(f"nothing was printed or logged{f' by step {step}' if step else f' in run {view.name}'}", err=True)
    for name, text in texts.items():
        if step is None:
            click.secho(f"== {name} ==", bold=True)
        print_text(text)


command.add_command(compare)
command.add_command(delete_runs)
command.add_command(replay)
command.add_command(resume_run)


def _chosen(view: RunView, step: str | None) -> list[StepRunView]:
    return list(view.steps.values()) if step is None else [view.steps[step]]
