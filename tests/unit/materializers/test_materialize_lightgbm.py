import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.lightgbm import BoosterMaterializer, ModelMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.testing.materializers import MaterializerTests, load, save

GENERATOR = np.random.default_rng(0)
ROWS = pd.DataFrame(GENERATOR.normal(size=(80, 3)), columns=["a", "b", "c"])
WORDS = np.array(["low", "mid", "high"])[np.arange(80) % 3]
OBJECTS = WORDS.astype(object)
NUMBERS = (ROWS["a"] * 2 + ROWS["b"]).to_numpy()
FEW = {"n_estimators": 4, "num_leaves": 4, "n_jobs": 1, "verbose": -1, "min_child_samples": 2}


def boosters() -> tuple[Any, ...]:
    """Give a booster stopped early, and one with a column of categories."""
    params = {"objective": "regression", "num_leaves": 4, "verbose": -1, "num_threads": 1, "min_data_in_leaf": 2, "learning_rate": 0.9}
    data, other = lgb.Dataset(ROWS, NUMBERS), lgb.Dataset(ROWS, NUMBERS[::-1])
    early = lgb.train(params, data, 20, valid_sets=[other], callbacks=[lgb.early_stopping(2, verbose=False)], keep_training_booster=True)
    rows = ROWS.assign(kind=pd.Categorical(WORDS))
    return early, lgb.train(params, lgb.Dataset(rows, NUMBERS, free_raw_data=False), 3)


def models() -> tuple[Any, ...]:
    """Give estimators of each class, fitted and not."""
    return (
        lgb.LGBMClassifier(**FEW).fit(ROWS, WORDS),
        lgb.LGBMClassifier(**FEW, class_weight={"low": 2.0}).fit(ROWS, OBJECTS),
        lgb.LGBMClassifier(**FEW).fit(ROWS, np.arange(80) % 2 == 0),
        lgb.LGBMRegressor(**FEW).fit(ROWS, NUMBERS, eval_X=(ROWS,), eval_y=(NUMBERS,)),
        lgb.LGBMRanker(**FEW).fit(ROWS, np.arange(80) % 3, group=[40, 40]),
        lgb.LGBMRegressor(**FEW),
    )


class TestBooster(MaterializerTests):
    """Boosters."""

    materializer = BoosterMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = boosters()

    def equal(self, one: Any, other: Any) -> bool:
        names = ("best_iteration", "best_score", "params", "pandas_categorical")
        same = all(getattr(one, name) == getattr(other, name) for name in names)
        return same and one.model_to_string(num_iteration=-1) == other.model_to_string(num_iteration=-1)

    def copy(self, value: Any) -> Any:
        return pickle.loads(pickle.dumps(value))  # deepcopy forgets the parameters of a booster

    def mutate(self, value: Any) -> bool:
        value.best_iteration = 99
        return True


class TestModel(MaterializerTests):
    """Estimators."""

    materializer = ModelMaterializer()
    other_process = False
    values = models()

    def equal(self, one: Any, other: Any) -> bool:
        def plain(model: Any) -> str:
            return repr({name: value for name, value in vars(model).items() if name != "_Booster"})

        if plain(one) != plain(other) or (one._Booster is None) != (other._Booster is None):
            return False
        return one._Booster is None or np.array_equal(one.predict(ROWS), other.predict(ROWS))

    def copy(self, value: Any) -> Any:
        return pickle.loads(pickle.dumps(value))  # deepcopy forgets the parameters of a booster

    def mutate(self, value: Any) -> bool:
        value.set_params(n_estimators=77)
        return True


def test_booster_keeps_all_its_iterations_and_the_best(tmp_path: Path) -> None:
    """lightgbm's own file would end with the best iteration, and forget which it was."""
    booster = boosters()[0]
    back = load(BoosterMaterializer(), save(BoosterMaterializer(), booster, tmp_path / "a"))
    assert 0 < back.best_iteration == booster.best_iteration < back.current_iteration() == booster.current_iteration()
    assert np.array_equal(back.predict(ROWS), booster.predict(ROWS))
    assert np.array_equal(back.predict(ROWS, num_iteration=-1), booster.predict(ROWS, num_iteration=-1))


def test_booster_knows_its_categories(tmp_path: Path) -> None:
    """A frame with the same categories in another order gives the same predictions."""
    booster = boosters()[1]
    back = load(BoosterMaterializer(), save(BoosterMaterializer(), booster, tmp_path / "a"))
    rows = ROWS.assign(kind=pd.Categorical(WORDS, categories=["mid", "low", "high"]))
    assert np.array_equal(back.predict(rows), booster.predict(rows))


def test_estimator_comes_back_with_what_fitting_gave(tmp_path: Path) -> None:
    """Probabilities, classes with their dtype, parameters and the evaluation are the same."""
    for index, model in enumerate(models()[:4]):
        back = load(ModelMaterializer(), save(ModelMaterializer(), model, tmp_path / str(index)))
        assert back.predict(ROWS).tolist() == model.predict(ROWS).tolist()
        if isinstance(model, lgb.LGBMClassifier):
            assert np.array_equal(back.predict_proba(ROWS), model.predict_proba(ROWS))
            assert back.classes_.dtype == model.classes_.dtype
        assert back.get_params() == model.get_params()
        assert back.evals_result_ == model.evals_result_
        assert list(back.feature_name_) == ["a", "b", "c"]


def test_estimator_is_not_taken_by_the_materializer_of_scikit_learn() -> None:
    """The nearer class wins."""
    registry = Registry(CloudpickleMaterializer())
    assert [registry.for_value(each).id for each in models()] == ["lightgbm.LGBMModel/1"] * 6
    assert registry.for_value(boosters()[0]).id == "lightgbm.Booster/1"


def test_estimator_with_a_function_is_declined(tmp_path: Path) -> None:
    """It goes to the fallback, by policy; the message says where the function is."""
    with pytest.raises(NoMaterializer, match=r"LGBMRegressor\['state'\]\['objective'\] is a function"):
        save(ModelMaterializer(), lgb.LGBMRegressor(objective=lambda a, b: (a, b)), tmp_path / "a")


def test_metadata() -> None:
    """Rounds, trees, best iteration and the parameters that are set."""
    facts = ModelMaterializer().metadata(models()[0])
    assert (facts["class"], facts["rounds"], facts["trees"], facts["features"]) == ("lightgbm.sklearn.LGBMClassifier", 4, 12, 3)
    assert facts["parameters"]["num_leaves"] == 4
    assert BoosterMaterializer().metadata(boosters()[0])["best_iteration"] > 0


def test_no_pickle_is_read_and_no_class_is_made_that_is_no_model(tmp_path: Path, trap: Any) -> None:
    """A pickle in the place of the trees is refused, and so is another class than an estimator of lightgbm."""
    folder = save(ModelMaterializer(), models()[3], tmp_path / "a")
    trees = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(trap.pickled)
    with pytest.raises((lgb.basic.LightGBMError, UnicodeDecodeError)):
        load(ModelMaterializer(), folder)
    (folder / "model.txt").write_bytes(trees)
    text = (folder / "estimator.json").read_text(encoding="utf-8")
    (folder / "estimator.json").write_text(text.replace("lightgbm.sklearn:LGBMRegressor", "subprocess:Popen"), encoding="utf-8")
    with pytest.raises(MaterializerError, match="is not loaded here"):
        load(ModelMaterializer(), folder)
    assert not trap.sprung


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The models are trained anew there, under another hash seed."""
    assert_same_elsewhere(TestBooster, TestModel)
