"""What is promised of the command line, sentence by sentence.

Each command and option is on its page, takes `--json` and `--debug` and explains itself:
tests/unit/cli/test_app.py::test_every_command_takes_json_and_debug_and_explains_every_option,
tests/unit/cli/test_app.py::test_the_page_on_the_command_line_has_every_command_and_option. Exit codes are documented:
tests/unit/cli/test_app.py::test_the_page_on_the_command_line_has_every_exit_code. Progress bars for long work:
tests/unit/engine/test_bar.py::test_a_bar_on_a_terminal_that_goes_away. What trust opens and what it does not:
tests/acceptance/faults/catalogue/test_canaries.py::test_a08_trust_is_kept_with_who_and_when_and_shown. A real bash completes:
tests/unit/cli/test_completion.py::test_bash_completes_with_the_script.
"""

import json
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from lineal import Client, load_artifact, save_artifact
from lineal.errors import LinealWarning

FLOW = """
from typing import Annotated
from lineal import pipeline, step

@step
def numbers(count: int) -> Annotated[list[int], "numbers"]:
    print("counting to", count)
    return list(range(count))

@step
def total(values: list[int]) -> Annotated[int, "total"]:
    if len(values) > 100:
        raise ValueError("too many")
    return sum(values)

@pipeline
def adding(count: int = 3) -> None:
    total(numbers(count))

@pipeline
def counting(count: int = 3) -> None:
    numbers(count)
"""


class Unknown:
    """A value that only a pickle holds."""


@pytest.fixture
def flow() -> str:
    Path("flow.py").write_text(FLOW)
    return "flow.py"


@pytest.fixture
def ran(lineal: Any, flow: str) -> str:
    """Run the pipeline twice, with two counts, and give the name of the second run."""
    for count in (3, 4):
        result = lineal("run", f"{flow}:adding", "--param", f"count={count}", "--json")
        assert result.code == 0, result.err
    return str(result.json["name"])


@pytest.mark.parametrize("name", ["init", "run", "runs", "artifact", "why", "verify", "lineage", "up", "version", "config"])
def test_each_command_explains_itself(lineal: Any, name: str) -> None:
    """It is in the list of commands, and its help says how it is used."""
    assert f"\n  {name} " in lineal("--help").out
    assert lineal(name, "--help").out.startswith(f"Usage: lineal {name}")


def test_init_makes_a_home_for_the_folders_below(lineal: Any) -> None:
    """A `.lineal` folder that git ignores."""
    assert lineal("init").code == 0
    assert (Path(".lineal") / ".gitignore").is_file()


def test_run_takes_a_file_a_pipeline_and_parameters(lineal: Any, flow: str) -> None:
    """`lineal run FILE[:PIPELINE] [--param k=v]`; with several pipelines in a file it asks for one by naming them."""
    assert lineal("run", f"{flow}:counting", "--param", "count=5").code == 0
    assert load_artifact("numbers") == [0, 1, 2, 3, 4]
    result = lineal("run", flow)
    assert result.code == 2
    assert "adding" in result.err
    assert "counting" in result.err


def test_runs_are_listed_shown_and_deleted(lineal: Any, ran: str) -> None:
    """`lineal runs list|show|delete`."""
    assert ran in lineal("runs", "list").out
    shown = lineal("runs", "show", ran).out
    for part in ("numbers", "total", "completed"):
        assert part in shown
    assert lineal("runs", "delete", ran, "-y").code == 0
    assert lineal("runs", "show", ran).code == 3


@pytest.mark.usefixtures("ran")
def test_artifacts_are_listed_and_shown_with_versions_and_lineage(lineal: Any) -> None:
    """`lineal artifact list|show|versions`, `lineal lineage`."""
    assert [each["name"] for each in lineal("artifact", "list", "--sort", "name", "--json").json["items"]] == ["numbers", "total"]
    assert [each["version"] for each in lineal("artifact", "versions", "total", "--json").json["items"]] == ["2", "1"]
    shown = lineal("artifact", "show", "total@1").out
    for part in ("total@1", "int", "total in run adding-"):
        assert part in shown
    assert "numbers@2" in lineal("lineage", "total").out


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("command", [["lineage"], ["artifact", "lineage"]], ids=" ".join)
def test_lineage_is_a_tree_a_picture_json_or_openlineage_events(lineal: Any, command: list[str]) -> None:
    """`lineal lineage` and `lineal artifact lineage` are one command; the picture is whole and asks for nothing from elsewhere."""
    assert lineal(*command, "total@1").out.startswith("total@1 (int, ")
    graph = lineal(*command, "total@1", "--json").json
    assert {f"{each['name']}@{each['version']}" for each in graph["versions"]} == {"numbers@1", "total@1"}
    assert lineal(*command, "total@1", "--svg", "lineage.svg").out == "lineage.svg\n"
    picture = ET.parse("lineage.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    written = " ".join(picture.itertext())
    for part in ("total@1", "numbers@1"):
        assert part in written
    events = [json.loads(line) for line in lineal(*command, "total@1", "--openlineage").out.splitlines()]
    assert {(each["job"]["name"], each["eventType"]) for each in events} == {
        (f"adding.{name}", kind) for name in ("numbers", "total") for kind in ("START", "COMPLETE")
    }


def test_trust_is_given_by_name_and_kept(lineal: Any) -> None:
    """`lineal artifact trust` says who decided, `artifact show` too; what runs no code needs none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)  # that it is a pickle
        save_artifact(Unknown(), "unknown")
    assert lineal("artifact", "trust", "unknown@1").out.startswith("unknown@1: trusted by ")
    [trusted] = lineal("artifact", "show", "unknown", "--json").json["trusted"]
    assert (trusted["version"], trusted["digest"]) == ("unknown@1", Client().get_artifact_version("unknown").digest)
    save_artifact([1], "plain")
    refused = lineal("artifact", "trust", "plain")
    assert refused.code == 2
    assert "runs no code" in refused.err


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("line", "found"), [("lineal artifact li", ["lineage", "list"]), ("lineal artifact trust tot", ["total"]), ("lineal lineage total@1", ["total@1"])]
)  # fmt: skip
def test_a_shell_completes_commands_and_names(lineal: Any, line: str, found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`lineal completion bash|zsh|fish` gives the script; at a key the shell asks `lineal` what may stand there."""
    for shell in ("bash", "zsh", "fish"):
        assert "_LINEAL_COMPLETE" in lineal("completion", shell).out
    for name, value in {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_LINEAL_COMPLETE": "bash_complete"}.items():
        monkeypatch.setenv(name, value)
    assert sorted(lineal().out.split()) == [f"plain,{each}" for each in found]


@pytest.mark.usefixtures("ran")
def test_a_version_is_visualized_loaded_and_downloaded(lineal: Any, tmp_path: Path) -> None:
    """`lineal artifact visualize|load|download`."""
    assert "numbers@2" in lineal("artifact", "visualize", "numbers").out
    assert lineal("artifact", "load", "numbers@1").out == "[0, 1, 2]\n"
    assert lineal("artifact", "download", "numbers", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "data.json").read_text()) == [0, 1, 2, 3]


def test_a_value_is_saved_and_a_folder_registered(lineal: Any, tmp_path: Path) -> None:
    """`lineal artifact save|register`."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.txt").write_text("a")
    assert lineal("artifact", "save", tmp_path / "data", "--name", "copied").code == 0
    assert lineal("artifact", "register", tmp_path / "data", "--name", "given").code == 0
    assert [(each.name, each.save_type) for each in Client().list_artifact_versions(sort="created")] == [
        ("copied", "manual"),
        ("given", "registered"),
    ]


def test_a_version_is_tagged_pinned_compared_and_deleted(lineal: Any) -> None:
    """`lineal artifact tag|pin|diff|delete|prune`."""
    save_artifact({"a": 1}, "facts")
    save_artifact({"a": 2}, "facts")
    assert lineal("artifact", "tag", "facts@2", "production").code == 0
    assert lineal("artifact", "pin", "facts@1").code == 0
    assert Client().get_artifact_version("facts").tags == ["production"]
    compared = lineal("artifact", "diff", "facts@1", "facts@2").out
    assert "1" in compared
    assert "2" in compared
    assert lineal("artifact", "delete", "facts@1", "-y").code == 4, "it is pinned"
    assert lineal("artifact", "delete", "facts@2", "-y").code == 0
    assert lineal("artifact", "prune", "-y").code == 0
    assert [each.version for each in Client().list_artifact_versions("facts")] == ["1"]


def test_why_says_why_a_step_ran(lineal: Any, ran: str) -> None:
    """`lineal why RUN [STEP]` names the parameter that changed."""
    assert "count" in lineal("why", ran, "numbers").out
    assert "total" in lineal("why", ran).out


def test_config_and_version_are_shown(lineal: Any) -> None:
    """`lineal config` with the source of each value, `lineal version`."""
    assert "LINEAL_HOME" in lineal("config").out
    assert lineal("version").out.startswith("lineal ")


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    "arguments",
    [
        ["runs", "list"],
        ["artifact", "list"],
        ["artifact", "versions"],
        ["artifact", "show", "total"],
        ["lineage", "total"],
        ["config"],
        ["version"],
    ],
    ids=" ".join,
)
def test_tables_by_default_and_json_everywhere(lineal: Any, arguments: list[str]) -> None:
    """What people read is no JSON, what programs read is nothing else."""
    plain = lineal(*arguments)
    assert plain.code == 0
    with pytest.raises(json.JSONDecodeError):
        json.loads(plain.out)
    assert lineal(*arguments, "--json").json


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["artifact", "show", "nothing"], 3), (["runs", "show", "nothing"], 3), (["run", "nowhere.py"], 3), (["artifact", "list", "--sort", "colour"], 2),
        (["artifact", "versions", "--metadata", "a >"], 2), (["artifact", "prune", "--only-artifact", "--only-metadata"], 2), (["nonsense"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)  # fmt: skip
def test_an_error_is_one_line_with_an_exit_code(lineal: Any, arguments: list[str], code: int) -> None:
    """On standard error, without a traceback, and nothing on standard output."""
    result = lineal(*arguments)
    assert result.code == code
    assert result.out == ""
    assert len(result.err.splitlines()) == 1
    assert "Traceback" not in result.err


def test_a_failing_step_is_one_line_and_debug_shows_the_traceback(lineal: Any, flow: str) -> None:
    """With the step's name and the original error."""
    result = lineal("run", f"{flow}:adding", "--param", "count=200")
    assert result.code == 6
    assert "too many" in result.err.splitlines()[-1]
    assert "total" in result.err.splitlines()[-1]
    assert "Traceback" not in result.err
    assert "Traceback" in lineal("--debug", "run", f"{flow}:adding", "--param", "count=200").err


@pytest.mark.usefixtures("ran")
def test_every_list_takes_filters_sort_and_limit(lineal: Any) -> None:
    """Runs, artifacts and versions."""
    assert len(lineal("runs", "list", "--pipeline", "adding", "--sort", "started", "--limit", "1", "--json").json["items"]) == 1
    assert lineal("runs", "list", "--pipeline", "other", "--json").json["total"] == 0
    assert [each["name"] for each in lineal("artifact", "list", "--name", "num*", "--limit", "5", "--json").json["items"]] == ["numbers"]
    versions = lineal("artifact", "versions", "--step", "total", "--sort", "created", "--limit", "1", "--json").json
    assert ([each["version"] for each in versions["items"]], versions["total"]) == (["1"], 2)


@pytest.mark.parametrize("name", ["a/b", "..", "CON", "x" * 300, "-x"])
def test_a_bad_name_is_refused_on_the_command_line_too(lineal: Any, name: str, tmp_path: Path) -> None:
    """With the reason, before anything is written."""
    (tmp_path / "a.txt").write_text("a")
    result = lineal("artifact", "save", f"--name={name}", tmp_path / "a.txt")
    assert result.code == 2
    assert "not allowed" in result.err
