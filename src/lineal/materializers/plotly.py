"""plotly: figures as JSON (`figure.json`).

Traces, layout, frames and the grid of subplots come back exactly, arrays with their dtype. Arrays of numbers are written as plotly.js
reads them, so a figure of numbers and text is JSON that every plotly opens; times and other objects are typed JSON of Lineal.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import plotly.graph_objects as go
import plotly.subplots  # noqa: F401  # the classes of a grid, which a figure that is loaded may have

from lineal.errors import NoMaterializer, NotPlain
from lineal.materializers import numpy_items
from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.materializers.plotly_view import show_figure
from lineal.model import values
from lineal.model.records import FileEntry, Json
from lineal.model.values_types import tagged
from lineal.model.visualization import Visualization

_GRID = ("_grid_str", "_grid_ref")
_FREE = frozenset({"meta", "customdata"})
"""Properties that hold what users like; its order is theirs."""

_KNOWN = ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8")
"""The dtypes that plotly.js knows, whole numbers by size."""


class FigureMaterializer(BytesMaterializer):
    """Saves a Figure. A FigureWidget is left to the fallback."""

    id = "plotly.Figure/1"
    filename: ClassVar[str] = "figure.json"
    types = (go.Figure,)

    def accepts(self, value: Any) -> bool:
        return type(value) is go.Figure

    def dumps(self, value: Any) -> bytes:
        """Give the JSON. Raises NoMaterializer, with the path, for what cannot be held."""
        if not self.accepts(value):
            raise NoMaterializer(f"{self.id} saves exactly a plotly Figure, not its subclass {type(value).__qualname__}")
        parts = {
            "data": [trace.to_plotly_json() for trace in value.data],
            "layout": value.layout.to_plotly_json(),
            "frames": [frame.to_plotly_json() for frame in value.frames],
            # What a Figure pickles beside these: where add_trace(row=, col=) finds the subplots.
            **{name: part for name, part in value.__reduce__()[1][0].items() if name in _GRID and part is not None},
        }
        try:
            return values.text(values.to_json(_ordered(parts), name="figure", foreign=_write))
        except NotPlain as error:
            raise NoMaterializer(f"{error}; the figure is left to the fallback") from error

    def loads(self, data: bytes, type_: Any) -> Any:
        return go.Figure(values.from_json(values.parse(data), type_, foreign=_read))

    def metadata(self, value: Any) -> Mapping[str, Json]:
        facts: dict[str, Json] = {"traces": [trace.type for trace in value.data][:200], "frames": len(value.frames)}
        title = value.layout.title.text
        return {**facts, "title": title[:200]} if isinstance(title, str) else facts

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give a drawing: plotly.js would be 4 MB of script."""
        return [show_figure(value)]

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the figure for those who can draw it."""
        return [Visualization("json", read(self.filename).decode(), "Plotly figure as JSON")]


def _ordered(node: Any) -> Any:
    """Give properties in the order of their names: plotly itself brings them into another one."""
    if isinstance(node, dict):
        return {name: node[name] if name in _FREE else _ordered(node[name]) for name in sorted(node)}
    return [_ordered(item) for item in node] if isinstance(node, list) else node


def _write(value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
    known = _known_dtype(value) if type(value) is np.ndarray and value.size else None
    if known is None:
        return numpy_items.write(value, path, last=last)
    # The keys of plotly's own typed arrays, beside those that say what the array was.
    return tagged(
        "item",
        kind="array",
        dtype=known,
        bdata=b64encode(value.astype(f"<{known}").tobytes()).decode("ascii"),
        shape=", ".join(map(str, value.shape)),
        exact=value.dtype.str,
    )


def _known_dtype(array: Any) -> str | None:
    if array.dtype.str in ("<f4", "<f8"):
        return str(array.dtype.str[1:])
    if array.dtype.kind not in "iu":
        return None
    low, high = int(array.min()), int(array.max())
    return next((name for name in _KNOWN[:6] if np.iinfo(name).min <= low and high <= np.iinfo(name).max), None)


def _read(node: Mapping[str, Json]) -> Any:
    if node["kind"] != "array":
        return numpy_items.read(node)
    found = np.frombuffer(b64decode(node["bdata"]), f"<{node['dtype']}")
    return found.astype(node["exact"]).reshape([int(each) for each in node["shape"].split(", ")])


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (FigureMaterializer,)
