"""What a shell offers when a key is pressed: commands, options, and names of what is stored."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lineal import save_artifact


def offered(line: str, monkeypatch: pytest.MonkeyPatch, lineal: Any) -> list[str]:
    """Give what is offered at the end of a line, as bash is told."""
    words = line.split(" ")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    monkeypatch.setenv("_LINEAL_COMPLETE", "bash_complete")
    result = lineal()
    monkeypatch.delenv("_LINEAL_COMPLETE")
    assert (result.code, result.err) == (0, "")
    return [each.removeprefix("plain,") for each in result.out.split("\n") if each]


OFFERED = {
    "lineal art": ["artifact"],
    "lineal artifact vis": ["visualize"],
    "lineal runs list --st": ["--status"],
    "lineal runs list --status fa": ["failed"],
    "lineal completion ": ["bash", "zsh", "fish"],
    "lineal lineage m": ["model"],
    "lineal lineage model@": ["model@2", "model@1"],
    "lineal artifact lineage m": ["model"],
    "lineal artifact trust model@": ["model@2", "model@1"],
    "lineal artifact tag model@2": ["model@2"],
    "lineal artifact diff model@1 num": ["numbers"],
    "lineal artifact versions num": ["numbers"],
    "lineal artifact prune model num": ["numbers"],
    "lineal artifact show no-such": [],
    "lineal why la": ["latest"],
    "lineal run tr": ["file,tr"],
}


def test_commands_options_and_names_are_offered(trained: list[str], lineal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that begin so; versions and runs the newest first."""
    assert {line: offered(line, monkeypatch, lineal) for line in OFFERED} == OFFERED
    names = [each["name"] for each in lineal("runs", "list", "--json").json["items"]]
    assert offered("lineal runs show ", monkeypatch, lineal) == ["latest", *names]


def test_pressing_a_key_makes_no_home_and_prints_no_error(lineal: Any, lineal_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to offer where nothing is stored, and where the settings are wrong."""
    assert offered("lineal lineage m", monkeypatch, lineal) == []
    assert not lineal_home.exists()
    monkeypatch.setenv("LINEAL_PICKLE", "nonsense")
    assert offered("lineal lineage m", monkeypatch, lineal) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str, lineal: Any) -> None:
    script = lineal("completion", shell).out
    assert f"_LINEAL_COMPLETE={shell}_complete" in script
    assert lineal("completion", shell, "--json").json == {"shell": shell, "script": script}


def in_bash(line: str, program: str, lineal: Any, folder: Path) -> list[str]:
    """Give what a real bash puts in at the end of a line, where `lineal` is a shell script of these lines."""
    script, command = folder / "completion.bash", folder / "lineal"
    script.write_text(lineal("completion", "bash").out, encoding="utf-8")
    command.write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
    command.chmod(0o755)
    breaks = r""" $' \t\n\"\'><=;|&(:@' """.strip()
    asked = f'COMP_WORDBREAKS={breaks}; source "{script}"; COMP_LINE="$1"; COMP_POINT=${{#1}}; _lineal_completion; printf "%s\\n" "${{COMPREPLY[@]}}"'
    environ = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", asked, "bash", line], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [("lineal lin", "lineage"), ("lineal lineage flow::give::o", "output"), ("lineal lineage model@", "1")],
)
def test_bash_completes_with_the_script(line: str, found: str, lineal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real bash, which parts words at @ and : where artifacts do not: only what stands behind is put in.

    It asks with the words that Click expects; what Click answers to these is answered here without a Python process.
    """
    for name in ("model", "flow::give::output"):
        save_artifact(1, name)
    answer = "".join(f"plain,{each}\n" for each in offered(line, monkeypatch, lineal))
    (tmp_path / "answer").write_text(answer, encoding="utf-8")
    asked = f"{line}|{len(line.split(' ')) - 1}|bash_complete"
    program = f"""[ "$COMP_WORDS|$COMP_CWORD|$_LINEAL_COMPLETE" = "{asked}" ] && cat "{tmp_path}/answer" """
    assert in_bash(line, program, lineal, tmp_path) == [found]


def test_bash_asks_the_lineal_command(lineal: Any, tmp_path: Path) -> None:
    """Nothing between the key and the name is a stand-in."""
    save_artifact(1, "model")
    program = f'exec "{sys.executable}" -c "from lineal.cli import main; main()" "$@"'
    assert in_bash("lineal lineage model@", program, lineal, tmp_path) == ["1"]
