"""Makes a version again from its lineage, in a scratch workspace, and says whether the same comes out and if not where it parts."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lineal.engine.fingerprint import explain_change
from lineal.engine.progress import make_reporter
from lineal.engine.recall import Recorded, find_step, inputs_of, put, recorded
from lineal.engine.run import Runner
from lineal.engine.undeclared import sentences
from lineal.engine.why import Evidence, changes
from lineal.errors import UsageError
from lineal.graph.plan import Call, Input, OutputName, OutputRef, VersionRef
from lineal.graph.step import StepSpec
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import Json, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.model.text import shown
from lineal.views.ancestry import environment_changes
from lineal.views.base import Scratch, error_line, name_text


@dataclass(frozen=True, slots=True)
class Repeated:
    """A step of the lineage that ran again.

    Attributes:
        step: Name of the step's call.
        run: Name of the run in which it had run.
        same: Whether everything that the lineage uses of it came out as it was.
        outputs: The versions that were made again, as `name@version`, and whether the same came out.
        because: What differs, as sentences, where it is the first step to part; empty for others.
    """

    step: str
    run: str
    same: bool
    outputs: Mapping[str, bool]
    because: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON."""
        return {"step": self.step, "run": self.run, "same": self.same, "outputs": dict(self.outputs), "because": list(self.because)}


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of making a version again. Printed, it says so in words.

    Attributes:
        version: The version, as `name@version`.
        same: Whether the same bytes came out (for a type whose materializer says what its content is: the same content).
        digest: Digest of its bytes, and `new_digest` that of what came out; None when nothing did.
        steps: The steps that ran, in order.
        given: What was taken from the store: what no step made, and what other pipelines made where they were left alone.
    """

    version: str
    same: bool
    digest: str
    new_digest: str | None
    steps: tuple[Repeated, ...]
    given: tuple[str, ...]

    @property
    def parted(self) -> Repeated | None:
        """The first step from which something else came; None when all is the same."""
        return next((each for each in self.steps if not each.same), None)

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON."""
        parted = self.parted
        return {
            "version": self.version, "same": self.same, "digest": self.digest, "new_digest": self.new_digest,
            "parted": None if parted is None else parted.to_json(), "steps": [each.to_json() for each in self.steps],
            "given": list(self.given),
        }  # fmt: skip

    def __str__(self) -> str:
        count = len(self.steps)
        ran = f"{count} step ran again" if count == 1 else f"{count} steps ran again"
        lines = [f"{self.version}: {'the same bytes' if self.same else 'not the same'} ({ran})"]
        if self.parted is not None:
            made = ", ".join(name for name, same in self.parted.outputs.items() if not same)
            lines.append(f"  parts at step {shown(self.parted.step)} of run {shown(self.parted.run)}, which made {made}")
            lines += [f"    {shown(each)}" for each in self.parted.because]
        return "\n".join(lines)


def reproduce(version: VersionRecord, metadata: MetadataStore, scratch: Scratch, *, across_pipelines: bool) -> Reproduction:
    """Run the lineage of a version again in a scratch workspace, which must be the one that is open here. Nothing is written elsewhere.

    Raises UsageError for a version that no step made, CodeNotFound, ArtifactMissing, InputError before anything runs. A step that fails
    is a difference.
    """
    lineage = _Lineage(version, metadata, across_pipelines)
    calls = lineage.calls(scratch)
    run = RunRecord(
        new_id(), "reproduction", version.pipeline or "", Status.RUNNING, time.time_ns() // 1000, durability="off",
        process=scratch.life.token(), heartbeat=time.time_ns() // 1000,
    )  # fmt: skip
    runner = Runner(scratch, run, make_reporter(quiet=scratch.settings.quiet, live=False))
    try:
        runner.execute(calls, len(calls))
    except BaseException as error:
        runner.finish(calls, error)
        raise
    run = runner.finish(calls)
    return lineage.compared(calls, runner, run, scratch.metadata)


class _Lineage:
    """The step runs from which a version comes, those that need others after them."""

    def __init__(self, version: VersionRecord, metadata: MetadataStore, across: bool) -> None:
        self._version, self._metadata, self._across = version, metadata, across
        self._name = name_text(version)
        if version.step_run_id is None:
            raise UsageError(f"{self._name} was made by no step ({version.save_type}), so there is nothing to run again")
        self.steps: dict[str, Recorded] = {}
        self.given: dict[str, VersionRecord] = {}
        self._specs: dict[str, StepSpec] = {}
        self._collect(version.step_run_id)

    def _collect(self, step_run_id: str) -> None:
        """Walk upstream. No recursion: lineages may be deep."""
        met: dict[str, Recorded] = {}
        waiting = [(step_run_id, False)]
        while waiting:
            id, seen = waiting.pop()
            if seen:
                self.steps.setdefault(id, met[id])
            elif id not in met:
                met[id] = recorded(self._metadata.step_runs_by_id([id])[id], self._metadata)
                waiting.append((id, True))
                waiting += [(each.step_run_id, False) for each in met[id].inputs.values() if each.step_run_id and self._is_made(each)]

    def _is_made(self, version: VersionRecord) -> bool:
        """Tell whether a version is made again; what a step saved by itself, and what no step made, is taken from the store."""
        return bool(version.step_run_id and version.output) and (self._across or version.pipeline == self._version.pipeline)

    def calls(self, scratch: Scratch) -> list[Call]:
        """Give the calls to run, with what is given to them put into the scratch workspace. Checks all of them first."""
        for id, each in self.steps.items():
            self._specs[id] = find_step(each)
        calls: dict[str, Call] = {}
        for id, each in self.steps.items():
            calls[id] = self._call(each, self._specs[id], calls)
        for each in self.steps.values():
            for version in each.loaded:
                self._give(version)
        for version in self.given.values():
            put(version, scratch.metadata, self._name)
        return list(calls.values())

    def _call(self, each: Recorded, spec: StepSpec, calls: Mapping[str, Call]) -> Call:
        given: list[VersionRef] = []

        def give(version: VersionRecord) -> Input:
            maker = calls.get(version.step_run_id or "")
            if maker is not None and version.output is not None and version.output in maker.outputs:
                return OutputRef(maker, version.output)
            given.append(VersionRef(self._give(version)))
            return given[-1]

        name = each.step_run.name
        taken = {call.name for call in calls.values()}
        name = next(text for text in (name, *(f"{name}_again_{n}" for n in range(len(taken) + 1))) if text not in taken)
        inputs = inputs_of(each, spec, give)
        pipeline = self._version.pipeline or ""
        outputs = {
            output.name: OutputName(
                each.outputs[output.name].artifact if output.name in each.outputs else f"{pipeline}::{name}::{output.name}"
            )
            for output in spec.signature.outputs
        }
        options = replace(spec.options, enable_cache=False, cache_policy=None, on_failure=None, on_success=None)
        return Call(name, spec, inputs, (), options, len(calls), outputs, versions=tuple(given))

    def _give(self, version: VersionRecord) -> VersionRecord:
        self.given[version.id] = version
        return version

    # -- what came of it

    def compared(self, calls: list[Call], runner: Runner, run: RunRecord, metadata: MetadataStore) -> Reproduction:
        """Compare each step's outputs with those of the past."""
        made = {each.position: each for each in metadata.list_step_runs(run.id)}
        names = {each.id: each.name for each in self._metadata.runs_by_id([step.step_run.run_id for step in self.steps.values()]).values()}
        steps: list[Repeated] = []
        new = None
        for call, (id, old) in zip(calls, self.steps.items(), strict=True):
            wanted = {name: version for name, version in old.outputs.items() if version.step_run_id == id}
            ended = runner.ended[call.position].versions
            outputs = {name_text(version): name in ended and ended[name].identity == version.identity for name, version in wanted.items()}
            if id == self._version.step_run_id:
                new = ended.get(self._version.output or "")
            same = all(outputs.values())
            because = () if same or any(not each.same for each in steps) else tuple(self._because(old, made[call.position], run, metadata))
            steps.append(Repeated(old.step_run.name, names.get(old.step_run.run_id, ""), same, outputs, because))
        given = tuple(map(name_text, self.given.values()))
        is_same = new is not None and new.identity == self._version.identity
        return Reproduction(
            self._name, is_same, self._version.object.digest, None if new is None else new.object.digest, tuple(steps), given
        )

    def _because(self, old: Recorded, new: StepRunRecord, run: RunRecord, metadata: MetadataStore) -> Iterator[str]:
        """Say what differs where the inputs are the same."""
        if new.status is not Status.COMPLETED:
            yield f"it {new.status} now: {error_line(new.error)}"
        found = []
        if "code" in new.ingredients:
            before, after = (replace(each, ingredients={**each.ingredients, "inputs": {}, "policy": {}}) for each in (old.step_run, new))
            code = metadata.get_code(new.ingredients["code"])
            found = changes(Evidence(after, code=code, previous_code=old.code), before, explain_change)
        yield from found
        past = self._metadata.runs_by_id([old.step_run.run_id]).get(old.step_run.run_id)
        if past is not None:
            yield from environment_changes(past.environment, run.environment)
        if not found and new.status is Status.COMPLETED:
            yield "the same code, packages, parameters and inputs gave something else: it depends on chance, or on what is not recorded"
        yield from sentences(old.step_run.ingredients.get("undeclared", {}))
