"""`lineal runs compare`: runs side by side."""

import click

from lineal.cli.names import run_argument
from lineal.cli.output import Column, print_table, print_text
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.views.run_comparison import Row, RunComparison, compare_runs

GONE = "-"


@click.command()
@run_argument("runs", nargs=-1, required=True)
@click.option("--all", "show_all", is_flag=True, help="Also show what is the same.")
@click.option("--diff", is_flag=True, help="Also show how code differs, from the first run to the last.")
@json_option
def compare(runs: tuple[str, ...], show_all: bool, diff: bool, as_json: bool) -> None:
    """Show what differs between RUNS, two to ten of them: parameters, metrics, outputs, code, packages, environment, states of steps."""
    client = Client()
    found = compare_runs([client.get_pipeline_run(each) for each in runs])
    if as_json:
        print_json(found.to_json())
    else:
        _print(found, show_all=show_all, diff=diff)


def _print(found: RunComparison, *, show_all: bool, diff: bool) -> None:
    columns = [Column("", whole=True), *(Column(run.name, whole=True) for run in found.runs)]
    for section in found.sections:
        rows = [row for row in section.rows if show_all or not row.same]
        if not rows:
            continue
        click.secho(section.title, bold=True)
        print_table(columns, [_cells(row) for row in rows])
        click.echo()
        for row in rows:
            if diff and row.diff:
                print_text(row.diff)
                click.echo()
    if found.same:
        click.echo("the same parameters, metrics, outputs, code and environment")


def _cells(row: Row) -> list[str]:
    return [row.name, *(GONE if each is None else each for each in row.values)]
