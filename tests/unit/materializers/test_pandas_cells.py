import zoneinfo
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lineal.errors import NoMaterializer
from lineal.materializers import pandas_cells

ZONES = [
    zoneinfo.ZoneInfo("Europe/Paris"),
    timezone.utc,  # noqa: UP017  # the object itself
    timezone(timedelta(hours=-3, minutes=30)),
    timezone(timedelta(hours=1), "local"),
]


@pytest.mark.parametrize(
    "value",
    [
        pd.NaT,
        pd.Timestamp("2020-01-01T12:00:00.123456789"),
        pd.Timestamp("2020-01-01").as_unit("s"),
        pd.Timestamp("9999-01-01").as_unit("s"),
        *(pd.Timestamp("2020-10-25T00:30:00", tz="UTC").tz_convert(zone) for zone in ZONES),
        pd.Timestamp("2020-10-25T01:30:00", tz="UTC").tz_convert("Europe/Paris"),
        pd.Timedelta(1),
        pd.Timedelta("3 days").as_unit("s"),
        np.float32(1.5),
        np.int64(3),
        np.datetime64("2020", "Y"),
        np.str_("text"),
        np.True_,
        1,
        True,
        1.5,
        None,
        "text",
        "\ud800",
        ("a", 1, pd.Timestamp("2020")),
        [1, [2, {"a": (3, pd.NaT)}]],
        {1: pd.Timedelta(5)},
        date(2020, 1, 1),
        datetime(2020, 1, 1, 2),  # noqa: DTZ001  # one without a zone is meant
        *ZONES,
    ],
    ids=repr,
)
def test_cells_come_back_exactly(value: Any) -> None:
    """Plain values, pandas' and numpy's scalars, and time zones keep type, unit and value, also inside containers."""
    back = pandas_cells.loads(pandas_cells.dumps(value, "here"))
    assert type(back) is type(value)
    assert repr(back) == repr(value)
    assert back is value if value is pd.NaT else back == value
    if isinstance(value, pd.Timestamp):
        assert (back.unit, back.tz, back.utcoffset()) == (value.unit, value.tz, value.utcoffset())


def test_the_missing_value_of_pandas_is_one_object() -> None:
    """NA is compared by identity everywhere in pandas."""
    assert pandas_cells.loads(pandas_cells.dumps(pd.NA, "here")) is pd.NA


def test_a_value_that_is_not_plain_is_named() -> None:
    """The error names the place down to the element, and is one after which the fallback is tried."""
    with pytest.raises(NoMaterializer, match=r"column 'a'\[1\] is a object"):
        pandas_cells.to_json([1, object()], "column 'a'")
