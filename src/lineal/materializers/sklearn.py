"""scikit-learn: fitted and unfitted estimators as skops files, which no code is run to load.

What skops cannot give back exactly is declined and left to the fallback: estimators of one's own classes, lambdas, a few of
scikit-learn's. Saving therefore reads the file again and compares; that takes about three times the memory of the model.
Equal models give equal bytes, in any process.
"""

import functools
import importlib
import importlib.util
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.sklearn_view import show_estimator
from lineal.materializers.skops_canonical import EPHEMERAL, rewrite
from lineal.model.records import Json
from lineal.model.visualization import Visualization

FILENAME = "model.skops"

PARAMETERS = 200
"""Number of parameters that metadata holds, and of characters of each."""

_MODULES = frozenset(
    {
        "scipy.interpolate._bsplines",
        *(f"scipy.sparse._{kind}" for kind in ("bsr", "coo", "csc", "csr", "dia")),
        *(f"sklearn._loss.{name}" for name in ("_loss", "link", "loss")),
        *(f"sklearn.cluster.{name}" for name in ("_bisect_k_means", "_kmeans")),
        *(f"sklearn.ensemble._hist_gradient_boosting.{name}" for name in ("binning", "predictor")),
        *(f"sklearn.gaussian_process.{name}" for name in ("_gpc", "kernels")),
        *(f"sklearn.metrics.{name}" for name in ("_classification", "_dist_metrics", "_ranking", "_regression", "_scorer", "pairwise")),
        *(f"sklearn.model_selection.{name}" for name in ("_search", "_search_successive_halving", "_split")),
        *(f"sklearn.neighbors.{name}" for name in ("_ball_tree", "_kd_tree")),
        *(f"sklearn.utils.{name}" for name in ("_bunch", "_metadata_requests")),
        "sklearn.calibration",
        "sklearn.compose._column_transformer",
        "sklearn.feature_selection._univariate_selection",
        "sklearn.multiclass",
        "sklearn.neural_network._stochastic_optimizers",
        "sklearn.tree._tree",
    }
)
"""Modules whose own classes and functions a file may name beyond those that skops trusts: they only hold or compute numbers.

skops leaves out trees since a forged one can make scikit-learn read outside its arrays; ours are checked against their digest first.
"""


_NAMES = frozenset(f"numpy.{name}" for name in ("dtype", "max", "mean", "median", "min", "std", "sum", "var"))
"""Single names that a file may hold as well."""


class SkopsMaterializer(Materializer):
    """Saves an estimator as `model.skops`."""

    id = "sklearn.skops/1"
    types = (BaseEstimator,)
    data_type = "model"

    def accepts(self, value: Any) -> bool:
        """Tell whether skops is installed and the class is scikit-learn's own; what it consists of only shows in `save`."""
        return type(value).__module__.startswith("sklearn.") and _has_skops()

    def save(self, value: Any, folder: Path) -> None:
        """Write the file. Raises NoMaterializer when skops would not give back exactly the same."""
        io = _skops_io()
        name = type(value).__qualname__
        path = folder / FILENAME
        with tempfile.TemporaryFile() as file:
            try:
                io.dump(value, file)
                rewrite(file, path)
                names = io.get_untrusted_types(file=path)
                strange = _strange(names)
                exact = not strange and _same(value, io.load(path, trusted=names), set())
            except (MemoryError, OSError):
                raise  # a full disk is no reason to try another format
            except Exception as error:  # skops raises whatever the object at hand does
                path.unlink(missing_ok=True)
                raise NoMaterializer(
                    f"skops cannot keep this {name} ({type(error).__name__}: {error}); it is left to the fallback"
                ) from error
        if not exact:
            path.unlink()
            reason = f"it holds {', '.join(strange)}" if strange else "what it gives back is not exactly the same"
            raise NoMaterializer(f"skops cannot keep this {name} ({reason}); it is left to the fallback")

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the estimator back. scikit-learn warns when another release of its own saved it."""
        io = _skops_io()
        path = folder / FILENAME
        names = io.get_untrusted_types(file=path)
        strange = _strange(names)
        if strange:
            raise MaterializerError(f"the model holds {', '.join(strange)}, which no file of {self.id} may; it was not loaded")
        return io.load(path, trusted=names)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class and those parameters that are plain."""
        cls = type(value)
        parameters = {name: plain for name, each in value.get_params().items() if (plain := _plain(each)) is not NotImplemented}
        return {"class": f"{cls.__module__}.{cls.__qualname__}", "parameters": dict(list(parameters.items())[:PARAMETERS])}

    def visualize(self, value: Any) -> Iterator[Visualization]:
        """Give parameters, what was learnt, importances, and the diagram of a composite one."""
        return show_estimator(value)


@functools.cache
def _has_skops() -> bool:
    return importlib.util.find_spec("skops") is not None


@functools.cache
def _skops_io() -> Any:
    """Give `skops.io`. It imports every module of scikit-learn, to learn the names of estimators; there are none in those that are spared."""
    spared = [name for each in ("cupy", "dask", "torch") if (name := f"sklearn.externals.array_api_compat.{each}") not in sys.modules]
    sys.modules.update(dict.fromkeys(spared))  # type: ignore[arg-type]  # None keeps a module from being imported, here with all of torch
    try:
        return importlib.import_module("skops.io")
    finally:
        for name in spared:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)


def _strange(names: list[str]) -> list[str]:
    """Give those of the names in a file, beyond the ones that skops trusts, that we do not trust either."""
    return [name for name in names if not _is_trusted(name)]


def _is_trusted(name: str) -> bool:
    if name in _NAMES:
        return True
    module, _, attribute = name.rpartition(".")
    # Only what the module itself defines: what it imports from elsewhere could be anything.
    return module in _MODULES and getattr(getattr(importlib.import_module(module), attribute, None), "__module__", None) == module


def _same(one: Any, other: Any, seen: set[int]) -> bool:
    """Tell whether two values are equal in every part and of exactly the same types; NaN equals NaN."""
    if one is other or id(one) in seen:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, float | complex | str | bytes | int):
        return repr(one) == repr(other)
    seen.add(id(one))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_same(a, b, seen) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return _same(_lasting(one), _lasting(other), seen)
    if isinstance(one, set | frozenset):
        return bool(one == other) and sorted(map(repr, map(type, one))) == sorted(map(repr, map(type, other)))
    if isinstance(one, np.ndarray):
        return _same_array(one, other, seen)
    if issparse(one):  # besides, it remembers what has been checked about the order of its indices
        parts = ("shape", *(part for part in ("data", "indices", "indptr", "coords", "offsets") if hasattr(one, part)))
        return all(_same(getattr(one, part), getattr(other, part), seen) for part in parts)
    if isinstance(one, np.random.RandomState):  # the seed that it once had makes no difference any more
        return _same(one.get_state(legacy=False), other.get_state(legacy=False), seen)
    if isinstance(one, np.dtype | type):
        return bool(one == other)
    return _same(one.__reduce_ex__(4)[1:], other.__reduce_ex__(4)[1:], seen)


def _lasting(value: dict[Any, Any]) -> list[Any]:
    return [(key, None if key in EPHEMERAL else item) for key, item in value.items()]


def _same_array(one: Any, other: Any, seen: set[int]) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape or one.flags.fnc != other.flags.fnc:
        return False
    if isinstance(one, np.ma.MaskedArray):
        parts = ("data", "mask", "fill_value")
        return all(_same(np.asarray(getattr(one, part)), np.asarray(getattr(other, part)), seen) for part in parts)
    if one.dtype.names is not None:  # field by field: what lies between them is left over from elsewhere
        return all(_same_array(one[name], other[name], seen) for name in one.dtype.names)
    if one.dtype.hasobject:
        return _same(one.ravel().tolist(), other.ravel().tolist(), seen)
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fcmM"))


def _plain(value: Any) -> Json:
    """Give a parameter as JSON; NotImplemented when it is no plain value."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return value[:PARAMETERS]
    if isinstance(value, list | tuple) and len(value) <= PARAMETERS:
        items = [_plain(item) for item in value]
        return NotImplemented if any(item is NotImplemented for item in items) else items
    return NotImplemented


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (SkopsMaterializer,)
