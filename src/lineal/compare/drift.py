"""How a column drifted from one table to another: its statistics, or the shares of its values."""

from dataclasses import dataclass, field
from typing import Any, Final

from lineal.compare.base import finite, number_text, pair_text, text_of
from lineal.model.records import Json

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)

COUNTED: Final = 200_000
"""Values of a column whose shares are counted; of longer ones every n-th."""

_SHARES = 3


@dataclass(frozen=True, slots=True)
class Drift:
    """What two columns of one name say of themselves, before and after.

    Attributes:
        numeric: Whether they are numbers or moments; else their values are counted.
        count, missing: How many values are there, and the part that is missing.
        mean, std: Of the values that are there; None where there is none.
        quantiles: The quantiles 5, 25, 50, 75 and 95 %.
        shift: The largest distance between two quantiles, in standard deviations of the values before.
        distinct: How many different values there are.
        shares: The values whose part of all changed most, with both parts.
        times: "datetime" or "timedelta" for moments, which are numbers here; else empty.
    """

    numeric: bool
    count: tuple[int, int]
    missing: tuple[float, float]
    mean: tuple[float | None, float | None] = (None, None)
    std: tuple[float | None, float | None] = (None, None)
    quantiles: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    shift: float | None = None
    distinct: tuple[int, int] = (0, 0)
    shares: list[tuple[str, float, float]] = field(default_factory=list)
    times: str = ""

    @property
    def differs(self) -> bool:
        """Whether the two columns differ in anything that is counted here, apart from the number of rows."""
        pairs = (self.missing, self.mean, self.std, self.quantiles, self.distinct)
        return any(one != other for one, other in pairs) or bool(self.shares)

    def cells(self) -> list[str]:
        """Give the facts as texts: `before → after`."""
        missing = pair_text(*(f"{100 * each:.3g} %" for each in self.missing))
        if not self.numeric:
            shares = ", ".join(f"{value} {100 * before:.3g} → {100 * after:.3g} %" for value, before, after in self.shares)
            return [missing, pair_text(*(f"{each:,}" for each in self.distinct)), shares]
        medians = [each[2] if each else None for each in self.quantiles]
        facts = [pair_text(*map(self._text, pair)) for pair in (self.mean, medians)]
        std = pair_text(*(self._text(each, length=True) for each in self.std))
        return [missing, facts[0], std, facts[1], "" if self.shift is None else f"{self.shift:.3g} sd"]

    def to_json(self) -> dict[str, Json]:
        """Give the facts, each as a list of before and after. Moments are seconds since 1970, spans of time seconds."""
        facts: dict[str, Json] = {"count": list(self.count), "missing": list(self.missing)}
        if not self.numeric:
            shares = [{"value": value, "share": [before, after]} for value, before, after in self.shares]
            return {**facts, "distinct": list(self.distinct), "shares": shares}
        quantiles = [[finite(each) for each in side] for side in self.quantiles]
        numbers = {name: [finite(each) for each in pair] for name, pair in (("mean", self.mean), ("std", self.std))}
        return {**facts, **numbers, "quantiles": quantiles, "shift": finite(self.shift)}

    def _text(self, value: float | None, *, length: bool = False) -> str:
        if value is None:
            return "none"
        if not self.times:
            return number_text(value)
        import pandas as pd

        if self.times == "timedelta" or length:
            return str(pd.Timedelta(seconds=round(value)))
        return str(pd.Timestamp(round(value), unit="s"))


def drift_of(one: Any, other: Any) -> Drift:
    """Compare two pandas columns."""
    count = int(one.notna().sum()), int(other.notna().sum())
    missing = 1 - count[0] / len(one) if len(one) else 0.0, 1 - count[1] / len(other) if len(other) else 0.0
    kinds = _kind(one), _kind(other)
    if kinds[0] == kinds[1] != "":
        return _of_numbers(_numbers(one, kinds[0]), _numbers(other, kinds[1]), count, missing, kinds[0])
    return _of_shares(one, other, count, missing)


def _kind(column: Any) -> str:
    from pandas.api import types

    dtype = column.dtype
    if types.is_bool_dtype(dtype) or types.is_complex_dtype(dtype) or str(dtype) == "category":
        return ""
    if types.is_numeric_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "datetime"
    return "timedelta" if types.is_timedelta64_dtype(dtype) else ""


def _numbers(column: Any, kind: str) -> Any:
    import numpy as np

    present = column[column.notna()]
    if kind == "number":
        found = present.to_numpy(dtype="float64")
    else:
        plain = present.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(column.dtype, "tz", None) is not None else present
        found = plain.to_numpy().astype("M8[us]" if kind == "datetime" else "m8[us]").astype("int64") / 1e6
    return found[np.isfinite(found)]


def _of_numbers(one: Any, other: Any, count: tuple[int, int], missing: tuple[float, float], kind: str) -> Drift:
    import numpy as np

    sides = [(float(each.mean()), float(each.std()), np.quantile(each, QUANTILES).tolist()) if len(each) else None for each in (one, other)]
    before, after = sides
    times = "" if kind == "number" else kind
    if before is None or after is None:
        empty: tuple[Any, Any, list[float]] = (None, None, [])
        pairs = list(zip(before or empty, after or empty, strict=True))
        return Drift(True, count, missing, pairs[0], pairs[1], pairs[2], times=times)
    apart = max(abs(x - y) for x, y in zip(before[2], after[2], strict=True))
    shift = apart / before[1] if before[1] else (float("inf") if apart else 0.0)
    return Drift(True, count, missing, (before[0], after[0]), (before[1], after[1]), (before[2], after[2]), shift, times=times)


def _of_shares(one: Any, other: Any, count: tuple[int, int], missing: tuple[float, float]) -> Drift:
    before, after = _shares(one), _shares(other)
    both = [(value, before.get(value, 0.0), after.get(value, 0.0)) for value in {**before, **after}]
    moved = sorted((each for each in both if each[1] != each[2]), key=lambda each: -abs(each[1] - each[2]))
    if len(before) == count[0] and len(after) == count[1]:
        moved = []  # all values differ from each other: the part that one has says nothing
    return Drift(False, count, missing, distinct=(len(before), len(after)), shares=moved[:_SHARES])


def _shares(column: Any) -> dict[str, float]:
    present = column[column.notna()]
    present = present.iloc[:: max(1, len(present) // COUNTED)]
    try:
        counts = present.astype(object).value_counts(normalize=True)
    except TypeError:  # cells that cannot be told apart, such as lists
        counts = present.map(text_of).value_counts(normalize=True)
    shares: dict[str, float] = {}
    for value, share in counts.items():
        text = text_of(value)
        shares[text] = shares.get(text, 0.0) + float(share)
    return shares
