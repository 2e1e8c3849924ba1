"""What is shown of polars and pyarrow tables: the same as of pandas frames."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from lineal.materializers.registry import registry
from lineal.views.subset import body_of, parse

START = datetime.fromisoformat("2024-01-01")
FRAME = pl.DataFrame(
    {
        "price": [1.5, None, 4.5],
        "region": ["north", "north", "<b>"],
        "when": [START, START + timedelta(days=1), None],
        "many": [[1, 2], [], None],
        "inner": [{"a": 1}, {"a": 2}, None],
        "bytes": [b"\0", b"x" * 100_000, None],
    }
).with_columns(pl.col("region").cast(pl.Categorical).alias("kind"), pl.col("price").cast(pl.Decimal(10, 2)).alias("exact"))
TABLE = pa.table(
    {
        "price": [1.5, None, 4.5],
        "region": pa.array(["north", "north", "<b>"]).dictionary_encode(),
        "when": pa.array([1, 2, None], pa.timestamp("ns", "UTC")),
        "many": [[1, 2], [], None],
        "time": pa.array([1, 2, None], pa.time64("ns")),
        "far": pa.array([2**60, 0, None], pa.timestamp("s")),
        "month": pa.array([(1, 2, 3), None, None], pa.month_day_nano_interval()),
    }
)


def shown(value) -> str:
    [made] = registry.for_value(value).visualize(value)
    body = body_of(made.content)
    assert parse(body) is not None, "a notebook would show it in a frame"
    return body


@pytest.mark.parametrize("value", [FRAME, TABLE, TABLE.to_batches()[0]])
def test_a_table_shows_schema_sample_distributions_and_missing_values(value) -> None:
    body = shown(value)
    for expected in ("3 rows", "<b>price</b>", "33 % missing", "1.5 … 4.5", "north 67 %, 2 different", "&lt;b&gt;", "[1, 2]", "<svg"):
        assert expected in body, expected


@pytest.mark.parametrize(
    "value",
    [
        FRAME["price"], FRAME["region"], pl.Series([]), pl.DataFrame(), pa.table({}), pa.array([1, None]), pa.chunked_array([[1], [2]]),
        pa.array([], pa.null()), pa.record_batch({"a": [1]}), pa.array([{"a": 1}]),
    ],
)  # fmt: skip
def test_series_arrays_and_empty_tables_are_shown(value) -> None:
    shown(value)


@pytest.mark.parametrize("value", [FRAME.lazy(), TABLE.schema, pa.schema([(str(n), pa.int64()) for n in range(300)])])
def test_lazy_frames_and_schemas_show_their_columns(value) -> None:
    """A lazy frame is not collected a second time to be shown."""
    body = shown(value)
    assert "columns" in body
    assert "dtype" in body


def test_of_many_chunks_and_rows_a_sample_is_taken() -> None:
    numbers = np.arange(3_000_000.0)
    assert "3,000,000 rows" in shown(pl.DataFrame({"a": numbers}))
    assert "a sample of 1,000 rows" in shown(pa.table({"a": pa.chunked_array([numbers[n : n + 1000] for n in range(0, 3_000_000, 1000)])}))


def test_columns_of_large_values_are_not_taken_whole() -> None:
    body = shown(pa.table({"text": ["x" * 1_000_000] * 50}))
    assert len(body) < 20_000
