"""altair charts come back as charts of the same class that give the same specification."""

import json
from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers.altair import ChartMaterializer
from lineal.materializers.registry import registry
from lineal.model import digest
from lineal.testing.materializers import MaterializerTests

FRAME = pd.DataFrame({"b": [1, 2, 3], "a": list("xyz"), "t": pd.date_range("2020", periods=3)})
OTHER = pd.DataFrame({"b": [5]})
CHART = alt.Chart(FRAME).mark_bar().encode(x="b:Q", y="a")


class TestChart(MaterializerTests):
    """Charts of every class, with data inside, outside and by name."""

    materializer = ChartMaterializer()
    other_process = False  # one chart says as much, below
    values = (
        CHART,
        CHART.properties(title="T"),
        alt.Chart(FRAME).mark_line().encode(x="t", y="b"),
        CHART + CHART.mark_line(),
        CHART + alt.Chart(OTHER).mark_rule().encode(x="b:Q"),
        CHART | CHART,
        CHART & CHART,
        alt.concat(CHART, alt.Chart(OTHER).mark_point().encode(x="b:Q"), columns=2),
        CHART.facet("a:N"),
        alt.Chart(FRAME).mark_point().encode(x=alt.X(alt.repeat("column"), type="quantitative")).repeat(column=["b"]),
        CHART.add_params(alt.selection_point(name="chosen")),
        alt.Chart("data/of.csv").mark_bar().encode(x="b:Q"),
        alt.Chart(alt.NamedData("later"), datasets={"later": [{"b": 1}]}).mark_bar().encode(x="b:Q"),
        alt.Chart(alt.sequence(3)).mark_bar().encode(x="data:Q"),
        alt.Chart().mark_bar(),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return bool(one.to_dict() == other.to_dict())

    def mutate(self, value: Any) -> bool:
        value.title = "changed by the test"
        return True


def back(chart: Any) -> Any:
    return ChartMaterializer().loads(ChartMaterializer().dumps(chart), None)


def test_another_process_gives_equal_bytes(elsewhere: Callable[..., str]) -> None:
    """With another hash seed too."""
    program = (
        "import altair as alt; from lineal.materializers.altair import ChartMaterializer as M; from lineal.model import digest; "
        "print(digest.of_bytes(M().dumps(alt.Chart('data.csv').mark_bar().encode(x='b:Q', y='a:N', color='c:N'))))"
    )
    here = alt.Chart("data.csv").mark_bar().encode(x="b:Q", y="a:N", color="c:N")
    assert elsewhere(program, seed=1) == digest.of_bytes(ChartMaterializer().dumps(here))


def test_data_come_back_as_rows() -> None:
    """The data are there to be read, their columns in order."""
    rows = back(CHART).data["values"]
    assert [list(row.items())[:2] for row in rows] == [[("b", 1), ("a", "x")], [("b", 2), ("a", "y")], [("b", 3), ("a", "z")]]


def test_many_rows_are_kept_whatever_the_options() -> None:
    """Neither the limit of 5,000 rows nor a transformer that leaves data in other files counts; the options stay as they were."""
    large = alt.Chart(pd.DataFrame({"b": range(6000)})).mark_bar().encode(x="b:Q")
    with alt.data_transformers.enable("json"):
        found = back(large)
        assert alt.data_transformers.active == "json"
    assert len(found.data["values"]) == 6000
    assert alt.data_transformers.options == {}


def test_any_viewer_opens_the_file() -> None:
    """The file is the plain specification with its schema and its data."""
    stored = json.loads(ChartMaterializer().dumps(CHART))
    assert stored == CHART.to_dict()
    assert "vega-lite" in stored["$schema"]
    assert stored["datasets"]


def test_a_subclass_is_declined() -> None:
    """What would come back as its base class is left to the next candidate."""

    class Mine(alt.Chart):
        pass

    assert not ChartMaterializer().accepts(Mine())
    with pytest.raises(NoMaterializer, match="Mine"):
        ChartMaterializer().dumps(Mine())


def test_metadata_and_registry() -> None:
    """The class and the title."""
    assert ChartMaterializer().metadata(CHART.properties(title="T")) == {"class": "Chart", "title": "T"}
    assert ChartMaterializer().metadata(CHART | CHART) == {"class": "HConcatChart"}
    assert registry.for_value(CHART | CHART).id == "altair.Chart/1"
