"""The fallback: cloudpickle, labelled as what can run code when it is loaded.

`data.pkl` is a pickle of protocol 5. `environment.json` beside it says which Python wrote it, with which release of each library whose
objects are in it, and is read first: another release is refused, since a pickle holds the insides of objects, and byte code of functions
and classes defined in scripts, which only the release that wrote them is sure to read. What a release is: `releases_differ`.

Whether a pickle may be loaded at all is the business of `lineal.artifacts`, which asks for `safe`, and lets pass what somebody trusts.
"""

import io
import json
import pickle
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from lineal.errors import ArtifactCorrupted, ArtifactMissing, LinealWarning, MaterializerError, PickleRefused
from lineal.materializers.base import Materializer, where
from lineal.model.records import FileEntry, Json

PROTOCOL = 5

ENVIRONMENT: Final = "environment.json"
"""The file beside a pickle that says what wrote it, in a container the one in the folder of the element."""


class Loading(NamedTuple):
    """The version that is being loaded, and what tells whether somebody decided to load it whatever wrote it."""

    name: str
    is_trusted: Callable[[], bool]


loading: Final[ContextVar[Loading | None]] = ContextVar("loading", default=None)
"""What is being loaded, where it is a version of an artifact."""

DEEPEST, MOST_PARTS = 20, 1000
"""How deep, and among how many parts of each, the one that cannot be pickled is looked for."""

_BY_MAJOR: Final = frozenset({"numpy"})
"""Libraries that promise to read the pickles of all releases with the same first number."""

_told: set[type] = set()


class CloudpickleMaterializer(Materializer):
    """Saves any value that cloudpickle takes. Equal values give equal bytes as far as pickle does: not for sets of text."""

    id = "cloudpickle/1"
    safe = False

    def save(self, value: Any, folder: Path) -> None:
        """Write `data.pkl` and `environment.json`; one LinealWarning per type says that it was pickled, and where."""
        cls = type(value)
        try:
            data, types = _pickled(value)
        except Exception as error:
            path, part = _culprit(value)
            because = f", because of its {path}, a {_name(type(part))}" if path else ""
            raise MaterializerError(
                f"{where.get() or 'a value'} is a {_name(cls)} that {self.id} cannot pickle{because} ({type(error).__name__}: {error}); "
                "register a materializer for it, or return only the parts that are needed"
            ) from error
        (folder / "data.pkl").write_bytes(data)
        (folder / ENVIRONMENT).write_text(json.dumps(environment(cls, types), sort_keys=True), encoding="utf-8")
        warn_pickled(cls, "which has no materializer")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the value back. Raises PickleRefused when another release wrote it, MaterializerError when it cannot be read."""
        return unpickle((folder / "data.pkl").read_bytes(), (folder / ENVIRONMENT).read_bytes())


def warn_pickled(cls: type, reason: str) -> None:
    """Warn, once for each class, that a value was pickled. `reason` goes on from "a value is a Thing, "."""
    _warn(cls, f"{where.get() or 'a value'} is a {_name(cls)}, {reason} and was pickled")


def warn_to_be_pickled(cls: type, what: str) -> None:
    """Warn that a value will be pickled, which is then not said again when it is."""
    _warn(cls, f"{what} is a {_name(cls)}, which has no materializer, and will be pickled")


def _warn(cls: type, said: str) -> None:
    if cls not in _told:
        _told.add(cls)
        warnings.warn(
            f"{said}: it can only be loaded with the same Python and library, and loading a pickle can run code; see register_materializer",
            LinealWarning,
            stacklevel=4,
        )


def _pickled(value: Any) -> tuple[bytes, set[type]]:
    """Give the pickle of a value, and the classes of the objects in it."""
    import cloudpickle  # 20 ms, and most processes never pickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # a class without types
        def reducer_override(self, obj: Any) -> Any:
            types.add(obj if isinstance(obj, type) else type(obj))
            return super().reducer_override(obj)

    types: set[type] = set()
    file = io.BytesIO()
    Pickler(file, protocol=PROTOCOL).dump(value)
    return file.getvalue(), types


class _Nowhere(io.RawIOBase):
    """Takes what is written and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes


def _culprit(value: Any) -> tuple[str, Any]:
    """Give the path to the innermost part of a value that cannot be pickled, such as `.model.cache['lock']`, and that part."""
    path, part, seen = "", value, {id(value)}
    for _ in range(DEEPEST):
        found = next((each for each in _parts(part) if id(each[1]) not in seen and not _can_be_pickled(each[1])), None)
        if found is None:
            break
        path, part = path + found[0], found[1]
        seen.add(id(part))
    return path, part


def _can_be_pickled(value: Any) -> bool:
    import cloudpickle

    try:
        cloudpickle.dump(value, _Nowhere(), protocol=PROTOCOL)
    except Exception:
        return False
    return True


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Give what the usual containers and objects hold, as far as that is bounded, each with how one gets at it."""
    if isinstance(value, dict):
        yield from ((f"[{key!r:.60}]", each) for key, each in islice(value.items(), MOST_PARTS))
    elif isinstance(value, list | tuple):
        yield from ((f"[{place}]", each) for place, each in enumerate(value[:MOST_PARTS]))
    yield from ((f".{name}", each) for name, each in islice(getattr(value, "__dict__", {}).items(), MOST_PARTS))


def unpickle(data: bytes, recorded: bytes, loads: Callable[[bytes], Any] = pickle.loads) -> Any:
    """Give the value of pickled bytes after a check of the environment that wrote them, given as the bytes of `environment.json`."""
    facts, version = _facts(recorded), loading.get()
    said = difference(recorded)
    if said:
        if version is None or not version.is_trusted():
            raise PickleRefused(f"{said}; it was not loaded. {_remedy(facts, version)}")
        warnings.warn(f"{said}; it is loaded because somebody trusts it, and may differ or fail to load", LinealWarning, stacklevel=2)
    try:
        return loads(data)
    except Exception as error:
        raise MaterializerError(
            f"a pickled {facts.get('type', 'value')} cannot be read: {type(error).__name__}: {error}; the module that defines it must be "
            "importable, as it was when it was saved"
        ) from error


def difference(recorded: bytes) -> str:
    """Say which releases that wrote a pickle are others here, by the bytes of its `environment.json`; empty when none is.

    Nothing is imported and nothing unpickled for it. Raises PickleRefused when the bytes do not say what wrote it.
    """
    facts = _facts(recorded)
    found = [f"{name} {there} (here: {here})" for name, there, here in _others(facts)]
    return f"a {facts.get('type', 'value')} was pickled with {_listed(found)}" if found else ""


def difference_in(files: Iterable[FileEntry], read: Callable[[str], bytes]) -> str:
    """Say the same of a stored value by its files, of which those are read that say what wrote a pickle, also one inside a container."""
    for entry in files:
        if entry.path.rpartition("/")[2] == ENVIRONMENT:
            try:
                said = difference(read(entry.path))
            except (PickleRefused, ArtifactMissing, ArtifactCorrupted):  # another format has such a name; or it went since it was looked at
                continue
            if said:
                return said
    return ""


def releases_differ(library: str, one: str, other: str) -> bool:
    """Tell whether a pickle of one release may be wrong in the other: the first two numbers differ, the first for some libraries."""
    return _counted(library, one) != _counted(library, other)


def environment(cls: type, held: Iterable[type] = ()) -> dict[str, Json]:
    """Give what a pickle of this class depends on, which holds objects of the classes `held`.

    That is `python`, `type`, `library` with its `version` when the class belongs to one, and `libraries`: the releases of others by name.
    """
    facts: dict[str, Json] = {"python": sys.version.split()[0], "type": _name(cls)}
    root = _root(cls)
    version = release_of(root)
    if version is not None:
        facts |= {"library": root, "version": version}
    others = {_root(base) for each in {cls, *held} for base in each.__mro__} - {root}
    releases = {name: release for name in sorted(others) if (release := release_of(name)) is not None}
    return {**facts, "libraries": releases} if releases else facts


def release_of(package: str) -> str | None:
    """Give the release of the distribution of a root package, None when it belongs to none. Imports nothing."""
    if package in sys.stdlib_module_names or package == "__main__":
        return None
    version = getattr(sys.modules.get(package), "__version__", None)
    return version if isinstance(version, str) else _installed(package)


@cache
def _installed(package: str) -> str | None:
    from importlib import metadata  # 10 ms

    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        owners = _owners().get(package, [])  # a package may have another name than its distribution, as sklearn of scikit-learn
        return metadata.version(owners[0]) if owners else None


@cache
def _owners() -> dict[str, list[str]]:
    from importlib import metadata

    return dict(metadata.packages_distributions())


def _facts(recorded: bytes) -> dict[str, Any]:
    try:
        facts = json.loads(recorded)
        if type(facts["python"]) is not str or type(facts.get("libraries", {})) is not dict:
            raise TypeError("it does not name the Python that wrote it, or its libraries")
    except (ValueError, LookupError, TypeError) as error:
        raise PickleRefused(f"{ENVIRONMENT} of a pickle cannot be read ({error}); it was not loaded") from error
    return dict(facts)


def _others(facts: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give what has another release here than where the pickle was written: its name, the release there, and here."""
    here = sys.version.split()[0]
    if releases_differ("Python", facts["python"], here):
        yield "Python", facts["python"], here
    libraries = {str(name): str(there) for name, there in facts.get("libraries", {}).items()}
    if facts.get("library") is not None:
        libraries[str(facts["library"])] = str(facts.get("version"))
    for name, there in libraries.items():
        present = release_of(name)
        if _is_absent(name) if present is None else releases_differ(name, there, present):
            yield name, there, present or "none"


def _remedy(facts: dict[str, Any], version: Loading | None) -> str:
    use = f"Use {_listed([f'{name} {_counted(name, there)}' for name, there, _ in _others(facts)])}"
    if version is None:
        return use
    return (
        f"{use}; or, if it is to be loaded all the same, decide so: lineal artifact trust {version.name}. "
        f"Its files can be had as they are: lineal artifact download {version.name}"
    )


def _is_absent(library: str) -> bool:
    """Tell whether a package is not installed; one of the user's own need not belong to any distribution."""
    try:
        return library not in sys.modules and find_spec(library) is None
    except (ImportError, ValueError):
        return True


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _counted(library: str, version: str) -> str:
    """Give the numbers of a release that count: `2.0` for `2` and for `2.0.1+cpu`."""
    count = 1 if library in _BY_MAJOR else 2
    return ".".join([*version.partition("+")[0].split("."), *["0"] * count][:count])


def _root(cls: type) -> str:
    return str(cls.__module__).partition(".")[0]  # not always text: a class may have its own __module__


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
