"""The cache question of one call: what enters its key, and whether an earlier step run answers it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lineal.artifacts import Artifacts
from lineal.engine.ahead import Ahead
from lineal.engine.dependencies import Look, artifact_part, code_part, dependencies, has_expired
from lineal.engine.execute import Stored, input_value
from lineal.engine.fingerprint import Fingerprint, fingerprint
from lineal.errors import NotFound
from lineal.graph.plan import Call, Collection, Input, OutputRef, Parameter
from lineal.graph.policy import CachePolicy
from lineal.graph.step import MISSING, StepSpec
from lineal.materializers.registry import Registry
from lineal.metadata_store.base import MetadataStore
from lineal.model import digest, values
from lineal.model.naming import new_id
from lineal.model.records import CachedCall, CodeRecord, InputEdge, Json, NewOutput, SameOutput, StepRunRecord, VersionRecord


@dataclass(slots=True)
class Inquiry:
    """What enters the key of a call, and what became of the question.

    Attributes:
        key: The cache key.
        code: Fingerprint of the step's code.
        inputs: The call's inputs with references resolved, as `execute_step` takes them.
        edges: The versions that go in.
        parameters: The parameters as typed JSON, by name.
        digests: Content digest of each input that is a version, or the nested structure of them, by name.
        versions: `artifact@version` of each of these, by path.
        outputs: Materializer id of each output whose annotation selects one, by name.
        decision: "hit", "miss", "off" (caching is off here), "lost" (an earlier result's bytes are not there), "release" (another
            release pickled it, and it cannot be read here) or "expired" (it is older than the policy allows).
        detail: What is known of the decision beside that, in words.
        policy: What the call's cache policy added, as it is stored; empty without one.
        given: The versions that go in, by `artifact@version`.
        shapes: How lists, tuples and dicts of versions are put together, by input, so that the call can be made again.
    """

    key: str
    code: Fingerprint
    inputs: dict[str, Any]
    edges: list[InputEdge]
    parameters: dict[str, Json]
    digests: dict[str, Json]
    versions: dict[str, str]
    outputs: Mapping[str, str]
    decision: str = "miss"
    detail: str = ""
    policy: Mapping[str, Json] = field(default_factory=dict)
    given: Mapping[str, VersionRecord] = field(default_factory=dict)
    shapes: Mapping[str, Json] = field(default_factory=dict)

    def ingredients(self) -> dict[str, Json]:
        """Give what is stored beside the key, so that `why` can be answered."""
        facts: dict[str, Json] = {
            "code": self.code.digest,
            "inputs": self.digests,
            "versions": self.versions,
            "outputs": self.outputs,
            "decision": self.decision,
        }
        if self.detail:
            facts["detail"] = self.detail
        if self.policy:
            facts["policy"] = self.policy
        if self.shapes:
            facts["shapes"] = self.shapes
        return facts

    def code_record(self) -> CodeRecord:
        """Give the code as it is stored, once per digest."""
        return _code_record(self.code)

    def reason(self) -> str:
        """Say in a word why the step ran, for the line that is shown while the pipeline runs; empty where that takes a comparison."""
        return _REASONS.get(self.decision, "")


_REASONS = {
    "off": "ran: cache off",
    "lost": "ran: stored bytes were lost, made again",
    "release": "ran: another release pickled the earlier result, made again",
    "expired": "ran: the earlier result has expired",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """An earlier step run that answers a call. `settled` says that no new version is needed to give its outputs."""

    call: CachedCall
    outputs: list[SameOutput | NewOutput]
    settled: bool


_code_records: dict[str, CodeRecord] = {}


def _code_record(code: Fingerprint) -> CodeRecord:
    record = _code_records.get(code.digest)
    if record is None:
        record = _code_records[code.digest] = CodeRecord(code.digest, code.to_json(), code.source)
    return record


def inquire(call: Call, ended: Mapping[int, Any], artifacts: Artifacts) -> Inquiry:
    """Resolve a call's inputs and make its key. `ended` has the outcome of each earlier call by position.

    Raises what looking at the dependencies of the call's cache policy raises.
    """
    policy: CachePolicy | None = call.options.cache_policy
    resolver = _Resolver(ended, policy)
    inputs: dict[str, Any] = {}
    identities: dict[str, object] = {}
    parameters: dict[str, Json] = {}
    digests: dict[str, Any] = {}
    shapes: dict[str, Json] = {}
    for name, item in call.inputs.items():
        if type(item) is Parameter:
            inputs[name] = item
            identities[name] = item.identity
            parameters[name] = item.json
        else:
            inputs[name], digests[name] = resolver.resolve(name, item)
            if type(item) is Collection:
                shapes[name] = shape_of(item, name)
    code = fingerprint(call.step.function)
    outputs = output_ids(call.step, artifacts.registry)
    if policy is None:
        key = digest.of_call(code.digest, identities, digests, outputs, {})
        return Inquiry(
            key, code, inputs, resolver.edges, parameters, digests, resolver.versions, outputs, given=resolver.given, shapes=shapes
        )
    look = Look(lambda name: input_value(inputs[name], artifacts), fingerprint, f"step {call.name!r}")
    found = dependencies(policy, call.step, look)
    if not policy.include_step_parameters:
        identities.clear()
    for name in policy.ignored_inputs:
        identities.pop(name, None)
        digests.pop(name, None)
    key = digest.of_call(code_part(policy, code, call.step), identities, digests, outputs, found.extras)
    return Inquiry(
        key,
        code,
        inputs,
        resolver.edges,
        parameters,
        digests,
        resolver.versions,
        outputs,
        policy=found.facts,
        given=resolver.given,
        shapes=shapes,
    )


def shape_of(item: Input, name: str) -> Json:
    """Give how an input is put together: null for a version, else one pair of "value" or a kind of collection and what is in it."""
    if type(item) is Parameter:
        return {"value": item.json}
    if type(item) is not Collection:
        return None
    if item.kind is dict:
        return {"dict": [[values.to_json(key, name=name), shape_of(child, name)] for key, child in item.items.items()]}
    return {item.kind.__name__: [shape_of(child, name) for child in item.items.values()]}


@dataclass(slots=True)
class _Resolver:
    ended: Mapping[int, Any]
    policy: CachePolicy | None = None
    edges: list[InputEdge] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    given: dict[str, VersionRecord] = field(default_factory=dict)

    def resolve(self, path: str, item: Input) -> tuple[Any, Any]:
        """Give the input as `execute_step` takes it, and what of it enters the key."""
        if type(item) is OutputRef:
            outcome = self.ended[item.call.position]
            value = outcome.values.get(item.output, MISSING)
            return self._stored(path, outcome.versions[item.output], value, "step")
        if type(item) is Parameter:
            counts = self.policy is None or self.policy.include_step_parameters
            return item, ["parameter", digest.of("value/1", item.identity) if counts else ""]
        if type(item) is Collection:
            inputs: dict[Any, Any] = {}
            parts: list[Any] = []
            for key, child in item.items.items():
                inputs[key], part = self.resolve(f"{path}[{key!r}]", child)
                parts.append([digest.of("value/1", key), part] if item.kind is dict else part)
            return Collection(item.kind, inputs), {item.kind.__name__: parts}
        version = item.version  # type: ignore[union-attr]  # what remains has one
        assert version is not None, "values from outside are stored before the steps that take them are asked about"
        return self._stored(path, version, MISSING, "version")

    def _stored(self, path: str, version: VersionRecord, value: Any, kind: str) -> tuple[Stored, Any]:
        self.edges.append(InputEdge(path, version.id, kind))
        name = self.versions[path] = f"{version.artifact}@{version.version}"
        self.given[name] = version
        return Stored(version, value), version.identity if self.policy is None else artifact_part(self.policy, version)


@lru_cache(maxsize=1024)
def _output_ids(step: StepSpec, registry: Registry, generation: int) -> Mapping[str, str]:
    ids = {}
    for output in step.signature.outputs:
        chosen = step.materializers.get(output.name)
        if chosen is None and output.annotation is not MISSING:
            chosen = registry.for_type(output.annotation)
        ids[output.name] = "" if chosen is None else chosen.id
    return ids


def output_ids(step: StepSpec, registry: Registry) -> Mapping[str, str]:
    """Give the id of the materializer that each output's annotation selects, empty where only the value will tell."""
    return _output_ids(step, registry, registry.generation)


def is_asked(call: Call) -> bool:
    """Tell whether an earlier result may answer a call. Whatever it gives may answer later calls, which say for themselves."""
    enabled = call.options.enable_cache
    return bool(call.step.signature.outputs) if enabled is None else enabled  # without outputs, a step is run for what it does


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run that another goes on with: its name, and those of its step runs that succeeded, by the name of the call."""

    run_name: str
    step_runs: Mapping[str, StepRunRecord]

    def find(self, inquiry: Inquiry, call: Call, metadata: MetadataStore) -> CachedCall | None:
        """Give what the call gave in that run, if it had the same key; None when it did not, or when a version is gone."""
        step_run = self.step_runs.get(call.name)
        if step_run is None or step_run.cache_key != inquiry.key:
            return None
        outputs = dict(metadata.step_edges(step_run.id).outputs)
        if any(spec.name not in outputs for spec in call.step.signature.outputs):
            return None
        return CachedCall(step_run.cached_from or step_run.id, step_run.run_id, self.run_name, step_run.ended or 0, outputs)


def look_up(
    inquiry: Inquiry, call: Call, ahead: Ahead, metadata: MetadataStore, artifacts: Artifacts, resumed: Resumed | None = None
) -> Hit | None:
    """Find an earlier step run with the same key whose outputs can all be loaded, and say in `inquiry.decision` what was found.

    What has finished in a run that is resumed is given also when caching is off for it, and however old it is.
    """
    cached = None if resumed is None else resumed.find(inquiry, call, metadata)
    if cached is None:
        if not is_asked(call):
            inquiry.decision = "off"
            return None
        cached = ahead.find(inquiry.key)
        if cached is None:
            return None
        policy: CachePolicy | None = call.options.cache_policy
        if policy is not None and has_expired(policy, cached.ended, time.time_ns() // 1000):
            inquiry.decision = "expired"
            return None
    outputs: list[SameOutput | NewOutput] = []
    settled = True
    for spec in call.step.signature.outputs:
        version = cached.outputs[spec.name]
        if not artifacts.holds(version):
            inquiry.decision = "lost"
            return None
        inquiry.detail = artifacts.unreadable(version)
        if inquiry.detail:
            inquiry.decision = "release"
            return None
        name = call.outputs[spec.name]
        if version.artifact != name.artifact or name.version not in (None, version.version):
            output = _renamed(spec.name, name.artifact, name.version, version, metadata)
            settled = settled and isinstance(output, SameOutput)
            outputs.append(output)
        else:
            outputs.append(SameOutput(spec.name, version))
    inquiry.decision = "hit"
    return Hit(cached, outputs, settled)


def _renamed(output: str, artifact: str, version: str | None, found: VersionRecord, metadata: MetadataStore) -> SameOutput | NewOutput:
    """Give a cached value under the name that it has here: the newest version if that is this very value, else a new one."""
    try:
        latest = metadata.get_version(artifact, version)
    except NotFound:
        pass  # the name is new here
    else:
        if (
            latest.artifact == artifact
            and latest.state == "live"
            and latest.identity == found.identity
            and latest.materializer == found.materializer
        ):
            return SameOutput(output, latest)
    return NewOutput(
        new_id(),
        output,
        artifact,
        version,
        found.object,
        found.materializer,
        found.type,
        found.data_type,
        "step",
        found.tags,
        found.metadata,
        metadata.visualizations(found.id),
        found.content,
    )
