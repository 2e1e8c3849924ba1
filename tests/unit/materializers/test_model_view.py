"""What is shown of models."""

import pytest

from lineal.materializers.model_view import LAYERS, largest, show_layers, show_model, value_text
from lineal.views.subset import body_of, parse


def body(visualization) -> str:
    found = body_of(visualization.content)
    assert parse(found) is not None, "a notebook would show it in a frame"
    return found


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_parameters_that_were_chosen_come_first_and_stand_out() -> None:
    made = body(show_model("Model", {"class": "a.B", "rounds": 12345}, {"alpha": 1.0, "beta": 5}, {"alpha": 1.0, "beta": 2}))
    assert made.index("<b>beta</b>") < made.index("alpha")
    assert "<b>alpha</b>" not in made
    assert "12,345" in made


def test_importances_are_bars_the_largest_first_and_bounded() -> None:
    worth = largest(["a", "b"], [1.0, -5.0, 2.0, *[0.1] * 100])
    assert worth[:3] == [("b", -5.0), ("feature 2", 2.0), ("a", 1.0)]
    made = body(show_model("Model", {}, None, None, worth, "gain"))
    assert "Features by gain" in made
    assert "the 20 that are worth most" in made
    assert "Features" not in body(show_model("Model", {}, None, None, [("a", 0.0)]))


def test_layers_are_a_table_and_bounded() -> None:
    made = body(show_layers("Net", {"parameters": 10**6}, ((f"layer <{n}>", "Linear", "2, 3", n) for n in range(LAYERS + 5))))
    assert "layer &lt;7&gt;" in made
    assert "5 more layers" in made
    assert "1,000,000" in made
    assert "<table" not in body(show_layers("Net", {}, ()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("gini", "gini"),
        (0.1 + 0.2, "0.3"),
        (None, "None"),
        (int, "int"),
        ([1] * 100, "[1, 1, 1, 1, 1, 1, ...]"),
        (Rude(), "<Rude instance at"),
    ],
)
def test_any_parameter_has_a_short_text(value, text) -> None:
    assert value_text(value).startswith(text)
    assert len(value_text("x" * 1000)) == 200
