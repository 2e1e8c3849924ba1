"""The attributes of an estimator as typed JSON: plain values, and numpy arrays, scalars and label encoders among them.

The libraries of boosted trees keep the trees in a format of their own, and the rest of what scikit-learn's interface wants (parameters,
classes, results of the evaluation) in attributes. No code is stored; what JSON cannot hold, such as a callback, is declined.
"""

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from lineal.errors import NoMaterializer, NotPlain
from lineal.materializers.npy import canonical, storable
from lineal.model import values
from lineal.model.records import Json

PARAMETERS: Final = 200
"""Number of parameters that metadata holds, and of characters of each."""


def write(path: Path, state: Any, name: str) -> None:
    """Write attributes, a dict or nested dicts, as a file. `name` begins the path in the NoMaterializer that is raised for others."""
    try:
        node = values.to_json(state, name=name, foreign=_node)
    except NotPlain as error:
        raise NoMaterializer(str(error)) from error
    path.write_bytes(values.text(node))


def read(path: Path, annotation: Any) -> Any:
    """Give the attributes that `write` wrote."""
    return values.from_json(values.parse(path.read_bytes()), annotation, foreign=_value)


def _node(value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
    if isinstance(value, np.generic | np.ndarray) and type(value) in (np.ndarray, value.dtype.type):
        if value.dtype.hasobject and isinstance(value, np.ndarray):
            items = [values.to_json(each, name=path(), foreign=_node) for each in value.ravel().tolist()]
            return {"$type": "item", "objects": items, "shape": list(value.shape)}
        if storable(value.dtype):
            file = io.BytesIO()
            np.save(file, canonical(np.asarray(value)), allow_pickle=False)
            text = base64.b64encode(file.getvalue()).decode("ascii")
            return {"$type": "item", "npy": text, "scalar": isinstance(value, np.generic)}
    if _is_encoder(type(value)) and vars(value).keys() <= {"classes_"}:
        return {"$type": "item", "encoder": values.to_json(vars(value), foreign=_node)}
    return None


def _value(node: Mapping[str, Any]) -> Any:
    if "npy" in node:
        array = np.load(io.BytesIO(base64.b64decode(node["npy"])), allow_pickle=False)
        return array[()] if node["scalar"] else array
    if "objects" in node:
        array = np.empty(len(node["objects"]), object)
        array[:] = [values.from_json(each, foreign=_value) for each in node["objects"]]
        return array.reshape(node["shape"])
    from sklearn.preprocessing import LabelEncoder  # what such a value came from

    encoder = LabelEncoder()
    vars(encoder).update(values.from_json(node["encoder"], foreign=_value))
    return encoder


def _is_encoder(cls: type) -> bool:
    return (cls.__module__, cls.__qualname__) == ("sklearn.preprocessing._label", "LabelEncoder")


def shown(parameters: Mapping[str, Any]) -> dict[str, Json]:
    """Give those parameters that are set and plain, for metadata."""
    found: dict[str, Json] = {}
    for name, value in list(parameters.items())[:PARAMETERS]:
        if isinstance(value, bool | int) or (isinstance(value, float) and np.isfinite(value)):
            found[name] = value
        elif value is not None and (isinstance(value, str) or values.is_plain_json(value)):
            found[name] = str(value)[:PARAMETERS]
    return found
