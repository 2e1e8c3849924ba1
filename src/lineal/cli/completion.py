"""`lineal completion`: the script by which a shell completes commands, options and names."""

from typing import Final

import click
from click.shell_completion import FishComplete, ShellComplete, ZshComplete

from lineal.console import json_option, print_json

_BASH: Final = """\
%(complete_func)s() {
    # Words are parted by spaces alone: readline parts them at @ and : too, which names of artifacts hold.
    local line="${COMP_LINE:0:COMP_POINT}" type value words word breaks head=""
    read -r -a words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word="${words[${#words[@]}-1]}"
    breaks="${COMP_WORDBREAKS//[^@:=]/}"
    [[ -n $breaks ]] && head="${word%%"${word##*[$breaks]}"}"  # what readline leaves as it is
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames 2> /dev/null ;;
            file) compopt -o default 2> /dev/null ;;
            plain) COMPREPLY+=("${value#"$head"}"); ;;
        esac
    done < <(env COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - 1)) %(complete_var)s=bash_complete %(prog_name)s)
}

complete -F %(complete_func)s %(prog_name)s
"""


class _Bash(ShellComplete):
    """The script for bash; what it calls is Click's own."""

    name = "bash"
    source_template = _BASH


_SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}


@click.command("completion", short_help="Print the script by which a shell completes what is typed.")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@json_option
@click.pass_context
def command(ctx: click.Context, shell: str, as_json: bool) -> None:
    """Print the script by which a SHELL completes commands, options, and names of artifacts, versions and runs.

    For bash put `source <(lineal completion bash)` into ~/.bashrc.
    """
    script = _SHELLS[shell](ctx.find_root().command, {}, "lineal", "_LINEAL_COMPLETE").source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script, nl=not script.endswith("\n"))
