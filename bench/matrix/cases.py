"""The cases: those of the tests' list that any system can be given, and whose outcome nobody can argue about.

A case is taken if its step can simply be called, and if what it gives proves the point: after an edit that must count, the step gives
another result, so that the old one would be wrong; after one that must not, the same.
"""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.matrix.serve import MARK

LIST = Path(__file__).parents[2] / "tests" / "unit" / "engine" / "test_fingerprint_cases.py"
_STEP = re.compile(r"^( *)def step\((x?)\):(?:\n|(?= ))", re.MULTILINE)
_ELSEWHERE = re.compile(r"\b(lineal|numpy|pandas|pydantic|attr|attrs)\b")
_PLAIN = ("int", "float", "str", "bool")
_CALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
from steps import step
found = step(*json.loads(sys.argv[2]))
print(json.dumps([type(found).__name__, repr(found)]))
"""


@dataclass(frozen=True)
class Trial:
    """A case as it is put to a system: the files before and after the edit, the step's arguments, and whether the edit must count."""

    what: str
    counts: bool
    before: Mapping[str, str]
    after: Mapping[str, str]
    args: tuple[int, ...]


def trials(folder: Path) -> list[Trial]:
    """Give the cases, in their order. `folder` is for files that are written to try them."""
    spec = importlib.util.spec_from_file_location("cases_of_the_tests", LIST)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda pair: _trial(pair[1], folder / str(pair[0])), enumerate(module.CASES))
        return [trial for trial in found if trial is not None]


def _trial(case: Any, folder: Path) -> Trial | None:
    texts = "\n".join([*case.before.values(), *case.after.values()])
    files = case.before.get("steps.py", "")
    found = _STEP.search(files)
    if case.runs[0].alone or found is None or _ELSEWHERE.search(texts) or case.before == case.after:
        return None
    args = (3,) if found[2] else ()
    plain = [_called(folder / name, files, args) for name, files in (("before", case.before), ("after", case.after))]
    if any(each is None or each[0] not in _PLAIN for each in plain) or plain[0] is None or plain[1] is None:
        return None
    counts = case.effect == "changes"
    if counts == (plain[0][1] == plain[1][1]) or plain[0][0] != plain[1][0]:
        return None
    before, after = (_marked(files, plain[0][0]) for files in (case.before, case.after))
    return Trial(case.what, counts, before, after, args) if before is not None and after is not None else None


def _called(folder: Path, files: Mapping[str, str], args: tuple[int, ...]) -> list[str] | None:
    """Give the type and the text of what the step gives when it is simply called; None if it cannot be."""
    write(folder, files)
    command = [sys.executable, "-I", "-B", "-c", _CALL, str(folder), json.dumps(args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return list(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None


def _marked(files: Mapping[str, str], kind: str) -> dict[str, str] | None:
    """Let the step say that it runs, and annotate it as most of the systems need it."""
    text, count = _STEP.subn(
        lambda m: f"{m[1]}def step({'x: int' if m[2] else ''}) -> {kind}:\n{m[1]}    print({MARK!r})\n", files["steps.py"]
    )
    return {**files, "steps.py": text} if count == 1 else None


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a project; those that are no longer part of it are removed."""
    for path in folder.rglob("*.py"):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
