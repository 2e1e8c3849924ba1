"""Says in words what differs between what the cache policies of two calls added to their keys."""

from collections.abc import Iterator, Mapping

from lineal.model.records import Json
from lineal.model.text import shown

_COUNTED = {
    "step_code": "changes of the step's code",
    "step_parameters": "parameters",
    "artifact_values": "contents of inputs",
    "package_versions": "versions of packages",
}
_NOUNS = {"files": "file", "sources": "declared code", "environment": "environment variable"}


def policy_changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    """Give the differences as sentences. Both are the facts that `dependencies` gave, empty without a policy."""
    before, after = old.get("left_out", ()), new.get("left_out", ())
    said = [
        f"cache policy changed: {text} {_counts(name not in after)}"
        for name, text in _COUNTED.items()
        if (name in before) != (name in after)
    ]
    if bool(old.get("artifact_ids")) != bool(new.get("artifact_ids")):
        said.append(f"cache policy changed: ids of inputs {_counts(bool(new.get('artifact_ids')))}")
    if old.get("ignored_inputs") != new.get("ignored_inputs"):
        said.append(f"cache policy changed: ignored inputs are {', '.join(map(shown, new.get('ignored_inputs', ()))) or 'none'}")
    for name, noun in _NOUNS.items():
        said += _differences(noun, old.get(name, {}), new.get(name, {}))
    return said + _results(old.get("cache_func"), new.get("cache_func"))


def counted(facts: Mapping[str, Json], what: str) -> bool:
    """Tell whether the policy with these facts lets a part of the key count: "step_code", "step_parameters" and so on."""
    return what not in facts.get("left_out", ())


def _counts(now: bool) -> str:
    return "count now" if now else "do not count any more"


def _differences(noun: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"{noun} `{shown(name)}` is declared now"
        elif name not in new:
            yield f"{noun} `{shown(name)}` is no longer declared"
        elif old[name] != new[name]:
            yield f"{noun} `{shown(name)}` changed"


def _results(old: Mapping[str, Json] | None, new: Mapping[str, Json] | None) -> list[str]:
    if old is None or new is None:
        return [] if old is new else [f"cache_func is {'used now' if old is None else 'no longer used'}"]
    if old["result"] != new["result"]:
        return [f"what cache_func gives changed: {shown(repr(old['result']))} -> {shown(repr(new['result']))}"]
    return ["the code of cache_func changed"] if old["code"] != new["code"] else []
