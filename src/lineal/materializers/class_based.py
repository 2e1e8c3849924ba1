"""Materializers as classes with a folder: `save(value)` and `load(data_type)` work on `self.uri`.

Each class has an adapter, which is a `Materializer` like any other: to the registry, the store and the cache there is one shape.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from lineal.errors import MaterializerError, UsageError
from lineal.materializers.base import Materializer
from lineal.materializers.classes import class_name, find_subclass
from lineal.materializers.registry import bare, registry
from lineal.model.metadata import hold_metadata
from lineal.model.records import Json
from lineal.model.scripts import module_of
from lineal.model.visualization import Visualization

MARKER: Final = "lineal-type.txt"
"""The file that names the class of a value, written where it is not the only one that the materializer takes."""

_KINDS: Final[Mapping[str, str]] = {
    "data": "data", "base": "data", "data_analysis": "data", "model": "model", "schema": "schema", "statistics": "statistics",
    "service": "service",
}  # fmt: skip


class LocalFiles:
    """The files below a materializer's `uri`, as `self.artifact_store`: what is opened, listed and made there is on a local disk."""

    open = staticmethod(open)
    exists = staticmethod(os.path.exists)
    isdir = staticmethod(os.path.isdir)
    listdir = staticmethod(os.listdir)

    @staticmethod
    def makedirs(path: str) -> None:
        """Make a folder, with its parents, if it is not there."""
        Path(path).mkdir(parents=True, exist_ok=True)


class BaseMaterializer:
    """Saves values of some types as files in the folder `self.uri`, and loads them from there.

    A subclass whose body names `ASSOCIATED_TYPES` takes these types, and their subclasses, from then on; a LinealWarning says when
    another materializer had one of them, unless the class is defined with `replace=True`. A new instance is made for each value.

    Attributes:
        ASSOCIATED_TYPES: The types that the materializer takes.
        ASSOCIATED_ARTIFACT_TYPE: Kind of artifact: data, model, schema, statistics or service.
        ID: Stable id, `name/number`. By default the name of the class with its module, and 1: `acme.shapes.ThingMaterializer/1`, where a
            script counts by the name of its file. Values are loaded by the class with the id that they were saved under, so set it before
            you rename or move the class, and take the next number when the files change. A subclass has an id of its own.
        SKIP_REGISTRATION: Set it to True in the body of a class that is only to be used where it is named.
        uri: The folder: empty and writable in `save`, read-only in `load`.
        artifact_store: `open`, `exists`, `isdir`, `listdir` and `makedirs` for paths below `uri`; plain file access does as well.
    """

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = ()
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[Any] = "data"
    ID: ClassVar[str] = ""
    SKIP_REGISTRATION: ClassVar[bool] = False

    def __init__(self, uri: str, artifact_store: LocalFiles | None = None) -> None:
        self.uri = uri
        self.artifact_store = artifact_store or LocalFiles()

    def __init_subclass__(cls, *, replace: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "ASSOCIATED_TYPES" in cls.__dict__ and not cls.__dict__.get("SKIP_REGISTRATION", False):
            registry.register(cls, replace=replace)

    def save(self, value: Any) -> None:
        """Write the value into `self.uri`, and close every file. Equal values should give equal bytes."""
        raise TypeError(f"{type(self).__qualname__} has no save()")

    def load(self, data_type: type[Any]) -> Any:
        """Read the value back from `self.uri`, as a `data_type`: the class that was saved, or another one that the consumer asks for."""
        raise TypeError(f"{type(self).__qualname__} has no load()")

    def save_visualizations(self, value: Any) -> Mapping[str, Any]:
        """Write files that show the value into `self.uri`, here an empty folder of its own, and give each path with its kind.

        Kinds are html, image, csv, markdown, json and text. What fails is a warning, and the value is kept.
        """
        return {}

    def extract_metadata(self, value: Any) -> Mapping[str, Any]:
        """Give facts about the value by name: numbers, text, booleans, datetimes, lists and dicts. There is no folder here."""
        return {}

    def compute_content_hash(self, value: Any) -> str | None:
        """Give text that is the same for equal values and differs for others; None, the default, leaves that to the bytes.

        For files that cannot be written the same way twice: the text stands for the value in the cache keys of the steps that take it, so
        these do not run again because the bytes differ. There is no folder here. Stored bytes are still compared by their own digest.
        """
        return None

    @classmethod
    def as_materializer(cls) -> Materializer:
        """Give the materializer that works with this class. Raises UsageError when the class cannot be one."""
        return _adapter_of(cls)


class Adapter(Materializer):
    """Saves and loads through a class of the other shape."""

    based_on: ClassVar[type[BaseMaterializer]]

    def __reduce__(self) -> Any:
        # Made anew where it arrives, one for each class. The id goes with it: in a worker process a script has another name.
        return _adapter_of, (self.based_on, self.id)

    def save(self, value: Any, folder: Path) -> None:
        """Save through the class; the type is noted where loading could not know it."""
        self.based_on(str(folder)).save(value)
        if (type(value),) != self.types:
            (folder / MARKER).write_text(class_name(type(value)), encoding="utf-8")

    def load(self, folder: Path, type_: Any) -> Any:
        """Load through the class. Raises MaterializerError when the class of the value is not loaded in this process."""
        return self.based_on(str(folder)).load(self._data_type(folder, type_))

    def _data_type(self, folder: Path, annotation: Any) -> type:
        stored = self._stored_type(folder, annotation)
        wanted = bare(annotation)
        wanted = getattr(wanted, "__origin__", wanted)
        fits = isinstance(wanted, type) and issubclass(wanted, self.types) and not issubclass(stored, wanted)
        return wanted if fits else stored

    def _stored_type(self, folder: Path, annotation: Any) -> type:
        marker = folder / MARKER
        if not marker.exists():
            return self.types[0]
        name, problem = marker.read_text(encoding="utf-8"), None
        for base in self.types or (object,):
            try:
                return find_subclass(name, base, annotation)
            except MaterializerError as error:
                problem = error
        assert problem is not None
        raise problem

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give what the class extracts."""
        return hold_metadata(self.based_on("").extract_metadata(value), f"a {type(value).__qualname__}")

    def content_hash(self, value: Any) -> str | None:
        """Give what the class computes."""
        return self.based_on("").compute_content_hash(value)

    def visualize(self, value: Any) -> Iterable[Visualization]:
        """Give what the class has written, read back."""
        with tempfile.TemporaryDirectory(prefix="lineal-") as folder:
            made = self.based_on(folder).save_visualizations(value)
            return [_read(Path(folder, path), kind) for path, kind in made.items()]


_adapters: dict[type[BaseMaterializer], Adapter] = {}


def _adapter_of(cls: type[BaseMaterializer], id: str = "") -> Adapter:
    if cls not in _adapters:
        _adapters[cls] = _adapter(cls, id or cls.__dict__.get("ID") or f"{module_of(cls)}.{cls.__qualname__}/1")
    return _adapters[cls]


def _adapter(cls: type[BaseMaterializer], id: str) -> Adapter:
    name = cls.__qualname__
    for method in ("save", "load"):
        if getattr(cls, method) is getattr(BaseMaterializer, method):
            raise UsageError(f"{name} has no {method}(); a materializer needs save(self, value) and load(self, data_type)")
    types: tuple[Any, ...] = tuple(cls.ASSOCIATED_TYPES)
    wrong = [each for each in types if not isinstance(each, type)]
    if wrong:
        raise UsageError(f"ASSOCIATED_TYPES of {name} are classes, got {wrong[0]!r:.200}")
    body: dict[str, Any] = {
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__qualname__": name,
        "based_on": cls,
        "id": id,
        "types": types,
        "data_type": _kind(cls),
    }
    made: type[Adapter] = type(cls.__name__, (Adapter,), body)
    made.visualizes = cls.save_visualizations is not BaseMaterializer.save_visualizations
    return made()


def _kind(cls: type[BaseMaterializer]) -> str:
    given = cls.ASSOCIATED_ARTIFACT_TYPE
    text = str(getattr(given, "value", given))  # an enum of another system's kinds: DataArtifact, ModelArtifact
    kind = _KINDS.get(text.lower().removesuffix("artifact"))
    if kind is None:
        raise UsageError(
            f"ASSOCIATED_ARTIFACT_TYPE of {cls.__qualname__} is data, model, schema, statistics or service, got {given!r:.200}"
        )
    return kind


def _read(path: Path, kind: Any) -> Visualization:
    text = str(getattr(kind, "value", kind)).lower()
    if text == "image" and path.suffix == ".svg":
        text = "svg"
    content = path.read_bytes() if text == "image" else path.read_text(encoding="utf-8")
    return Visualization(text, content, path.stem)  # type: ignore[arg-type]  # a kind that is none raises
