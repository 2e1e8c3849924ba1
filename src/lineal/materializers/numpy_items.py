"""numpy scalars and arrays inside typed JSON, for libraries whose values are plain but for them."""

import io
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lineal.materializers.npy import ScalarMaterializer, canonical, storable
from lineal.model import values
from lineal.model.records import Json
from lineal.model.values_types import tagged

_SCALAR = ScalarMaterializer()


def write(value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
    """Give the node of a numpy scalar or array, None for any other value. An argument `foreign` of `lineal.model.values`."""
    if isinstance(value, np.generic) and _SCALAR.accepts(value):
        return tagged("item", kind="numpy", npy=b64encode(_SCALAR.dumps(value)).decode("ascii"))
    if type(value) is np.ndarray and storable(value.dtype):
        out = io.BytesIO()
        np.save(out, canonical(value), allow_pickle=False)
        return tagged("item", kind="numpy.ndarray", npy=b64encode(out.getvalue()).decode("ascii"))
    if type(value) is np.ndarray and value.dtype == np.dtype(object):
        items = values.to_json(value.ravel().tolist(), name=path(), foreign=write)
        return tagged("item", kind="numpy.objects", shape=list(value.shape), items=items)
    return None


def read(node: Mapping[str, Json]) -> Any:
    """Give the value of what `write` gave; an array is writeable."""
    if node["kind"] == "numpy":
        return _SCALAR.loads(b64decode(node["npy"]), None)
    if node["kind"] == "numpy.ndarray":
        return np.load(io.BytesIO(b64decode(node["npy"])), allow_pickle=False)
    if node["kind"] != "numpy.objects":
        raise ValueError(f"the kind of item {node['kind']!r:.80} is not known; a newer Lineal may have written it")
    array = np.empty(node["shape"], object)
    # One by one: numpy would take apart a list of lists.
    for place, item in enumerate(values.from_json(node["items"], foreign=read)):
        array.flat[place] = item
    return array
