"""HTMLString, MarkdownString, CSVString and JSONString: stored as the text that they are, and shown as it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.materializers.visualized import fitting
from lineal.model.records import FileEntry, Json
from lineal.model.visualization import CSVString, HTMLString, JSONString, Kind, MarkdownString, Visualization

LARGEST = 32 * 1024 * 1024
"""Bytes up to which text is shown whole: it is the value itself, so nothing is stored for showing it."""


class _Text(BytesMaterializer):
    kind: ClassVar[Kind]

    def accepts(self, value: Any) -> bool:
        """Tell whether it is exactly this type: a subclass would come back as its base."""
        return type(value) in self.types

    def dumps(self, value: str) -> bytes:
        """Give the text in UTF-8."""
        return value.encode("utf-8", "surrogatepass")

    def loads(self, data: bytes, type_: Any) -> str:
        """Give the text, of the type that it had."""
        text: str = self.types[0](data.decode("utf-8", "surrogatepass"))
        return text

    def metadata(self, value: str) -> Mapping[str, Json]:
        """Give the length in characters."""
        return {"length": len(value)}

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the text itself."""
        return [fitting(Visualization(self.kind, read(self.filename).decode("utf-8", "replace")), LARGEST)]


class HTMLMaterializer(_Text):
    """Saves an HTMLString as `data.html`."""

    id = "text.html/1"
    filename = "data.html"
    types = (HTMLString,)
    kind = "html"


class MarkdownMaterializer(_Text):
    """Saves a MarkdownString as `data.md`."""

    id = "text.markdown/1"
    filename = "data.md"
    types = (MarkdownString,)
    kind = "markdown"


class CSVMaterializer(_Text):
    """Saves a CSVString as `data.csv`."""

    id = "text.csv/1"
    filename = "data.csv"
    types = (CSVString,)
    kind = "csv"


class JSONMaterializer(_Text):
    """Saves a JSONString as `data.json`, with its own spacing and order."""

    id = "text.json/1"
    filename = "data.json"
    types = (JSONString,)
    kind = "json"


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (HTMLMaterializer, MarkdownMaterializer, CSVMaterializer, JSONMaterializer)
