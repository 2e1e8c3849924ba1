"""matplotlib: figures as pictures for looking at, and as a pickle, the only form from which a figure comes back to be worked on.

`figure.png`, `figure.svg` (unless it would be huge) and `figure.json` (size, titles) can be opened by anything. A pickle can run code
when it is loaded, so whether one may be is the workspace's policy. Where it forbids pickles, or a figure cannot be pickled, the second
materializer keeps the pictures alone, and a figure that shows the picture comes back.

Figures built alike give equal bytes, in any process: pictures carry no date and no version, and the pickle no addresses in memory. A
figure that was loaded and is saved again may give others. What is loaded is independent of pyplot: it opens no window.
"""

import io
import json
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle
import matplotlib as mpl
import matplotlib.image
from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import Figure
from matplotlib.transforms import TransformNode

from lineal.errors import LinealWarning, NoMaterializer
from lineal.materializers.base import AnyMaterializer, Materializer, where
from lineal.materializers.pickled import ENVIRONMENT, PROTOCOL, environment, unpickle
from lineal.model.records import FileEntry, Json
from lineal.model.visualization import Visualization

PICTURE = "figure.png"
FACTS = "figure.json"

SVG_POINTS = 20_000
"""Number of points above which a figure has no SVG: each takes some 100 bytes there, and as much time as a page of text."""

_SALT = "lineal"
_lock = threading.Lock()


class PictureMaterializer(Materializer):
    """Saves a figure as pictures only, and gives back a figure of the same size that shows the picture."""

    id = "matplotlib.picture/1"
    types: ClassVar[tuple[type, ...]] = (Figure,)

    def save(self, value: Any, folder: Path) -> None:
        """Write the pictures; warns that the figure is no more than them."""
        with suppress(NoMaterializer):  # drawn itself then, which can move axes by a hair where matplotlib lays them out
            value = pickle.loads(_pickled(value))
        _draw(value, folder)
        warnings.warn(
            f"{where.get() or 'a figure'} is kept as a picture only: its source would be a pickle, which cannot be made or is forbidden",
            LinealWarning,
            stacklevel=2,
        )

    def load(self, folder: Path, type_: Any) -> Any:
        picture = mpl.image.imread(folder / PICTURE)
        dpi = json.loads((folder / FACTS).read_bytes())["dpi"]
        height, width = picture.shape[:2]
        figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.imshow(picture, interpolation="none", aspect="auto")
        return figure

    def metadata(self, value: Any) -> Mapping[str, Json]:
        return _facts(value)

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the picture, which needs neither the pickle nor matplotlib."""
        return [Visualization("image", read(PICTURE))]


class FigureMaterializer(PictureMaterializer):
    """Saves a figure as pictures and as a pickle."""

    id = "matplotlib.Figure/1"
    safe = False

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer when the figure cannot be pickled."""
        data = _pickled(value)
        _draw(pickle.loads(data), folder)  # not the figure itself: each drawing goes on with laying out where the last one stopped
        (folder / "figure.pkl").write_bytes(data)
        (folder / ENVIRONMENT).write_text(json.dumps(environment(type(value)), sort_keys=True), encoding="utf-8")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the figure back. Raises PickleRefused when another release wrote it."""
        return unpickle((folder / "figure.pkl").read_bytes(), (folder / ENVIRONMENT).read_bytes())


def _draw(figure: Any, folder: Path) -> None:
    (folder / FACTS).write_text(json.dumps(_facts(figure), sort_keys=True), encoding="utf-8")
    figure.savefig(folder / PICTURE, format="png", dpi="figure", metadata={"Software": None})
    if _points(figure) <= SVG_POINTS:
        with _salted():
            figure.savefig(folder / "figure.svg", format="svg", metadata={"Date": None, "Creator": None})


@contextmanager
def _salted() -> Iterator[None]:
    """Let the names inside an SVG be the same each time. One setting alone: others may change the rest meanwhile."""
    with _lock:
        before = mpl.rcParams["svg.hashsalt"]
        mpl.rcParams["svg.hashsalt"] = _SALT
        try:
            yield
        finally:
            mpl.rcParams["svg.hashsalt"] = before


def _points(figure: Any) -> int:
    lines = sum(len(line.get_xdata(orig=False)) for line in figure.findobj(mpl.lines.Line2D))
    return lines + sum(_size(each) for each in figure.findobj(mpl.collections.Collection))


def _size(collection: Any) -> int:
    array = collection.get_array()
    return max(
        len(collection.get_offsets()), sum(len(path.vertices) for path in collection.get_paths()), 0 if array is None else array.size
    )


def _facts(figure: Any) -> dict[str, Json]:
    axes: list[Json] = [{"title": each.get_title(), "x": each.get_xlabel(), "y": each.get_ylabel()} for each in figure.axes[:100]]
    return {"size": [float(each) for each in figure.get_size_inches()], "dpi": float(figure.get_dpi()), "axes": axes}


def _pickled(figure: Any) -> bytes:
    out = io.BytesIO()
    try:
        _Pickler(out, PROTOCOL).dump(figure)
    except Exception as error:  # whatever the objects in the figure raise
        reason = f"{type(error).__name__}: {error}"
        raise NoMaterializer(f"the figure cannot be pickled ({reason:.300}); without its source it is only a picture") from error
    return out.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Pickles a figure without what belongs to this process: addresses, counters, and its window."""

    def reducer_override(self, obj: Any) -> Any:
        clean = next((clean for cls, clean in _CLEANERS.items() if isinstance(obj, cls)), None)
        if clean is None:
            return super().reducer_override(obj)
        make, arguments, state, *rest = obj.__reduce_ex__(PROTOCOL)
        return make, arguments, clean(dict(state)), *rest


def _clean_figure(state: dict[str, Any]) -> dict[str, Any]:
    # Loading would open a window; and the number is the window's.
    return {name: part for name, part in state.items() if name not in ("_restore_to_pylab", "_number", "number")}


def _clean_transform(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "_parents": dict(enumerate(state["_parents"].values()))}  # keyed by address


def _clean_callbacks(state: dict[str, Any]) -> dict[str, Any]:
    # Pickling itself counts one up; only that no number comes twice matters.
    used = [number for each in state["callbacks"].values() for number in each]
    return {**dict(sorted(state.items())), "_cid_gen": max(used, default=-1) + 1}


_CLEANERS: Mapping[type, Any] = {Figure: _clean_figure, TransformNode: _clean_transform, CallbackRegistry: _clean_callbacks}

MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (FigureMaterializer, PictureMaterializer)
