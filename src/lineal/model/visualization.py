"""What shows a value to a person, and text that shows itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from lineal.errors import UsageError

Kind = Literal["html", "image", "svg", "csv", "markdown", "json", "text"]

KINDS: Final[tuple[str, ...]] = get_args(Kind)

_IMAGES: Final[Mapping[bytes, str]] = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}
_SUFFIXES: Final[Mapping[str, str]] = {"markdown": "md", "text": "txt"}


@dataclass(frozen=True, slots=True)
class Visualization:
    """One picture of a value, made when it is saved and shown without the library that the value belongs to.

    Args:
        kind: "html", "image" (PNG, JPEG, GIF or WebP), "svg", "csv", "markdown", "json" or "text".
        content: The bytes of an image; text for all other kinds.
        title: Shown above it.

    Raises UsageError when the content is not of that kind.
    """

    kind: Kind
    content: str | bytes
    title: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"a visualization is one of {', '.join(KINDS)}; got {self.kind!r}")
        wanted = bytes if self.kind == "image" else str
        if not isinstance(self.content, wanted):
            raise UsageError(
                f"the content of a visualization of kind {self.kind!r} is {wanted.__name__}, got {type(self.content).__name__}"
            )
        if not isinstance(self.title, str):
            raise UsageError(f"the title of a visualization is text, got {type(self.title).__name__}")
        self._suffix()

    @property
    def suffix(self) -> str:
        """The suffix of a file that holds it: `html`, `png`, `md`."""
        return self._suffix()

    def _suffix(self) -> str:
        if isinstance(self.content, bytes):
            found = next((suffix for magic, suffix in _IMAGES.items() if self.content.startswith(magic)), None)
            if found is None:
                raise UsageError(f"an image is PNG, JPEG, GIF or WebP; these bytes begin with {self.content[:8]!r}")
            return found
        return _SUFFIXES.get(self.kind, self.kind)

    @property
    def data(self) -> bytes:
        """The content as bytes: text as UTF-8."""
        return self.content if isinstance(self.content, bytes) else self.content.encode("utf-8", "backslashreplace")


class HTMLString(str):
    """Text that is an HTML document: returned from a step it is stored as `data.html` and shows itself."""

    __slots__ = ()


class MarkdownString(str):
    """Text that is Markdown: returned from a step it is stored as `data.md` and shows itself."""

    __slots__ = ()


class CSVString(str):
    """Text that is comma-separated values: returned from a step it is stored as `data.csv` and shows itself as a table."""

    __slots__ = ()


class JSONString(str):
    """Text that is JSON: returned from a step it is stored as `data.json` and shows itself."""

    __slots__ = ()
