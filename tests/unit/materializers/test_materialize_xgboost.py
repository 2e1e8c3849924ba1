import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.materializers.xgboost import BoosterMaterializer, ModelMaterializer
from lineal.testing.materializers import MaterializerTests, load, save

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(60, 3))
CLASSES = np.arange(60) % 3
NUMBERS = ROWS[:, 0] * 2 + ROWS[:, 1]
FEW = {"n_estimators": 4, "max_depth": 2, "n_jobs": 1}


class Mine(xgb.XGBRegressor):
    """An estimator of one's own, that is made in another way."""

    def __init__(self, depth: int) -> None:
        super().__init__(n_estimators=3, max_depth=depth, n_jobs=1)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"n_estimators": self.n_estimators, "max_depth": self.max_depth}


def boosters() -> tuple[Any, ...]:
    """Give boosters of each kind, one stopped early."""
    data = xgb.DMatrix(ROWS, CLASSES, feature_names=["a", "b", "c"])
    params = {"objective": "multi:softprob", "num_class": 3, "max_depth": 2, "nthread": 1}
    early = xgb.train(params, data, 30, evals=[(data, "train")], verbose_eval=False, early_stopping_rounds=1)
    linear = xgb.train({"booster": "gblinear", "nthread": 1, "updater": "coord_descent"}, xgb.DMatrix(ROWS, NUMBERS), 3)
    dart = xgb.train({"booster": "dart", "nthread": 1}, xgb.DMatrix(ROWS, NUMBERS), 3)
    return early, linear, dart


def models() -> tuple[Any, ...]:
    """Give estimators of each class, fitted and not."""
    queries = np.repeat(np.arange(6), 10)
    return (
        xgb.XGBClassifier(**FEW).fit(ROWS, CLASSES, eval_set=[(ROWS, CLASSES)], verbose=False),
        xgb.XGBClassifier(**FEW, early_stopping_rounds=1).fit(ROWS, CLASSES > 0, eval_set=[(ROWS, CLASSES > 0)], verbose=False),
        xgb.XGBRegressor(**FEW, monotone_constraints=(1, 0, 0)).fit(ROWS, NUMBERS),
        xgb.XGBRFRegressor(**FEW, random_state=3).fit(ROWS, NUMBERS),
        xgb.XGBRanker(**FEW).fit(ROWS, CLASSES, qid=queries),
        xgb.XGBRegressor(**FEW, missing=-1.0),
        xgb.XGBClassifier(),
        Mine(2).fit(ROWS, NUMBERS),
    )


class TestBooster(MaterializerTests):
    """Boosters."""

    materializer = BoosterMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = boosters()

    def equal(self, one: Any, other: Any) -> bool:
        same = one.attributes() == other.attributes() and one.feature_names == other.feature_names
        data = xgb.DMatrix(ROWS, feature_names=one.feature_names)
        return same and np.array_equal(one.predict(data), other.predict(data)) and one.get_dump() == other.get_dump()

    def mutate(self, value: Any) -> bool:
        value.set_attr(changed="yes")
        return True


class TestModel(MaterializerTests):
    """Estimators."""

    materializer = ModelMaterializer()
    other_process = False
    values = models()

    def equal(self, one: Any, other: Any) -> bool:
        def plain(model: Any) -> str:
            return repr({name: value for name, value in vars(model).items() if name != "_Booster"})

        if plain(one) != plain(other) or hasattr(one, "_Booster") != hasattr(other, "_Booster"):
            return False
        return not hasattr(one, "_Booster") or np.array_equal(one.predict(ROWS), other.predict(ROWS))

    def mutate(self, value: Any) -> bool:
        value.set_params(n_estimators=77)
        return True


def test_estimator_comes_back_with_what_fitting_gave(tmp_path: Path) -> None:
    """Probabilities, classes, parameters, evaluation and the best iteration are the same."""
    for index, model in enumerate(models()[:2]):
        back = load(ModelMaterializer(), save(ModelMaterializer(), model, tmp_path / str(index)))
        assert np.array_equal(back.predict_proba(ROWS), model.predict_proba(ROWS))
        assert np.array_equal(back.classes_, model.classes_)
        assert str(back.get_params()) == str(model.get_params())
        assert back.evals_result() == model.evals_result()
        assert getattr(back.get_booster(), "best_iteration", 0) == getattr(model.get_booster(), "best_iteration", 0)


def test_estimator_is_not_taken_by_the_materializer_of_scikit_learn() -> None:
    """An estimator of xgboost is one of scikit-learn's too; the nearer class wins."""
    registry = Registry(CloudpickleMaterializer())
    assert [registry.for_value(each).id for each in models()] == ["xgboost.XGBModel/1"] * 8
    assert registry.for_value(boosters()[0]).id == "xgboost.Booster/1"


def test_estimator_with_a_function_is_declined(tmp_path: Path) -> None:
    """It goes to the fallback, by policy; the message says where the function is."""
    with pytest.raises(NoMaterializer, match=r"XGBRegressor\['state'\]\['eval_metric'\] is a function"):
        save(ModelMaterializer(), xgb.XGBRegressor(eval_metric=lambda a, b: 0.0), tmp_path / "a")


def test_file_is_one_that_xgboost_reads(tmp_path: Path) -> None:
    """Without Lineal."""
    folder = save(ModelMaterializer(), models()[0], tmp_path / "a")
    plain = xgb.XGBClassifier()
    plain.load_model(folder / "model.ubj")
    assert np.array_equal(plain.predict(ROWS), models()[0].predict(ROWS))


def test_file_is_the_one_that_xgboost_writes(tmp_path: Path) -> None:
    """Byte for byte: what was stored before stays equal to what is stored now."""
    for number, booster in enumerate(boosters()):
        booster.save_model(tmp_path / "plain.ubj")
        folder = save(BoosterMaterializer(), booster, tmp_path / str(number))
        assert (folder / "model.ubj").read_bytes() == (tmp_path / "plain.ubj").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limit on the size of files")
def test_a_disk_that_does_not_take_the_end_is_noticed(tmp_path: Path) -> None:
    """XGBoost's own writing does not ask: a model would be stored without its end."""
    import resource

    model = models()[0]
    size = (save(ModelMaterializer(), model, tmp_path / "whole") / "model.ubj").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number, materializer, value in ((1, ModelMaterializer(), model), (2, BoosterMaterializer(), model.get_booster())):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                save(materializer, value, tmp_path / str(number))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_metadata() -> None:
    """Objective, rounds, best iteration and the parameters that are set."""
    facts = ModelMaterializer().metadata(models()[0])
    assert (facts["class"], facts["objective"], facts["rounds"], facts["features"]) == (
        "xgboost.sklearn.XGBClassifier",
        "multi:softprob",
        4,
        3,
    )
    assert facts["parameters"]["max_depth"] == 2
    assert "best_iteration" in BoosterMaterializer().metadata(boosters()[0])
    assert "rounds" not in ModelMaterializer().metadata(xgb.XGBClassifier())


def test_no_pickle_is_read_and_no_class_is_made_that_is_no_model(tmp_path: Path, trap: Any) -> None:
    """A pickle in the place of the trees is refused, and so is another class than an estimator of xgboost."""
    folder = save(ModelMaterializer(), models()[2], tmp_path / "a")
    trees = (folder / "model.ubj").read_bytes()
    (folder / "model.ubj").write_bytes(trap.pickled)
    with pytest.raises((xgb.core.XGBoostError, UnicodeDecodeError)):  # it shows the first byte, as text
        load(ModelMaterializer(), folder)
    (folder / "model.ubj").write_bytes(trees)
    text = (folder / "estimator.json").read_text(encoding="utf-8")
    (folder / "estimator.json").write_text(text.replace("xgboost.sklearn:XGBRegressor", "subprocess:Popen"), encoding="utf-8")
    with pytest.raises(MaterializerError, match="is not loaded here"):
        load(ModelMaterializer(), folder)
    assert not trap.sprung


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The models are trained anew there, under another hash seed."""
    assert_same_elsewhere(TestBooster, TestModel)
