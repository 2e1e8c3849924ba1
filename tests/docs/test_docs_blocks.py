"""The documentation is run: what a page shows works as written.

On a page, blocks run from top to bottom in one namespace and one folder, each page with a store of its own:

- a `python` block is executed;
- under `<!-- file: name.py -->` it is saved under that name instead, for a later `$ python name.py` or `$ lineal run name.py`;
- a line of a `console` or `bash` block that begins with `$ lineal` or `$ python` is run, and must end with 0; lines that follow it
  in the block are what it prints, where `...` stands for anything;
- `$ make NAME` must name a target that exists;
- `<!-- not run: reason -->` above a block leaves it out, and must give a reason.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
SHELL = ("console", "bash", "sh", "shell")
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})\s*(?P<language>\w*)")
NOTE = re.compile(r"^\s*<!--\s*(?P<kind>not run|file):?\s*(?P<text>.*?)\s*-->\s*$")
LINK = re.compile(r"(?:\]\(|(?:src|srcset|href)=\")(?P<target>[^)\s\"#]+)(?:#[^)\s\"]*)?[)\"]")
ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block: `line` is the number of its first line of text, `notes` the comments directly above it."""

    language: str
    line: int
    text: str
    notes: dict[str, str]


def blocks(page: str) -> Iterator[Block]:
    """Give the fenced blocks of a page."""
    lines = page.splitlines()
    notes: dict[str, str] = {}
    number = 0
    while number < len(lines):
        note, fence = NOTE.match(lines[number]), FENCE.match(lines[number])
        if note:
            notes[note["kind"]] = note["text"]
        elif fence:
            start = number + 1
            number = next((n for n in range(start, len(lines)) if lines[n].strip() == fence["fence"]), None) or len(lines)
            indent = len(fence["indent"])
            yield Block(fence["language"], start + 1, "\n".join(line[indent:] for line in lines[start:number]) + "\n", notes)
            notes = {}
        elif lines[number].strip():
            notes = {}
        number += 1


def run_page(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a page in a folder and give the number of blocks and commands that ran."""
    module = types.ModuleType(re.sub(r"\W", "_", page.stem))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    # The page's Python as one real file with the page's line numbers: tracebacks point into the page, and sources can be read.
    source = folder / f"{module.__name__}.py"
    source.write_text(_python_only(page.read_text(encoding="utf-8")), encoding="utf-8")
    module.__file__ = str(source)
    ran = 0
    for block in blocks(page.read_text(encoding="utf-8")):
        if "not run" in block.notes:
            continue
        if "file" in block.notes:
            (folder / block.notes["file"]).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(source), "exec"), module.__dict__)
            ran += 1
        elif block.language in SHELL:
            ran += sum(run_command(command, shown, folder, f"{page.name}:{block.line}") for command, shown in commands(block.text))
    return ran


def _python_only(page: str) -> str:
    lines = [""] * (len(page.splitlines()) + 1)
    for block in blocks(page):
        if block.language == "python" and not block.notes:
            for offset, line in enumerate(block.text.splitlines()):
                lines[block.line - 1 + offset] = line
    return "\n".join(lines)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Give the commands of a block, each with the output that the page shows for it."""
    command, shown = "", ""
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], ""
        else:
            shown += line + "\n"
    if command:
        yield command, shown


def run_command(command: str, shown: str, folder: Path, where: str) -> int:
    """Run one command if it is one that a page can run; compare what it prints. Gives 1 when it ran."""
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        assert words[1] in targets(), f"{where}: the Makefile has no target {words[1]}"
        return 0
    if words[0] not in ("lineal", "python"):
        return 0
    program = [sys.executable] if words[0] == "python" else [str(Path(sysconfig.get_path("scripts"), "lineal"))]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([*program, *words[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, f"{where}: `{command}` ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    if shown.strip():
        assert doctest.OutputChecker().check_output(shown, done.stdout, ALIKE), (
            f"{where}: `{command}` printed\n{done.stdout}\nand not\n{shown}"
        )
    return 1


def targets() -> set[str]:
    """Give the targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_works_as_written(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of the page runs, in order."""
    run_page(page, Path.cwd(), monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_gives_a_reason_for_what_is_not_run(page: Path) -> None:
    """A block that does not run says why, and a block that is saved as a file is used."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(text):
        assert len(block.notes.get("not run", "a reason")) >= 8, f"{page.name}:{block.line}: `not run` needs a reason"
        if "file" in block.notes:
            used = [c for later in blocks(text) if later.line > block.line and later.language in SHELL for c, _ in commands(later.text)]
            assert any(block.notes["file"] in command for command in used), f"{page.name}:{block.line}: nothing runs {block.notes['file']}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository leads to a file that is there."""
    found = [match["target"] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in found if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_a_page_that_is_wrong_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner notices failing code, failing commands, other output and unknown targets, and runs what is right."""
    page = tmp_path / "page.md"

    def run(text: str) -> int:
        page.write_text(text, encoding="utf-8")
        return run_page(page, tmp_path, monkeypatch)

    assert run("```python\nx = 1\n```\ntext\n```python\nassert x == 1\n```\n") == 2
    assert run("<!-- file: a.py -->\n```python\nprint('one two')\n```\n```console\n$ python a.py\none ...\n$ git status\n```\n") == 1
    assert run("<!-- not run: needs a cluster -->\n```python\n1 / 0\n```\n") == 0
    with pytest.raises(ZeroDivisionError) as caught:
        run("text\n\n```python\n1 / 0\n```\n")
    assert caught.traceback[-1].lineno == 3  # counted from 0: line 4 of the page
    with pytest.raises(AssertionError, match="ended with 3"):
        run("```console\n$ python -c 'raise SystemExit(3)'\n```\n")
    with pytest.raises(AssertionError, match="and not"):
        run("```console\n$ python -c 'print(1)'\n2\n```\n")
    with pytest.raises(AssertionError, match="no target"):
        run("```bash\n$ make coffee\n```\n")


def test_a_function_on_a_page_has_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are told apart by their code, so code on a page must be readable as in a file."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n```python\nimport inspect\n\ndef f():\n    return 41\n\nassert '41' in inspect.getsource(f)\n```\n", encoding="utf-8"
    )
    assert run_page(page, tmp_path, monkeypatch) == 1
