"""xgboost: boosters, and estimators of its scikit-learn interface, with the trees in xgboost's own format (`model.ubj`).

The model is complete in that file: trees, objective, names of features, best iteration. How it was trained (step size, threads, device)
is not part of xgboost's format; for an estimator it is among the parameters, which are kept with all other attributes.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xgboost

from lineal.errors import NoMaterializer
from lineal.materializers import attributes
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.classes import class_name, dotted, find_subclass
from lineal.materializers.model_view import largest, show_model
from lineal.model.records import Json
from lineal.model.visualization import Visualization

_TREES: Final = "model.ubj"
_ATTRIBUTES: Final = "estimator.json"
_BOOSTER: Final = "_Booster"


class BoosterMaterializer(Materializer):
    """Saves a booster as `model.ubj`."""

    id = "xgboost.Booster/1"
    types = (xgboost.Booster,)
    data_type = "model"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a booster and no subclass, and has no attributes beside it."""
        return type(value) is xgboost.Booster and vars(value).keys() == {"handle"}

    def save(self, value: Any, folder: Path) -> None:
        """Write the file."""
        _write(value, folder)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the booster."""
        return xgboost.Booster(model_file=folder / _TREES)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give objective, number of rounds and features, and the best iteration."""
        return _facts(value)

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give what is known of it, and what its features are worth."""
        return [show_model("xgboost booster", _facts(value), {}, {}, _importances(value), "gain")]


class ModelMaterializer(Materializer):
    """Saves an estimator as `model.ubj`, if it is fitted, and `estimator.json`."""

    id = "xgboost.XGBModel/1"
    types = (xgboost.XGBModel,)
    data_type = "model"

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer for an attribute that JSON cannot hold, such as a callback."""
        cls = type(value)
        state = {**vars(value)}
        booster = state.pop(_BOOSTER, None)
        if booster is not None and not BoosterMaterializer().accepts(booster):
            raise NoMaterializer(f"{cls.__qualname__}.{_BOOSTER} is no plain booster")
        known = {"class": class_name(cls), "fitted": booster is not None, "state": state}
        attributes.write(folder / _ATTRIBUTES, known, cls.__qualname__)
        if booster is not None:
            _write(booster, folder)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the estimator, of the class that it had. Raises MaterializerError when that is not loaded in this process."""
        known = attributes.read(folder / _ATTRIBUTES, type_)
        value: Any = object.__new__(find_subclass(known["class"], xgboost.XGBModel, type_))
        vars(value).update(known["state"])
        if known["fitted"]:
            vars(value)[_BOOSTER] = xgboost.Booster(model_file=folder / _TREES)
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, the parameters that are set, and of a fitted one what is known of its booster."""
        known: dict[str, Json] = {"class": dotted(type(value)), "parameters": attributes.shown(value.get_params())}
        return {**known, **_facts(value.get_booster())} if _BOOSTER in vars(value) else known

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give its parameters, and what the features of a fitted one are worth."""
        booster = vars(value).get(_BOOSTER)
        chosen = {name: each for name, each in value.get_params().items() if each is not None}
        facts = {"class": dotted(type(value)), **(_facts(booster) if booster is not None else {})}
        worth = _importances(booster) if booster is not None else []
        return [show_model(type(value).__name__, facts, chosen, {}, worth, "gain")]


def _write(booster: Any, folder: Path) -> None:
    # The bytes of save_model(), which does not ask whether the end of its file was written: a full disk would cut a model short unseen.
    (folder / _TREES).write_bytes(booster.save_raw("ubj"))


def _facts(booster: Any) -> dict[str, Json]:
    learner = json.loads(booster.save_config())["learner"]
    facts: dict[str, Json] = {
        "objective": learner["objective"]["name"],
        "booster": learner["gradient_booster"]["name"],
        "rounds": booster.num_boosted_rounds(),
        "features": booster.num_features(),
    }
    best = booster.attributes()
    return {**facts, **{name: best[name] for name in ("best_iteration", "best_score") if name in best}}


def _importances(booster: Any) -> list[tuple[str, float]]:
    worth = booster.get_score(importance_type="gain")
    return largest(list(worth), list(worth.values()))


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (BoosterMaterializer, ModelMaterializer)
