"""What a cache policy adds to a key: contents of files, code, environment variables, what a function of the user's says."""

import functools
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lineal.artifact_store.tree import digest_file
from lineal.engine.code.parts import Fingerprint
from lineal.engine.undeclared import Declared
from lineal.errors import CallError, NotPlain, UsageError
from lineal.graph.policy import CachePolicy, Source, arguments_for, missing_file
from lineal.graph.step import Options, StepSpec
from lineal.model import digest, values
from lineal.model.records import Json, VersionRecord
from lineal.model.scripts import module_key
from lineal.settings import variable

_RACY = 2.0  # seconds: what changed this short a while ago may change again without a trace in its times
_OFF = (
    ("step_code", "include_step_code"),
    ("step_parameters", "include_step_parameters"),
    ("artifact_values", "include_artifact_values"),
    ("package_versions", "include_package_versions"),
)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a policy adds: `facts` are stored beside the key, `extras` enter it."""

    facts: dict[str, Json] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)


class Look(NamedTuple):
    """How to look: `value` gives an input by name, `fingerprint` that of some code, `where` names the step in errors."""

    value: Callable[[str], Any]
    fingerprint: Callable[[Any], Fingerprint]
    where: str


def dependencies(policy: CachePolicy, step: StepSpec, look: Look) -> Dependencies:
    """Look at everything that a policy names.

    Raises CallError for a file that is gone, UsageError when `cache_func` gives what cannot enter a key.
    """
    found = Dependencies()
    _add(found, "left_out", [short for short, name in _OFF if not getattr(policy, name)])
    _add(found, "ignored_inputs", sorted(policy.ignored_inputs))
    _add(found, "artifact_ids", policy.include_artifact_ids)
    files = {str(path): digest_of_path(str(path), look.where) for path in policy.file_dependencies}
    sources = {_source_name(each): _code_of(look.fingerprint(_resolved(each, look.where)), policy) for each in policy.source_dependencies}
    environment = {name: _digest_of_variable(name) for name in policy.environment}
    for name, digests in (("files", files), ("sources", sources)):
        # By content, in the order of the names: which folder a file lies in says nothing about what is in it.
        _add(found, name, dict(sorted(digests.items())), [each for _, each in sorted(digests.items())])
    _add(found, "environment", environment)
    if policy.cache_func is not None:
        _add_result(found, policy.cache_func, policy, step, look)
    if policy.seconds is not None:
        found.facts["expires_after"] = policy.seconds  # how long a result lasts does not make it another one
    return found


def code_part(policy: CachePolicy, code: Fingerprint, step: StepSpec) -> str:
    """Give what stands for the step's code in its key."""
    if policy.include_step_code:
        return _code_of(code, policy)
    function = step.function
    return digest.of("step-name/1", module_key(getattr(function, "__globals__", {})), getattr(function, "__qualname__", ""), step.name)


def artifact_part(policy: CachePolicy, version: VersionRecord) -> Any:
    """Give what stands for an artifact version in a key."""
    content = version.identity if policy.include_artifact_values else ""
    return [content, version.id] if policy.include_artifact_ids else content


def has_expired(policy: CachePolicy, ended: int, now: int) -> bool:
    """Tell whether a result that was made at `ended` is too old to be given at `now`, both microseconds since 1970.

    One that lies in the future by more than a minute counts as expired: a clock was changed, and its age cannot be known.
    """
    if policy.seconds is None:
        return False
    age = (now - ended) / 1e6
    return age >= policy.seconds or age < -60


_UNSAID = {mode: Declared(mode) for mode in ("off", "note", "error")}


def declared(options: Options, decision: str) -> Declared:
    """Give what a call says about what its step uses. A step whose result is not kept for later has no key that should know more."""
    mode = "off" if decision == "off" else options.undeclared or "note"
    policy = options.cache_policy
    if policy is None:
        return _UNSAID[mode]
    files = tuple(str(Path(path).absolute()) for path in policy.file_dependencies)
    return Declared(mode, files, {name: variable(name) for name in policy.environment}, policy.cache_func is not None)


def _add(found: Dependencies, name: str, fact: Json, extra: Any = None) -> None:
    if fact:
        found.facts[name] = fact
        found.extras[name] = fact if extra is None else extra


def _code_of(code: Fingerprint, policy: CachePolicy) -> str:
    # Python's own version still counts: it is no package.
    return code.digest if policy.include_package_versions else digest.of("code-alone/1", code.code, code.python)


def _add_result(found: Dependencies, cache_func: Callable[..., object], policy: CachePolicy, step: StepSpec, look: Look) -> None:
    names = [each.name for each in step.signature.inputs]
    try:
        result = cache_func(**{name: look.value(name) for name in arguments_for(cache_func, names, look.where)})
    except Exception as error:
        error.add_note(f"in the cache_func of {look.where}")
        raise
    try:
        held, identity = values.to_json(result, name="its result"), values.identity(result)
    except NotPlain as error:
        raise UsageError(f"the cache_func of {look.where} must give a plain value, such as text: {error}") from error
    code = _code_of(look.fingerprint(cache_func), policy)
    _add(found, "cache_func", {"code": code, "result": held}, [code, identity])


def _digest_of_variable(name: str) -> str:
    value = variable(name)
    return "" if value is None else digest.of("environment/1", name, value)  # the value itself may be a secret


# -- code


def _source_name(source: Source) -> str:
    if isinstance(source, str):
        return source
    if isinstance(source, ModuleType):
        return source.__name__
    return f"{getattr(source, '__module__', '')}.{getattr(source, '__qualname__', type(source).__qualname__)}"


def _resolved(source: Source, where: str) -> Any:
    if not isinstance(source, str):
        return getattr(getattr(source, "spec", None), "function", source)  # a step counts as its function
    module, names = source, list[str]()
    while True:
        try:
            found: Any = import_module(module)
            break
        except ModuleNotFoundError as error:
            if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
                raise  # the module is there, and what it imports is not
            module, _, last = module.rpartition(".")
            names.insert(0, last)
            if not module:
                raise CallError(f"{where} names {source!r} in source_dependencies, and no module of that name can be imported") from error
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise CallError(f"{where} names {source!r} in source_dependencies, and there is no {name!r} in it") from error
    return getattr(getattr(found, "spec", None), "function", found)


# -- files


def digest_of_path(path: str, where: str) -> str:
    """Give the digest of a file's content, or of a folder's listing with the digests of its files; links are followed.

    A file that has not changed since it was read in this process is not read again. Raises CallError when it is not there.
    """
    place = Path(path).absolute()
    try:
        status = place.stat()
        return digest.of_object(_files_of(place)) if stat.S_ISDIR(status.st_mode) else _digest_of_file(place, status)
    except FileNotFoundError as error:
        raise CallError(missing_file(path, where)) from error


def _files_of(folder: Path) -> Iterator[tuple[str, int, str]]:
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            file = Path(place, name)
            status = file.stat()
            yield file.relative_to(folder).as_posix(), status.st_size, _digest_of_file(file, status)


def _digest_of_file(path: Path, status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        raise CallError(f"{path} is declared in file_dependencies and is neither a file nor a folder: its content cannot be compared")
    if time.time() - max(status.st_mtime, status.st_ctime) < _RACY:
        return digest_file(str(path))[1]
    return _remembered(str(path), (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


@functools.lru_cache(100_000)
def _remembered(path: str, stamp: tuple[int, ...]) -> str:
    return digest_file(path)[1]
