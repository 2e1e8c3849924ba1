"""What a step run's cache key was made of, part by part, beside the same parts of the call that it is compared with. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lineal.engine.why import Evidence, value_text
from lineal.engine.why_policy import counted
from lineal.model.records import CodeRecord, Json, StepRunRecord
from lineal.model.text import shown

SHORT = 12
"""Digits of a digest that are shown."""


class KeyPart(NamedTuple):
    """One part of a cache key.

    Attributes:
        kind: "code", "python", "package", "parameter", "input", "output" or "policy".
        name: Which one, such as the parameter's name.
        old: What it was in the call that this one is compared with, as text; None when there was no such part, or no such call.
        new: What it is; None when it is gone.
        same: Whether both say the same; None when there is no call to compare with.
    """

    kind: str
    name: str
    old: str | None
    new: str | None
    same: bool | None


def key_parts(evidence: Evidence) -> list[KeyPart]:
    """Give the parts, those that changed first; empty for a step run that never began.

    What was answered from the cache is compared with the call that made the answer: all its parts are the same.
    """
    if "decision" not in evidence.step_run.ingredients:
        return []
    before = evidence.origin or evidence.previous
    found = [*_parts(evidence, before)]
    return sorted(found, key=lambda part: part.same is not False)


def _parts(evidence: Evidence, before: StepRunRecord | None) -> Iterator[KeyPart]:
    new, old = evidence.step_run, before
    facts, earlier = new.ingredients, {} if old is None else old.ingredients
    policy = facts.get("policy") or {}
    known = before is not None
    if counted(policy, "step_code"):
        yield _part("code", "code", _short(earlier.get("code")), _short(facts.get("code")), known)
        yield from _versions(evidence.code, evidence.previous_code, known and earlier.get("code") == facts.get("code"), known)
    if counted(policy, "step_parameters"):
        ignored = policy.get("ignored_inputs", ())
        olds, news = ({name: value_text(node) for name, node in each.items() if name not in ignored} for each in _parameters(old, new))
        yield from _named("parameter", olds, news, known)
    yield from _inputs(earlier, facts, known)
    yield from _named("output", earlier.get("outputs", {}), facts.get("outputs", {}), known)
    olds, news = ({name: shown(str(value)) for name, value in (each or {}).items()} for each in (earlier.get("policy"), policy))
    yield from _named("policy", olds, news, known)


def _parameters(old: StepRunRecord | None, new: StepRunRecord) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    return ({} if old is None else old.parameters), new.parameters


def _versions(code: CodeRecord | None, before: CodeRecord | None, is_same: bool, known: bool) -> Iterator[KeyPart]:
    """Give Python and the packages that the code names, as far as they are known of the step run."""
    if code is None:
        return
    earlier = code if is_same or before is None else before
    yield _part("python", "python", earlier.parts.get("python") if known else None, code.parts.get("python"), known)
    yield from _named("package", earlier.parts.get("distributions", {}) if known else {}, code.parts.get("distributions", {}), known)


def _inputs(old: Mapping[str, Json], new: Mapping[str, Json], known: bool) -> Iterator[KeyPart]:
    """Inputs count by content; they are named by the versions that held it."""
    olds, news = old.get("inputs", {}), new.get("inputs", {})
    for name in {**news, **olds}:
        same = name in olds and name in news and olds[name] == news[name]
        yield KeyPart("input", name, _version(old, name) if known else None, _version(new, name), same if known else None)


def _version(facts: Mapping[str, Json], name: str) -> str | None:
    if name not in facts.get("inputs", {}):
        return None
    found = [version for path, version in facts.get("versions", {}).items() if path == name or path.startswith(f"{name}[")]
    if not found:
        return "a value"
    return shown(found[0]) if len(found) == 1 else f"{len(found)} versions, {shown(found[0])} first"


def _named(kind: str, old: Mapping[str, Json], new: Mapping[str, Json], known: bool) -> Iterator[KeyPart]:
    for name in {**new, **old}:
        yield _part(kind, name, old.get(name), new.get(name), known)


def _part(kind: str, name: str, old: Json, new: Json, known: bool) -> KeyPart:
    texts = [None if each is None else str(each) for each in (old, new)]
    return KeyPart(kind, name, texts[0], texts[1], old == new if known else None)


def _short(digest: str | None) -> str | None:
    return None if digest is None else digest[:SHORT]
