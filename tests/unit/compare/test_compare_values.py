"""Two values are compared as what both of them are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lineal.compare.values import compare_values
from lineal.errors import UsageError


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2]}), "table"),
        (np.ones(2), np.zeros(2), "array"),
        (Ridge(1.0), Ridge(2.0), "model"),
        ("a\nb", "a\nc", "text"),
        ("a", "b", "plain"),
        (b"a", b"b", "bytes"),
        ({"a": 1}, {"a": 2}, "plain"),
        (np.ones(2), [1.0, 1.0], "plain"),
        (Ridge, LogisticRegression, "plain"),
    ],
)
def test_the_kind_is_what_both_are(one: Any, other: Any, kind: str) -> None:
    """And each says in a few words what differs."""
    result = compare_values(one, other)
    assert (result.kind, result.same) == (kind, False)
    assert result.summary
    assert compare_values(one, one).same


def test_models_differ_by_their_parameters_also_those_inside() -> None:
    """A pipeline's step by its path."""
    one = make_pipeline(StandardScaler(), LogisticRegression())
    other = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    result = compare_values(one, other)
    assert result.data["changes"] == [
        {"path": "parameters['logisticregression__C']", "kind": "changed", "before": "1.0", "after": "0.1", "note": ""}
    ]
    assert compare_values(Ridge(), LogisticRegression()).summary.startswith("Ridge → LogisticRegression; parameters: ")
    assert compare_values(Ridge(), Ridge()).summary == "the same parameters"


def test_what_stands_in_a_container_is_compared_by_its_own_kind() -> None:
    """Arrays, tables and models by their paths."""
    one = {"a": np.zeros(2), "t": pd.DataFrame({"x": [1]}), "m": [Ridge(1.0)], "o": slice(1)}
    other = {"a": np.ones(2), "t": pd.DataFrame({"x": [2]}), "m": [Ridge(2.0)], "o": slice(2)}
    notes = {each["path"]: each["note"] for each in compare_values(one, other).data["changes"]}
    assert notes["value['a']"] == "array: 2 of 2 elements differ, by 1 at most"
    assert notes["value['t']"] == "table: 1 changed cell in 1 column, 1 column drifted"
    assert notes["value['m'][0]"] == "model: parameters: 1 difference, the first at parameters['alpha']"
    assert notes["value['o']"] == ""


def test_a_value_whose_equality_fails_is_compared_by_what_it_shows() -> None:
    """Somebody else's `==` may raise, or give no truth value."""

    class Odd:
        def __init__(self, n: int) -> None:
            self.n = n

        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        def __repr__(self) -> str:
            return f"Odd({self.n})"

    assert compare_values([Odd(1)], [Odd(1)]).same
    assert compare_values([Odd(1)], [Odd(2)]).data["changes"][0]["after"] == "Odd(2)"


def test_a_key_is_only_for_tables() -> None:
    """The error says what came."""
    with pytest.raises(UsageError, match="these are a dict and a list"):
        compare_values({}, [], key="id")
