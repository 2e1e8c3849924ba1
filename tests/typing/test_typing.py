"""What type checkers say about code that uses Lineal: each snippet states the types and the errors that it expects.

`# revealed: T` beside a `reveal_type(...)` is the type that mypy must show; a plain class name stands for that class wherever it
lives. `# error: code` beside a line is the one error that mypy must report there. Any other message fails the test.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNIPPETS = sorted((Path(__file__).parent / "snippets").glob("*.py"))

Messages = dict[int, list[str]]


@pytest.fixture(scope="module")
def reported(request: pytest.FixtureRequest) -> dict[str, Messages]:
    """Give what mypy says about all snippets, by file name and line; one run, since most of its time goes into starting."""
    cache = request.config.rootpath / ".mypy_cache" / "typing"  # its own: two mypys at work in one cache disturb each other
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir", str(cache), "--output", "json"]
    done = subprocess.run([*command, *map(str, SNIPPETS)], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, Messages] = defaultdict(lambda: defaultdict(list))
    for line in done.stdout.splitlines():
        message = json.loads(line)
        revealed = re.fullmatch(r'Revealed type is "(.*)"', message["message"])
        if revealed:
            found[Path(message["file"]).name][message["line"]].append(f"revealed: {revealed[1]}")
        elif message["severity"] == "error":
            found[Path(message["file"]).name][message["line"]].append(f"error: {message['code']}")
    return found


def expected(path: Path) -> Messages:
    """Give what the comments of a snippet expect, by line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {number: [found[1]] for number, line in enumerate(lines, 1) if (found := re.search(r"# ((?:revealed|error): .+)$", line))}


def in_short(messages: Messages, wanted: Messages) -> Messages:
    """Give messages with a class's module left out where the expectation leaves it out."""
    return {
        number: [
            re.sub(r"[\w.]+\.(\w+)$", r"\1", each) if [re.sub(r": .*\.", ": ", each)] == wanted.get(number) else each for each in found
        ]
        for number, found in messages.items()
    }


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda path: path.stem)
def test_a_type_checker_sees_what_the_snippet_says(path: Path, reported: dict[str, Messages]) -> None:
    """Types as revealed and errors as marked, at exactly those lines."""
    wanted = expected(path)
    assert in_short(reported.get(path.name, {}), wanted) == wanted


def test_every_snippet_expects_something() -> None:
    """A comment that is misspelled would expect nothing, and pass."""
    assert len(SNIPPETS) >= 5
    for path in SNIPPETS:
        text = path.read_text(encoding="utf-8")
        assert len(expected(path)) >= 4, path.name
        calls = len(re.findall(r"^\s*reveal_type\(", text, re.MULTILINE))
        assert calls == sum(message.startswith("revealed") for found in expected(path).values() for message in found), path.name
