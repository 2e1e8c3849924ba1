"""keras: models as the `.keras` files of the library itself, with all that the date and the memory of a process put into them taken out.

Weights, configuration, compilation and the state of the optimizer are in the file. Its configuration names classes and functions: they
may be keras' own, or one's own that are registered with keras in this process. Python code in it is never run.
"""

import json
import math
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import keras

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.classes import dotted
from lineal.model.records import Json

_FILE: Final = "model.keras"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)

_MARKS: Final = frozenset({"__tuple__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__keras_tensor__"})
"""Names that keras gives to plain values in a configuration. Others, such as that of a lambda, stand for code."""

_FOREIGN: Final = frozenset({"TorchModuleWrapper", "TFSMLayer", "FlaxLayer", "JaxLayer"})
"""Layers that hold, or point to, a model in a format of another library."""

_FUNCTIONS: Final = frozenset(
    {"builtins", *(f"keras.{name}" for name in ("activations", "initializers", "losses", "metrics", "ops", "regularizers"))}
)
"""Modules whose functions a configuration may name. `builtins` stands for those same modules of keras."""


_STATELESS: Final = frozenset({"keras.constraints", "keras.initializers", "keras.regularizers"})
"""Modules of objects that never change: who shares one makes no difference, and keras does not keep it."""


class ModelMaterializer(Materializer):
    """Saves a model as `model.keras`."""

    id = "keras.Model/1"
    types = (keras.Model,)
    data_type = "model"

    def save(self, value: Any, folder: Path) -> None:
        """Write the file. Raises NoMaterializer for a model that it cannot describe, such as one with a lambda."""
        first = folder / f"first.{_FILE}"
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The object being serialized includes a `lambda`")  # it is declined below
                value.save(first)
            _rewrite(first, folder / _FILE)
        except (TypeError, ValueError, NotImplementedError) as error:
            (folder / _FILE).unlink(missing_ok=True)
            raise NoMaterializer(f"keras cannot write a {dotted(type(value))}: {error}") from error
        finally:
            first.unlink(missing_ok=True)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the model. Raises MaterializerError when the file names code that is neither keras' own nor registered here."""
        path = folder / _FILE
        with zipfile.ZipFile(path) as file:
            reason = _strange(json.loads(file.read("config.json")))
        if reason is not None:
            raise MaterializerError(f"the model {reason}; it was not loaded")
        return keras.saving.load_model(path, safe_mode=True)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, and the number of layers, parameters and trainable ones; unknown before a model is built."""
        facts: dict[str, Json] = {"class": dotted(type(value)), "layers": len(value.layers)}
        if not value.built:
            return facts
        trainable = sum(math.prod(each.shape) for each in value.trainable_variables)
        return {**facts, "parameters": value.count_params(), "trainable": trainable}


def _rewrite(source: Path, target: Path) -> None:
    """Write a file anew so that equal models give equal bytes."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name in sorted(old.namelist()):
            data = old.read(name)
            if name == "metadata.json":
                data = _text({key: each for key, each in json.loads(data).items() if key != "date_saved"})
            elif name == "config.json":
                config = json.loads(data)
                reason = _strange(config)
                if reason is not None:
                    raise ValueError(f"it {reason}")
                _renumber(config, {})
                data = _text(config)
            new.writestr(zipfile.ZipInfo(name, _EPOCH), data)


def _text(node: Any) -> bytes:
    return json.dumps(node, separators=(",", ":")).encode()


def _renumber(node: Any, numbers: dict[int, int]) -> None:
    """Give objects that are shared numbers in the order in which they appear: keras gives them their addresses."""
    if isinstance(node, dict):
        shared = node.get("shared_object_id")
        if node.get("class_name") == "DTypePolicy" or node.get("module") in _STATELESS:
            node.pop("shared_object_id", None)
        elif isinstance(shared, int):
            node["shared_object_id"] = numbers.setdefault(shared, len(numbers))
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            _renumber(each, numbers)


def _strange(node: Any) -> str | None:
    """Tell what a configuration names that may not be named; None when all is well."""
    if isinstance(node, dict):
        name = node.get("class_name")
        reason = _strange_name(node, name) if isinstance(name, str) else None
        if reason is not None:
            return reason
        node = list(node.values())
    return next(filter(None, map(_strange, node)), None) if isinstance(node, list) else None


def _strange_name(node: Mapping[str, Any], name: str) -> str | None:
    module, registered = node.get("module"), node.get("registered_name")
    if name in _MARKS or (name not in _FOREIGN and _is_registered(registered)):
        return None
    if name.startswith("__") or name in _FOREIGN:
        return f"holds {name}, which may be code of any kind"
    if name == "function":
        named, known = node.get("config"), module in _FUNCTIONS or _is_registered(node.get("config"))
    else:
        named, known = registered or name, isinstance(module, str) and module.partition(".")[0] == "keras"
    if known:
        return None
    return f"names {module}.{named}, which is not registered here: see keras.saving.register_keras_serializable, and import its module"


def _is_registered(name: Any) -> bool:
    return isinstance(name, str) and keras.saving.get_registered_object(name) is not None


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ModelMaterializer,)
