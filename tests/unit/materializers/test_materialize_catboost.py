from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost as cb
import numpy as np
import pandas as pd
import pytest

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.catboost import ModelMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.testing.materializers import MaterializerTests, content, load, save

GENERATOR = np.random.default_rng(0)
ROWS = pd.DataFrame(GENERATOR.normal(size=(60, 2)), columns=["a", "b"]).assign(kind=np.array(["x", "y", "z"])[np.arange(60) % 3])
WORDS = np.array(["low", "mid", "high"])[np.arange(60) % 3]
NUMBERS = (ROWS["a"] * 2 + ROWS["b"]).to_numpy()
FEW = {"iterations": 4, "depth": 2, "thread_count": 1, "verbose": 0, "allow_writing_files": False, "cat_features": ["kind"]}


class Mine(cb.CatBoostRegressor):
    """A model of one's own."""


def models() -> tuple[Any, ...]:
    """Give models of each class, fitted and not."""
    plain = {name: value for name, value in FEW.items() if name != "cat_features"}
    return (
        cb.CatBoostClassifier(**FEW).fit(ROWS, WORDS, eval_set=(ROWS, WORDS)),
        cb.CatBoostClassifier(**FEW).fit(ROWS, np.arange(60) % 2),
        cb.CatBoostRegressor(**FEW, early_stopping_rounds=2).fit(ROWS, NUMBERS, eval_set=(ROWS, NUMBERS[::-1])),
        cb.CatBoost(dict(plain)).fit(ROWS[["a", "b"]].to_numpy(), NUMBERS),
        cb.CatBoostRanker(**plain).fit(ROWS[["a", "b"]], np.arange(60) % 3, group_id=np.repeat([0, 1], 30)),
        Mine(**FEW).fit(ROWS, NUMBERS),
        cb.CatBoostRegressor(**FEW),
    )


def features(model: Any) -> Any:
    """Give the rows as a model was trained on them."""
    return ROWS if "cat_features" in model._init_params else ROWS[["a", "b"]].to_numpy()


class TestModel(MaterializerTests):
    """Models."""

    materializer = ModelMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = models()

    def equal(self, one: Any, other: Any) -> bool:
        if one._init_params != other._init_params or one.is_fitted() != other.is_fitted():
            return False
        return not one.is_fitted() or np.array_equal(one.predict(features(one)), other.predict(features(other)))

    def mutate(self, value: Any) -> bool:
        value._init_params["depth"] = 9
        return True


def test_model_comes_back_with_what_fitting_gave(tmp_path: Path) -> None:
    """Probabilities, classes, names, parameters, evaluation, importance and the best iteration are the same."""
    for index, model in enumerate([models()[0], models()[2]]):
        back = load(ModelMaterializer(), save(ModelMaterializer(), model, tmp_path / str(index)))
        assert back.get_params() == model.get_params()
        for part, metrics in model.evals_result_.items():
            for name, course in metrics.items():
                assert back.evals_result_[part][name] == pytest.approx(course, rel=1e-14)  # 16 digits in catboost's own file
        assert back.get_best_iteration() == model.get_best_iteration()
        assert np.array_equal(back.feature_importances_, model.feature_importances_)
        assert back.feature_names_ == ["a", "b", "kind"]
    classifier = models()[0]
    back = load(ModelMaterializer(), save(ModelMaterializer(), classifier, tmp_path / "c"))
    assert np.array_equal(back.predict_proba(ROWS), classifier.predict_proba(ROWS))
    assert list(back.classes_) == list(classifier.classes_)


def test_training_again_gives_the_same_bytes(tmp_path: Path) -> None:
    """What catboost's own file says about the time and the chance of a training is left out; the rest of it is there."""
    one, other = models()[0], models()[0]
    assert one.get_metadata()["model_guid"] != other.get_metadata()["model_guid"]
    assert content(save(ModelMaterializer(), one, tmp_path / "a")) == content(save(ModelMaterializer(), other, tmp_path / "b"))
    said = set(cb.CatBoost().load_model(str(tmp_path / "a" / "model.cbm")).get_metadata().keys())
    assert {"params", "training", "class_params"} <= said
    assert set(one.get_metadata().keys()) - said == {"model_guid", "train_finish_time"}


def test_registry_knows_models() -> None:
    """Also of classes of one's own."""
    registry = Registry(CloudpickleMaterializer())
    assert {registry.for_value(each).id for each in models()} == {"catboost.CatBoost/1"}


class Cost:
    """A loss function of one's own."""

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> Any:
        return [(target - approx, -1.0) for approx, target in zip(approxes, targets, strict=True)]


def test_model_with_a_loss_of_its_own_is_declined(tmp_path: Path) -> None:
    """It goes to the fallback, by policy; the message says where the object is."""
    with pytest.raises(NoMaterializer, match=r"CatBoostRegressor\['state'\]\['loss_function'\] is a .*Cost"):
        save(ModelMaterializer(), cb.CatBoostRegressor(loss_function=Cost()), tmp_path / "a")


def test_metadata() -> None:
    """Rounds, features, best iteration and the parameters that are set."""
    facts = ModelMaterializer().metadata(models()[0])
    assert (facts["class"], facts["rounds"], facts["features"]) == ("catboost.core.CatBoostClassifier", 4, 3)
    assert facts["parameters"]["depth"] == 2
    assert "best_iteration" in facts
    assert "rounds" not in ModelMaterializer().metadata(cb.CatBoostRegressor())


def test_no_pickle_is_read_and_no_class_is_made_that_is_no_model(tmp_path: Path, trap: Any) -> None:
    """A pickle in the place of the trees is refused, and so is another class than a model of catboost."""
    folder = save(ModelMaterializer(), models()[3], tmp_path / "a")
    trees = (folder / "model.cbm").read_bytes()
    (folder / "model.cbm").write_bytes(trap.pickled)
    with pytest.raises(cb.CatBoostError):
        load(ModelMaterializer(), folder)
    (folder / "model.cbm").write_bytes(trees)
    text = (folder / "estimator.json").read_text(encoding="utf-8")
    (folder / "estimator.json").write_text(text.replace("catboost.core:CatBoost", "subprocess:Popen"), encoding="utf-8")
    with pytest.raises(MaterializerError, match="is not loaded here"):
        load(ModelMaterializer(), folder)
    assert not trap.sprung


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The models are trained anew there, under another hash seed."""
    assert_same_elsewhere(TestModel)
