"""Models that tell their parameters, as scikit-learn's and those made in its manner do."""

from typing import Any

from lineal.compare.base import Comparison
from lineal.compare.plain import Compare, compare_plain


def has_parameters(value: Any) -> bool:
    """Tell whether it is an estimator, and no class of one."""
    return not isinstance(value, type) and callable(getattr(value, "get_params", None)) and callable(getattr(value, "set_params", None))


def compare_models(one: Any, other: Any, nested: Compare) -> Comparison:
    """Compare the parameters of two estimators, those of the estimators inside them as well."""
    before, after = _parameters(one), _parameters(other)
    found = compare_plain(before, after, nested, "parameters")
    classes = [type(each).__qualname__ for each in (one, other)]
    summary = "the same parameters" if found.same else f"parameters: {found.summary}"
    if type(one) is not type(other):
        summary = f"{classes[0]} → {classes[1]}; {summary}"
    same = found.same and type(one) is type(other)
    return Comparison("model", same=same, summary=summary, parts=found.parts, data={"classes": classes, **found.data})


def _parameters(model: Any) -> dict[str, Any]:
    parameters = {name: _plain(value) for name, value in sorted(model.get_params(deep=True).items())}
    return {name: value for name, value in parameters.items() if not name.startswith("_")}


def _plain(value: Any) -> Any:
    # The parameters of an inner estimator stand beside it, as `outer__inner`; the estimator itself is its class.
    if has_parameters(value):
        return type(value).__qualname__
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
