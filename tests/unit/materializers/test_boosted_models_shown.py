"""What is shown of the models of xgboost, lightgbm and catboost: parameters, and what features are worth."""

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost

from lineal.materializers.registry import registry
from lineal.views.subset import body_of, parse

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["age", "weight", "height"])
Y = (X["age"] > 0).astype(int)

FITTED = {
    "XGBClassifier": lambda: xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(X, Y),
    "xgboost booster": lambda: xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 3),
    "LGBMClassifier": lambda: lightgbm.LGBMClassifier(n_estimators=3, max_depth=2, verbose=-1).fit(X, Y),
    "lightgbm booster": lambda: lightgbm.train({"max_depth": 2, "verbose": -1}, lightgbm.Dataset(X, Y), 3),
    "CatBoostClassifier": lambda: catboost.CatBoostClassifier(iterations=3, max_depth=2, verbose=0, allow_writing_files=False).fit(X, Y),
}


def shown(model) -> tuple[str, str]:
    [made] = registry.for_value(model).visualize(model)
    body = body_of(made.content)
    assert parse(body) is not None, "a notebook would show it in a frame"
    return made.title, body


@pytest.mark.parametrize("title", FITTED)
def test_a_fitted_model_shows_what_its_features_are_worth(title) -> None:
    found, body = shown(FITTED[title]())
    assert found == title
    assert "Features by" in body
    assert "age" in body
    assert "rounds" in body


@pytest.mark.parametrize("title", ["XGBClassifier", "LGBMClassifier", "CatBoostClassifier"])
def test_an_estimator_shows_its_parameters(title) -> None:
    assert "max_depth" in shown(FITTED[title]())[1]


@pytest.mark.parametrize(
    "model", [xgboost.XGBRegressor(max_depth=3), lightgbm.LGBMRegressor(max_depth=3), catboost.CatBoostRegressor(max_depth=3)]
)
def test_one_that_is_not_fitted_shows_its_parameters(model) -> None:
    assert "max_depth" in shown(model)[1]
