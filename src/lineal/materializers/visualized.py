"""Has a materializer show a value while it is saved: bounded in time, number and size, and never at the cost of the value itself."""

import contextvars
import threading
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lineal.errors import LinealWarning
from lineal.materializers.base import AnyMaterializer
from lineal.model.records import CompanionFile
from lineal.model.text import shown, size_text
from lineal.model.visualization import Visualization

SECONDS: Final = 10.0
"""How long a step waits for the visualizations of one value."""

LARGEST: Final = 2 * 1024 * 1024
"""Bytes that one visualization may take."""

MOST: Final = 20
"""Visualizations that one value may have."""

_TITLE = 200
_CUT = frozenset({"text", "markdown", "csv", "json"})


def visualizations_of(materializer: AnyMaterializer, value: Any, where: str) -> list[Visualization]:
    """Give the visualizations that a materializer makes of a value. What fails or takes too long is a warning; the rest is given."""
    work = _Work(materializer, value)
    # In a thread of its own, because there is no other way to stop waiting for what somebody else wrote.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work.run,), name="lineal-visualize", daemon=True)
    thread.start()
    thread.join(SECONDS)
    found = work.end()
    if work.trouble:
        kept = f"; {len(found)} made before are kept" if found else ""
        warnings.warn(f"no visualization of {where}: {materializer.id} {work.trouble}{kept}", LinealWarning, stacklevel=3)
    return found


class _Work:
    """Visualizations as they come, until somebody says that it is enough."""

    def __init__(self, materializer: AnyMaterializer, value: Any) -> None:
        self._materializer = materializer
        self._value = value
        self._found: list[Visualization] = []
        self._done = False
        self.trouble = ""

    def run(self) -> None:
        try:
            trouble = self._collect()
        except Exception as error:
            trouble = f"raised {type(error).__name__}: {error}"
        if not self._done:
            self.trouble, self._done = trouble, True

    def end(self) -> list[Visualization]:
        """Give what has come, and take no more."""
        if not self._done:
            self.trouble, self._done = f"took longer than {SECONDS:g} s", True
        return list(self._found)

    def _collect(self) -> str:
        made: Iterable[object] = self._materializer.visualize(self._value)
        for each in made:
            if self._done:
                return ""
            if not isinstance(each, Visualization):
                return f"gave a {type(each).__qualname__}, which is no Visualization"
            if len(self._found) == MOST:
                return f"gave more than {MOST}"
            self._found.append(fitting(each))
        return ""


def fitting(visualization: Visualization, largest: int = LARGEST) -> Visualization:
    """Give a visualization that takes at most `largest` bytes: long text is cut, and its title says so; anything else becomes a note."""
    data = visualization.data
    title = shown(visualization.title, _TITLE)
    if len(data) <= largest:
        return visualization if title == visualization.title else replace(visualization, title=title)
    if visualization.kind in _CUT:
        head = data[:largest].decode("utf-8", "ignore")
        head = head[: head.rfind("\n") + 1] or head
        kind = "text" if visualization.kind == "json" else visualization.kind  # half of a JSON document is none
        return Visualization(kind, head, f"{title} (the first {size_text(largest)} of {size_text(len(data))})".strip())
    return Visualization(
        "text", f"This {visualization.kind} of {size_text(len(data))} is too large to be shown ({size_text(largest)}).", title
    )


def write(visualizations: Sequence[Visualization], folder: Path) -> tuple[CompanionFile, ...]:
    """Write visualizations into a folder, as `0.html`, `1.png` and so on."""
    files = named(visualizations)
    for visualization, entry in zip(visualizations, files, strict=True):
        (folder / entry.file).write_bytes(visualization.data)
    return files


def named(visualizations: Sequence[Visualization]) -> tuple[CompanionFile, ...]:
    """Give the records of visualizations."""
    return tuple(CompanionFile(each.kind, each.title, f"{place}.{each.suffix}") for place, each in enumerate(visualizations))


def read(entry: CompanionFile, data: bytes) -> Visualization:
    """Give a visualization back."""
    content = data if entry.kind == "image" else data.decode("utf-8")
    return Visualization(entry.kind, content, entry.title)  # type: ignore[arg-type]  # a kind that is none raises
