"""The two shapes of a materializer.

`Materializer` writes files into a folder and reads them back; `BytesMaterializer` turns a value into bytes and back, which lets a
small value live in its metadata row. Both have a stable id such as `numpy.ndarray/1`: what was saved is loaded by the materializer
with the recorded id, so the format behind an id never changes; a new format takes a new number and the old class stays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar, Final

from lineal.model.records import FileEntry
from lineal.model.visualization import Visualization

defined: Final[dict[str, type["AnyMaterializer"]]] = {}
"""Every materializer class of this process by its id, also those given to one step only: what was saved must find its reader.

A class in here takes no type; only `register_materializer` gives it types. Of two classes with one id the later counts.
"""

where: Final[ContextVar[str]] = ContextVar("where", default="")
"""What is being saved, for messages: `output 'model' of step 'train'`, inside a container with the path to the element."""


class _Common:
    id: ClassVar[str]
    """Stable id, `library.Type/format number`."""

    types: ClassVar[tuple[type, ...]] = ()
    """The types that this materializer takes; a subclass of one is taken too unless a nearer one is registered."""

    data_type: ClassVar[str] = "data"
    """Kind of artifact: data, model, schema, statistics or service."""

    safe: ClassVar[bool] = True
    """False when loading can run code that the bytes name (pickle)."""

    together: ClassVar[str | None] = None
    """Id, in the same file, of the materializer for a dict of nothing but such values: a state dict is one file, not one a tensor."""

    as_parquet: ClassVar[str | None] = None
    """Id, in the same file, of the materializer that has the same values where the setting `table_format` is "parquet". Not inherited."""

    def accepts(self, value: Any) -> bool:
        """Tell whether this value of the types can be saved; cheap. The registry goes on to the next candidate when it cannot.

        What only shows while writing is said by raising NoMaterializer from `save` or `dumps`: the next candidate is tried then too.
        """
        return True

    def content_hash(self, value: Any) -> str | None:
        """Give text that is the same for equal values and differs for others; None, the default, leaves that to the bytes.

        For formats that cannot be written the same way twice. The text stands for the value in the cache keys of the steps that take it:
        of two values with one text, a step that has run on the first does not run on the second. The object keeps the digest of its bytes.
        """
        return None

    visualizes: ClassVar[bool] = False
    """Whether the class has a `visualize` of its own; worked out when it is defined."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.visualizes = cls.visualize is not _Common.visualize
        if isinstance(cls.__dict__.get("id"), str):
            defined[cls.id] = cls  # type: ignore[assignment]  # only the two shapes below are ever subclassed

    def metadata(self, value: Any) -> Mapping[str, Any]:
        """Give facts about a value that are cheap to know: JSON values by name."""
        return {}

    def visualize(self, value: Any) -> Iterable[Visualization]:
        """Give what shows the value to a person, or yield it piece by piece. Called once, when the value is saved; kept beside it.

        Work on a bounded sample: the step waits for it, 10 seconds at most. Escape what comes from the value when you make HTML.
        """
        return ()

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give what shows a stored value, from its files and without loading it, each time somebody looks; after what `visualize` made.

        For formats that can be read by a person as they are. `read` gives the bytes of a file.
        """
        return ()


class Materializer(_Common):
    """Saves a value as files in a folder."""

    def save(self, value: Any, folder: Path) -> None:
        """Write `value` into `folder`, an empty private folder on a local disk; close every file. Equal values should give equal bytes."""
        raise TypeError(f"{type(self).__qualname__} has no save()")

    def load(self, folder: Path, type_: Any) -> Any:
        """Read the value back from `folder`, which is read-only. `type_` is the consumer's annotation, or None when it is not known.

        What is given must be private to the caller: changing it may not change the files or anyone else's value.
        """
        raise TypeError(f"{type(self).__qualname__} has no load()")


class BytesMaterializer(_Common):
    """Saves a value as the bytes of one file."""

    filename: ClassVar[str] = "data.bin"
    """The name of the file when the bytes are stored as one."""

    def dumps(self, value: Any) -> bytes:
        """Give the bytes of `value`. Equal values should give equal bytes."""
        raise TypeError(f"{type(self).__qualname__} has no dumps()")

    def loads(self, data: bytes, type_: Any) -> Any:
        """Give the value back. `type_` is the consumer's annotation, or None when it is not known."""
        raise TypeError(f"{type(self).__qualname__} has no loads()")


AnyMaterializer = Materializer | BytesMaterializer
