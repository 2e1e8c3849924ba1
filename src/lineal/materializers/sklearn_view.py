"""Shows scikit-learn estimators: parameters, what was learnt of a fitted one, and of a composite one scikit-learn's own diagram."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr

from lineal.materializers import model_view
from lineal.materializers.model_view import show_model
from lineal.model.visualization import Visualization

LEARNT: Final = 20
"""Learnt attributes that are shown."""

_NUMBERED = re.compile(r"(sk-\w+-id-)(\d+)")


def show_estimator(value: Any) -> Iterator[Visualization]:
    """Give the visualizations of an estimator."""
    cls = type(value)
    parameters = value.get_params(deep=False)
    measure, importances = _importances(value)
    module = ".".join(part for part in cls.__module__.split(".") if not part.startswith("_"))  # where it is imported from
    facts = {"class": f"{module}.{cls.__qualname__}", **_learnt(value)}
    yield show_model(cls.__name__, facts, parameters, _defaults(cls), importances, measure)
    if any(map(_holds_estimator, parameters.values())):
        yield Visualization("html", _diagram(value), "Diagram")


def _defaults(cls: type) -> Mapping[str, Any]:
    return {name: each.default for name, each in inspect.signature(cls).parameters.items() if each.default is not each.empty}


def _learnt(value: Any) -> Mapping[str, object]:
    """Give numbers and text that were learnt, and the shapes of arrays: what ends in `_`, by scikit-learn's convention."""
    found: dict[str, object] = {}
    for name, each in vars(value).items():
        if name.endswith("_") and not name.startswith("_") and name != "feature_names_in_" and len(found) < LEARNT:
            if isinstance(each, np.ndarray):
                found[name] = f"{each.dtype} array of shape {each.shape}" if each.size > 6 or each.dtype.hasobject else str(each)
            elif isinstance(each, bool | int | float | str | np.number):
                found[name] = model_view.value_text(each.item() if isinstance(each, np.number) else each)
    return found


def _importances(value: Any) -> tuple[str, list[tuple[str, float]]]:
    names = [str(name) for name in getattr(value, "feature_names_in_", ())]
    for attribute, measure in (("feature_importances_", "importance"), ("coef_", "coefficient")):
        found = _numbers(value, attribute)
        if found.size and found.size == found.shape[-1]:
            return measure, model_view.largest(names, found.reshape(-1).tolist())
    return "", []


def _numbers(value: Any, attribute: str) -> Any:
    try:
        return np.asarray(getattr(value, attribute, ()), dtype=np.float64)
    except Exception:  # not fitted, or a property that this kind of estimator cannot answer
        return np.zeros(0)


def _holds_estimator(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_estimator(each) for each in value[:100])
    return isinstance(value, BaseEstimator)


def _diagram(value: Any) -> str:
    # It numbers its parts anew at each call: with numbers of its own, equal estimators have equal diagrams.
    numbers: dict[str, int] = {}
    html: str = estimator_html_repr(value)
    height = 64 + 40 * html.count('<input class="sk-toggleable__control')  # about: a part takes a line, unless it stands beside another
    return f'<meta name="lineal-height" content="{height}">' + _NUMBERED.sub(
        lambda match: f"{match[1]}{numbers.setdefault(match[0], len(numbers) + 1)}", html
    )
