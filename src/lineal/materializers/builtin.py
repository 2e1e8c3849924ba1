"""Plain Python values as typed JSON, bytes as they are, and containers of everything else.

`container/1` is a folder: `data.json` is typed JSON in which each element that JSON does not hold is
`{"$type": "item", "n": 0, "materializer": "numpy.ndarray/1"}`, and `items/0/` holds that element as its own materializer saves it.
An element that occurs several times is saved once, and comes back as one object.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from lineal.errors import LinealError, MaterializerError, NoMaterializer, PickleRefused
from lineal.materializers import plain_view
from lineal.materializers.base import AnyMaterializer, BytesMaterializer, Materializer, where
from lineal.materializers.structured import is_structured, schema
from lineal.model import values
from lineal.model.records import FileEntry, Json
from lineal.model.values_classes import describe
from lineal.model.visualization import Visualization

SHOWN = 200
"""The longest text, in characters, and the largest number, in bits, that metadata repeats."""

PARTS = 10
"""Parts of a container that its visualizations show."""

_FILE = "data.json"


class Chooser(Protocol):
    """What a container needs to know of the registry."""

    def candidates(self, value: Any) -> list[AnyMaterializer]:
        """Give the materializers that may take an element, best first."""

    def by_id(self, id: str) -> AnyMaterializer:
        """Give the materializer that saved something."""


class JsonMaterializer(BytesMaterializer):
    """Saves plain Python values, nested to any depth, as typed JSON."""

    id = "json/1"
    filename = _FILE

    def accepts(self, value: Any) -> bool:
        """Tell whether the value itself can be held; of its parts nothing is said."""
        return values.holds(value)

    def dumps(self, value: Any) -> bytes:
        """Give compact JSON in UTF-8. Raises NotPlain with the path to what cannot be held."""
        return values.dumps(value)

    def loads(self, data: bytes, type_: Any) -> Any:
        """Give the value back, of exactly the types that it had."""
        return values.loads(data, type_)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the value of a short scalar, the length of a container, the schema of an instance."""
        return plain_metadata(value)

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the value as a person reads it, which costs nothing when it is saved."""
        return plain_view.show_json(read(self.filename))


class RawBytesMaterializer(BytesMaterializer):
    """Saves bytes as they are."""

    id = "bytes/1"
    types = (bytes,)

    def accepts(self, value: Any) -> bool:
        """Tell whether it is bytes and no subclass, which would come back as bytes."""
        return type(value) is bytes

    def dumps(self, value: bytes) -> bytes:
        """Give the bytes themselves."""
        return value

    def loads(self, data: bytes, type_: Any) -> bytes:
        """Give the bytes themselves."""
        return data

    def metadata(self, value: bytes) -> Mapping[str, Json]:
        """Give the length in bytes."""
        return {"length": len(value)}

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the first bytes."""
        return plain_view.show_bytes(read(self.filename))


class ContainerMaterializer(Materializer):
    """Saves containers, and instances held field by field, whose elements need materializers of their own."""

    id = "container/1"

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser

    def save(self, value: Any, folder: Path) -> None:
        """Write `data.json` and one folder for each element that JSON does not hold."""
        saver = _Saver(self._chooser, folder / "items", safe=self.safe)
        node = values.to_json(value, foreign=saver)
        (folder / _FILE).write_bytes(values.text(node))

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the container back with its elements; those that were one object are one object again."""
        loader = _Loader(self._chooser, folder / "items", safe=self.safe)
        return values.from_json(values.parse((folder / _FILE).read_bytes()), type_, foreign=loader)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the length of a container, the schema of an instance."""
        return plain_metadata(value)

    def visualize(self, value: Any) -> Iterable[Visualization]:
        """Give what its first parts are, and the visualizations of those that have any."""
        return plain_view.show_parts(self._shown_parts(value))

    def _shown_parts(self, value: Any) -> Iterator[tuple[str, Any, list[Visualization]]]:
        for name, part in islice(_named_parts(value), PARTS):
            materializer = next(iter(self._chooser.candidates(part)), None)
            shown = materializer.visualize(part) if materializer is not None and materializer.visualizes else ()
            yield name, part, list(shown)


class PickledContainerMaterializer(ContainerMaterializer):
    """A container with at least one element whose loading can run code: the policy must know before it is opened."""

    id = "container.pickle/1"
    safe = False


def _named_parts(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return ((str(key), part) for key, part in value.items())
    shape = None if type(value) in values.NESTING else describe(type(value))
    if shape is not None:
        return shape.read(value)["fields"].items()
    return ((f"[{place}]", part) for place, part in enumerate(value))


def plain_metadata(value: Any) -> Mapping[str, Json]:
    """Give what is cheap to know about a value that is held as typed JSON."""
    cls = type(value)
    if cls not in values.ATOMS and is_structured(cls):
        return {"schema": schema(value)}
    if (cls in values.NESTING and cls is not slice) or cls in (bytearray, range):
        return {"length": len(value)}
    if cls is str:
        return {"length": len(value), "value": value} if len(value) <= SHOWN else {"length": len(value)}
    if cls is bool or value is None or (cls is int and value.bit_length() <= SHOWN):
        return {"value": value}
    if cls is int:
        return {"bits": value.bit_length()}
    shown = value if cls is float and value - value == 0 else str(value)  # JSON has no infinity and no NaN
    return {"value": shown} if cls is float or len(shown) <= SHOWN else {}


class _Saver:
    """Saves the elements of one container, each object once."""

    def __init__(self, chooser: Chooser, folder: Path, *, safe: bool) -> None:
        self._chooser = chooser
        self._folder = folder
        self._safe = safe
        self._known: dict[int, tuple[Json, Any]] = {}  # with the value, so that no other can take its id

    def __call__(self, value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
        known = self._known.get(id(value))
        if known is not None:
            return known[0]
        place = ""
        for materializer in self._chooser.candidates(value):
            if materializer.id == JsonMaterializer.id:
                if last:
                    continue
                return None
            place = place or path()
            if self._safe and not materializer.safe:
                break
            n = len(self._known)
            if self._save(value, materializer, self._folder / str(n), place):
                node = {"$type": "item", "n": n, "materializer": materializer.id}
                self._known[id(value)] = node, value
                return node
        cls = type(value)
        raise NoMaterializer(
            f"no materializer that {'runs no code when it loads ' if self._safe else ''}takes element {place or path()}, a {cls.__qualname__}"
        )

    def _save(self, value: Any, materializer: AnyMaterializer, folder: Path, place: str) -> bool:
        """Save an element into a folder; False when the materializer declines it."""
        folder.mkdir(parents=True)
        token = where.set(f"element {place} of {where.get() or 'the value'}")
        try:
            if isinstance(materializer, BytesMaterializer):
                (folder / materializer.filename).write_bytes(materializer.dumps(value))
            else:
                materializer.save(value, folder)
        except NoMaterializer:
            shutil.rmtree(folder)
            return False
        except LinealError as error:
            error.add_note(f"while saving element {place}")
            raise
        except Exception as error:
            raise MaterializerError(
                f"element {place}, a {type(value).__qualname__}, could not be saved by {materializer.id}: {error}"
            ) from error
        finally:
            where.reset(token)
        return True


class _Loader:
    """Loads the elements of one container, each once."""

    def __init__(self, chooser: Chooser, folder: Path, *, safe: bool) -> None:
        self._chooser = chooser
        self._folder = folder
        self._safe = safe
        self._known: dict[int, Any] = {}

    def __call__(self, node: Mapping[str, Json]) -> Any:
        n, id = node["n"], node["materializer"]
        if type(n) is not int or type(id) is not str:
            raise ValueError(f"an item has a number and a materializer, got {n!r:.80} and {id!r:.80}")
        if n not in self._known:
            self._known[n] = self._load(self._chooser.by_id(id), self._folder / str(n))
        return self._known[n]

    def _load(self, materializer: AnyMaterializer, folder: Path) -> Any:
        if self._safe and not materializer.safe:
            # Policy let this container pass as one that runs no code: bytes that say otherwise are not what was saved.
            raise PickleRefused(
                f"an element of a {ContainerMaterializer.id} names {materializer.id}, which can run code; it was not loaded"
            )
        try:
            if isinstance(materializer, BytesMaterializer):
                return materializer.loads((folder / materializer.filename).read_bytes(), None)
            return materializer.load(folder, None)
        except LinealError:
            raise
        except Exception as error:
            raise MaterializerError(f"element {folder.name} could not be loaded by {materializer.id}: {error}") from error
