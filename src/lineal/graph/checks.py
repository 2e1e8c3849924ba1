"""Checks where values pass between a step and the store: loaded inputs going in, returned outputs coming out."""

import io
import types
from typing import Any

from lineal.errors import InputError, OutputError
from lineal.graph.describe import describe, describe_value
from lineal.graph.fits import accepts, mismatch, takes_anything
from lineal.graph.step import InputSpec, OutputSpec, Signature

_NOT_AWAITED = "define the step with `def` and run what it awaits with asyncio.run(...)"
_LAZY_ITERATOR = "its values exist only while it is read; return list(...) of it"
_OPEN_FILE = "an open file cannot be kept; return its content or its pathlib.Path"

_UNKEEPABLE: dict[type, str] = {
    types.GeneratorType: _LAZY_ITERATOR,
    types.CoroutineType: _NOT_AWAITED,
    types.AsyncGeneratorType: _NOT_AWAITED,
    map: _LAZY_ITERATOR,
    filter: _LAZY_ITERATOR,
    zip: _LAZY_ITERATOR,
    enumerate: _LAZY_ITERATOR,
    io.TextIOWrapper: _OPEN_FILE,
    io.BufferedReader: _OPEN_FILE,
    io.BufferedWriter: _OPEN_FILE,
    io.BufferedRandom: _OPEN_FILE,
    io.FileIO: _OPEN_FILE,
}


def check_input(spec: InputSpec, value: object, where: str) -> None:
    """Raise InputError when a loaded artifact's value does not fit the annotation of the argument. A default always fits."""
    if type(value) is spec.annotation or value is spec.default or accepts(spec.annotation, value):
        return
    raise InputError(
        f"{where}: the input {spec.name!r} {mismatch(spec.annotation, value)}; give another artifact, or change the annotation"
    )


def split_outputs(signature: Signature, value: Any, where: str) -> tuple[Any, ...]:
    """Give what a step's function returned as one value per output, checked. `where` names the step: "step 'train'".

    Raises OutputError that names step, output, expected and got: for a wrong type or count, for None that is not annotated, for a
    value where `-> None` is annotated, and for what cannot be kept: a generator or other lazy iterator, a coroutine, an open file.
    """
    outputs = signature.outputs
    if signature.multiple:
        if not isinstance(value, tuple) or len(value) != len(outputs):
            raise OutputError(_wrong_count(signature, value, where))
        for spec, item in zip(outputs, value, strict=True):
            if type(item) is not spec.annotation or type(item) in _UNKEEPABLE:
                _check_output(spec, item, where)
        return tuple(value)
    if outputs:
        if type(value) is not outputs[0].annotation or type(value) in _UNKEEPABLE:  # else there is nothing to ask
            _check_output(outputs[0], value, where)
        return (value,)
    if value is not None:
        _discard(value)
        raise OutputError(
            f"{where} is annotated `-> None`, so it has no output, but returned {describe_value(value)}; annotate what it returns"
        )
    return ()


def _check_output(spec: OutputSpec, value: object, where: str) -> None:
    remedy = _UNKEEPABLE.get(type(value))
    if remedy is not None:
        _discard(value)
        expected = "cannot be" if takes_anything(spec.annotation) else f"must be {describe(spec.annotation)}, got"
        raise OutputError(f"{where}: the output {spec.name!r} {expected} {describe_value(value)}: {remedy}")
    if not accepts(spec.annotation, value):
        hint = "; does each branch return? Annotate `... | None` if None is meant" if value is None else ""
        raise OutputError(f"{where}: the output {spec.name!r} {mismatch(spec.annotation, value)}{hint}")


def _wrong_count(signature: Signature, value: Any, where: str) -> str:
    names = ", ".join(spec.name for spec in signature.outputs)
    expected = f"{where} must return a tuple of {len(signature.outputs)} values for its outputs {names}"
    remedy = _UNKEEPABLE.get(type(value))
    _discard(value)
    return f"{expected}; got {describe_value(value)}{f': {remedy}' if remedy else ''}"


def _discard(value: object) -> None:
    if isinstance(value, types.CoroutineType):
        value.close()  # else Python warns later, elsewhere, that it was never awaited
