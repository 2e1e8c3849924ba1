"""Facts about the numbers of an array: a bounded sample, no warnings, values that JSON has."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from lineal.model.records import Json

SAMPLE: Final = 100_000
"""Elements of a sample, at most. Each lies in memory of its own: a million of them take as long as a tenth of writing 1 GiB."""


def summary(values: np.ndarray[Any, Any], limit: int) -> Mapping[str, Json]:
    """Give count of missing values, minimum, maximum, mean and standard deviation of booleans, numbers and times.

    Of more than `limit` elements so many, and not more than SAMPLE, are taken at equal steps; the result then has `sampled: true`. A
    value that is not finite is given as text. Text, bytes and records give nothing.
    """
    if values.dtype.kind not in "biufcmM" or values.size == 0:
        return {}
    found: dict[str, Json] = {}
    if values.size > limit:
        # `flat` steps over the elements without copying the rest, whatever the memory order.
        sample = values.flat[:: -(-values.size // min(limit, SAMPLE))]
        found["sampled"] = True
    else:
        sample = values.reshape(-1)
    with np.errstate(all="ignore"):
        if values.dtype.kind in "fcmM":
            missing = np.isnat(sample) if values.dtype.kind in "mM" else np.isnan(sample)
            count = int(np.count_nonzero(missing))
            found["missing"] = count
            if count:
                sample = sample[~missing]
        if sample.size and values.dtype.kind != "c":
            found |= _range(sample)
    return found


def _range(sample: np.ndarray[Any, Any]) -> Mapping[str, Json]:
    low, high = sample.min(), sample.max()
    if sample.dtype.kind in "mM":
        return {"min": str(low), "max": str(high)}
    wide = sample.astype(np.float64)
    return {"min": _plain(low), "max": _plain(high), "mean": _plain(wide.mean()), "std": _plain(wide.std())}


def _plain(number: Any) -> Json:
    if number.dtype.kind != "f":
        return number.item()
    plain = float(number)
    return plain if np.isfinite(plain) else str(plain)
