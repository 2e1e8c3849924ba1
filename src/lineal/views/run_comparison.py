"""What differs between runs of a pipeline, side by side: parameters, metrics, outputs, code, packages, environment, steps."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Final, NamedTuple

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

STATES: Final = 12
"""Codes of one step, the newest, between which the differences are told where nobody can be asked."""


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


class Cell(NamedTuple):
    """What one run has of one thing: `text` is for the eye, `mark` is what counts; cells of equal marks are the same. `id` is a version's."""

    text: str
    mark: str
    id: str | None = None


Side = Mapping[str, Mapping[str, Cell]]
"""What one run has, by section and name."""

SECTIONS: Final = ("parameters", "metrics", "outputs", "code", "packages", "environment", "steps")


def compare_runs(runs: "Sequence[RunView]") -> RunComparison:
    """Put runs side by side. Raises UsageError unless there are two to ten different ones.

    Steps are matched by the name of the call, code by the name of the step, outputs by both. Metrics are all numbers in the metadata of the
    runs, their steps and their outputs.
    """
    if not 2 <= len({run.id for run in runs}) == len(runs) <= MOST:
        raise UsageError(f"{len(runs)} runs cannot be compared; give 2 to {MOST} different ones")
    codes = _Codes(runs[0].workspace.metadata)
    sides = [_side(run, codes) for run in runs]
    sections = (_section(title, [side[title] for side in sides], codes) for title in SECTIONS)
    return RunComparison(tuple(runs), tuple(each for each in sections if each.rows))


def sides_json(runs: "Sequence[RunView]") -> dict[str, Json]:
    """Give what a comparison of any of some runs, newest first, is put together from where nobody can be asked.

    `sides` has the cells of each run, by its id, section and name: the text, what counts where that is not the text, and a version's id.
    `diffs` has how code differs, by the marks of both, for the newest codes of each step.
    """
    if not runs:
        return {"sections": [*SECTIONS], "sides": {}, "diffs": {}}
    codes = _Codes(runs[0].workspace.metadata)
    sides = {run.record.id: _side(run, codes) for run in runs}
    known: dict[str, dict[str, None]] = {}
    for side in sides.values():
        for name, cell in side["code"].items():
            known.setdefault(name, {})[cell.mark] = None
    pairs = {pair for each in known.values() for pair in permutations(list(each)[:STATES], 2)}
    return {
        "sections": [*SECTIONS],
        "sides": {run_id: {title: _cells_json(side[title]) for title in SECTIONS} for run_id, side in sides.items()},
        "diffs": {f"{old} {new}": codes.diff(old, new) for old, new in sorted(pairs)},
    }


def _cells_json(cells: Mapping[str, Cell]) -> list[Json]:
    return [[shown(name), cell.text, None if cell.mark == cell.text else cell.mark, cell.id] for name, cell in cells.items()]


def _side(run: "RunView", codes: "_Codes") -> Side:
    run.load_edges()
    return {
        "parameters": _cells(_texts(run.record.parameters)),
        "metrics": _cells(dict(_metrics(run))),
        "outputs": _outputs(run),
        "code": _code(run),
        "packages": _cells(codes.packages(run)),
        "environment": _cells(_texts(_environment(run))),
        "steps": {name: Cell(text, text.partition(",")[0]) for name, text in _states(run).items()},  # no two times are the same
    }


def _cells(texts: Mapping[str, str]) -> dict[str, Cell]:
    return {name: Cell(text, text) for name, text in texts.items()}


class _Codes:
    """Looks each code up once."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._known: dict[str, CodeRecord] = {}

    def of(self, digest: str) -> CodeRecord:
        if digest not in self._known:
            self._known[digest] = self._metadata.get_code(digest)
        return self._known[digest]

    def diff(self, old: str, new: str) -> str:
        """Give how one code differs from another."""
        return code_diff(self.of(old), self.of(new))

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


def _outputs(run: "RunView") -> dict[str, Cell]:
    found = {}
    for step in run.steps.values():
        for output, version in step.outputs.items():
            record = version.record
            found[_output_name(step, output)] = Cell(name_text(record), record.object.digest, record.id)
    return found


def _code(run: "RunView") -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for step in run.steps.values():
        digest = code_of(step.record)
        if digest is not None:
            found.setdefault(step.record.step, Cell(digest[:SHORT], digest))
    return found


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


def _section(title: str, sides: Sequence[Mapping[str, Cell]], codes: _Codes) -> Section:
    """Match the cells of runs by name. Differences come first, and within them as they came."""
    rows = []
    for name in {name: None for side in sides for name in side}:
        cells = [side.get(name) for side in sides]
        there = [cell for cell in cells if cell is not None]
        differ = title == "code" and there[0].mark != there[-1].mark
        rows.append(
            Row(
                shown(name),
                tuple(cell and cell.text for cell in cells),
                len({cell and cell.mark for cell in cells}) == 1,
                tuple(cell and cell.id for cell in cells) if title == "outputs" else (),
                codes.diff(there[0].mark, there[-1].mark) if differ else "",
            )
        )
    rows.sort(key=lambda row: row.same)
    return Section(title, tuple(rows[:ROWS]), max(0, len(rows) - ROWS))
