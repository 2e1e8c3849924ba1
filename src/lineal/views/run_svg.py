"""A run as a picture: its steps and the versions between them, from left to right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from lineal.model.records import StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.model.text import size_text
from lineal.views.base import name_text, state_text
from lineal.views.lineage_svg import Node, picture

MANY: Final = 6
"""From how many calls of the same step on they are drawn as one, as in the dashboard."""


class Call(NamedTuple):
    """A step run with the versions that went in and came out, by name."""

    step: StepRunRecord
    inputs: Mapping[str, VersionRecord]
    outputs: Mapping[str, VersionRecord]


def run_picture(calls: Sequence[Call]) -> str:
    """Give the SVG of a run, for a page whose colours it takes. What many calls of one step made is drawn as an edge to who uses it."""
    counts = Counter(call.step.step for call in calls)
    ids = [call.step.step if counts[call.step.step] >= MANY else call.step.id for call in calls]
    folded = {version.id: id for id, call in zip(ids, calls, strict=True) if id != call.step.id for version in call.outputs.values()}
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], str] = {}
    for id, call in zip(ids, calls, strict=True):
        if id not in nodes:
            alike = [each.step for each, other in zip(calls, ids, strict=True) if other == id]
            nodes[id] = _step(alike[0]) if len(alike) == 1 else _group(alike)
        for name, version in call.inputs.items():
            start = folded.get(version.id, version.id)
            if start == version.id:
                nodes.setdefault(version.id, _version(version))
            if start != id:
                edges[start, id] = f"input {name}"
        for name, version in call.outputs.items() if id == call.step.id else ():
            nodes.setdefault(version.id, _version(version))
            edges[id, version.id] = f"output {name}"
    return picture(nodes, edges, inside=True)


def _step(step: StepRunRecord) -> Node:
    return Node(step.name, state_text(step), f"step {step.name}, {state_text(step)}", step=True, wrong=_is_wrong(step))


def _group(steps: Sequence[StepRunRecord]) -> Node:
    counts = Counter(each.status.value for each in steps)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    name = f"{steps[0].step}, {len(steps)} calls"
    return Node(name, told, f"{name}: {told}", step=True, wrong=any(map(_is_wrong, steps)))


def _is_wrong(step: StepRunRecord) -> bool:
    return step.status in (Status.FAILED, Status.CRASHED)


def _version(version: VersionRecord) -> Node:
    below = f"{version.type.rpartition('.')[2]}, {size_text(version.object.size)}"
    return Node(name_text(version), below, f"{name_text(version)}: {version.type}, {size_text(version.object.size)}")
