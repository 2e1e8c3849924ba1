"""Says before a step runs that what it will give can only be pickled: after hours of work it would be too late to change it."""

import inspect
import types
import typing
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from lineal.errors import NoMaterializer
from lineal.graph.plan import Call
from lineal.graph.step import MISSING, StepSpec
from lineal.materializers.pickled import warn_to_be_pickled
from lineal.materializers.registry import Registry, bare
from lineal.model import values
from lineal.model.scripts import module_of


class Unsafe(NamedTuple):
    """An output for which there is no materializer that cannot run code. `cls` is None when it was given such a materializer."""

    output: str
    cls: type | None
    materializer: str


def refuse(calls: Iterable[Call], registry: Registry) -> None:
    """Raise NoMaterializer when an output of these calls can only be pickled, which the policy forbids. Names all such outputs."""
    found = {
        f"output {each.output!r} of step {call.name!r} ({_name(each.cls) if each.cls else 'given'}: {each.materializer})": None
        for call in calls
        for each in unsafe_outputs(call.step, registry)
    }
    if found:
        raise NoMaterializer(
            f'nothing was run, because loading {", ".join(found)} could run code, and the setting pickle = "forbid" does not allow it; '
            "register a materializer for the type, annotate a type that has one, or set LINEAL_PICKLE=own"
        )


def foretell(call: Call, pipeline: str, registry: Registry) -> None:
    """Warn, once for each type, that an output of a call that is about to run will be pickled."""
    for each in unsafe_outputs(call.step, registry):
        if each.cls is not None:
            warn_to_be_pickled(each.cls, f"output {each.output!r} of step {call.name!r} of pipeline {pipeline!r}")


def unsafe_outputs(step: StepSpec, registry: Registry) -> tuple[Unsafe, ...]:
    """Give the outputs of a step for which there is no safe materializer; those of which only the value will tell are left out."""
    return _unsafe_outputs(step, registry, registry.generation)


@lru_cache(maxsize=1024)
def _unsafe_outputs(step: StepSpec, registry: Registry, generation: int) -> tuple[Unsafe, ...]:
    return tuple(_find(step, registry))


def _find(step: StepSpec, registry: Registry) -> Iterator[Unsafe]:
    for output in step.signature.outputs:
        given = step.materializers.get(output.name)
        if given is not None:
            if not given.safe:
                yield Unsafe(output.name, None, given.id)
        elif output.annotation is not MISSING:
            cls = _unsafe_class(output.annotation, registry)
            if cls is not None:
                yield Unsafe(output.name, cls, registry.for_class(cls)[0].id)


def _unsafe_class(annotation: Any, registry: Registry) -> type | None:
    """Give the class in an annotation whose values have no safe materializer. Of a union every member must be such a class."""
    annotation = bare(annotation)
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        found = [_unsafe_class(each, registry) for each in arguments if each is not type(None)]
        return found[0] if None not in found else None
    cls = annotation if origin is None else origin
    if not isinstance(cls, type) or cls in (Any, object, type(None)) or typing.is_typeddict(cls) or _is_open(cls):
        return None
    if cls in values.NESTING:
        return next(filter(None, (_unsafe_class(each, registry) for each in arguments if each is not Ellipsis)), None)
    return None if _may_be_safe(cls, registry) else cls


def _is_open(cls: type) -> bool:
    # No value is an instance of exactly this class: another one will tell.
    return inspect.isabstract(cls) or bool(getattr(cls, "_is_protocol", False))


def _may_be_safe(cls: type, registry: Registry) -> bool:
    """Tell whether instances of the class, or of a subclass that is loaded, have a materializer that cannot run code."""
    waiting, seen = [cls], {cls}
    while waiting:
        each = waiting.pop()
        candidates = registry.for_class(each)
        if not candidates or any(one.safe for one in candidates):
            return True
        derived: set[type] = set(type.__subclasses__(each)) - seen
        seen |= derived
        waiting += derived
    return False


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{module_of(cls)}.{cls.__qualname__}"
