"""A pipeline as data: calls of steps, what each takes from where, and in which order they can run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lineal.errors import CallError
from lineal.materializers.base import AnyMaterializer
from lineal.model.records import VersionRecord

from .step import Options, StepSpec


@dataclass(frozen=True, slots=True)
class Parameter:
    """A plain value given to a step, already coerced to its annotation: `json` restores it, `identity` enters the cache key."""

    value: Any
    json: Any
    identity: Any


@dataclass(frozen=True, slots=True)
class OutputRef:
    """The output of an earlier call of the same plan."""

    call: "Call"
    output: str


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A stored version, from this or another pipeline."""

    version: VersionRecord


@dataclass(slots=True, eq=False)
class ExternalRef:
    """A value from outside, which is stored as a version of `artifact` before the call runs; `version` is there from then on.

    `where` names it in errors, `materializer` None lets its type choose. Compared by identity.
    """

    value: Any
    materializer: AnyMaterializer | None
    where: str
    artifact: str = ""
    version: VersionRecord | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, tuple or dict that holds at least one reference. `items` has the keys 0, 1, 2 … for lists and tuples."""

    kind: type
    items: Mapping[Any, "Input"]


Input = Parameter | OutputRef | VersionRef | ExternalRef | Collection


class OutputName(NamedTuple):
    """Under which name, and which explicit version if any, an output of a call is stored; placeholders are filled in."""

    artifact: str
    version: str | None = None


@dataclass(slots=True, eq=False)
class Call:
    """One call of a step in a pipeline: `name` is unique in its plan. Compared by identity."""

    name: str
    step: StepSpec
    inputs: Mapping[str, Input]
    after: tuple["Call", ...]
    options: Options
    position: int
    outputs: Mapping[str, OutputName] = field(default_factory=dict)
    externals: tuple[ExternalRef, ...] = ()
    versions: tuple[VersionRef, ...] = ()
    _upstream: tuple["Call", ...] | None = field(default=None, init=False, repr=False)

    def wait_for(self, calls: Sequence["Call"]) -> None:
        """Let it start only when these have ended too."""
        self.after = (*self.after, *calls)
        self._upstream = None

    def upstream(self) -> tuple["Call", ...]:
        """Give the calls that must end before this one, each at least once. Looked up once: several ask."""
        if self._upstream is None:
            refs = (ref for _, ref in references(self.inputs))
            self._upstream = (*self.after, *(ref.call for ref in refs if isinstance(ref, OutputRef)))
        return self._upstream


def references(inputs: Mapping[str, Input]) -> Iterator[tuple[str, OutputRef | VersionRef | ExternalRef]]:
    """Give each reference in the inputs with its path: `data`, `parts[2]`, `parts['a'][0]`."""
    stack: list[tuple[str, Input]] = list(inputs.items())[::-1]
    while stack:
        path, item = stack.pop()
        if isinstance(item, Collection):
            stack.extend((f"{path}[{key!r}]", child) for key, child in list(item.items.items())[::-1])
        elif not isinstance(item, Parameter):
            yield path, item


def outline(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Give what is to come as JSON, for who follows the run: of each call its name, its step, the calls that it needs, its outputs."""
    return [
        {"name": call.name, "step": call.step.name, "upstream": _names(call.upstream()), "outputs": list(call.outputs)} for call in calls
    ]


def _names(calls: Sequence[Call]) -> list[str]:
    return [calls[0].name] if len(calls) == 1 else sorted({call.name for call in calls})


def needed_for(call: Call) -> list[Call]:
    """Give the calls that `call` needs, itself included, in the order of the definition. No recursion: plans may be deep."""
    seen: dict[int, Call] = {call.position: call}
    stack = [call]
    while stack:
        for earlier in stack.pop().upstream():
            if earlier.position not in seen:
                seen[earlier.position] = earlier
                stack.append(earlier)
    return [seen[position] for position in sorted(seen)]


def check_order(calls: Sequence[Call]) -> None:
    """Raise CallError when calls wait for each other in a circle, naming them. Only `after=` can close one: data flows forward."""
    if not any(call.after for call in calls):
        return
    among = {call.position for call in calls}
    waiting = {call.position: {earlier.position for earlier in call.upstream()} & among for call in calls}
    followers: dict[int, list[int]] = {}
    for position, needs in waiting.items():
        for need in needs:
            followers.setdefault(need, []).append(position)
    ready = [position for position, needs in waiting.items() if not needs]
    while ready:
        position = ready.pop()
        del waiting[position]
        for follower in followers.get(position, ()):
            waiting[follower].discard(position)
            if not waiting[follower]:
                ready.append(follower)
    if waiting:
        stuck = [call.name for call in calls if call.position in waiting]
        raise CallError(f"these steps wait for each other in a circle through `after`: {', '.join(stuck)}; remove one of the orders")
