"""How the lineage of one version differs from that of another: both are walked upstream side by side, to what differed first."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lineal.engine.why import Evidence, changes
from lineal.metadata_store.base import MetadataStore
from lineal.model.entry import ENTRY, RESUMES
from lineal.model.records import CodeRecord, Json, StepRunRecord, VersionRecord
from lineal.model.text import shown
from lineal.views.base import name_text

PAIRS: Final = 1_000
"""Pairs of versions that are looked at."""

ExplainCode = Callable[[Json, Json], list[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A pair of versions on the way upstream that are not the same, and why.

    Attributes:
        one: `name@version` in the lineage of the one, and `other` in that of the other.
        step: What made them; None when no step did.
        because: What differed in making them, as sentences; empty when only inputs did.
        inputs: The inputs that differed, as `input: name@1 → name@2`.
        distance: How many steps upstream it is.
    """

    one: str
    other: str
    step: str | None
    because: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    distance: int = 0

    @property
    def is_first(self) -> bool:
        """Whether nothing before it differs: here the two lineages part."""
        return not self.inputs

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON."""
        return {
            "one": self.one, "other": self.other, "step": self.step, "because": list(self.because), "inputs": list(self.inputs),
            "distance": self.distance, "first": self.is_first,
        }  # fmt: skip


def compare_lineages(one: VersionRecord, other: VersionRecord, metadata: MetadataStore, explain_code: ExplainCode) -> list[Finding]:
    """Give the pairs that differ, what differed first at the top. Versions with the same content end the walk."""
    return sorted(_Walk(metadata, explain_code).findings(one, other), key=_order)


def _order(finding: Finding) -> tuple[bool, int]:
    return not finding.is_first, -finding.distance


@dataclass(slots=True)
class _Walk:
    metadata: MetadataStore
    explain_code: ExplainCode
    seen: set[tuple[str, str]] = field(default_factory=set)

    def findings(self, one: VersionRecord, other: VersionRecord) -> Iterator[Finding]:
        queue = deque([(one, other, 0)])
        while queue and len(self.seen) < PAIRS:
            before, after, distance = queue.popleft()
            if before.id == after.id or (before.id, after.id) in self.seen:
                continue
            self.seen.add((before.id, after.id))
            finding, further = self._compare(before, after, distance)
            queue.extend((*pair, distance + 1) for pair in further)
            if finding is not None:
                yield finding

    def _compare(
        self, one: VersionRecord, other: VersionRecord, distance: int
    ) -> tuple[Finding | None, list[tuple[VersionRecord, VersionRecord]]]:
        makers = self._maker(one), self._maker(other)
        names = name_text(one), name_text(other)
        if makers[0] is None or makers[1] is None:
            return Finding(*names, None, (_without_step(one, other, makers),), (), distance), []
        if makers[0].id == makers[1].id:
            because = f"both were made by one run of the step, as outputs {shown(one.output)} and {shown(other.output)}"
            return Finding(*names, makers[0].step, (because,), (), distance), []
        if (one.pipeline, makers[0].step) != (other.pipeline, makers[1].step):
            because = f"made by step {_step_text(one, makers[0])}, and by step {_step_text(other, makers[1])}"
            if makers[0].step != makers[1].step:
                return Finding(*names, None, (because,), (), distance), []
        because_of = tuple(self._changes(makers[0], makers[1]))
        inputs, further = self._inputs(makers[0], makers[1])
        same = one.identity == other.identity
        if not (because_of or inputs):
            because_of = self._unexplained(makers[0], makers[1], same=same)
        return (Finding(*names, makers[1].step, because_of, inputs, distance) if because_of or inputs else None), further

    def _maker(self, version: VersionRecord) -> StepRunRecord | None:
        if version.step_run_id is None:
            return None
        return self.metadata.step_runs_by_id([version.step_run_id]).get(version.step_run_id)

    def _changes(self, one: StepRunRecord, other: StepRunRecord) -> list[str]:
        """Say what differs but inputs, which are looked at by themselves, and cache policies, which change no result."""
        before, after = (replace(each, ingredients={**each.ingredients, "inputs": {}, "policy": {}}) for each in (one, other))
        digests = [each.ingredients.get("code") for each in (before, after)]
        codes: list[CodeRecord | None] = [None, None]
        if digests[0] != digests[1]:
            codes = [None if digest is None else self.metadata.get_code(digest) for digest in digests]
        return changes(Evidence(after, code=codes[1], previous_code=codes[0]), before, self.explain_code)

    def _inputs(self, one: StepRunRecord, other: StepRunRecord) -> tuple[tuple[str, ...], list[tuple[VersionRecord, VersionRecord]]]:
        before, after = (dict(self.metadata.step_edges(each.id).inputs) for each in (one, other))
        said, further = [], []
        for name in {**before, **after}:
            if name not in before or name not in after:
                there = after.get(name) or before[name]
                said.append(f"{shown(name)}: {name_text(there)} is {'new' if name in after else 'gone'}")
            elif before[name].identity != after[name].identity:
                said.append(f"{shown(name)}: {name_text(before[name])} → {name_text(after[name])}")
                further.append((before[name], after[name]))
        return tuple(said), further

    def _unexplained(self, one: StepRunRecord, other: StepRunRecord, *, same: bool) -> tuple[str, ...]:
        """Say what else may have differed where code, parameters and inputs are the same."""
        runs = self.metadata.runs_by_id([one.run_id, other.run_id])
        places = [runs[each.run_id].environment if each.run_id in runs else {} for each in (one, other)]
        said = tuple(environment_changes(*places))
        if same:
            return said
        return said or ("the same code, parameters and inputs gave something else: it depends on chance, or on what is not recorded",)


def _without_step(one: VersionRecord, other: VersionRecord, makers: tuple[StepRunRecord | None, StepRunRecord | None]) -> str:
    if makers[0] is None and makers[1] is None:
        content = "the same content" if one.identity == other.identity else "different content"
        return f"both came from outside of any step ({one.save_type}, {other.save_type}), with {content}"
    inside = 0 if makers[0] is not None else 1
    versions = one, other
    made = makers[inside]
    assert made is not None
    return (
        f"{name_text(versions[inside])} was made by step {_step_text(versions[inside], made)}, and {name_text(versions[1 - inside])} "
        f"came from outside of any step ({versions[1 - inside].save_type})"
    )


def _step_text(version: VersionRecord, maker: StepRunRecord) -> str:
    return f"{shown(maker.step)} of pipeline {shown(version.pipeline)}"


def environment_changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    """Say what differs between the environments of two runs."""
    for name in sorted({*old, *new} - {ENTRY, RESUMES}):  # where a pipeline is started from makes no value
        before, after = old.get(name), new.get(name)
        if before != after:
            yield f"environment: {shown(name).replace('_', ' ')} {shown(before or 'unknown', 40)} → {shown(after or 'unknown', 40)}"
