"""From a function to the signature of a step, and from the arguments of a call to named inputs.

The front of what the graph knows about values: what passes between a step and the world is checked by the functions named here.
"""

import difflib
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, get_args, get_origin

from lineal.errors import CallError, DefinitionError, UsageError
from lineal.graph.annotations import unalias
from lineal.graph.checks import check_input, split_outputs
from lineal.graph.describe import describe
from lineal.graph.fits import accepts
from lineal.graph.hints import resolve
from lineal.graph.parameters import coerce_parameter
from lineal.graph.returns import literal_returns
from lineal.graph.step import MISSING, ArtifactConfig, InputSpec, OutputSpec, Signature
from lineal.model.metadata import hold_metadata
from lineal.model.naming import check_tags, check_template, check_version_template

__all__ = ["accepts", "bind", "check_input", "coerce_parameter", "describe", "parameters_of", "signature_of", "split_outputs"]

ARTIFACT_TYPES = ("data", "model", "schema", "statistics", "service")
_TAKEN = {"after": "orders calls without data", "id": "names a call"}


def signature_of(function: Callable[..., Any], name: str) -> Signature:
    """Give the signature of a step: its inputs from the arguments, its outputs from the return annotation and the body.

    Args:
        function: A function made with `def`, or what a decorator that uses `functools.wraps` made of one.
        name: The step's name, for messages.

    Raises DefinitionError, naming step and argument or output and giving the remedy, for what cannot be a step.
    """
    of = f"step {name!r}"
    plain = _plain_function(function, of)
    annotations = resolve(plain, of)
    inputs = _inputs(of, function, annotations)
    for taken in _TAKEN.keys() & {spec.name for spec in inputs}:
        raise DefinitionError(f"{of}: the argument name {taken!r} is taken, it {_TAKEN[taken]}; rename the argument")
    returned = annotations.get("return", MISSING)
    if returned is None or returned is types.NoneType:
        return Signature(inputs, ())
    elements = _several(plain, of, returned)
    if elements is None:
        return Signature(inputs, (_output(of, "output", returned),))
    outputs = tuple(_output(of, f"output_{index}", element) for index, element in enumerate(elements))
    _check_distinct(of, [output.name for output in outputs])
    return Signature(inputs, outputs, multiple=True)


def parameters_of(function: Callable[..., Any], name: str) -> Signature:
    """Give the signature of a pipeline: its parameters, and no outputs. Raises DefinitionError as `signature_of` does."""
    of = f"pipeline {name!r}"
    plain = _plain_function(function, of)
    return Signature(_inputs(of, function, resolve(plain, of, returns=False)), (), of="pipeline")


def _plain_function(function: Callable[..., Any], of: str) -> types.FunctionType:
    plain = inspect.unwrap(function)
    if isinstance(function, type | types.MethodType) or not isinstance(plain, types.FunctionType):
        raise DefinitionError(f"{of} must be a function, got {function!r:.80}; write a function with `def` that calls it")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise DefinitionError(f"{of} is async; define it with `def` and run what it awaits with asyncio.run(...)")
    if inspect.isgeneratorfunction(function):
        raise DefinitionError(f"{of} is a generator (it has a `yield`); collect the values and return them as a list")
    return plain


def _inputs(of: str, function: Callable[..., Any], annotations: Mapping[str, Any]) -> tuple[InputSpec, ...]:
    return tuple(_input(of, parameter, annotations) for parameter in inspect.signature(function).parameters.values())


def _input(of: str, parameter: inspect.Parameter, annotations: Mapping[str, Any]) -> InputSpec:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
        raise DefinitionError(
            f"{of}: the argument {(stars + parameter.name)!r} has no fixed name; name each argument, or take a list or a dict instead"
        )
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise DefinitionError(f"{of}: the argument {parameter.name!r} is positional-only, but inputs go by name; remove the `/`")
    return InputSpec(
        parameter.name,
        annotations.get(parameter.name, MISSING),
        MISSING if parameter.default is parameter.empty else parameter.default,
        parameter.kind is parameter.KEYWORD_ONLY,
    )


def _several(function: types.FunctionType, of: str, returned: Any) -> tuple[Any, ...] | None:
    """Give the annotations of several outputs, or None when there is one."""
    annotation = unalias(returned)
    elements = get_args(annotation) if get_origin(annotation) is tuple else ()
    if len(elements) < 2 or Ellipsis in elements:
        return None
    lengths = literal_returns(function)
    if not lengths:
        return None
    wrong = [length for length in lengths if length not in (None, len(elements))]
    if wrong:
        raise DefinitionError(
            f"{of} returns {wrong[0]} values where its annotation {describe(annotation)} has {len(elements)}; make them equal"
        )
    return elements


def _output(of: str, default_name: str, annotation: Any) -> OutputSpec:
    annotation = unalias(annotation)
    config = ArtifactConfig()
    if get_origin(annotation) is Annotated:
        config = _config(of, default_name, annotation.__metadata__)
        annotation = get_args(annotation)[0]
    return OutputSpec(config.name or default_name, annotation, config)


def _config(of: str, output: str, extras: Sequence[Any]) -> ArtifactConfig:
    configs = [extra for extra in extras if isinstance(extra, ArtifactConfig)]
    names = [extra for extra in extras if isinstance(extra, str)] + [config.name for config in configs if config.name is not None]
    if len(names) > 1 or len(configs) > 1:
        shown = ", ".join(map(repr, names)) or "two ArtifactConfig"
        raise DefinitionError(f"{of}: {output} is named more than once ({shown}); give one name in its annotation")
    config = configs[0] if configs else ArtifactConfig()
    if config.artifact_type is not None and config.artifact_type not in ARTIFACT_TYPES:
        raise DefinitionError(
            f"{of}: {output} has the unknown artifact_type {config.artifact_type!r}; use one of {', '.join(ARTIFACT_TYPES)}"
        )
    if isinstance(config.tags, str):
        raise DefinitionError(f"{of}: {output} must have a list of tags, got {config.tags!r}; write tags=[{config.tags!r}]")
    try:
        return replace(
            config,
            name=check_template(names[0], "output name") if names else None,
            version=None if config.version is None else check_version_template(config.version),
            tags=None if config.tags is None else tuple(check_tags(config.tags)),
            run_metadata=None if config.run_metadata is None else hold_metadata(config.run_metadata, "ArtifactConfig"),
        )
    except UsageError as error:
        raise DefinitionError(f"{of}: {output}: {error}") from error


def _check_distinct(of: str, names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DefinitionError(f"{of} has more than one output named {min(twice)!r}; give each output its own name")


def bind(signature: Signature, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give the value of each argument of a call by name, in the order of the signature, defaults filled in.

    `name` is the step's or pipeline's, for messages. Raises CallError, naming step and argument, when one is missing, unknown or given twice, or when there are too many.
    """
    positional = signature.positional
    values = dict(signature.blank)
    if len(args) > len(positional):
        raise CallError(_too_many(signature, name, args))
    values.update(zip(positional, args, strict=False))
    if kwargs:
        if not kwargs.keys() <= values.keys():
            raise CallError(_unknown(signature, name, kwargs))
        if args and not kwargs.keys().isdisjoint(positional[: len(args)]):
            twice = next(given for given in positional if given in kwargs)
            raise CallError(f"{signature.of} {name!r}: the argument {twice!r} is given twice, by position and by name; give it once")
        values.update(kwargs)
    for required in signature.required:
        if values[required] is MISSING:
            raise CallError(_missing(signature, name, values))
    return values


def _too_many(signature: Signature, name: str, args: Sequence[Any]) -> str:
    most = len(signature.positional)
    takes = f"takes {most} argument{'' if most == 1 else 's'}" if most == len(signature.inputs) else f"takes {most} by position"
    return f"{signature.of} {name!r} {takes}, got {len(args)}; it is called as {_call(signature, name)}"


def _unknown(signature: Signature, name: str, kwargs: Mapping[str, Any]) -> str:
    unknown = next(given for given in kwargs if given not in signature.blank)
    near = difflib.get_close_matches(unknown, signature.blank, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"it is called as {_call(signature, name)}"
    return f"{signature.of} {name!r} has no argument {unknown!r}; {remedy}"


def _missing(signature: Signature, name: str, values: Mapping[str, Any]) -> str:
    missing = [repr(required) for required in signature.required if values[required] is MISSING]
    arguments = "the argument" if len(missing) == 1 else "the arguments"
    return f"{signature.of} {name!r} needs {arguments} {', '.join(missing)}; it is called as {_call(signature, name)}"


def _call(signature: Signature, name: str) -> str:
    shown = []
    for spec in signature.inputs:
        if spec.keyword_only and "*" not in shown:
            shown.append("*")
        shown.append(spec.name if spec.default is MISSING else f"{spec.name}=...")
    return f"{name}({', '.join(shown)})"
