"""The labels of pandas objects: an index of any kind, as Arrow arrays beside the data or as text inside a spec."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from lineal.materializers import arrow_ipc
from lineal.materializers.arrow_ipc import Memory
from lineal.materializers.pandas_columns import Spec, decode_codes, decode_flat, encode_codes, encode_flat
from lineal.model.records import Json


def encode(index: Any, where: str) -> tuple[Spec, list[Any]]:
    """Give the spec of an index and its Arrow arrays: one, one for each level, or none for a range."""
    if type(index) is not pd.MultiIndex:
        return encode_flat(index, where)
    specs, arrays = [], []
    # Levels are kept as they are, values that are not used and their order included: both can be seen in `.levels`.
    for number, (level, codes) in enumerate(zip(index.levels, index.codes, strict=True)):
        spec, array = encode_codes(codes, level, f"level {number} of {where}")
        specs.append(spec)
        arrays.append(array)
    return {"kind": "multi", "levels": specs, "sortorder": getattr(index, "sortorder", None)}, arrays


def decode(spec: Mapping[str, Json], arrays: Iterator[Any], memory: Memory) -> Any:
    """Give the index back, taking its arrays from `arrays`."""
    if spec["kind"] == "range":
        return decode_flat(spec, (), memory)
    if spec["kind"] == "flat":
        return decode_flat(spec, [next(arrays)], memory)
    decoded = [decode_codes(level, next(arrays), memory) for level in spec["levels"]]
    return pd.MultiIndex(
        levels=[level for _, level in decoded],
        codes=[codes for codes, _ in decoded],
        sortorder=spec["sortorder"],
        names=[level.name for _, level in decoded],
        verify_integrity=False,
    )


def embed(index: Any, where: str) -> Spec:
    """Give an index as a spec that holds its values too."""
    spec, arrays = encode(index, where)
    return {**spec, "arrays": [arrow_ipc.embed(array) for array in arrays]}


def embedded(spec: Mapping[str, Json]) -> Any:
    """Give back the index of `embed`."""
    # Each text has a memory of its own; without one the values are copied from where they are.
    return decode(spec, iter([arrow_ipc.embedded(text)[0] for text in spec["arrays"]]), Memory(None))
