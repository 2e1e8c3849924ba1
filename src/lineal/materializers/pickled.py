"""The fallback: cloudpickle, labelled as what can run code when it is loaded.

`data.pkl` is a pickle of protocol 5. `environment.json` beside it says which Python and which release of the type's library wrote it,
and is read first: another Python minor release is refused, since cloudpickle stores byte code of functions and classes defined in
scripts; another release of the library is a warning, since most still read what an earlier one wrote.

Whether a pickle may be loaded at all is the business of `lineal.artifacts`, which asks for `safe`.
"""

import json
import pickle
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lineal.errors import LinealWarning, MaterializerError, PickleRefused
from lineal.materializers.base import Materializer, where
from lineal.model.records import Json

PROTOCOL = 5

_told: set[type] = set()


class CloudpickleMaterializer(Materializer):
    """Saves any value that cloudpickle takes. Equal values give equal bytes as far as pickle does: not for sets of text."""

    id = "cloudpickle/1"
    safe = False

    def save(self, value: Any, folder: Path) -> None:
        """Write `data.pkl` and `environment.json`; one LinealWarning per type says that it was pickled, and where."""
        import cloudpickle  # 20 ms, and most processes never pickle

        cls = type(value)
        try:
            data = cloudpickle.dumps(value, protocol=PROTOCOL)
        except Exception as error:
            raise MaterializerError(
                f"a {_name(cls)} cannot be pickled ({type(error).__name__}: {error}); register a materializer for it, or return only "
                "the parts that are needed"
            ) from error
        (folder / "data.pkl").write_bytes(data)
        (folder / "environment.json").write_text(json.dumps(environment(cls), sort_keys=True), encoding="utf-8")
        warn_pickled(cls, "which has no materializer")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the value back. Raises PickleRefused when another Python release wrote it, MaterializerError when it cannot be read."""
        return unpickle((folder / "data.pkl").read_bytes(), (folder / "environment.json").read_bytes())


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


def unpickle(data: bytes, recorded: bytes, loads: Callable[[bytes], Any] = pickle.loads) -> Any:
    """Give the value of pickled bytes after a check of the environment that wrote them, given as the bytes of `environment.json`."""
    try:
        facts = json.loads(recorded)
        python, library, release = facts["python"], facts.get("library"), facts.get("version")
    except (ValueError, LookupError, TypeError) as error:
        raise PickleRefused(f"environment.json of a pickle cannot be read ({error}); it was not loaded") from error
    here = _minor(sys.version.split()[0])
    if _minor(str(python)) != here:
        raise PickleRefused(
            f"the value was pickled by Python {python} and this is {here}; it was not loaded. Use Python {_minor(str(python))}"
        )
    if library is not None:
        _check_library(str(library), str(release))
    try:
        return loads(data)
    except Exception as error:
        raise MaterializerError(
            f"a pickled {facts.get('type', 'value')} cannot be read: {type(error).__name__}: {error}; the module that defines it must be "
            "importable, as it was when it was saved"
        ) from error


def environment(cls: type) -> dict[str, Json]:
    """Give what a pickle of this class depends on: `python`, `type`, and `library` with `version` when it belongs to one."""
    facts: dict[str, Json] = {"python": sys.version.split()[0], "type": _name(cls)}
    root = cls.__module__.partition(".")[0]
    version = release_of(root)
    return facts if version is None else {**facts, "library": root, "version": version}


@cache
def release_of(package: str) -> str | None:
    """Give the release of the distribution of an imported root package, None when it belongs to none."""
    if package in sys.stdlib_module_names or package == "__main__":
        return None
    version = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(version, str):
        return version
    from importlib import metadata  # 10 ms

    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _check_library(library: str, recorded: str) -> None:
    present = release_of(library)
    if present is not None and _minor(present) != _minor(recorded):
        warnings.warn(
            f"a value was pickled with {library} {recorded} and {present} is installed; it may differ or fail to load",
            LinealWarning,
            stacklevel=2,
        )


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
