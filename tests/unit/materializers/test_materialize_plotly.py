"""plotly figures come back exactly, and one of numbers and text is JSON that plotly reads."""

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.subplots
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers.plotly import FigureMaterializer
from lineal.materializers.registry import registry
from lineal.model import digest
from lineal.testing.materializers import MaterializerTests

ARRAYS = (
    np.arange(3),
    np.array([2**40, 1]),
    np.arange(3, dtype="u1"),
    np.array([1.5, 2.5]),
    np.array([[1, 2], [3, 4]], "f4"),
    np.array(["2020-01-01", "NaT"], "M8[us]"),
    np.array(["a", "b"]),
    np.array(["a", 1, None, [1]], object),
    np.array([True, False]),
    np.array([]),
)


def grid() -> Any:
    """Give a figure with two subplots."""
    figure = plotly.subplots.make_subplots(rows=1, cols=2)
    figure.add_trace(go.Scatter(x=[1, 2], y=np.array([0.5, 1.5])), row=1, col=1)
    figure.add_trace(go.Bar(x=["a", "b"], y=np.arange(2)), row=1, col=2)
    return figure


class TestFigure(MaterializerTests):
    """Figures with arrays of all kinds, frames, subplots and things of the user's own."""

    materializer = FigureMaterializer()
    other_process = False  # pickles of plotly lose the dtypes of arrays; tested below
    values = (
        go.Figure(),
        go.Figure(go.Scatter(x=[1, 2], y=[3, None])),
        go.Figure(go.Scatter(x=[1.0, 2], y=[3, None])),
        *(go.Figure(go.Scatter(customdata=array)) for array in ARRAYS),
        go.Figure(go.Scatter(x=[dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.date(2020, 1, 2)], y=[Decimal("1.5"), (1, 2)])),
        go.Figure(layout={"title": {"text": "T"}, "meta": {"z": (1, 2), "a": np.float64(3)}}),
        go.Figure(go.Heatmap(z=np.eye(2)), frames=[go.Frame(name="f", data=[go.Heatmap(z=np.ones((2, 2)))])]),
        go.Figure(go.Scatter(y={"dtype": "i1", "bdata": "AAEC"})),
        grid(),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return repr(properties(one)) == repr(properties(other))

    def copy(self, value: Any) -> Any:
        parts = {"data": [each.to_plotly_json() for each in value.data], "layout": value.layout.to_plotly_json()}
        parts |= {name: part for name, part in value.__reduce__()[1][0].items() if name.startswith("_grid")}
        return go.Figure({**parts, "frames": [each.to_plotly_json() for each in value.frames]})

    def mutate(self, value: Any) -> bool:
        value.update_layout(title="changed by the test")
        return True


def properties(figure: Any) -> Any:
    """Give all that a figure consists of, with types, in the order of names."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return sorted((name, plain(item)) for name, item in node.items())
        if isinstance(node, np.ndarray):
            return "array", node.dtype, node.tolist()
        return [plain(item) for item in node] if isinstance(node, list) else node

    return plain(
        [*(each.to_plotly_json() for each in figure.data), figure.layout.to_plotly_json(), [f.to_plotly_json() for f in figure.frames]]
    )


def back(figure: Any) -> Any:
    return FigureMaterializer().loads(FigureMaterializer().dumps(figure), None)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype) + str(array.ndim))
def test_arrays_keep_their_dtype(array: Any) -> None:
    """Where plotly's own JSON gives the narrowest type or a list, the array comes back as it was."""
    found = back(go.Figure(go.Scatter(customdata=array))).data[0].customdata
    kept = go.Figure(go.Scatter(customdata=array)).data[0].customdata
    assert type(found) is type(kept)
    assert np.array_equal(found, kept) or array.dtype.kind == "M"
    assert getattr(found, "dtype", None) == getattr(kept, "dtype", None)


def test_another_process_gives_equal_bytes(elsewhere: Callable[..., str]) -> None:
    """With another hash seed too."""
    program = (
        "import numpy as np, plotly.graph_objects as go; from lineal.materializers.plotly import FigureMaterializer as M; "
        "from lineal.model import digest; "
        "print(digest.of_bytes(M().dumps(go.Figure(go.Scatter(x=np.arange(3), y=[1, 2, 3]), layout={'title': {'text': 'T'}}))))"
    )
    here = go.Figure(go.Scatter(x=np.arange(3), y=[1, 2, 3]), layout={"title": {"text": "T"}})
    assert elsewhere(program, seed=1) == digest.of_bytes(FigureMaterializer().dumps(here))


def test_subplots_can_be_added_to() -> None:
    """The grid comes back, so that a trace finds its place."""
    found = back(grid())
    found.add_trace(go.Scatter(y=[1]), row=1, col=2)
    assert found.data[-1].xaxis == "x2"


def test_plotly_reads_the_file() -> None:
    """Numbers and text are JSON as plotly.js reads it: its own typed arrays with one more key, which it does not look at."""
    figure = go.Figure(go.Scatter(x=np.arange(3), y=np.array([0.5, 1.5, 2.5]), text=["a", "b", "c"]))
    stored = json.loads(FigureMaterializer().dumps(figure))
    [trace] = stored["data"]
    own = json.loads(figure.to_json())["data"][0]
    for axis in ("x", "y"):
        assert own[axis].items() <= trace[axis].items()
    assert go.Figure(stored).data[0].text == ("a", "b", "c")


def test_order_of_what_belongs_to_the_user_is_kept() -> None:
    """plotly sorts its own properties; a dict in `meta` keeps its order."""
    assert list(back(go.Figure(layout={"meta": {"z": 1, "a": 2}})).layout.meta) == ["z", "a"]


def test_what_cannot_be_held_is_declined_by_its_path() -> None:
    """An object inside the data is named, and the figure goes to the next candidate."""
    with pytest.raises(NoMaterializer, match=r"figure\['data'\]\[0\].*left to the fallback"):
        FigureMaterializer().dumps(go.Figure(go.Scatter(customdata=[object()])))


def test_a_subclass_is_declined() -> None:
    """What would come back as its base class is left to the next candidate."""

    class Mine(go.Figure):  # type: ignore[misc]
        pass

    assert not FigureMaterializer().accepts(Mine())
    with pytest.raises(NoMaterializer, match="Mine"):
        FigureMaterializer().dumps(Mine())


def test_metadata_and_registry(elsewhere: Callable[..., str], tmp_path: Any) -> None:
    """Kinds of traces and the title; a grid is read in a process that has made none."""
    assert FigureMaterializer().metadata(grid()) == {"traces": ["scatter", "bar"], "frames": 0}
    assert FigureMaterializer().metadata(go.Figure(layout={"title": {"text": "T"}}))["title"] == "T"
    assert registry.for_value(go.Figure()).id == "plotly.Figure/1"
    (tmp_path / "figure.json").write_bytes(FigureMaterializer().dumps(grid()))
    program = (
        "import sys; from lineal.materializers.registry import registry; "
        "print(len(registry.by_id('plotly.Figure/1').loads(open(sys.argv[1], 'rb').read(), None).data))"
    )
    assert elsewhere(program, tmp_path / "figure.json") == "2"
