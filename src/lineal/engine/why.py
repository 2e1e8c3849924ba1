"""Says in words why a step run ran, or why its earlier result was given. Pure: all evidence is handed in.

A plan says the same of a step run that has not been: the sentences fit both.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineal.engine.undeclared import sentences
from lineal.engine.why_policy import counted, policy_changes
from lineal.errors import MaterializerError
from lineal.model import values
from lineal.model.entry import ARTIFACT, mark_of
from lineal.model.records import CodeRecord, Json, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.model.text import duration_text, shown, size_text, when_text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a step run and the earlier one that it is compared with.

    Attributes:
        step_run: The step run in question.
        cached_run: The run whose result was given, when it was.
        previous: The nearest earlier step run of the same pipeline and step that completed or was cached (see `nearest`).
        previous_run: The run of `previous`.
        code: Code of the step run, and `previous_code` that of `previous`, which is needed only when they differ.
        origin: The step run whose result was given, when it was.
        versions: Versions that went into either, by `artifact@version`, as far as they are still there.
        now: The time from which days are counted, in microseconds since 1970.
    """

    step_run: StepRunRecord
    cached_run: RunRecord | None = None
    previous: StepRunRecord | None = None
    previous_run: RunRecord | None = None
    code: CodeRecord | None = None
    previous_code: CodeRecord | None = None
    origin: StepRunRecord | None = None
    versions: Mapping[str, VersionRecord] = field(default_factory=dict)
    now: int = 0


def explain(evidence: Evidence, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    """Give the reasons as sentences, at least one: each that made it run begins with `ran: `, then comes what it was compared with.

    `explain_code` compares two code fingerprints as they are stored.
    """
    made_it = evidence.origin or evidence.step_run
    compared = _compared_with(evidence) if _is_compared(evidence) else []
    unknown = [f"not followed: {shown(each)}" for each in evidence.code.parts.get("not_followed", ())] if evidence.code else []
    return [*reasons(evidence, explain_code), *compared, *unknown, *sentences(made_it.ingredients.get("undeclared", {}))]


def in_brief(found: list[str]) -> str:
    """Give reasons on one short line: the first, and how many more there are."""
    return found[0] if len(found) == 1 else f"{found[0]}, and {len(found) - 1} more"


def nearest(step_run: StepRunRecord, earlier: Iterable[StepRunRecord]) -> StepRunRecord | None:
    """Give the step run that differs in the fewest things from this one, of equals the first; None when there is none.

    What differs from that one is what kept its result from being given.
    """
    return min(earlier, key=lambda each: _distance(each, step_run), default=None)


def _distance(one: StepRunRecord, other: StepRunRecord) -> int:
    before, after = one.ingredients, other.ingredients
    pairs = [(one.parameters, other.parameters), *((before.get(name, {}), after.get(name, {})) for name in ("inputs", "outputs", "policy"))]
    apart = sum(not _same(old.get(name), new.get(name)) for old, new in pairs for name in {**old, **new})
    return apart + (before.get("code") != after.get("code"))


def _is_compared(evidence: Evidence) -> bool:
    step_run = evidence.step_run
    return evidence.previous is not None and step_run.status is not Status.CACHED and step_run.ingredients.get("decision") == "miss"


def reasons(evidence: Evidence, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    """Give only the reasons, at least one. Those of a step run that is only planned say nothing of having run."""
    step_run = evidence.step_run
    ran = "" if step_run.status is Status.PENDING else "ran: "
    decision = step_run.ingredients.get("decision")
    if step_run.status is Status.SKIPPED:
        return [f"skipped: {step_run.error or 'a step that it needs did not succeed'}"]
    if decision is None:
        return [f"{step_run.status}: it never began"]
    if step_run.status is Status.CACHED:
        return [f"cached from {_run_text(evidence.cached_run, evidence.now)}"]
    if decision == "off":
        return [f"{ran}caching is off for this step: by enable_cache=False, or because it has no output and is run for what it does"]
    if decision == "expired":
        limit = duration_text(step_run.ingredients.get("policy", {}).get("expires_after"))
        return [f"{ran}the same call ran before, and its result is older than the cache policy allows (expires_after: {limit})"]
    if decision == "lost":
        return [f"{ran}the same call ran before, and its stored bytes were lost"]
    if decision == "release":
        return [
            f"{ran}the same call ran before, and what it gave cannot be read here: {shown(step_run.ingredients.get('detail', ''), 300)}"
        ]
    if evidence.previous is None:
        return [f"{ran}first time"]
    found = changes(evidence, evidence.previous, explain_code) or [_unexplained(step_run, evidence.previous)]
    return [f"{ran}{change}" for change in found]


def differences(evidence: Evidence, explain_code: Callable[[Json, Json], list[str]]) -> list[str]:
    """Say what differs from the earlier step run, and from which run that is; nothing when none is known."""
    found = [] if evidence.previous is None else changes(evidence, evidence.previous, explain_code)
    return found and [*found, *_compared_with(evidence)]


def _compared_with(evidence: Evidence) -> list[str]:
    return [f"compared with {_run_text(evidence.previous_run, evidence.now)}"]


def value_text(node: Json, longest: int = 60) -> str:
    """Give a parameter, held as typed JSON, as short text on one line: the `repr` of its value where that can be had here."""
    if mark_of(node) == ARTIFACT:
        return shown(node[ARTIFACT], longest)
    try:
        text = repr(values.from_json(node))
    except MaterializerError:  # its class is not loaded in this process
        text = json.dumps(node, ensure_ascii=False)
    return shown(text, longest)


def _run_text(run: RunRecord | None, now: int) -> str:
    return "an earlier run" if run is None else f"run {shown(run.name)} of {when_text(run.started, now)}"


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
    said += _input_changes(old, new, evidence.versions)
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
            changes.append(f"parameter `{shown(name)}` {value_text(old[name])} -> {value_text(new[name])}")
    return changes


def _same(old: Json, new: Json) -> bool:
    # As text: `1`, `1.0` and `true` are equal in Python, and different parameters.
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def _input_changes(old: Mapping[str, Json], new: Mapping[str, Json], known: Mapping[str, VersionRecord]) -> list[str]:
    olds, news = old.get("inputs", {}), new.get("inputs", {})
    changes = []
    for name in sorted({*olds, *news}):
        if name not in olds:
            changes.append(f"input `{shown(name)}` is new")
        elif name not in news:
            changes.append(f"input `{shown(name)}` is gone")
        elif olds[name] != news[name]:
            changes += _version_changes(name, old.get("versions", {}), new.get("versions", {}), known) or [f"input `{shown(name)}` changed"]
    return changes


def _version_changes(name: str, old: Mapping[str, str], new: Mapping[str, str], known: Mapping[str, VersionRecord]) -> list[str]:
    """Say which versions under one input differ; a list or dict of versions has a path for each: `parts[2]`."""
    paths = [path for path in {**old, **new} if path == name or path.startswith(f"{name}[")]
    return [
        f"input `{shown(path)}` changed ({_step_between(old.get(path, ''), new.get(path, ''), known)})"
        for path in paths
        if old.get(path) != new.get(path)
    ]


def _step_between(old: str, new: str, known: Mapping[str, VersionRecord]) -> str:
    """Give `v3 -> v4: 12 rows more` for two versions of one artifact, both names in full for others."""
    names = [shown(each or "nothing") for each in (old, new)]
    (one, _, before), (other, _, after) = old.rpartition("@"), new.rpartition("@")
    if one == other:
        names = [f"v{each}" if each.isdigit() else shown(each) for each in (before, after)]
    text = " -> ".join(names)
    if old not in known or new not in known:
        return text
    grown = _growth(known[old], known[new])
    return f"{text}: {grown}" if grown else text


def _growth(old: VersionRecord, new: VersionRecord) -> str:
    """Say how many rows, items or bytes more or fewer there are: the first of them that is known of both."""
    lengths = [(_rows(each.metadata), each.metadata.get("length")) for each in (old, new)]
    for unit, one, other in zip(("row", "item"), *lengths, strict=True):
        if isinstance(one, int) and isinstance(other, int):
            noun = unit if abs(other - one) == 1 else f"{unit}s"
            return f"{abs(other - one):,} {noun} {'more' if other > one else 'fewer'}" if one != other else f"as many {unit}s"
    size = new.object.size - old.object.size
    return f"{size_text(abs(size))} {'more' if size > 0 else 'less'}" if size else ""


def _rows(metadata: Mapping[str, Json]) -> Json:
    shape = metadata.get("shape")
    return shape[0] if isinstance(shape, list) and shape else metadata.get("rows")


def _named_changes(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{what} `{shown(name)}` changed: {shown(old.get(name) or 'none')} -> {shown(new.get(name) or 'none')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _unexplained(step_run: StepRunRecord, previous: StepRunRecord) -> str:
    if step_run.cache_key == previous.cache_key:
        return "nothing changed, but the earlier result was not there to be given: deleted since, or made at the same time"
    return "its cache key changed, though none of its parts that are recorded did"
