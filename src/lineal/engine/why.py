"""Says in words why a step run ran, or why its earlier result was given. Pure: all evidence is handed in.

A plan says the same of a step run that has not been: the sentences fit both.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lineal.engine.undeclared import sentences
from lineal.engine.why_policy import counted, policy_changes
from lineal.errors import MaterializerError
from lineal.model import values
from lineal.model.records import CodeRecord, Json, RunRecord, StepRunRecord
from lineal.model.states import Status
from lineal.model.text import duration_text, moment_text, shown


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a step run and the one before it.

    Attributes:
        step_run: The step run in question.
        cached_run: The run whose result was given, when it was.
        previous: The newest earlier step run of the same pipeline and step that completed or was cached.
        previous_run: The run of `previous`.
        code: Code of the step run, and `previous_code` that of `previous`; needed only when they differ.
        origin: The step run whose result was given, when it was.
    """

    step_run: StepRunRecord
    cached_run: RunRecord | None = None
    previous: StepRunRecord | None = None
    previous_run: RunRecord | None = None
    code: CodeRecord | None = None
    previous_code: CodeRecord | None = None
    origin: StepRunRecord | None = None


def explain(evidence: Evidence, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    """Give the reasons as sentences, at least one. `explain_code` compares two code fingerprints as they are stored."""
    made_it = evidence.origin or evidence.step_run
    return [*_reasons(evidence, explain_code), *sentences(made_it.ingredients.get("undeclared", {}))]


def _reasons(evidence: Evidence, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    step_run = evidence.step_run
    decision = step_run.ingredients.get("decision")
    if step_run.status is Status.SKIPPED:
        return [f"skipped: {step_run.error or 'a step that it needs did not succeed'}"]
    if decision is None:
        return [f"{step_run.status}: it never began"]
    if step_run.status is Status.CACHED:
        return [f"cached: the same code, parameters and inputs as in {_run_text(evidence.cached_run)}, whose result is given"]
    if decision == "off":
        return ["caching is off for this step: by enable_cache=False, or because it has no output and is run for what it does"]
    if decision == "expired":
        limit = duration_text(step_run.ingredients.get("policy", {}).get("expires_after"))
        return [f"the same call ran before, and its result is older than the cache policy allows (expires_after: {limit})"]
    if decision == "lost":
        return ["the same call ran before, but bytes of its result are not in the store any more: they must be made again"]
    if evidence.previous is None:
        return ["first time: no earlier run of this pipeline has completed this step"]
    return differences(evidence, explain_code) or [_unexplained(step_run, evidence.previous, _since(evidence))]


def differences(evidence: Evidence, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    """Say what differs from the step run before, and from which run that is; nothing when none is known."""
    if evidence.previous is None:
        return []
    return [f"{change} ({_since(evidence)})" for change in changes(evidence, evidence.previous, explain_code)]


def _since(evidence: Evidence) -> str:
    return f"compared with {_run_text(evidence.previous_run)}"


def value_text(node: Json, longest: int = 60) -> str:
    """Give a parameter, held as typed JSON, as short text on one line: the `repr` of its value where that can be had here."""
    if isinstance(node, dict) and set(node) == {"$artifact"}:
        return shown(node["$artifact"], longest)
    try:
        text = repr(values.from_json(node))
    except MaterializerError:  # its class is not loaded in this process
        text = json.dumps(node, ensure_ascii=False)
    return shown(text, longest)


def _run_text(run: RunRecord | None) -> str:
    return "an earlier run" if run is None else f"run {shown(run.name)} of {moment_text(run.started)}"


def changes(evidence: Evidence, previous: StepRunRecord, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    """Say what differs between a step run and an earlier one: code, parameters, inputs, materializers, cache policy."""
    new, old = evidence.step_run.ingredients, previous.ingredients
    policy = new.get("policy", {})
    said = []
    if new.get("code") != old.get("code") and counted(policy, "step_code"):
        if evidence.code is not None and evidence.previous_code is not None:
            said += explain_code(*(_without_versions(each.parts, policy) for each in (evidence.previous_code, evidence.code)))
        said = said or (["its code changed"] if counted(policy, "package_versions") else [])
    if counted(policy, "step_parameters"):
        ignored = policy.get("ignored_inputs", ())
        said += _parameter_changes(
            *({name: node for name, node in each.parameters.items() if name not in ignored} for each in (previous, evidence.step_run))
        )
    said += _input_changes(old, new)
    said += _named_changes("materializer of output", old.get("outputs", {}), new.get("outputs", {}))
    return said + policy_changes(old.get("policy", {}), policy)


def _without_versions(parts: Json, policy: Mapping[str, Json]) -> Json:
    """Give a stored fingerprint with what counts of it: versions of packages may not."""
    return parts if counted(policy, "package_versions") else {**parts, "distributions": {}}


def _parameter_changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    changes = []
    for name in sorted({*old, *new}):
        if name not in old:
            changes.append(f"parameter `{shown(name)}` is new: {value_text(new[name])}")
        elif name not in new:
            changes.append(f"parameter `{shown(name)}` is gone; it was {value_text(old[name])}")
        elif not _same(old[name], new[name]):
            changes.append(f"parameter `{shown(name)}` changed: {value_text(old[name])} -> {value_text(new[name])}")
    return changes


def _same(old: Json, new: Json) -> bool:
    # As text: `1`, `1.0` and `true` are equal in Python, and different parameters.
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def _input_changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    olds, news = old.get("inputs", {}), new.get("inputs", {})
    changes = []
    for name in sorted({*olds, *news}):
        if name not in olds:
            changes.append(f"input `{shown(name)}` is new")
        elif name not in news:
            changes.append(f"input `{shown(name)}` is gone")
        elif olds[name] != news[name]:
            changes += _version_changes(name, old.get("versions", {}), new.get("versions", {})) or [f"input `{shown(name)}` changed"]
    return changes


def _version_changes(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Say which versions under one input differ; a list or dict of versions has a path for each: `parts[2]`."""
    paths = [path for path in {**old, **new} if path == name or path.startswith(f"{name}[")]
    return [
        f"input `{shown(path)}` changed: {shown(old.get(path, 'nothing'))} -> {shown(new.get(path, 'nothing'))}"
        for path in paths
        if old.get(path) != new.get(path)
    ]


def _named_changes(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{what} `{shown(name)}` changed: {shown(old.get(name) or 'none')} -> {shown(new.get(name) or 'none')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _unexplained(step_run: StepRunRecord, previous: StepRunRecord, since: str) -> str:
    if step_run.cache_key == previous.cache_key:
        return f"nothing changed ({since}), but that result was not there to be given: deleted since, or made at the same time"
    return f"its cache key changed, though none of its parts that are recorded did ({since})"
