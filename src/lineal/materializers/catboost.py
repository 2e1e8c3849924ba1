"""catboost: models in catboost's own format (`model.cbm`), and their parameters beside it.

The file says when a model was trained and gives it a random number, and orders what it says by chance: both are left out, so that
training again gives the same bytes. The data that a model was trained on, and what it predicted meanwhile, is not kept.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import catboost

from lineal.materializers import attributes
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.classes import class_name, dotted, find_subclass
from lineal.materializers.model_view import largest, show_model
from lineal.model.records import Json
from lineal.model.visualization import Visualization

_TREES: Final = "model.cbm"
_ATTRIBUTES: Final = "estimator.json"
_STATE_KEY: Final = "__model"  # where catboost's own pickling has the bytes of the file
_CHANCE: Final = frozenset({"model_guid", "train_finish_time"})


class ModelMaterializer(Materializer):
    """Saves a model as `estimator.json` and, if it is fitted, `model.cbm`."""

    id = "catboost.CatBoost/1"
    types = (catboost.CatBoost,)
    data_type = "model"

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer for a parameter that JSON cannot hold, such as a loss function of one's own."""
        cls = type(value)
        state = value.__getstate__()
        trees = state.pop(_STATE_KEY, None)
        state.pop("_test_evals", None)  # predictions for the evaluation set: catboost itself loses them when it copies a model
        known = {"class": class_name(cls), "fitted": trees is not None, "state": dict(sorted(state.items()))}
        attributes.write(folder / _ATTRIBUTES, known, cls.__qualname__)
        if trees is not None:
            _write(value, folder / _TREES)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the model, of the class that it had. Raises MaterializerError when that is not loaded in this process."""
        known = attributes.read(folder / _ATTRIBUTES, type_)
        value: Any = object.__new__(find_subclass(known["class"], catboost.CatBoost, type_))
        trees = {_STATE_KEY: (folder / _TREES).read_bytes()} if known["fitted"] else {}
        value.__setstate__({**known["state"], **trees})
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, the parameters that are set, and of a fitted one the number of trees and the best iteration."""
        known: dict[str, Json] = {"class": dotted(type(value)), "parameters": attributes.shown(value.get_params())}
        if not value.is_fitted():
            return known
        known |= {"rounds": value.tree_count_, "features": value.n_features_in_}
        best = value.get_best_iteration()
        return known if best is None else {**known, "best_iteration": best}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give its parameters, and what the features of a fitted one are worth."""
        facts = {name: each for name, each in self.metadata(value).items() if name != "parameters"}
        worth = largest(value.feature_names_, value.get_feature_importance().tolist()) if value.is_fitted() else []
        return [show_model(type(value).__name__, facts, value.get_params(), {}, worth)]


def _write(value: Any, path: Path) -> None:
    """Write the trees with what is said of them in one order. Loaded first: what the order is depends on the model's past."""
    with tempfile.TemporaryDirectory(prefix="lineal-") as folder:
        value.save_model(f"{folder}/{_TREES}")
        copy = catboost.CatBoost().load_model(f"{folder}/{_TREES}")
    said = copy.get_metadata()
    items = sorted(said.items())
    for name, _ in items:
        del said[name]
    for name, text in items:
        if name not in _CHANCE:
            said[name] = _in_order(text)
    copy.save_model(str(path))


def _in_order(text: str) -> str:
    """Give JSON with the keys of its objects in order; other text as it is."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return text


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ModelMaterializer,)
