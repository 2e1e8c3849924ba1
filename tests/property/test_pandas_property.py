"""Frames of any columns and labels: what is saved comes back exactly, and the bytes depend on the values alone."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineal.materializers.pandas import FrameMaterializer, ParquetFrameMaterializer

TEXT = st.text(max_size=4)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=3) | st.dates() | st.decimals(allow_nan=False)
CELLS = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=2) | st.tuples(inner), max_leaves=3)
INSTANTS = st.integers(-(2**62), 2**62) | st.none()
ZONES = st.sampled_from([None, "UTC", "Europe/Paris", "America/St_Johns"])
MISSING = st.sampled_from([None, float("nan"), pd.NA, pd.NaT])


def instants(values: list[int | None], zone: str | None) -> Any:
    """Give times in a zone from ticks; None for a missing one."""
    ticks = np.array([np.iinfo("i8").min if value is None else value for value in values], "i8")
    return pd.Series(ticks.view("M8[ns]")).dt.tz_localize("UTC").dt.tz_convert(zone).array


def columns(rows: int) -> st.SearchStrategy[Any]:
    """Give columns of some length, of any kind."""

    def several(cells: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
        return st.lists(cells, min_size=rows, max_size=rows)

    small = st.integers(-100, 100)
    return st.one_of(
        several(st.floats(width=32)).flatmap(lambda v: st.sampled_from(["f4", "f8", "c16"]).map(lambda code: np.array(v, code))),
        several(st.integers(0, 100)).flatmap(lambda v: st.sampled_from(["i1", "u2", "i8", "bool"]).map(lambda code: np.array(v, code))),
        several(st.none() | small).flatmap(
            lambda v: st.sampled_from(["Int8", "Int64", "Float64", "boolean"]).map(lambda d: nullable(v, d))
        ),
        several(st.none() | TEXT).flatmap(
            lambda v: st.sampled_from(["string[python]", "string[pyarrow]"]).map(lambda d: pd.array(v, dtype=d))
        ),
        several(TEXT | MISSING).map(objects),
        several(st.none() | TEXT).map(pd.Categorical),
        several(CELLS).map(objects),
        st.tuples(several(INSTANTS), ZONES).map(lambda pair: instants(*pair)),
        several(small).map(lambda v: pd.PeriodIndex.from_ordinals(v, freq="M").array),
        several(small).map(lambda v: pd.arrays.IntervalArray.from_arrays(np.array(v, "i8"), np.array(v, "i8") + 1)),
    )


def nullable(values: list[int | None], dtype: str) -> Any:
    """Give a nullable array; of booleans, whether each is positive."""
    return pd.array([None if v is None else v > 0 if dtype == "boolean" else v for v in values], dtype=dtype)


def objects(values: list[Any]) -> Any:
    """Give values as an array of objects, lists as single cells."""
    array = np.empty(len(values), object)
    for row, value in enumerate(values):
        array[row] = value
    return array


LABELS = st.none() | st.integers() | TEXT | st.tuples(TEXT, st.integers()) | st.dates()


@st.composite
def frames(draw: st.DrawFn) -> Any:
    """Give frames of any columns, labels, index and names."""
    rows, wide = draw(st.integers(0, 6)), draw(st.integers(0, 4))
    index = draw(
        st.just(pd.RangeIndex(rows, name="range"))
        | columns(rows).map(lambda values: pd.Index(values, dtype=values.dtype) if values.dtype != np.float16 else pd.RangeIndex(rows))
        | st.tuples(columns(rows).filter(_hashable), columns(rows).filter(_hashable)).map(
            lambda both: pd.MultiIndex.from_arrays(both, names=[None, "b"])
        )
    )
    data = {n: _column(draw(columns(rows)), index) for n in range(wide)}
    frame = pd.DataFrame(data, index=index)
    frame.columns = pd.Index(objects(draw(st.lists(LABELS, min_size=wide, max_size=wide))), dtype=object, tupleize_cols=False)
    frame.columns.name = draw(LABELS)
    frame.attrs = draw(st.dictionaries(TEXT, CELLS, max_size=2))
    return frame


def _hashable(values: Any) -> bool:
    return bool(values.dtype != object)


def _column(values: Any, index: Any) -> Any:
    return pd.Series(values, index=index, dtype=values.dtype)


def seen(frame: Any) -> Any:
    """Give everything about a frame that can be seen, so that NaN equals NaN and 1 is not True."""
    return (
        [(type(label), label) for label in frame.columns],
        repr(frame.columns.dtype),
        (type(frame.columns.name), frame.columns.name),
        [repr(dtype) for dtype in frame.dtypes],
        [[(type(cell), repr(cell)) for cell in frame.iloc[:, n]] for n in range(frame.shape[1])],
        (type(frame.index), list(frame.index.names), repr(getattr(frame.index, "dtypes", frame.index.dtype))),
        [(type(label), repr(label)) for label in frame.index],
        repr(frame.attrs),
    )


def saved(materializer: Any, frame: Any, folder: Path) -> bytes:
    """Give the bytes of the file of a frame."""
    materializer.save(frame, folder)
    return bytes((folder / materializer.filename).read_bytes())


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])
@given(frames(), st.sampled_from([FrameMaterializer(), ParquetFrameMaterializer()]), st.integers(0, 6))
def test_round_trip(frame: Any, materializer: Any, cut: int) -> None:
    """All that can be seen of a frame comes back, an equal frame gives equal bytes, and so does one cut in two and joined."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        written = saved(materializer, frame, folder)
        back = materializer.load(folder, None)
        assert seen(back) == seen(frame)
        assert saved(materializer, back, folder) == written
        assert saved(materializer, frame.copy(), folder) == written
        doubled = frame.iloc[np.repeat(np.arange(len(frame)), 2)]
        if not isinstance(frame.index, (pd.RangeIndex, pd.DatetimeIndex)):
            again = doubled.iloc[::2]
            again.attrs = frame.attrs
            assert saved(materializer, again, folder) == written
        materializer.metadata(frame)
