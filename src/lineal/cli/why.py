"""`lineal why`: the cache's decisions in words."""

import click

from lineal.cli.names import run_argument
from lineal.cli.output import print_text
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.model.text import shown


@click.command("why", short_help="Say why steps of a run ran, or why they did not have to.")
@run_argument()
@click.argument("step", required=False)
@click.option("--diff", is_flag=True, help="Also show how the code differs from that of the earlier call.")
@json_option
def command(run: str, step: str | None, diff: bool, as_json: bool) -> None:
    """Say why each step of RUN ran, or why an earlier result was given; or just that of one STEP. RUN may be `latest`.

    A step that ran is compared with the nearest earlier call of it: of the last ten, the one that differs in the fewest things.
    """
    view = Client().get_pipeline_run(run)
    steps = list(view.steps.values()) if step is None else [view.steps[step]]
    if as_json:
        facts = [{"name": each.name, "status": each.status.value, "why": each.why} for each in steps]
        found = [{**one, "diff": each.code_diff} for one, each in zip(facts, steps, strict=True)] if diff else facts
        print_json({"run": view.name, "steps": found})
        return
    for each in steps:
        click.secho(shown(each.name), bold=True, nl=False)
        click.echo(f" ({each.status})")
        for sentence in each.why:
            click.echo(f"  {shown(sentence)}")
        if diff and each.code_diff:
            print_text(each.code_diff)
