"""`lineal init`: make a folder the home of what is run below it."""

from pathlib import Path

import click

from lineal.console import json_option, print_json
from lineal.errors import UsageError
from lineal.settings import FOLDER, Settings, variable_of
from lineal.workspace import prepare_home


@click.command("init", short_help="Keep what is run below this folder in a .lineal folder here.")
@click.argument("path", type=click.Path(path_type=Path), default=".")
@json_option
def command(path: Path, as_json: bool) -> None:
    """Make PATH/.lineal, the home of everything that is run in PATH (this folder by default) or below it. Git ignores it."""
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder; make it first")
    home = path.absolute() / FOLDER
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is a file; remove it, or choose another folder")
    new = prepare_home(home)
    if as_json:
        print_json({"home": str(home), "new": new})
    else:
        click.echo(f"{home} {'is made' if new else 'was there already'}: what is run in this folder or below it is kept there")
    settings = Settings.load(cwd=path.absolute())
    if settings.home != home:
        click.echo(f"note: {variable_of('home')} says {settings.home} ({settings.sources['home']}), and that wins", err=True)
