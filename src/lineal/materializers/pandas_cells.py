"""Single values inside pandas objects (cells of object columns, labels, names, time zones) as typed JSON."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lineal.errors import NoMaterializer, NotPlain
from lineal.materializers.npy import ScalarMaterializer
from lineal.model import values
from lineal.model.records import Json
from lineal.model.values_types import tagged

_SCALAR = ScalarMaterializer()


def to_json(value: Any, where: str) -> Json:
    """Give a value as typed JSON. Raises NoMaterializer, naming `where`, for what cannot be held exactly."""
    try:
        return values.to_json(value, name=where, foreign=_write)
    except NotPlain as error:
        raise NoMaterializer(f"{error}; the frame is left to the fallback") from error


def from_json(node: Json) -> Any:
    """Give the value of typed JSON."""
    return values.from_json(node, foreign=_read)


def dumps(value: Any, where: str) -> str:
    """Give a value as the text of typed JSON."""
    return values.text(to_json(value, where)).decode()


def loads(text: str) -> Any:
    """Give the value of what `dumps` gave."""
    return from_json(values.parse(text.encode()))


def _item(kind: str, **payload: Json) -> Json:
    return tagged("item", kind=kind, **payload)


def _write(value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
    if value is pd.NA:
        return _item("pandas.NA")
    if value is pd.NaT:
        return _item("pandas.NaT")
    cls = type(value)
    if cls is pd.Timestamp:
        tz = None if value.tz is None else values.to_json(value.tz, name=path(), foreign=_write)
        return _item("pandas.Timestamp", value=_ticks(value), unit=value.unit, tz=tz)
    if cls is pd.Timedelta:
        return _item("pandas.Timedelta", value=_ticks(value), unit=value.unit)
    if isinstance(value, np.generic) and _SCALAR.accepts(value):
        return _item("numpy", npy=base64.b64encode(_SCALAR.dumps(value)).decode("ascii"))
    return _zone(value) if last else None


def _ticks(value: Any) -> int:
    """Give a time in its own unit: `.value` is always in nanoseconds, which far dates overflow."""
    numpy_value = (
        value.to_numpy() if isinstance(value, pd.Timedelta) else value.tz_convert(None).to_numpy() if value.tz else value.to_numpy()
    )
    return int(numpy_value.view("i8"))


def _zone(value: Any) -> Json | None:
    # Zones of the library that pandas 1 and 2 used; an instance stands for a zone at one of its offsets, the name for all.
    if type(value).__module__.partition(".")[0] != "pytz":
        return None
    name = getattr(value, "zone", None)
    if name is not None:
        return _item("pytz", zone=name)
    offset = value.utcoffset(None)
    return None if offset is None else _item("pytz", minutes=int(offset.total_seconds() // 60))


def _read(node: Mapping[str, Json]) -> Any:
    return _READERS[node["kind"]](node)


def _read_timestamp(node: Mapping[str, Json]) -> Any:
    moment = pd.Timestamp(np.datetime64(node["value"], node["unit"]))
    return moment if node["tz"] is None else moment.tz_localize("UTC").tz_convert(from_json(node["tz"]))


def _read_numpy(node: Mapping[str, Json]) -> Any:
    return _SCALAR.loads(base64.b64decode(node["npy"]), None)


def _read_pytz(node: Mapping[str, Json]) -> Any:
    import pytz  # type: ignore[import-untyped,unused-ignore]  # stubs or not: whoever has such zones has the library

    return pytz.timezone(node["zone"]) if "zone" in node else pytz.FixedOffset(node["minutes"])


_READERS: Mapping[str, Callable[[Mapping[str, Json]], Any]] = {
    "pandas.NA": lambda node: pd.NA,
    "pandas.NaT": lambda node: pd.NaT,
    "pandas.Timestamp": _read_timestamp,
    "pandas.Timedelta": lambda node: pd.Timedelta(np.timedelta64(node["value"], node["unit"])),
    "numpy": _read_numpy,
    "pytz": _read_pytz,
}
