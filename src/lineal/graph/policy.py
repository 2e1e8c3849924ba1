"""What decides whether an earlier result may be given, besides what a step's code, parameters and inputs say by themselves."""

import inspect
import math
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from lineal.errors import CallError, DefinitionError

Source = Callable[..., object] | ModuleType | str
"""Code that counts by name or by itself: a function, a class, a module, or text such as `"prep.clean"`."""

_SWITCHES = ("include_step_code", "include_step_parameters", "include_artifact_values", "include_artifact_ids", "include_package_versions")


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What enters the cache key of a step, and how long its result may be given: `@step(cache_policy=CachePolicy(...))`.

    A policy replaces a weaker one as a whole: that of a call beats that of the step, that of the step beats that of the pipeline, and
    that of a run (`pipeline.with_options`) beats all.

    Args:
        include_step_code: Whether the step's code counts; without it the step is known by its name and module alone.
        include_step_parameters: Whether its parameters count.
        include_artifact_values: Whether the content of the artifacts that go in counts.
        include_artifact_ids: Whether it counts which versions go in, even if their content is equal.
        include_package_versions: Whether the versions of the third-party distributions that the code names count.
        ignored_inputs: Names of arguments that do not count, parameters or artifacts.
        file_dependencies: Files and folders that the step reads by itself; they count by content. A relative path starts at the
            working directory, as in the step's own `open()`. A file that is not there is an error before the step runs.
        source_dependencies: Functions, classes and modules whose code counts too, themselves or by name, such as `"prep.clean"`.
        environment: Names of environment variables whose values count. Only digests of the values are kept.
        cache_func: Called before each look-up, with those of the step's inputs that it names as arguments; the plain value that it
            gives counts, and so does its code.
        expires_after: Seconds, or a `timedelta`, after which an earlier result is not given any more; None for never.

    Raises DefinitionError for values of other types.
    """

    include_step_code: bool = True
    include_step_parameters: bool = True
    include_artifact_values: bool = True
    include_artifact_ids: bool = False
    include_package_versions: bool = True
    ignored_inputs: Sequence[str] = ()
    file_dependencies: Sequence[str | os.PathLike[str]] = ()
    source_dependencies: Sequence[Source] = ()
    environment: Sequence[str] = ()
    cache_func: Callable[..., object] | None = None
    expires_after: timedelta | float | None = None

    def __post_init__(self) -> None:
        for name in _SWITCHES:
            if type(getattr(self, name)) is not bool:
                raise _wrong(name, "True or False", getattr(self, name))
        for name, check, expected in (
            ("ignored_inputs", _is_name, "names of arguments"),
            ("file_dependencies", _is_path, "paths"),
            ("source_dependencies", _is_source, 'functions, classes, modules or names such as "prep.clean"'),
            ("environment", _is_name, "names of environment variables"),
        ):
            object.__setattr__(self, name, _several(name, getattr(self, name), check, expected))
        object.__setattr__(self, "file_dependencies", tuple(dict.fromkeys(os.fspath(path) for path in self.file_dependencies)))
        if self.cache_func is not None and not callable(self.cache_func):
            raise _wrong("cache_func", "a function", self.cache_func)
        if self.expires_after is not None and not _is_time(self.expires_after):
            raise _wrong("expires_after", "a timedelta or a number of seconds, 0 or more", self.expires_after)

    @property
    def seconds(self) -> float | None:
        """The time after which a result has expired, in seconds; None for never."""
        given = self.expires_after
        return given.total_seconds() if isinstance(given, timedelta) else given


def check_policy(policy: CachePolicy, names: Collection[str], where: str) -> None:
    """Raise DefinitionError when a policy speaks of inputs that a step does not have. `names` are those that it has."""
    unknown = [name for name in policy.ignored_inputs if name not in names]
    if unknown:
        raise DefinitionError(f"{where} has no input {unknown[0]!r} to ignore; there are: {', '.join(names) or 'none'}")
    if policy.cache_func is not None:
        arguments_for(policy.cache_func, names, where)


def arguments_for(cache_func: Callable[..., object], names: Collection[str], where: str) -> list[str]:
    """Give the names of the inputs that a `cache_func` is called with. Raises DefinitionError when it needs others."""
    try:
        parameters = inspect.signature(cache_func).parameters.values()
    except (TypeError, ValueError):  # compiled code that does not say what it takes
        return []
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return list(names)
    wanted = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.POSITIONAL_ONLY)]
    for each in parameters:
        if each.default is each.empty and each.kind is not each.VAR_POSITIONAL and (each not in wanted or each.name not in names):
            raise DefinitionError(
                f"the cache_func of {where} takes {each.name!r}, which is no input of the step; there are: {', '.join(names) or 'none'}"
            )
    return [each.name for each in wanted if each.name in names]


def check_files(policy: CachePolicy, where: str) -> None:
    """Raise CallError when a file that a policy declares is not there: found before anything runs."""
    for path in policy.file_dependencies:
        if not os.path.exists(path):  # noqa: PTH110 - the paths are text
            raise CallError(missing_file(os.fspath(path), where))


def missing_file(path: str, where: str) -> str:
    """Say that a declared file is not there."""
    return (
        f"{where} declares {path!r} in file_dependencies, and there is no such file or folder (looked for at {Path(path).absolute()}). "
        "Relative paths start at the working directory"
    )


def _several(name: str, given: Any, check: Callable[[Any], bool], expected: str) -> tuple[Any, ...]:
    alone = isinstance(given, str | os.PathLike) or not isinstance(given, Sequence | set | frozenset)
    values: tuple[Any, ...] = (given,) if alone else tuple(given)
    for each in values:
        if not check(each):
            raise _wrong(name, expected, each)
    return values


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike) and isinstance(os.fspath(value), str) and os.fspath(value) != ""


def _is_source(value: Any) -> bool:
    return callable(value) or isinstance(value, ModuleType) or (isinstance(value, str) and all(map(str.isidentifier, value.split("."))))


def _is_time(value: Any) -> bool:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return type(seconds) in (int, float) and seconds >= 0 and not math.isnan(seconds)


def _wrong(name: str, expected: str, got: Any) -> DefinitionError:
    return DefinitionError(f"{name} of a CachePolicy takes {expected}, got {got!r}")
