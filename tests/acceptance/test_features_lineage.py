"""What is promised of lineage, sentence by sentence, through the public names only.

More is proven elsewhere: one recursive query for any depth in tests/unit/metadata_store/test_walk.py::test_upstream_follows_makers_only,
the tree in tests/unit/views/test_lineage.py::test_a_diamond_is_drawn_once, and the cache decision in words in
tests/unit/engine/test_why.py::test_changed_code_is_explained_by_its_parts.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import Client, ExternalArtifact, load_artifact, pipeline, register_artifact, save_artifact, step
from lineal.views import RunView


@step
def numbers(count: int) -> Annotated[list[int], "numbers"]:
    print("counting to", count)
    return list(range(count))


@step
def total(values: list[int], factor: float = 1.0) -> Annotated[float, "total"]:
    return sum(values) * factor


@pipeline
def adding(count: int) -> None:
    total(numbers(count), 2.0)


@pytest.fixture
def run() -> RunView:
    return adding(4)


def test_a_version_knows_its_producer_run_inputs_and_consumers(run: RunView) -> None:
    """The step run that made it, the run of that, what went in, and who used it."""
    made, result = Client().get_artifact_version("numbers"), Client().get_artifact_version("total")
    assert (result.step, result.run) == (run.steps["total"], run)
    assert dict(run.steps["total"].inputs) == {"values": made}
    assert made.consumers == [run.steps["total"]]


def test_inputs_of_every_kind_are_stored(tmp_path: Path) -> None:
    """A step's output, a member of a list, a version of elsewhere, an external value, registered data, and what the step loads by itself."""
    save_artifact([1], "stored")
    (tmp_path / "data.txt").write_text("x")
    register_artifact(tmp_path / "data.txt", "file")

    @step
    def using(a: list[int], many: list[Any], stored: list[int], outside: Any, file: Path) -> int:
        return len(load_artifact("stored", 1)) + len(a) + len(many)

    @pipeline
    def working() -> None:
        made, client = numbers(2), Client()
        using(made, [made, 5], client.get_artifact_version("stored"), ExternalArtifact({1, 2}), client.get_artifact_version("file"))

    inputs = working().steps["using"].inputs
    assert {name: each.name for name, each in inputs.items()} == {
        "a": "numbers", "many[0]": "numbers", "stored": "stored", "outside": "working::using.outside", "file": "file", "stored@1": "stored",
    }  # fmt: skip


def test_parameters_code_logs_and_timings_are_stored(run: RunView) -> None:
    """Parameters as given, the source of the step, what it printed, when it began and how long it took."""
    done = Client().get_pipeline_run(run.name).steps["numbers"]
    assert done.parameters == {"count": 4}
    assert "return list(range(count))" in str(done.source)
    assert done.logs == "counting to 4\n"
    assert done.start_time is not None
    assert done.end_time is not None
    assert done.duration is not None
    assert done.start_time <= done.end_time
    assert run.start_time <= done.start_time


def test_the_environment_is_stored_with_the_git_commit_and_dirty_flag() -> None:
    """Python, platform and Lineal; in a repository the commit, and whether something was changed since."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    Path("flow.py").write_text(
        "from lineal import pipeline, step\n@step\ndef one() -> int:\n    return 1\n@pipeline\ndef flow():\n    one()\nif __name__ == '__main__':\n    flow()\n"
    )
    for arguments in (["init", "-q"], ["add", "flow.py"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True, timeout=60)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    subprocess.run([sys.executable, "flow.py"], check=True, timeout=60, capture_output=True)
    with Path("flow.py").open("a") as file:
        file.write("# changed\n")
    subprocess.run([sys.executable, "flow.py"], check=True, timeout=60, capture_output=True)
    second, first = (each.environment for each in Client().list_pipeline_runs(sort="-started"))
    assert first["python"] == sys.version.partition(" ")[0]
    assert first["lineal"]
    assert (first["git_commit"], first["git_dirty"]) == (commit, False)
    assert (second["git_commit"], second["git_dirty"]) == (commit, True)


def test_the_cache_decision_is_stored_with_its_ingredients(run: RunView) -> None:
    """The key, where a cached result came from, and why in words."""
    again = adding(4).steps["total"]
    assert again.status == "cached"
    assert again.cached_from == run.steps["total"]
    assert again.cache_key == run.steps["total"].cache_key
    assert again.why
    other = adding(5).steps["numbers"]
    assert "count" in " ".join(other.why), "the parameter that changed"


def test_lineage_is_queried_both_ways_at_any_depth() -> None:
    """Everything above and below, or so many steps of it."""

    @step
    def one_more(values: list[int]) -> Annotated[list[int], "grown"]:
        return [*values, len(values)]

    @pipeline
    def growing() -> None:
        values = numbers(1)
        for _ in range(6):
            values = one_more(values)

    run = growing()
    first, last = run.steps["numbers"].output, run.steps["one_more_6"].output
    assert [len(last.upstream(depth)) for depth in (1, 2, None)] == [1, 2, 6]
    assert [len(first.downstream(depth)) for depth in (1, 3, None)] == [1, 3, 6]
    assert last.upstream()[-1] == first
    began = time.perf_counter()
    last.lineage()
    assert time.perf_counter() - began < 5


@pytest.mark.usefixtures("run")
def test_the_command_line_shows_the_lineage_of_a_version(lineal: Any) -> None:
    """`lineal lineage NAME@VERSION`, as a tree and as JSON."""
    text = lineal("lineage", "total@1").out
    assert "total@1" in text.splitlines()[0]
    assert "numbers@1" in text
    graph = json.loads(lineal("lineage", "total", "--json").out)
    assert {each["name"] for each in graph["versions"]} == {"numbers", "total"}
