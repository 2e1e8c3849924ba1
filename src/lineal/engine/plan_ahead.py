"""What a run would do: the calls that it would make, asked of the cache in its order, without running or recording anything.

A call whose inputs are all known has its key, and the answer of the cache holds. One whose input comes from a step that would run has
none yet: that step may give what it gave before, and then the call is cached after all (early cutoff). So such a call depends on it,
unless it would run whatever comes in: its caching is off, or no step run with its code was ever recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from lineal.artifacts import Artifacts
from lineal.engine import cache
from lineal.engine.ahead import Ahead
from lineal.engine.externals import identify_externals
from lineal.engine.planned import Draft
from lineal.engine.precheck import refuse
from lineal.engine.queue import Queue
from lineal.errors import NotFound
from lineal.graph.plan import Call, OutputRef, check_order, needed_for, references
from lineal.graph.policy import CachePolicy
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import NewOutput, ObjectRecord, VersionRecord
from lineal.model.states import Prospect


class Services(Protocol):
    """What planning needs of the workspace."""

    @property
    def metadata(self) -> MetadataStore:
        """Where facts live."""
        ...

    @property
    def artifacts(self) -> Artifacts:
        """Save and load."""
        ...


class LookedAhead(BaseException):
    """The pipeline's body asked for a value that no step has made yet. Not an Exception: no `except` of the body should take it."""


@dataclass(slots=True)
class _Outcome:
    """What a call gives to those after it, as `inquire` asks of it."""

    versions: dict[str, VersionRecord]
    values: Mapping[str, Any] = field(default_factory=dict)


class Planner:
    """One plan. `load` may be called while the body of the pipeline records its calls, `finish` once when it has ended."""

    def __init__(self, services: Services) -> None:
        self._metadata = services.metadata
        self._artifacts = services.artifacts
        self._ahead = Ahead(self._metadata)
        self._drafts: dict[int, Draft] = {}
        self._outcomes: dict[int, _Outcome] = {}
        self._keys: dict[str, Call] = {}
        self._stirred: set[int] = set()  # calls that would or may run, and those after them
        self._codes: dict[str, bool] = {}
        self._stopped: OutputRef | None = None

    @property
    def stopped_at(self) -> str | None:
        """The output, as `step.output`, at which the body asked for a value that is not there; None when it did not."""
        return None if self._stopped is None else f"{self._stopped.call.name}.{self._stopped.output}"

    def load(self, ref: OutputRef) -> Any:
        """Give the value of an output that is cached. Raises LookedAhead when a step would have to run for it."""
        self.draft(needed_for(ref.call))
        if self._drafts[ref.call.position].state is not Prospect.CACHED:
            self._stopped = self._stopped or ref
            raise LookedAhead
        return self._artifacts.load(self._outcomes[ref.call.position].versions[ref.output])

    def draft(self, calls: Sequence[Call]) -> list[Draft]:
        """Say what would become of calls, in an order in which they can run. Raises what a run raises before its first step."""
        if self._artifacts.pickle == "forbid":
            refuse(calls, self._artifacts.registry)
        todo = {call.position: call for call in calls if call.position not in self._drafts}
        check_order(tuple(todo.values()))
        for call in todo.values():
            self._look_at_given(call)
        queue = Queue(todo, self._drafts)
        while queue.ready:
            call = todo[queue.pop()]
            draft = self._drafts[call.position] = self._of(call)
            stirs = draft.state is not Prospect.CACHED or any(earlier.position in self._stirred for earlier in call.upstream())
            if stirs:
                self._stirred.add(call.position)
            self._outcomes[call.position] = _Outcome(_versions(draft))
            queue.release(call)
        return list(self._drafts.values())

    def _look_at_given(self, call: Call) -> None:
        for ref in call.versions:
            if ref.version.state != "live":
                raise NotFound(f"{ref.version.artifact}@{ref.version.version}, which the pipeline was given, was deleted or pruned")
        identify_externals([ref for ref in dict.fromkeys(call.externals) if ref.version is None], self._artifacts, self._metadata)

    def _of(self, call: Call) -> Draft:
        unknown = _counted(call, [ref.call for _, ref in references(call.inputs) if isinstance(ref, OutputRef) and self._is_open(ref.call)])
        policy: CachePolicy | None = call.options.cache_policy
        if unknown and policy is not None and policy.cache_func is not None:  # it may be called with what is not there yet
            return Draft(call, Prospect.DEPENDS if cache.is_asked(call) else Prospect.RUNS, None, None, unknown, _unseen(unknown))
        try:
            inquiry = cache.inquire(call, self._outcomes, self._artifacts)
        except Exception as error:  # as in a run, where it is the step that fails
            return Draft(call, Prospect.FAILS, because=f"its cache policy raises {type(error).__name__}: {error}".partition("\n")[0])
        if not cache.is_asked(call):
            inquiry.decision = "off"
            return Draft(call, Prospect.RUNS, inquiry)
        if unknown:
            if self._is_new(call, inquiry):
                return Draft(call, Prospect.RUNS, inquiry, None, unknown)
            return Draft(call, Prospect.DEPENDS, inquiry, None, unknown, _unseen(unknown))
        return self._asked(call, inquiry)

    def _asked(self, call: Call, inquiry: cache.Inquiry) -> Draft:
        policy: CachePolicy | None = call.options.cache_policy
        before = _distinct([each for each in call.upstream() if each.position in self._stirred])
        if before and policy is not None and (policy.file_dependencies or policy.cache_func is not None):
            because = f"{_names(before)} would or may run before it, and may change what its cache policy looks at"
            return Draft(call, Prospect.DEPENDS, inquiry, None, before, because)
        twin = self._keys.get(inquiry.key)
        if twin is not None:
            return Draft(call, Prospect.DEPENDS, inquiry, None, (twin,), f"{_names((twin,))} is the same call: its result is taken")
        hit = cache.look_up(inquiry, call, self._ahead, self._metadata, self._artifacts)
        if hit is not None:
            return Draft(call, Prospect.CACHED, inquiry, hit)
        self._keys[inquiry.key] = call
        return Draft(call, Prospect.RUNS, inquiry)

    def _is_open(self, call: Call) -> bool:
        return self._drafts[call.position].state is not Prospect.CACHED

    def _is_new(self, call: Call, inquiry: cache.Inquiry) -> bool:
        """Tell whether no step run with this code was ever recorded, so that no stored result can be its own."""
        policy: CachePolicy | None = call.options.cache_policy
        if policy is not None and not (policy.include_step_code and policy.include_package_versions):
            return False
        code = inquiry.code.digest
        if code not in self._codes:
            try:
                self._metadata.get_code(code)
            except NotFound:
                self._codes[code] = True
            else:
                self._codes[code] = False
        return self._codes[code]


def _counted(call: Call, calls: Sequence[Call]) -> tuple[Call, ...]:
    """Give those of the calls whose results enter the key of a call, each once."""
    policy: CachePolicy | None = call.options.cache_policy
    if policy is not None and policy.cache_func is None:
        if not (policy.include_artifact_values or policy.include_artifact_ids):
            return ()
        counted = {name: item for name, item in call.inputs.items() if name not in policy.ignored_inputs}
        among = {ref.call.position for _, ref in references(counted) if isinstance(ref, OutputRef)}
        return _distinct([each for each in calls if each.position in among])
    return _distinct(calls)


def _distinct(calls: Sequence[Call]) -> tuple[Call, ...]:
    return tuple({each.position: each for each in sorted(calls, key=lambda each: each.position)}.values())


def _versions(draft: Draft) -> dict[str, VersionRecord]:
    """Give the versions that a call would give by output name; where that is not known, stand-ins under the names that they would have."""
    if draft.hit is None:
        nothing = ObjectRecord("", 0, ())
        return {
            name: VersionRecord(new_id(), output.artifact, output.version or "new", None, nothing, "", "", "data", "step", 0)
            for name, output in draft.call.outputs.items()
        }
    found = draft.hit.call.outputs
    return {
        output.output: replace(found[output.output], id=output.id, artifact=output.artifact, version=output.version or "new")
        if isinstance(output, NewOutput)
        else output.version
        for output in draft.hit.outputs
    }


def _unseen(calls: Sequence[Call]) -> str:
    return f"it runs unless {_names(calls)} {'gives' if len(calls) == 1 else 'give'} what it has worked on before"


def _names(calls: Sequence[Call]) -> str:
    names = [f"`{call.name}`" for call in calls[:3]]
    if len(calls) > 3:
        names[2:] = [f"{len(calls) - 2} others"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
