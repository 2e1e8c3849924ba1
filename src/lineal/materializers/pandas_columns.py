"""One column or index of pandas as one Arrow array and a spec, and back with every detail.

A spec is JSON with a `kind`, one function pair per kind below. Other tools see ordinary Arrow columns with nulls where pandas has
missing values; what pandas tells apart (NaN, NA, NaT, None) stands in the spec, or in the bits that lie under a null.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from lineal.errors import NoMaterializer
from lineal.materializers import arrow_ipc, pandas_cells
from lineal.materializers.arrow_ipc import Memory
from lineal.model.records import Json

Spec: TypeAlias = dict[str, Any]
Encoded: TypeAlias = tuple[Spec, Any]

_NAT = np.iinfo(np.int64).min

_ARROW_TYPES = {
    **{
        np.dtype(f"{kind}{size}"): getattr(pa, f"{name}{size * 8}")()
        for kind, name in (("i", "int"), ("u", "uint"))
        for size in (1, 2, 4, 8)
    },
    **{np.dtype(f"f{size}"): getattr(pa, f"float{size * 8}")() for size in (2, 4, 8)},
}


def values_of(column: Any) -> Any:
    """Give the values of a Series or Index: a numpy array over its memory, or pandas' own kind of array."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def encode(values: Any, where: str) -> Encoded:
    """Give the spec and the Arrow array of values. Raises NoMaterializer, naming `where`, for what cannot be kept exactly."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _encode_objects(values, where) if dtype.hasobject else _encode_numpy(values, where)
    if isinstance(values, (pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray)):
        return _encode_masked(values)
    for class_, encoder in _ENCODERS:
        if type(dtype) is class_:
            return encoder(values, where)
    raise NoMaterializer(f"{where} has the dtype {dtype}, which has no exact form in Arrow; the frame is left to the fallback")


def decode(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    """Give the values back: a numpy array or pandas' own kind, writeable, over `memory` where possible."""
    return _DECODERS[spec["kind"]](spec, array, memory)


def is_numpy(spec: Mapping[str, Json]) -> bool:
    """Tell whether the values are plain numbers, which other columns of the same spec can share a block with."""
    return bool(spec["kind"] == "numpy")


# Numbers, booleans and times of numpy


def _encode_numpy(values: Any, where: str) -> Encoded:
    dtype = values.dtype
    spec = {"kind": "numpy", "dtype": dtype.str}
    if dtype.kind in "mM":
        return {**spec, "kind": "time"}, _times(values)
    if dtype.kind == "b":
        return {"kind": "bool"}, arrow_ipc.bits(values)
    if dtype.kind not in "iufc":
        raise NoMaterializer(f"{where} has the dtype {dtype}, which pandas does not use; the frame is left to the fallback")
    # Complex, extended and byte-swapped numbers are no Arrow types: their bytes are kept under the exact name of the dtype.
    return spec, arrow_ipc.fixed(_ARROW_TYPES.get(dtype) or pa.binary(dtype.itemsize), values)


def _times(values: Any, tz: str | None = None) -> Any:
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    unit = np.datetime_data(native.dtype)[0]
    type_ = pa.duration(unit) if native.dtype.kind == "m" else pa.timestamp(unit, tz)
    return arrow_ipc.fixed(type_, native.view("i8"), np.isnat(native))


def _decode_numpy(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    return memory.values(array, np.dtype(spec["dtype"]))


def _decode_bool(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    return arrow_ipc.flags(array)


def _decode_time(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    dtype = np.dtype(spec["dtype"])
    return _ticks(array, memory).view(dtype.newbyteorder("=")).astype(dtype, copy=False)


def _ticks(array: Any, memory: Memory) -> Any:
    ticks = memory.values(array, np.dtype("i8"))
    gaps = arrow_ipc.missing(array)
    # Arrow IPC keeps the bits under a null, which are NaT already; Parquet does not.
    if gaps is not None and not (ticks[gaps] == _NAT).all():
        ticks[gaps] = _NAT
    return ticks


# Python objects: text, bytes, or anything plain as typed JSON


def _encode_objects(values: Any, where: str) -> Encoded:
    items = values.tolist()
    kinds = set(map(type, items))
    for class_, name, type_ in ((str, "text", pa.large_string()), (bytes, "bytes", pa.large_binary())):
        gap = _gap(items, kinds - {class_})
        if gap is not None:
            try:
                return {"kind": name, "missing": gap}, pa.array(items, type_, from_pandas=True)
            except UnicodeEncodeError:
                break  # lone surrogates are no UTF-8: typed JSON escapes them
    texts = [pandas_cells.dumps(item, f"{where}[{row}]") for row, item in enumerate(items)]
    return {"kind": "json"}, pa.array(texts, pa.large_string())


_GAPS: Mapping[str, Any] = {"None": None, "nan": math.nan, "NA": pd.NA, "NaT": pd.NaT}
_GAP_OF_TYPE = {type(None): "None", type(pd.NA): "NA", type(pd.NaT): "NaT"}


def _gap(items: list[Any], others: set[type]) -> str | None:
    """Give the name of the one missing value among text or bytes; None when there is more than one, or other things too."""
    if not others:
        return "None"
    if others == {float}:
        return "nan" if all(item != item for item in items if type(item) is float) else None
    return _GAP_OF_TYPE.get(others.pop()) if len(others) == 1 else None


def _decode_text(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    values = array.to_numpy(zero_copy_only=False)
    values = values if values.flags.writeable else values.copy()
    gaps = arrow_ipc.missing(array)
    if gaps is not None and spec["missing"] != "None":
        values[gaps] = _GAPS[spec["missing"]]
    return values


def _decode_json(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    values = np.empty(len(array), object)
    for row, text in enumerate(array.to_pylist()):
        values[row] = pandas_cells.loads(text)  # one by one: numpy would take apart a list of lists
    return values


# Pandas' own kinds


def _encode_masked(values: Any) -> Encoded:
    gaps = values.isna()
    # What lies under a missing value is left over from elsewhere: zero instead, so that equal columns give equal bytes.
    data = values.to_numpy(dtype=values.dtype.numpy_dtype, na_value=values.dtype.numpy_dtype.type())
    array = arrow_ipc.bits(data, gaps) if data.dtype.kind == "b" else arrow_ipc.fixed(_ARROW_TYPES[data.dtype], data, gaps)
    return {"kind": "masked", "dtype": values.dtype.name}, array


def _decode_masked(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    dtype: Any = pd.api.types.pandas_dtype(spec["dtype"])
    gaps = arrow_ipc.missing(array)
    data = arrow_ipc.flags(array) if dtype.numpy_dtype.kind == "b" else memory.values(array, dtype.numpy_dtype)
    return dtype.construct_array_type()(data, np.zeros(len(data), bool) if gaps is None else gaps)


def _encode_string(values: Any, where: str) -> Encoded:
    dtype = values.dtype
    try:
        array = values.__arrow_array__(pa.large_string())
    except UnicodeEncodeError as error:
        raise NoMaterializer(f"{where} holds text that is no Unicode (a lone surrogate); the frame is left to the fallback") from error
    array = array if array.type == pa.large_string() else array.cast(pa.large_string())
    # Before pandas 2.3 the missing value was part of the name of the storage.
    storage = "pyarrow" if dtype.storage.startswith("pyarrow") else dtype.storage
    return {"kind": "string", "storage": storage, "missing": "NA" if dtype.na_value is pd.NA else "nan"}, arrow_ipc.canonical(array)


def _decode_string(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    dtype: Any
    if spec["missing"] == "NA":
        dtype = pd.StringDtype(spec["storage"])
    elif hasattr(pd.StringDtype(), "_na_value"):  # the parameter came with pandas 2.3
        dtype = pd.StringDtype(spec["storage"], na_value=math.nan)
    else:
        dtype = pd.StringDtype("pyarrow_numpy")
    return dtype.__from_arrow__(array)


def _encode_zoned(values: Any, where: str) -> Encoded:
    dtype = values.dtype
    ticks = values.view("i8")
    spec = {"kind": "zoned", "unit": dtype.unit, "tz": pandas_cells.to_json(dtype.tz, f"the time zone of {where}")}
    return spec, _times(ticks.view(f"M8[{dtype.unit}]"), "UTC")


def _decode_zoned(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    dtype: Any = pd.DatetimeTZDtype(spec["unit"], pandas_cells.from_json(spec["tz"]))
    # Whole numbers are taken as ticks in UTC; from pandas 3 on without a copy.
    return pd.Series(_ticks(array, memory), copy=False).astype(dtype).array


def _encode_period(values: Any, where: str) -> Encoded:
    name = values.dtype.name  # spelled as a dtype is; the name of the offset itself may be that of a frequency of times
    if pd.PeriodDtype(name) != values.dtype:
        raise NoMaterializer(
            f"{where} has periods of {values.dtype.freq!r}, which its name does not tell; the frame is left to the fallback"
        )
    return {"kind": "period", "dtype": name}, arrow_ipc.fixed(pa.int64(), values.view("i8"), np.asarray(values.isna()))


def _decode_period(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    return pd.arrays.PeriodArray(_ticks(array, memory), dtype=pd.PeriodDtype(spec["dtype"]))


def _encode_interval(values: Any, where: str) -> Encoded:
    ends = {name: encode(values_of(getattr(values, name)), f"the {name} end of {where}") for name in ("left", "right")}
    spec = {"kind": "interval", "closed": values.closed, **{name: spec for name, (spec, _) in ends.items()}}
    return spec, pa.StructArray.from_arrays([array for _, array in ends.values()], names=list(ends))


def _decode_interval(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    left, right = (decode_flat_values(spec[name], array.field(name), memory) for name in ("left", "right"))
    return pd.arrays.IntervalArray.from_arrays(left, right, closed=spec["closed"])


def decode_flat_values(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    """Give values as an Index of exactly their dtype."""
    values = decode(spec, array, memory)
    return pd.Index(values, dtype=values.dtype, copy=False)


def _encode_arrow(values: Any, where: str) -> Encoded:
    try:
        array = arrow_ipc.canonical(values.__arrow_array__())
    except pa.ArrowNotImplementedError as error:
        raise NoMaterializer(f"{where} has the dtype {values.dtype}: {error}; the frame is left to the fallback") from error
    if "dictionary<" in str(array.type):  # inside other types pyarrow writes dictionaries that it cannot read
        raise NoMaterializer(f"{where} has the dtype {values.dtype}; make it a pandas categorical. The frame is left to the fallback")
    return {"kind": "arrow"}, array


def _decode_arrow(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    return pd.arrays.ArrowExtensionArray(array)


def _encode_category(values: Any, where: str) -> Encoded:
    spec, array = encode_codes(values.codes, values.categories, f"the categories of {where}")
    return {"kind": "category", "ordered": bool(values.ordered), "categories": spec}, array


def _decode_category(spec: Mapping[str, Json], array: Any, memory: Memory) -> Any:
    codes, categories = decode_codes(spec["categories"], array, memory)
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories, spec["ordered"]))


# An index without levels, and codes into one


def encode_flat(index: Any, where: str) -> tuple[Spec, list[Any]]:
    """Give the spec of an Index that is no MultiIndex, and its Arrow array: none for a RangeIndex."""
    name: Spec = {} if index.name is None else {"name": pandas_cells.to_json(index.name, f"the name of {where}")}
    if type(index) is pd.RangeIndex:
        return {"kind": "range", "start": index.start, "stop": index.stop, "step": index.step, **name}, []
    spec, array = encode(values_of(index), where)
    freq = getattr(index, "freq", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    if freq is not None:
        if pd.tseries.frequencies.to_offset(freq.freqstr) != freq:
            raise NoMaterializer(f"{where} has the frequency {freq!r}, which its name does not tell; the frame is left to the fallback")
        name["freq"] = freq.freqstr
    return {"kind": "flat", "values": spec, **name}, [array]


def decode_flat(spec: Mapping[str, Json], arrays: Sequence[Any], memory: Memory) -> Any:
    """Give the Index back."""
    name = pandas_cells.from_json(spec["name"]) if "name" in spec else None
    if spec["kind"] == "range":
        return pd.RangeIndex(spec["start"], spec["stop"], spec["step"], name=name)
    index = decode_flat_values(spec["values"], arrays[0], memory)
    index.name = name
    if "freq" in spec:
        index.freq = spec["freq"]
    return index


def encode_codes(codes: Any, values: Any, where: str) -> Encoded:
    """Give codes into an Index, -1 for missing, as an Arrow dictionary; as bare codes when the Index cannot be one."""
    spec, arrays = encode_flat(values, where)
    missing = codes == -1
    bare = arrow_ipc.fixed(_ARROW_TYPES[codes.dtype], codes, missing)
    if not arrays:
        return spec, bare
    [array] = arrays
    if pa.types.is_nested(array.type) or pa.types.is_dictionary(array.type):  # inside dictionaries pyarrow cannot read these
        return {**spec, "embedded": arrow_ipc.embed(array)}, bare
    return spec, pa.DictionaryArray.from_arrays(bare, array, safe=False)


def decode_codes(spec: Mapping[str, Json], array: Any, memory: Memory) -> tuple[Any, Any]:
    """Give the codes and the Index that they point into."""
    inner = memory
    arrays: list[Any] = []
    if "embedded" in spec:
        array_inside, inner = arrow_ipc.embedded(spec["embedded"])
        arrays = [array_inside]
    elif pa.types.is_dictionary(array.type):
        arrays, array = [array.dictionary], array.indices
    codes = memory.values(array, np.dtype(array.type.to_pandas_dtype()))
    gaps = arrow_ipc.missing(array)
    if gaps is not None and not (codes[gaps] == -1).all():
        codes[gaps] = -1
    return codes, decode_flat(spec, arrays, inner)


_ENCODERS: Sequence[tuple[type, Callable[[Any, str], Encoded]]] = (
    (pd.StringDtype, _encode_string),
    (pd.CategoricalDtype, _encode_category),
    (pd.DatetimeTZDtype, _encode_zoned),
    (pd.PeriodDtype, _encode_period),
    (pd.IntervalDtype, _encode_interval),
    (pd.ArrowDtype, _encode_arrow),
)

_DECODERS: Mapping[str, Callable[[Mapping[str, Json], Any, Memory], Any]] = {
    "numpy": _decode_numpy,
    "bool": _decode_bool,
    "time": _decode_time,
    "text": _decode_text,
    "bytes": _decode_text,
    "json": _decode_json,
    "masked": _decode_masked,
    "string": _decode_string,
    "zoned": _decode_zoned,
    "period": _decode_period,
    "interval": _decode_interval,
    "arrow": _decode_arrow,
    "category": _decode_category,
}
