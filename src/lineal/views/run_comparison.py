"""What differs between runs of a pipeline, side by side: parameters, metrics, outputs, code, packages, environment, steps."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lineal.engine.code_diff import code_diff
from lineal.engine.key_parts import SHORT
from lineal.engine.why import value_text
from lineal.errors import UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.model.entry import ENTRY
from lineal.model.records import CodeRecord, Json, StepRunRecord
from lineal.model.text import shown
from lineal.views.base import name_text, state_text

if TYPE_CHECKING:  # runs are handed in
    from lineal.views.nouns import RunView, StepRunView

MOST: Final = 10
"""Runs that are compared at once: more do not fit beside each other."""

ROWS: Final = 500
"""Rows of one section, those that differ first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that runs have, in the order of the runs.

    Attributes:
        name: What it is.
        values: What it is in each run, as text; None where there is none.
        same: Whether it is the same in all of them.
        ids: Of outputs: the ids of the versions.
        diff: Of code: the unified diff from the first run that has it to the last, where it differs.
    """

    name: str
    values: tuple[str | None, ...]
    same: bool
    ids: tuple[str | None, ...] = ()
    diff: str = ""

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON."""
        rest = {**({"ids": list(self.ids)} if self.ids else {}), **({"diff": self.diff} if self.diff else {})}
        return {"name": self.name, "values": list(self.values), "same": self.same, **rest}


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind. `left_out` of them, all of the end, are not there because there were too many."""

    title: str
    rows: tuple[Row, ...]
    left_out: int = 0

    @property
    def different(self) -> int:
        """How many rows differ."""
        return sum(not row.same for row in self.rows)


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Runs side by side, in the order in which they were given."""

    runs: "tuple[RunView, ...]"
    sections: tuple[Section, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs but names, times and states."""
        return not any(section.different for section in self.sections if section.title != "steps")

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON."""
        sections = [
            {
                "title": each.title, "different": each.different, "left_out": each.left_out,
                "rows": [row.to_json() for row in each.rows],
            }
            for each in self.sections
        ]  # fmt: skip
        return {"runs": [run.facts_json() for run in self.runs], "same": self.same, "sections": sections}


def compare_runs(runs: "Sequence[RunView]") -> RunComparison:
    """Put runs side by side. Raises UsageError unless there are two to ten different ones.

    Steps are matched by the name of the call, code by the name of the step, outputs by both. Metrics are all numbers in the metadata of the
    runs, their steps and their outputs.
    """
    if not 2 <= len({run.id for run in runs}) == len(runs) <= MOST:
        raise UsageError(f"{len(runs)} runs cannot be compared; give 2 to {MOST} different ones")
    for run in runs:
        run.load_edges()
    codes = _Codes(runs[0].workspace.metadata)
    sections = (
        _section("parameters", [_texts(run.record.parameters) for run in runs]),
        _section("metrics", [dict(_metrics(run)) for run in runs]),
        _outputs(runs),
        _code(runs, codes),
        _section("packages", [codes.packages(run) for run in runs]),
        _section("environment", [_texts(_environment(run)) for run in runs]),
        _section("steps", [_states(run) for run in runs], _state),
    )
    return RunComparison(tuple(runs), tuple(each for each in sections if each.rows))


class _Codes:
    """Looks each code up once."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._known: dict[str, CodeRecord] = {}

    def of(self, digest: str) -> CodeRecord:
        if digest not in self._known:
            self._known[digest] = self._metadata.get_code(digest)
        return self._known[digest]

    def packages(self, run: "RunView") -> dict[str, str]:
        """Give the packages that the code of a run's steps names, by version."""
        digests = dict.fromkeys(code_of(step.record) for step in run.steps.values())
        found = [self.of(each).parts.get("distributions", {}) for each in digests if each is not None]
        return {name: version for each in found for name, version in sorted(each.items())}


def code_of(step: StepRunRecord) -> str | None:
    """Give the digest of a step run's code; None when it never began."""
    code: str | None = step.ingredients.get("code")
    return code


def _texts(values: Mapping[str, Json]) -> dict[str, str]:
    return {name: value_text(node) for name, node in values.items()}


def _environment(run: "RunView") -> dict[str, Json]:
    return {name: value for name, value in run.record.environment.items() if name != ENTRY}


def _metrics(run: "RunView") -> Iterator[tuple[str, str]]:
    """Give what was logged first, then what is known of outputs. What was logged when an answer of the cache was made counts too."""
    yield from _numbers("", run.record.metadata)
    origins = run.workspace.metadata.step_runs_by_id([step.record.cached_from for step in run.steps.values() if step.record.cached_from])
    for step in run.steps.values():
        origin = origins.get(step.record.cached_from or "")
        yield from _numbers(f"{step.name}: ", {**(origin.metadata if origin else {}), **step.record.metadata})
    for step in run.steps.values():
        for output, version in step.outputs.items():
            yield from _numbers(f"{_output_name(step, output)}: ", version.record.metadata)


def _numbers(prefix: str, metadata: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in metadata.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield f"{prefix}{name}", repr(value)


def _output_name(step: "StepRunView", output: str) -> str:
    """Name what came out of a step: by the call where it is the only output, and what the step saved by itself by its artifact."""
    artifact, at, _ = output.rpartition("@")
    if at:
        return f"{step.name}.{artifact}"
    only = sum("@" not in name for name in step.outputs) == 1
    return step.name if only else f"{step.name}.{output}"


def _outputs(runs: "Sequence[RunView]") -> Section:
    named = [
        {_output_name(step, output): version.record for step in run.steps.values() for output, version in step.outputs.items()}
        for run in runs
    ]
    rows = []
    for name in _names(named):
        found = [each.get(name) for each in named]
        same = len({None if each is None else each.object.digest for each in found}) == 1
        texts = tuple(None if each is None else name_text(each) for each in found)
        rows.append(Row(name, texts, same, tuple(None if each is None else each.id for each in found)))
    return _sorted("outputs", rows)


def _code(runs: "Sequence[RunView]", codes: _Codes) -> Section:
    named: list[dict[str, str]] = []
    for run in runs:
        own: dict[str, str] = {}
        for step in run.steps.values():
            digest = code_of(step.record)
            if digest is not None:
                own.setdefault(step.record.step, digest)
        named.append(own)
    rows = []
    for name in _names(named):
        found = [each.get(name) for each in named]
        there = [each for each in found if each is not None]
        diff = code_diff(codes.of(there[0]), codes.of(there[-1])) if there[0] != there[-1] else ""
        rows.append(Row(name, tuple(each and each[:SHORT] for each in found), len(set(found)) == 1, diff=diff))
    return _sorted("code", rows)


def _itself(text: str | None) -> str | None:
    return text


def _states(run: "RunView") -> dict[str, str]:
    """Give how each step ended, of several calls of one step how many ended how."""
    calls: dict[str, list[StepRunRecord]] = {}
    for step in run.steps.values():
        calls.setdefault(step.record.step, []).append(step.record)
    found = {}
    for name, records in calls.items():
        if len(records) == 1:
            found[records[0].name] = state_text(records[0])
            continue
        counts = Counter(record.status.value for record in records)
        found[name] = " and ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return found


def _state(text: str | None) -> str | None:
    """A time is no difference: no two are the same."""
    return None if text is None else text.partition(",")[0]


def _section(title: str, named: Sequence[Mapping[str, str]], counts: Callable[[str | None], str | None] = _itself) -> Section:
    rows = []
    for name in _names(named):
        found = tuple(each.get(name) for each in named)
        rows.append(Row(shown(name), found, len({counts(each) for each in found}) == 1))
    return _sorted(title, rows)


def _names(named: Iterable[Mapping[str, object]]) -> dict[str, None]:
    return {name: None for each in named for name in each}


def _sorted(title: str, rows: Sequence[Row]) -> Section:
    """Differences first; within them as they came."""
    found = sorted(rows, key=lambda row: row.same)
    return Section(title, tuple(found[:ROWS]), max(0, len(found) - ROWS))
