"""What is shown of scikit-learn estimators."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lineal.materializers.sklearn import SkopsMaterializer
from lineal.materializers.sklearn_view import show_estimator
from lineal.views import picture
from lineal.views.subset import body_of, parse

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(40, 3)), columns=["age", "<b>", "height"])
Y = (X["age"] > 0).astype(int)


def body(visualization) -> str:
    found = body_of(visualization.content)
    assert parse(found) is not None, "a notebook would show it in a frame"
    return found


def test_parameters_and_what_was_learnt_are_shown() -> None:
    [made] = show_estimator(LogisticRegression(C=0.5).fit(X, Y))
    text = body(made)
    assert made.title == "LogisticRegression"
    for expected in (
        "sklearn.linear_model.LogisticRegression",
        "<b>C</b>",
        "0.5",
        "classes_",
        "[0 1]",
        "n_features_in_",
        "Features by coefficient",
    ):
        assert expected in text
    assert "<b>max_iter</b>" not in text


def test_importances_have_the_names_of_the_features() -> None:
    [made] = show_estimator(RandomForestClassifier(5, random_state=0).fit(X, Y))
    text = body(made)
    assert "Features by importance" in text
    assert "&lt;b&gt;" in text
    assert text.index(">age<") < text.index(">height<")


@pytest.mark.parametrize("estimator", [SVC(), SVC(kernel="linear").fit(X, Y), KMeans(2).fit(X), Lasso(), StandardScaler().fit(X)])
def test_any_estimator_is_shown(estimator) -> None:
    [made] = show_estimator(estimator)
    body(made)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), Lasso()),
        GridSearchCV(Lasso(), {"alpha": [1, 2]}),
        ColumnTransformer([("a", StandardScaler(), ["age"])]),
    ],
)
def test_a_composite_one_has_its_own_diagram_in_a_frame_that_is_shut_off(estimator) -> None:
    table, diagram = show_estimator(estimator)
    body(table)
    assert diagram.title == "Diagram"
    assert "StandardScaler" in diagram.content or "Lasso" in diagram.content
    assert picture.pieces(diagram).count('<iframe sandbox="allow-scripts"') == 1


def test_equal_estimators_have_equal_diagrams() -> None:
    first, second = (list(show_estimator(make_pipeline(StandardScaler(), Lasso()))) for _ in range(2))
    assert first == second


def test_the_materializer_visualizes() -> None:
    assert [each.title for each in SkopsMaterializer().visualize(Lasso())] == ["Lasso"]
