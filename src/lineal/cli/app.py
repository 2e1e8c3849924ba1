"""The `lineal` command: finds subcommands, and turns every error into one line and an exit code."""

import importlib
import io
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from lineal.cli.output import one_line
from lineal.errors import LinealError, UsageError

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of the signal, as shells have it."""

# Loaded by name at first use, so that `lineal --help` and each command import only what they need.
# The help stands here for the same reason; a test compares it with what each command says itself.
COMMANDS = {
    "artifact": ("lineal.cli.artifact", "Look at artifacts and their versions."),
    "audit": ("lineal.server.audit_command", "Show who changed, deleted or decided what."),
    "backup": ("lineal.cli.backup", "Copy everything into a folder while runs go on."),
    "completion": ("lineal.cli.completion", "Print the script by which a shell completes what is typed."),
    "config": ("lineal.cli.config", "Show each setting and where it comes from."),
    "doctor": ("lineal.cli.doctor", "Check what Lineal relies on here, and test the stores."),
    "export": ("lineal.server.export", "Write what is stored into files for others."),
    "init": ("lineal.cli.init", "Keep what is run below this folder in a .lineal folder here."),
    "lineage": ("lineal.cli.lineage", "Show what a version comes from and what was made from it."),
    "login": ("lineal.cli.login", "Sign in to a server, and keep a token for it."),
    "logout": ("lineal.cli.logout", "End the token for a server, and forget it."),
    "run": ("lineal.cli.run", "Run a pipeline of a Python file."),
    "runs": ("lineal.cli.runs", "Look at pipeline runs, and delete them."),
    "server": ("lineal.server.team_up", "Serve what is stored to a team, with users and passwords."),
    "token": ("lineal.server.token_command", "Make, list and end the tokens of programs for a server."),
    "up": ("lineal.server.up", "Open the dashboard of what is stored."),
    "user": ("lineal.server.user_command", "Say who may sign in to a server, and what they may do."),
    "verify": ("lineal.cli.verify", "Say what is lost, who made it, and how to get it back."),
    "version": ("lineal.cli.version", "Show the version of Lineal."),
    "why": ("lineal.cli.why", "Say why steps of a run ran, or why they did not have to."),
}


class State:
    """What holds for one call of the command line."""

    def __init__(self) -> None:
        self.debug = False


class Commands(click.Group):
    """The group of all subcommands, which are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of all subcommands, for help and completion."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand and give it; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        try:
            command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("lineal"):
                raise
            raise UsageError(f"lineal {cmd_name} needs {error.name}, which is not installed: pip install 'lineal[server]'") from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_obj
def cli(state: State, debug: bool) -> None:
    """Run pipelines, and look at everything that they left."""
    state.debug = state.debug or debug


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 when all is well, else with the code of the error (see docs/cli.md)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Unicode must not turn output into an error
    state = State()
    try:
        cli.main(None if arguments is None else list(arguments), prog_name="lineal", standalone_mode=False, obj=state)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(0)
    except click.UsageError as error:
        where = "lineal" if error.ctx is None else error.ctx.command_path
        _fail(f"{error.format_message().rstrip('.')} (see: {where} --help)", error.exit_code, state)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code, state)
    except click.Abort:
        _fail("interrupted", INTERRUPTED, state)
    except LinealError as error:
        _fail(_said(str(error), error, unclear=error.__cause__ is not None), error.exit_code, state)
    except Exception as error:
        _fail(_said(f"{type(error).__name__}: {error}", error, unclear=True), 1, state)
    sys.exit(0)


def _fail(message: str, exit_code: int, state: State) -> NoReturn:
    if state.debug:
        import traceback

        traceback.print_exc()
    click.echo(f"error: {one_line(message)}", err=True)
    sys.exit(exit_code)


def _said(message: str, error: BaseException, *, unclear: bool) -> str:
    # A note of several lines is for the traceback: what a worker process has to say of its own.
    notes = "; ".join(note for note in getattr(error, "__notes__", []) if "\n" not in note)
    return message + (f" ({notes})" if notes else "") + ("; --debug shows the traceback" if unclear else "")
