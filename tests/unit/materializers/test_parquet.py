"""Arrow arrays come back from Parquet exactly, or are declined before anybody relies on the file."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers import parquet

KEPT = [
    pa.array([1, None], pa.int8()),
    pa.array([2**63, None], pa.uint64()),
    pa.array([1.5, None], pa.float16()),
    pa.array([True, None]),
    pa.array([1, None], pa.timestamp("s", "UTC")),
    pa.array([2**62, None], pa.timestamp("ns", "Europe/Paris")),
    pa.array([1, None], pa.time32("s")),
    pa.array([1, None], pa.time64("ns")),
    pa.array([2**62, None], pa.duration("s")),
    pa.array([dt.date(2020, 1, 1), None], pa.date64()),
    pa.array([Decimal("1.5"), None], pa.decimal256(60, 2)),
    pa.array(["a", None, ""], pa.large_string()),
    pa.array([b"ab", None], pa.binary(2)),
    pa.array([None, None]),
    pa.array([[1], None, []], pa.large_list(pa.timestamp("s"))),
    pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
    pa.array([{"a": 1}, None, {"a": None}]),
    pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    pa.array(["b", None, "a"]).dictionary_encode(),
    pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int8()), ["u", "v"], ordered=True),
]

DECLINED = [
    pa.array([2**62], pa.timestamp("s")),  # more than Parquet's milliseconds can count
    pa.array([1], pa.date64()),  # rounded to the day
    pa.array([{}], pa.struct([])),
    pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
    pc.run_end_encode(pa.array([1, 1, 2])),
]


@pytest.mark.parametrize("array", KEPT, ids=lambda array: str(array.type))
def test_types_and_values_come_back(array: Any, tmp_path: Path) -> None:
    """With the spec beside them, also when two columns have one name."""
    path = tmp_path / parquet.FILENAME
    parquet.write(path, [array, array], ["a", "a"], {"own": [1]})
    arrays, spec = parquet.read(path)
    assert all(each.type.equals(array.type, check_metadata=True) and each.equals(array) for each in arrays)
    assert spec["own"] == [1]


def test_nan_inside_other_types_is_kept(tmp_path: Path) -> None:
    """Such arrays are read again after they were written, and NaN counts as equal to itself then."""
    parquet.write(tmp_path / parquet.FILENAME, [pa.array([[float("nan")], None, [1.0]])], ["a"], {})
    [array] = parquet.read(tmp_path / parquet.FILENAME)[0]
    assert str(array.to_pylist()) == "[[nan], None, [1.0]]"


@pytest.mark.parametrize("array", DECLINED, ids=lambda array: str(array.type))
def test_what_would_change_is_declined(array: Any, tmp_path: Path) -> None:
    """The error names the type; the next materializer has the value."""
    with pytest.raises(NoMaterializer, match="left to Arrow IPC"):
        parquet.write(tmp_path / parquet.FILENAME, [array], ["a"], {})
