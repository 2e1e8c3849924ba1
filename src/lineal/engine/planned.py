"""The steps of a plan as users see them: what would happen to each, why, and what it cost before."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lineal.engine.fingerprint import explain_change
from lineal.engine.forecast import SAMPLES, Cost, Load, costs
from lineal.engine.why import Evidence, differences, explain, nearest
from lineal.graph.plan import Call, OutputRef, references
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import CodeRecord, Json, RunRecord, StepRunRecord
from lineal.model.states import Prospect, Status

if TYPE_CHECKING:  # a draft is handed what the cache said, and asks it nothing
    from lineal.engine import cache


@dataclass(slots=True)
class Draft:
    """What would become of a call.

    Attributes:
        call: The call.
        state: What would happen.
        inquiry: What enters its key, with stand-ins for inputs that are not known; None when that could not be asked.
        hit: The earlier result that would be given.
        on: The calls that it depends on, in the order of the definition.
        because: Why it depends on them, as a sentence.
    """

    call: Call
    state: Prospect
    inquiry: "cache.Inquiry | None" = None
    hit: "cache.Hit | None" = None
    on: tuple[Call, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What would become of one step.

    Attributes:
        name: Name of the call in the pipeline, such as `train_2`.
        step: Name of the step itself.
        state: "cached", "runs", "depends" (whether it runs shows when the steps in `depends_on` have run) or "fails" (its cache policy
            raises).
        why: Why, as sentences: those of `why` for a run.
        depends_on: Names of the steps that decide whether it runs.
        upstream: Names of the steps that must end before it.
        cached_from: Name of the run whose result would be given; None when it is not cached.
        duration: How long it took when it ran before, the median of up to five times; None when it never ran.
        size: Bytes that it made then; None when it never ran.
    """

    name: str
    step: str
    state: Prospect
    why: tuple[str, ...]
    depends_on: tuple[str, ...]
    upstream: tuple[str, ...]
    cached_from: str | None
    duration: timedelta | None
    size: int | None

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON, its time in seconds."""
        return {
            "name": self.name,
            "step": self.step,
            "state": self.state.value,
            "why": list(self.why),
            "depends_on": list(self.depends_on),
            "upstream": list(self.upstream),
            "cached_from": self.cached_from,
            "duration": None if self.duration is None else self.duration.total_seconds(),
            "size": self.size,
        }


def load_of(step: PlannedStep) -> Load:
    """Give a step as the forecast sees it."""
    cost = None if step.duration is None or step.size is None else Cost(step.duration.total_seconds(), step.size)
    return Load(step.name, step.state, cost, step.upstream)


def describe(drafts: Sequence[Draft], pipeline: str, metadata: MetadataStore) -> list[PlannedStep]:
    """Give the drafts of one plan with reasons and costs, in their order. Takes a few statements, and one for each code that changed."""
    facts = _Facts(drafts, pipeline, metadata)
    return [facts.step(draft) for draft in drafts]


class _Facts:
    """What is recorded about the steps of a plan, asked for at once."""

    def __init__(self, drafts: Sequence[Draft], pipeline: str, metadata: MetadataStore) -> None:
        self._metadata = metadata
        open_ = [draft.call.name for draft in drafts if draft.hit is None]
        hits = [draft.hit.call for draft in drafts if draft.hit is not None]
        history = metadata.earlier_step_runs(pipeline, open_, SAMPLES) if open_ else []
        self._costs = costs(history)
        self._earlier: dict[str, list[StepRunRecord]] = {}
        for each in history:
            self._earlier.setdefault(each.step_run.name, []).append(each.step_run)
        self._origins = metadata.step_runs_by_id([hit.step_run_id for hit in hits])
        used = dict.fromkeys([*(hit.run_id for hit in hits), *(each.step_run.run_id for each in history)])
        self._runs: dict[str, RunRecord] = metadata.runs_by_id(list(used))
        self._codes: dict[str, CodeRecord] = {}
        self._now = time.time_ns() // 1000

    def step(self, draft: Draft) -> PlannedStep:
        call, hit = draft.call, draft.hit
        cost = None
        if hit is None:
            cost = self._costs.get(call.name) or self._costs.get(f"step:{call.step.name}")
        return PlannedStep(
            call.name,
            call.step.name,
            draft.state,
            tuple(self._why(draft)),
            tuple(each.name for each in draft.on) if draft.state is Prospect.DEPENDS else (),
            tuple({earlier.name: None for earlier in call.upstream()}),
            None if hit is None else hit.call.run_name,
            None if cost is None else timedelta(seconds=cost.seconds),
            None if cost is None else cost.size,
        )

    def _why(self, draft: Draft) -> list[str]:
        if draft.inquiry is None:
            return [draft.because or "caching is off for this step"]
        if draft.hit is not None:
            found = draft.hit.call
            record = self._record(draft, Status.CACHED, {})
            origin = self._origins.get(found.step_run_id)
            return explain(Evidence(record, self._runs.get(found.run_id), origin=origin, now=self._now), explain_change)
        previous = nearest(self._record(draft, Status.PENDING, {}), self._earlier.get(draft.call.name, []))
        record = self._record(draft, Status.PENDING, {} if previous is None else previous.ingredients)
        evidence = Evidence(record)
        if previous is not None:
            old = previous.ingredients.get("code")
            new = draft.inquiry.code_record()
            code, before = (None, None) if old in (None, new.digest) else (new, self._code(str(old)))
            run = self._runs.get(previous.run_id)
            evidence = Evidence(record, None, previous, run, code, before, now=self._now)
        if draft.state is Prospect.RUNS:
            return explain(evidence, explain_change)
        return [draft.because, *differences(evidence, explain_change)]

    def _code(self, digest: str) -> CodeRecord:
        if digest not in self._codes:
            self._codes[digest] = self._metadata.get_code(digest)
        return self._codes[digest]

    def _record(self, draft: Draft, status: Status, old: Mapping[str, Any]) -> StepRunRecord:
        """Give the step run that would be recorded. Inputs that are not known count as they were: nothing is said of them."""
        inquiry = draft.inquiry
        assert inquiry is not None
        ingredients = inquiry.ingredients()
        unknown = _inputs_from(draft, {each.position for each in draft.on})
        if unknown:
            for part in ("inputs", "versions"):
                known = {name: value for name, value in ingredients[part].items() if _argument(name) not in unknown}
                ingredients[part] = known | {name: value for name, value in old.get(part, {}).items() if _argument(name) in unknown}
        call = draft.call
        return StepRunRecord(
            new_id(), "", call.name, call.step.name, call.position, status, cache_key=inquiry.key, parameters=inquiry.parameters,
            ingredients=ingredients,
        )  # fmt: skip


def _inputs_from(draft: Draft, positions: Collection[int]) -> set[str]:
    found = references(draft.call.inputs)
    return {_argument(path) for path, ref in found if isinstance(ref, OutputRef) and ref.call.position in positions}


def _argument(path: str) -> str:
    return path.partition("[")[0]
