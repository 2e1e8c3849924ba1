"""altair: charts as their Vega-Lite specification (`chart.json`), which every Vega viewer opens.

The specification holds the data, whatever its size and whichever data transformer is in force (what a URL points to stays there).
What comes back is a chart of the same class that gives the same specification; its data are rows (`chart.data["values"]`), no longer a frame.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import altair as alt

from lineal.errors import NoMaterializer
from lineal.materializers.altair_view import show_specification
from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.model import values
from lineal.model.records import FileEntry, Json
from lineal.model.visualization import Visualization

_CLASSES: dict[str, Any] = {
    "layer": alt.LayerChart,
    "hconcat": alt.HConcatChart,
    "vconcat": alt.VConcatChart,
    "concat": alt.ConcatChart,
    "facet": alt.FacetChart,
    "repeat": alt.RepeatChart,
}
"""Classes of charts by the one key that only their specifications have; all others are a Chart."""

_GIVEN = "data-"
"""What the names begin with that altair gives to data: the rest is a digest of them."""

_lock = threading.Lock()


class ChartMaterializer(BytesMaterializer):
    """Saves a chart of any of altair's classes."""

    id = "altair.Chart/1"
    filename: ClassVar[str] = "chart.json"
    types = (alt.Chart, *_CLASSES.values())

    def accepts(self, value: Any) -> bool:
        return type(value) in self.types

    def dumps(self, value: Any) -> bytes:
        if not self.accepts(value):
            raise NoMaterializer(f"{self.id} saves exactly altair's own charts, not their subclass {type(value).__qualname__}")
        return values.dumps(_specification(value))

    def loads(self, data: bytes, type_: Any) -> Any:
        found = values.loads(data, type_)
        datasets = found.pop("datasets", None)
        cls = next((cls for key, cls in _CLASSES.items() if key in found), alt.Chart)
        chart = cls.from_dict(found, validate=False)
        # from_dict would make an object of every row.
        own = str(found.get("data", {}).get("name", ""))
        if datasets and own.startswith(_GIVEN):
            chart.data = {"values": datasets.pop(own)}
        if datasets:
            chart.datasets = datasets
        return chart

    def metadata(self, value: Any) -> Mapping[str, Json]:
        facts: dict[str, Json] = {"class": type(value).__name__}
        title = getattr(value, "title", None)
        return {**facts, "title": title[:200]} if isinstance(title, str) else facts

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give a drawing, as far as it can be drawn without Vega."""
        return [show_specification(_specification(value))]

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the specification, which notebooks draw."""
        return [Visualization("json", read(self.filename).decode(), "Vega-Lite specification")]


def _specification(chart: Any) -> dict[str, Any]:
    # The options belong to the process, and others would leave the data out or refuse more than 5,000 rows.
    with _lock, alt.data_transformers.enable("default", max_rows=None):
        found = chart.to_dict()
    # Vega-Lite knows no order of keys, and altair's own changes on the way there and back; the columns of the data have one.
    return {name: found[name] if name == "datasets" else _ordered(found[name]) for name in sorted(found)}


def _ordered(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _ordered(node[name]) for name in sorted(node)}
    return [_ordered(item) for item in node] if isinstance(node, list) else node


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ChartMaterializer,)
