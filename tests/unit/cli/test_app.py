"""The command line as a whole: help, one-line errors, exit codes, start-up."""

import errno
import importlib
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest

from lineal import errors
from lineal.cli import app
from lineal.cli.app import COMMANDS
from lineal.errors import NotFound, StoreBusy, typed

LINEAL = str(Path(sysconfig.get_path("scripts"), "lineal"))


def test_help_lists_every_command(lineal) -> None:
    result = lineal("--help")
    assert result.code == 0
    for name, (_, text) in COMMANDS.items():
        assert f"  {name}" in result.out
        assert text in result.out
    assert lineal().out == result.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_the_same_as_the_list(lineal, name: str) -> None:
    module, text = COMMANDS[name]
    command = importlib.import_module(module).command
    assert isinstance(command, click.Command)
    assert (command.name, command.short_help) == (name, text)
    assert lineal(name, "--help").code == 0


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        return [each for name, child in command.commands.items() for each in commands(child, f"{path} {name}")]
    return [(path, command)]


LEAVES = [leaf for name, (module, _) in COMMANDS.items() for leaf in commands(importlib.import_module(module).command, name)]


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_every_command_takes_json_and_debug_and_explains_every_option(path: str, command: click.Command) -> None:
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert {"--json", "--debug"} <= {name for option in options for name in option.opts}
    assert [option.name for option in options if not option.help] == []
    assert command.help


PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_the_page_on_the_command_line_has_every_command_and_option(path: str, command: click.Command) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"lineal {path}" in page or f"`{path}" in page
    missing = [name for each in command.params if isinstance(each, click.Option) for name in each.opts if f"{name}" not in page]
    assert missing == []


def test_the_page_on_the_command_line_has_every_exit_code() -> None:
    codes = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.LinealError)}
    page = PAGE.read_text(encoding="utf-8")
    assert {code for code in {0, app.INTERRUPTED, *codes} if f"\n| {code} | " not in page} == set()


@pytest.mark.parametrize("error", [NotFound("no such thing"), StoreBusy("try again")])
def test_an_error_is_one_line_with_its_own_exit_code(lineal, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> None:
        raise error

    error.add_note("while looking")
    error.add_note("Traceback in the worker process:\n  File ...")
    monkeypatch.setattr("lineal.cli.config.Settings.load", fail)
    result = lineal("config")
    assert result.code == error.exit_code  # type: ignore[attr-defined]
    assert result.out == ""
    assert result.err == f"error: {error} (while looking)\n"


def test_an_unexpected_error_is_one_line_and_debug_shows_the_traceback(lineal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a\nb \x1b[2J")

    monkeypatch.setattr("lineal.cli.config.Settings.load", fail)
    assert lineal("config") == (1, "", "error: RuntimeError: a b \\x1b[2J; --debug shows the traceback\n")
    for arguments in (("--debug", "config"), ("config", "--debug")):
        result = lineal(*arguments)
        assert result.code == 1
        assert "Traceback (most recent call last)" in result.err
        assert result.err.splitlines()[-1].startswith("error: RuntimeError: a b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "error: No such command 'nope' (see: lineal --help)"),
        (["runs", "show"], "error: Missing argument 'RUN' (see: lineal runs show --help)"),
        (["runs", "list", "--status", "fine"], "error: Invalid value for '--status': 'fine' is not one of"),
    ],
)
def test_wrong_usage_is_one_line_that_leads_to_the_help(lineal, arguments: list[str], message: str) -> None:
    result = lineal(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(message)
    assert result.err.count("\n") == 1


def test_an_interrupt_ends_with_the_code_of_the_signal(lineal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lineal.cli.config.Settings.load", interrupt)
    result = lineal("config")
    assert result.code == app.INTERRUPTED
    assert result.err.strip() == "error: interrupted"


def test_help_imports_no_more_than_it_shows() -> None:
    """Starting must stay fast: the list of commands needs click, and none of the stores, pydantic or rich."""
    code = "import sys\nfrom lineal.cli import main\ntry:\n    main(['--help'])\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stderr.split() if name.split(".")[0] in ("lineal", "rich", "pydantic", "sqlite3", "blake3", "json")}
    assert loaded == {
        "lineal", "lineal.cli", "lineal.cli.app", "lineal.cli.output", "lineal.console", "lineal.errors", "lineal.model", "lineal.model.text",
    }  # fmt: skip


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    done = subprocess.run(f"'{LINEAL}' config | true", shell=True, capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


def test_output_that_the_terminal_cannot_show_is_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "ж"
    folder.mkdir()
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = subprocess.run([LINEAL, "init"], cwd=folder, env=environment, capture_output=True, check=True)
    assert b"\\u0436" in done.stdout


def test_the_remedy_for_a_full_disk_is_a_command_that_there_is() -> None:
    """A person with a full disk types what the error says."""
    said = str(typed(OSError(errno.ENOSPC, "No space left on device", "somewhere"), "somewhere"))
    named = re.search(r"\(lineal ([a-z ]+) deletes", said)
    assert named, said
    command: click.Command | None = app.cli
    for word in named[1].split():
        assert isinstance(command, click.Group), said
        command = command.get_command(click.Context(command), word)
    assert command is not None, said
