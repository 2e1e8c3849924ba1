"""The lineage of a version as text and JSON."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from lineal import Client
from lineal.artifacts import inline_object
from lineal.model.records import Edge, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.views import LineageView
from lineal.views.lineage import LEVELS

OBJECT = inline_object("data.json", b"1")


def version(name: str, made_by: str | None, run: str = "r1") -> VersionRecord:
    return VersionRecord(name, name, "1", 1, OBJECT, "json/1", "lib.Frame", "data", "step", 0, run, made_by, "output", "p", made_by)


class Facts:
    """A metadata store that knows one graph: step -> (inputs, outputs)."""

    def __init__(
        self, steps: dict[str, tuple[list[str], list[str]]], cached: Sequence[str] = (), runs: dict[str, str] | None = None
    ) -> None:
        runs = runs or {}
        made = {name: step for step, (_, outputs) in steps.items() if step not in cached for name in outputs}
        names = {name for inputs, outputs in steps.values() for name in (*inputs, *outputs)}
        self.versions = {name: version(name, made.get(name), runs.get(made.get(name, ""), "r1")) for name in names}
        self.steps = {
            name: StepRunRecord(name, runs.get(name, "r1"), name, name, 0, Status.CACHED if name in cached else Status.COMPLETED)
            for name in steps
        }
        self.edges = [
            *(Edge(name, step, "input", f"in_{name}") for step, (inputs, _) in steps.items() for name in inputs),
            *(Edge(name, step, "output", f"out_{name}") for step, (_, outputs) in steps.items() for name in outputs),
        ]

    def lineage(self, version_id: str, *, upstream: bool, depth: int | None = None) -> list[Edge]:
        found: list[Edge] = []
        todo = [version_id]
        for current in todo:
            steps = (
                [self.versions[current].step_run_id]
                if upstream
                else [edge.step_run_id for edge in self.edges if edge.version_id == current and edge.direction == "input"]
            )
            for edge in self.edges:
                if edge.step_run_id in steps and edge not in found:
                    found.append(edge)
                    if edge.direction == ("input" if upstream else "output") and edge.version_id not in todo:
                        todo.append(edge.version_id)
        return found

    def versions_by_id(self, ids: Sequence[str]) -> dict[str, VersionRecord]:
        return {id: self.versions[id] for id in ids}

    def step_runs_by_id(self, ids: Sequence[str]) -> dict[str, StepRunRecord]:
        return {id: self.steps[id] for id in ids}

    def runs_by_id(self, ids: Sequence[str]) -> dict[str, RunRecord]:
        return {id: RunRecord(id, f"run-{id}", "p", Status.COMPLETED, 0) for id in ids}


def lines(facts: Any, name: str) -> list[str]:
    return str(LineageView(facts.versions[name], facts)).splitlines()


def test_a_diamond_is_drawn_once() -> None:
    facts = Facts({"load": ([], ["raw"]), "split": (["raw"], ["a", "b"]), "join": (["a", "b"], ["all"])})
    assert lines(facts, "all") == [
        "all@1 (Frame, 1 B) from join in run run-r1",
        "├─ in_a: a@1 (Frame, 1 B) from split",
        "│  └─ in_raw: raw@1 (Frame, 1 B) from load",
        "└─ in_b: b@1 (Frame, 1 B) from split  (see above)",
    ]


def test_the_run_is_named_where_it_changes() -> None:
    facts = Facts({"train": ([], ["model"]), "predict": (["model"], ["guess"])}, runs={"train": "r1", "predict": "r2"})
    assert lines(facts, "guess") == [
        "guess@1 (Frame, 1 B) from predict in run run-r2",
        "└─ in_model: model@1 (Frame, 1 B) from train in run run-r1",
    ]


def test_what_was_made_from_it_follows() -> None:
    facts = Facts({"load": ([], ["raw"]), "clean": (["raw"], ["tidy"]), "plot": (["tidy"], [])})
    assert lines(facts, "raw") == [
        "raw@1 (Frame, 1 B) from load in run run-r1",
        "used by",
        "└─ clean",
        "   └─ out_tidy: tidy@1 (Frame, 1 B)",
        "      └─ plot",
    ]


def test_step_runs_that_only_the_cache_answered_are_left_out_of_the_tree_and_not_of_the_json() -> None:
    facts = Facts({"load": ([], ["raw"]), "clean": (["raw"], ["tidy"]), "again": (["raw"], ["tidy"])}, cached=["again"])
    assert "again" not in "".join(lines(facts, "raw"))
    assert "again" in {each["id"] for each in LineageView(facts.versions["raw"], facts).to_json()["step_runs"]}  # type: ignore[arg-type]


def test_a_version_without_a_maker_is_a_line() -> None:
    facts = Facts({"clean": (["raw"], [])})
    assert lines(facts, "raw")[0] == "raw@1 (Frame, 1 B)"


def test_a_long_chain_neither_recurses_nor_fills_the_screen() -> None:
    facts = Facts({f"s{n}": ([f"v{n - 1}"] if n else [], [f"v{n}"]) for n in range(1200)})
    for name in ("v1199", "v0"):
        text = lines(facts, name)
        assert len(text) <= LEVELS + 3
        assert text[-1].endswith("  …")


def labels(svg: str) -> list[str]:
    """Give what is written in a picture."""
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg)


def test_only_what_it_comes_from_and_what_comes_from_it() -> None:
    """As in the tree: no other outputs of the same steps, and no step run that only the cache answered."""
    facts = Facts(
        {"load": ([], ["raw"]), "split": (["raw"], ["a", "b"]), "again": (["raw"], ["a"]), "use": (["a", "other"], ["end"])},
        cached=["again"],
    )
    drawn = {text.partition("@")[0] for text in labels(LineageView(facts.versions["a"], facts).to_svg())}  # type: ignore[arg-type]
    assert drawn - {"Frame, 1 B"} == {"load", "raw", "split", "a", "use", "end"}


def test_the_run_is_named_where_there_are_several() -> None:
    facts = Facts({"train": ([], ["model"]), "predict": (["model"], ["guess"])}, runs={"train": "r1", "predict": "r2"})
    svg = LineageView(facts.versions["guess"], facts).to_svg()  # type: ignore[arg-type]
    assert {"run-r1", "run-r2"} <= set(labels(svg))


def test_json_has_every_node_and_edge(client: Client) -> None:
    shown = client.get_artifact_version("model").lineage().to_json()
    json.dumps(shown, allow_nan=False)
    names = {each["id"]: each["name"] for each in (*shown["versions"], *shown["step_runs"])}
    assert names[shown["version"]] == "model"
    edges = {(names[edge["from"]], names[edge["to"]], edge["kind"], edge["name"]) for edge in shown["edges"]}
    assert {
        ("load", "numbers", "output", "numbers"), ("numbers", "train", "input", "data"), ("train", "model", "output", "model"),
        ("model", "predict", "input", "model"), ("predict", "prediction", "output", "prediction"),
    } <= edges  # fmt: skip
    assert {each["id"] for each in shown["runs"]} == {each["run_id"] for each in shown["step_runs"]}


@pytest.mark.parametrize("depth", [1, None])
def test_depth_bounds_the_graph(client: Client, depth: int | None) -> None:
    names = {each.artifact for each in client.get_artifact_version("prediction").lineage(depth).versions.values()}
    assert names == ({"prediction", "model"} if depth else {"prediction", "model", "numbers"})
