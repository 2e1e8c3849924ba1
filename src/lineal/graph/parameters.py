"""Parameters: plain values, brought to their annotation by pydantic's lax rules, and without pydantic where there is nothing to do."""

import collections.abc
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, NewType, Protocol, Union, get_args, get_origin

from lineal.errors import ParameterError
from lineal.graph.annotations import is_alias, per_annotation
from lineal.graph.describe import describe, describe_value
from lineal.graph.fits import accepts, mismatch, takes_anything
from lineal.graph.step import MISSING, ArtifactConfig, InputSpec

# pydantic gives back a lazy iterator for these, which could be read only once.
_STREAMS = frozenset(
    {
        collections.abc.Iterable,
        collections.abc.Iterator,
        collections.abc.Generator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncIterator,
    }
)


class _Adapter(Protocol):
    def validate_python(self, object: Any, /) -> Any:
        """Give the value in the annotated type."""


def coerce_parameter(spec: InputSpec, value: Any, where: str) -> Any:
    """Give a parameter in the type of its annotation: `1` for a `float` becomes `1.0`, `"3"` for an `int` becomes `3`.

    A default is taken as it is. So is any value where the annotation is missing, Any, object, a protocol or an abstract class; a
    class that pydantic cannot parse takes its instances. `where` names the step in messages: "step 'train'".

    Raises ParameterError that names step, parameter, expected and got.
    """
    annotation = spec.annotation
    if type(value) is annotation or annotation is MISSING or value is spec.default or _fits_exactly(annotation)(value):
        return value
    adapter = _adapter(annotation)
    if adapter is None:
        if accepts(annotation, value):
            return value
        raise ParameterError(f"{where}: the parameter {spec.name!r} {mismatch(annotation, value)}")
    try:
        return adapter.validate_python(value)
    except ValueError as error:  # pydantic's ValidationError is one
        expected = f"must be {describe(annotation)}, got {describe_value(value)}"
        raise ParameterError(f"{where}: the parameter {spec.name!r} {expected}: {_reason(error)}") from error


def _reason(error: Any) -> str:
    """Give pydantic's messages, the first three, each with the path to the value that it is about."""
    found = error.errors(include_url=False, include_context=False, include_input=False) if hasattr(error, "errors") else []
    reasons = [f"{''.join(f'[{key!r}]' for key in each['loc'])} {each['msg']}".strip() for each in found[:3]] or [str(error)]
    return f"{'; '.join(reasons)}{f'; and {len(found) - 3} more' if len(found) > 3 else ''}"


@per_annotation
def _adapter(annotation: Any) -> _Adapter | None:
    if _mentions_stream(annotation):
        return None
    # Imported for the first value that needs it: most parameters have their type already, and it costs 0.15 s.
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
    from pydantic_core import SchemaError

    try:
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
        except PydanticUserError as error:
            if error.code != "type-adapter-config-unused":  # models, dataclasses and typed dicts bring their own configuration
                raise
            adapter = TypeAdapter(annotation)
    except (PydanticUserError, PydanticUndefinedAnnotation, SchemaError):
        return None  # a type that pydantic cannot parse: only its instances are taken
    return adapter


def _mentions_stream(annotation: Any) -> bool:
    if annotation in _STREAMS if isinstance(annotation, type) else get_origin(annotation) in _STREAMS:
        return True
    return any(_mentions_stream(argument) for argument in get_args(annotation) if not isinstance(argument, str | int | bytes | list))


@per_annotation
def _fits_exactly(annotation: Any) -> Callable[[Any], bool]:
    """Give a test that is true only for values which pydantic would give back unchanged. A false answer costs time, nothing else."""
    if takes_anything(annotation):
        return lambda value: True
    if isinstance(annotation, NewType):
        return _fits_exactly(annotation.__supertype__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_alias(annotation) or is_alias(origin):  # it may name itself, which pydantic can follow
        return lambda value: False
    if origin is None:
        return lambda value: type(value) is annotation
    if origin is Union or origin is types.UnionType:
        return _any_of([_fits_exactly(argument) for argument in arguments])
    if origin is Literal:
        return lambda value: accepts(annotation, value) and type(value).__module__ != "numpy"
    if origin is Annotated and all(isinstance(extra, str | ArtifactConfig) for extra in annotation.__metadata__):
        return _fits_exactly(arguments[0])
    if origin in (list, set, frozenset) and len(arguments) == 1:
        element = _fits_exactly(arguments[0])
        return lambda value: type(value) is origin and all(map(element, value))
    if origin is dict and len(arguments) == 2:
        key, item = map(_fits_exactly, arguments)
        return lambda value: type(value) is dict and all(map(key, value)) and all(map(item, value.values()))
    return lambda value: False


def _any_of(tests: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    return lambda value: any(test(value) for test in tests)
