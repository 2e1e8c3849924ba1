"""`lineal artifact reproduce` and `lineal runs replay`: run again what is stored, and record nothing."""

import contextlib
import sys

import click

from lineal.cli.options import split_version
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.graph.describe import describe_value
from lineal.model import values
from lineal.model.text import shown

DIFFERS = 1
"""Exit code when something else came out."""


@click.command()
@click.argument("version", metavar="NAME[@VERSION]")
@click.option("--this-pipeline", is_flag=True, help="Take what other pipelines made from the store, instead of making it again.")
@json_option
def reproduce(version: str, this_pipeline: bool, as_json: bool) -> None:
    """Make a version again from its lineage with the code as it is now, and say whether the same bytes come out. Nothing is recorded.

    Exit code 0 when they do; 1 when not, with the first step that gave something else and what differs.
    """
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        found = Client().get_artifact_version(*split_version(version)).reproduce(across_pipelines=not this_pipeline)
    if as_json:
        print_json(found.to_json())
    else:
        click.echo(str(found))
    if not found.same:
        sys.exit(DIFFERS)


@click.command()
@click.argument("run")
@click.argument("step")
@click.option("--pdb", is_flag=True, help="Stop at the first line of the step's function in Python's debugger.")
@json_option
def replay(run: str, step: str, pdb: bool, as_json: bool) -> None:
    """Call the function of a STEP of RUN again with its stored inputs, and show its outputs. Nothing is recorded."""
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        outputs = Client().get_pipeline_run(run).steps[step].replay(debugger="pdb" if pdb else None)
    if as_json:
        print_json({"run": run, "step": step, "outputs": {name: _held(value) for name, value in outputs.items()}})
        return
    for name, value in outputs.items():
        click.echo(f"{shown(name)}: {shown(describe_value(value))}")


def _held(value: object) -> object:
    try:
        return values.to_json(value, name="output")
    except values.NotPlain:
        return describe_value(value)
