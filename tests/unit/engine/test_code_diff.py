"""The diff of two versions of a step's code."""

from importlib import import_module
from pathlib import Path

import pytest

from lineal.engine.code.parts import LONGEST_SOURCE, MOST_SOURCE, Fingerprint, Part
from lineal.engine.code_diff import code_diff
from lineal.engine.fingerprint import fingerprint
from lineal.model.records import CodeRecord


def record(parts: dict[str, Part], sources: dict[str, str]) -> CodeRecord:
    made = Fingerprint.build("m.step", parts, {}, (), "", "3.12", lambda: sources)
    return CodeRecord(made.digest, made.to_json(), "")


def test_only_what_changed_is_shown_and_what_came_and_went() -> None:
    same = Part("function", "s", "m.py", (1, 2))
    old = record({"m.f": Part("function", "a", "m.py", (4, 5)), "m.same": same, "m.gone": same}, {"m.f": "x\n1\n", "m.gone": "gone\n"})
    new = record({"m.f": Part("function", "b", "m.py", (7, 8)), "m.same": same, "m.new": same}, {"m.f": "x\n2", "m.new": "new\n"})
    assert code_diff(old, new).splitlines() == [
        "--- m.py:4-5 (m.f)", "+++ m.py:7-8 (m.f)", "@@ -1,2 +1,2 @@", " x", "-1", "+2",
        "--- m.py:1-2 (m.gone)", "+++ /dev/null", "@@ -1 +0,0 @@", "-gone",
        "--- /dev/null", "+++ m.py:1-2 (m.new)", "@@ -0,0 +1 @@", "+new",
    ]  # fmt: skip
    assert code_diff(old, old) == ""


def test_a_part_without_source_shows_its_value_or_says_so() -> None:
    old, new = (record({"m.R": Part("constant", each, shown=each), "m.o": Part("closure", each)}, {}) for each in "12")
    assert code_diff(old, new).splitlines() == [
        "--- ? (m.R)", "+++ ? (m.R)", "-1", "+2", "--- ? (m.o)", "+++ ? (m.o)", "# its source was not kept",
    ]  # fmt: skip


def test_what_is_kept_of_sources_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step itself comes first; of a long piece the beginning is kept."""
    lines = [f"def f{n}():\n    return '{'x' * (LONGEST_SOURCE - 30)}'\n" for n in range(9)]
    called = " + ".join(f"f{n}()" for n in range(9))
    Path("many_functions.py").write_text("\n".join([*lines, f"def main():\n    return {called}{' ' * LONGEST_SOURCE}+ 'end'\n"]))
    monkeypatch.syspath_prepend(str(Path.cwd()))
    kept = fingerprint(import_module("many_functions").main).to_json()["sources"]
    assert next(iter(kept)) == "many_functions.main"
    assert len(kept["many_functions.main"]) == LONGEST_SOURCE
    assert MOST_SOURCE - LONGEST_SOURCE < sum(map(len, kept.values())) <= MOST_SOURCE


def test_a_source_that_was_cut_says_so_and_nothing_in_one_can_act_on_a_terminal() -> None:
    long = "x\n" * LONGEST_SOURCE
    old, new = (record({"m.f": Part("function", each)}, {"m.f": f"{each}\x1b[31m\n{long}"[:LONGEST_SOURCE]}) for each in "ab")
    assert "# cut here" not in code_diff(old, new)  # both are cut alike, and so it is no difference
    assert "\x1b" not in code_diff(old, new)
    assert "+# cut here" in code_diff(record({"m.f": Part("function", "c")}, {"m.f": "short"}), new)
