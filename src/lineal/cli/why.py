"""`lineal why`: the cache's decisions in words."""

import click

from lineal.cli.output import json_option, print_json
from lineal.client import Client
from lineal.model.text import shown


@click.command("why", short_help="Say why steps of a run ran, or why they did not have to.")
@click.argument("run")
@click.argument("step", required=False)
@json_option
def command(run: str, step: str | None, as_json: bool) -> None:
    """Say why each step of RUN ran, or why an earlier result was given; or just that of one STEP. RUN may be `latest`."""
    view = Client().get_pipeline_run(run)
    steps = list(view.steps.values()) if step is None else [view.steps[step]]
    if as_json:
        print_json({"run": view.name, "steps": [{"name": each.name, "status": each.status.value, "why": each.why} for each in steps]})
        return
    for each in steps:
        click.secho(shown(each.name), bold=True, nl=False)
        click.echo(f" ({each.status})")
        for sentence in each.why:
            click.echo(f"  {shown(sentence)}")
