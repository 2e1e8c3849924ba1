"""`lineal run`: load a file, find its pipeline, call it with parameters."""

import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from lineal.console import json_option, print_json
from lineal.engine.origin import load_file
from lineal.errors import LinealError, PathNotFound, StepError, UsageError
from lineal.graph.step import MISSING
from lineal.pipelines import Pipeline

T = TypeVar("T")


@click.command("run", short_help="Run a pipeline of a Python file.")
@click.argument("target", metavar="FILE[:PIPELINE]", shell_complete=click.Path().shell_complete)
@click.option("--param", "params", metavar="NAME=VALUE", multiple=True, help="A parameter of the pipeline; may be given several times.")
@click.option("--dry-run", is_flag=True, help="Say what would run and why, and run nothing.")
@json_option
def command(target: str, params: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Run a pipeline of a Python FILE: the one called PIPELINE, or the only one that it has.

    A VALUE is read as the pipeline's annotation says; without one as JSON, and as text if it is none.
    With --json, what steps print goes to standard error. With --dry-run the plan is shown, and nothing runs.
    """
    path, name = _split(target)
    # With --json standard output is the JSON and nothing else: what the file and its steps print goes to standard error.
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        pipeline = _choose(load_file(path), path, name)
        arguments = _parameters(pipeline, params)
        made = typed_errors(lambda: pipeline.plan(**arguments) if dry_run else pipeline(**arguments))
    if as_json:
        print_json(made.to_json())
    elif dry_run:
        click.echo(made)


def _split(target: str) -> tuple[Path, str | None]:
    """Give file and pipeline. What is a file as it stands is one: the path itself may hold a colon."""
    path, colon, name = target.rpartition(":")
    if Path(target).is_file() or not colon:
        path, name = target, ""
    if not Path(path).is_file():
        raise PathNotFound(f"{path} is not a file; give the path of a Python file with a pipeline, such as train.py or train.py:training")
    return Path(path).resolve(), name or None


def _choose(module: ModuleType, path: Path, name: str | None) -> Pipeline[Any]:
    found = {id(value): (attribute, value) for attribute, value in vars(module).items() if isinstance(value, Pipeline)}
    pipelines = dict(found.values())
    names = ", ".join(pipelines) or "none"
    if name is None:
        if len(pipelines) == 1:
            return next(iter(pipelines.values()))
        if not pipelines:
            raise UsageError(f"{path} has no pipeline; put @pipeline above a function that calls steps")
        raise UsageError(f"{path} has several pipelines: {names}; name one, such as {path.name}:{next(iter(pipelines))}")
    wanted = [value for attribute, value in pipelines.items() if name in (attribute, value.name)]
    if len(wanted) != 1:
        raise UsageError(f"{path} has no pipeline {name!r}; there are: {names}")
    return wanted[0]


def _parameters(pipeline: Pipeline[Any], params: Sequence[str]) -> dict[str, Any]:
    annotations = {each.name: each.annotation for each in pipeline.signature.inputs}
    values: dict[str, Any] = {}
    for param in params:
        name, equals, text = param.partition("=")
        if not equals or not name:
            raise UsageError(f"--param {param!r} must be NAME=VALUE")
        if name in values:
            raise UsageError(f"--param {name} is given twice")
        values[name] = read_value(text, annotations.get(name, MISSING))
    return values


def read_value(text: str, annotation: Any) -> Any:
    """Give a value typed on the command line: the JSON that it is if that fits the annotation, else the text itself.

    So `5` is the text "5" for a `str` and a number for an `int`, and `abc` needs no quotes anywhere.
    """
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, str) or annotation is MISSING:
        return value
    from pydantic import PydanticUserError, TypeAdapter, ValidationError

    try:
        TypeAdapter(annotation).validate_python(value)
    except (ValidationError, PydanticUserError):  # the pipeline says what is wrong with the text, or takes it
        return text
    return value


def typed_errors(action: Callable[[], T]) -> T:
    """Do what runs a pipeline: what its code raises becomes a StepError, so that the exit code tells it from an error of Lineal."""
    try:
        return action()
    except LinealError:
        raise
    except Exception as error:
        failure = StepError(f"{type(error).__name__}: {error}")
        failure.__notes__ = list(getattr(error, "__notes__", []))
        raise failure from error
