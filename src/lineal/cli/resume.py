"""`lineal runs resume`: go on with a run that did not succeed."""

import contextlib
import sys
from pathlib import Path

import click

from lineal.cli.run import typed_errors
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.model.entry import Entry


@click.command("resume")
@click.argument("run")
@json_option
def resume_run(run: str, as_json: bool) -> None:
    """Go on with a RUN that failed, was cancelled or crashed.

    Runs its pipeline again with the same parameters, from the file where it is defined and in the folder where it ran. What has finished is
    given again, as long as its code and its inputs are the same. With --json, what steps print goes to standard error.
    """
    view = Client().get_pipeline_run(run)
    entry = Entry.of(view.environment)
    folder = "" if entry is None else entry.folder
    there = contextlib.chdir(folder) if folder and Path(folder).is_dir() else contextlib.nullcontext()
    with there, contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        resumed = typed_errors(view.resume)
    if as_json:
        print_json(resumed.to_json())
