"""The data types of polars as JSON, and the types under which Arrow holds their values."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from lineal.errors import MaterializerError, NoMaterializer
from lineal.model.records import Json

_NUMBERS = [f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64, 128)] + ["Float16", "Float32", "Float64"]

_PLAIN: Mapping[str, Any] = {
    name: getattr(pl, name) for name in (*_NUMBERS, "Boolean", "String", "Binary", "Date", "Time", "Null") if hasattr(pl, name)
}
"""Types without parameters; the youngest of them are not in every polars."""

_AS_TEXT = frozenset({"Int128", "UInt128", "Categorical", "Enum"})
"""Types that other Arrow libraries do not have, or that hold codes of this process: their values are kept as text."""


def spec_of(dtype: pl.DataType, where: str) -> Json:
    """Give a data type as JSON. Raises NoMaterializer, naming `where`, for types whose values no file can hold."""
    name = type(dtype).__name__
    if name in _PLAIN:
        return name
    if name not in _PARAMETERS:
        raise NoMaterializer(f"{where} has the data type {dtype}, which has no exact form in Arrow; the value is left to the fallback")
    return {"type": name, **_PARAMETERS[name](dtype, where)}


def dtype_of(spec: Any) -> pl.DataType:
    """Give the data type of what `spec_of` gave. Raises MaterializerError for one that this polars does not have."""
    name = spec if isinstance(spec, str) else spec["type"]
    if name in _PLAIN:
        return _PLAIN[name]()  # type: ignore[no-any-return]
    if name not in _MAKERS or not hasattr(pl, name):
        raise MaterializerError(f"the data type {name} is not known to polars {pl.__version__}; a newer one saved the value")
    return _MAKERS[name](spec)


def stored(dtype: Any) -> Any:
    """Give the data type as which the values are handed to Arrow."""
    name = type(dtype).__name__
    if name in _AS_TEXT:
        return pl.String()
    if name == "List":
        return pl.List(stored(dtype.inner))
    if name == "Array":
        return pl.Array(stored(dtype.inner), dtype.size)
    if name == "Map":
        return pl.Map(stored(dtype.key), stored(dtype.value))
    if name == "Struct":
        return pl.Struct({field.name: stored(field.dtype) for field in dtype.fields})
    return dtype


def _array(dtype: Any, where: str) -> dict[str, Json]:
    if dtype.size == 0:  # polars cannot read from Arrow what it writes
        raise NoMaterializer(f"{where} holds arrays of width zero, which have no exact form in Arrow; the value is left to the fallback")
    return {"inner": spec_of(dtype.inner, where), "width": dtype.size}


def _categorical(dtype: Any, where: str) -> dict[str, Json]:
    own = dtype.categories
    if own.is_global():
        return {}
    return {"name": own.name(), "namespace": own.namespace(), "physical": type(own.physical()()).__name__}


_PARAMETERS: Mapping[str, Callable[[Any, str], dict[str, Json]]] = {
    "Datetime": lambda dtype, where: {"unit": dtype.time_unit, "zone": dtype.time_zone},
    "Duration": lambda dtype, where: {"unit": dtype.time_unit},
    "Decimal": lambda dtype, where: {"precision": dtype.precision, "scale": dtype.scale},
    "Enum": lambda dtype, where: {"categories": dtype.categories.to_list()},
    "Categorical": _categorical,
    "List": lambda dtype, where: {"inner": spec_of(dtype.inner, where)},
    "Array": _array,
    "Map": lambda dtype, where: {"key": spec_of(dtype.key, where), "value": spec_of(dtype.value, where)},
    "Struct": lambda dtype, where: {"fields": [[field.name, spec_of(field.dtype, where)] for field in dtype.fields]},
}

_MAKERS: Mapping[str, Callable[[Any], pl.DataType]] = {
    "Datetime": lambda spec: pl.Datetime(spec["unit"], spec["zone"]),
    "Duration": lambda spec: pl.Duration(spec["unit"]),
    "Decimal": lambda spec: pl.Decimal(spec["precision"], spec["scale"]),
    "Enum": lambda spec: pl.Enum(spec["categories"]),
    "Categorical": lambda spec: (
        pl.Categorical(pl.Categories(spec["name"], spec["namespace"], _PLAIN[spec["physical"]])) if "name" in spec else pl.Categorical()
    ),
    "List": lambda spec: pl.List(dtype_of(spec["inner"])),
    "Array": lambda spec: pl.Array(dtype_of(spec["inner"]), spec["width"]),
    "Map": lambda spec: pl.Map(dtype_of(spec["key"]), dtype_of(spec["value"])),
    "Struct": lambda spec: pl.Struct({name: dtype_of(inner) for name, inner in spec["fields"]}),
}
