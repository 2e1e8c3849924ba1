"""lightgbm: boosters, and estimators of its scikit-learn interface, with the trees in lightgbm's own text format (`model.txt`).

All iterations are kept, also those after the best one. The data set that a booster was trained on is not kept; it can predict, and be
trained on with new data.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import lightgbm

from lineal.errors import NoMaterializer
from lineal.materializers import attributes
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.classes import class_name, dotted, find_subclass
from lineal.materializers.model_view import largest, show_model
from lineal.model.records import Json
from lineal.model.visualization import Visualization

_TREES: Final = "model.txt"
_ATTRIBUTES: Final = "estimator.json"
_BOOSTER: Final = "_Booster"
_KEPT: Final = ("params", "best_iteration", "best_score")
"""The attributes of a booster that its text lacks."""


class BoosterMaterializer(Materializer):
    """Saves a booster as `model.txt` and `booster.json`."""

    id = "lightgbm.Booster/1"
    types = (lightgbm.Booster,)
    data_type = "model"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a booster and no subclass."""
        return type(value) is lightgbm.Booster

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer for a parameter that JSON cannot hold, such as an objective of one's own."""
        _write(value, folder, "Booster")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the booster."""
        return _read(folder)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the parameters, the number of rounds and features, and the best iteration."""
        return {"parameters": attributes.shown(value.params), **_facts(value)}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give what is known of it, and what its features are worth."""
        return [show_model("lightgbm booster", _facts(value), value.params, {}, _importances(value), "gain")]


class ModelMaterializer(Materializer):
    """Saves an estimator as `estimator.json` and, if it is fitted, the files of its booster."""

    id = "lightgbm.LGBMModel/1"
    types = (lightgbm.LGBMModel,)
    data_type = "model"

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer for an attribute that JSON cannot hold."""
        cls = type(value)
        state = {**vars(value)}
        booster = state.pop(_BOOSTER, None)
        if booster is not None and type(booster) is not lightgbm.Booster:
            raise NoMaterializer(f"{cls.__qualname__}.{_BOOSTER} is no plain booster")
        known = {"class": class_name(cls), "fitted": booster is not None, "state": state}
        attributes.write(folder / _ATTRIBUTES, known, cls.__qualname__)
        if booster is not None:
            _write(booster, folder, cls.__qualname__)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the estimator, of the class that it had. Raises MaterializerError when that is not loaded in this process."""
        known = attributes.read(folder / _ATTRIBUTES, type_)
        value: Any = object.__new__(find_subclass(known["class"], lightgbm.LGBMModel, type_))
        vars(value).update(known["state"])
        vars(value)[_BOOSTER] = _read(folder) if known["fitted"] else None
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, the parameters that are set, and of a fitted one what is known of its booster."""
        known: dict[str, Json] = {"class": dotted(type(value)), "parameters": attributes.shown(value.get_params())}
        booster = vars(value).get(_BOOSTER)
        return known if booster is None else {**known, **_facts(booster)}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give its parameters, and what the features of a fitted one are worth."""
        booster = vars(value).get(_BOOSTER)
        chosen = {name: each for name, each in value.get_params().items() if each is not None}
        facts = {"class": dotted(type(value)), **(_facts(booster) if booster is not None else {})}
        worth = _importances(booster) if booster is not None else []
        return [show_model(type(value).__name__, facts, chosen, {}, worth, "gain")]


def _write(booster: Any, folder: Path, name: str) -> None:
    attributes.write(folder / "booster.json", {name: getattr(booster, name) for name in _KEPT}, name)
    # By default lightgbm would leave out what comes after the best iteration.
    (folder / _TREES).write_text(booster.model_to_string(num_iteration=-1), encoding="utf-8", newline="\n")


def _read(folder: Path) -> Any:
    # The library opens a file by a name in the system's own encoding, which may not have all characters of the path.
    booster = lightgbm.Booster(model_str=(folder / _TREES).read_text(encoding="utf-8"))
    for name, kept in attributes.read(folder / "booster.json", None).items():
        setattr(booster, name, kept)
    return booster


def _facts(booster: Any) -> dict[str, Json]:
    facts: dict[str, Json] = {"rounds": booster.current_iteration(), "trees": booster.num_trees(), "features": booster.num_feature()}
    return {**facts, "best_iteration": booster.best_iteration} if booster.best_iteration > 0 else facts


def _importances(booster: Any) -> list[tuple[str, float]]:
    return largest(booster.feature_name(), booster.feature_importance("gain").tolist())


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (BoosterMaterializer, ModelMaterializer)
