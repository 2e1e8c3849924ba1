"""Arrays: shape, dtype, how many elements differ and by how much."""

from typing import Any, Final

from lineal.compare.base import Comparison, Part, count_text, finite, number_text, pair_text

CHUNK: Final = 1 << 20
"""Elements that are compared at once, so that comparing two large arrays takes little more memory than they have."""


def as_array(value: Any) -> Any:
    """Give the numpy array of an array, a tensor or an image of any library; None when it is none of these."""
    root = type(value).__module__.partition(".")[0]
    names = {(each.__module__.partition(".")[0], each.__name__) for each in type(value).__mro__}
    if names & {("numpy", "ndarray"), ("PIL", "Image")}:
        import numpy as np

        return np.asarray(value)
    if ("torch", "Tensor") in names or (root == "torch" and hasattr(value, "detach")):
        dense = value.detach().cpu()
        try:
            return dense.numpy()
        except TypeError:  # a dtype that numpy does not have
            return dense.float().numpy()
    return None


def compare_arrays(one: Any, other: Any) -> Comparison:
    """Compare two numpy arrays element by element. Not-a-number equals itself."""
    facts: dict[str, Any] = {"shape": [list(one.shape), list(other.shape)], "dtype": [str(one.dtype), str(other.dtype)]}
    rows = [("shape", str(one.shape), str(other.shape)), ("dtype", str(one.dtype), str(other.dtype))]
    if one.shape != other.shape:
        changed = pair_text(str(one.shape), str(other.shape))
        rows += _statistics(one, other)
        return Comparison("array", same=False, summary=f"shape {changed}", parts=[Part("array", (), _HEAD, rows)], data=facts)
    different, largest, total, place = _differences(one, other)
    facts |= {"different": different, "size": int(one.size)}
    lines = [f"{different:,} of {count_text(int(one.size), 'element')} differ"]
    summary = lines[0] if different else "equal"
    if largest is not None:
        mean = total / one.size
        facts |= {"largest_difference": finite(largest), "mean_difference": finite(mean), "largest_at": place}
        lines.append(f"largest absolute difference {number_text(largest)}, at {place}; mean {number_text(mean)}")
        summary += f", by {number_text(largest)} at most"
    same = not different and one.dtype == other.dtype
    if one.dtype != other.dtype:
        summary = f"dtype {pair_text(str(one.dtype), str(other.dtype))}" + (f"; {summary}" if different else "")
    parts = [] if same else [Part("array", lines, _HEAD, [*rows, *_statistics(one, other)])]
    return Comparison("array", same=same, summary=summary, parts=parts, data=facts)


_HEAD = ("", "before", "after")


def _differences(one: Any, other: Any) -> tuple[int, float | None, float, list[int] | None]:
    """Give how many elements differ, and for numbers the largest absolute difference, the sum of all, and where the largest is."""
    import numpy as np

    count, largest, total, place = 0, None, 0.0, 0
    numeric = one.dtype.kind in "biufc" and other.dtype.kind in "biufc"
    left, right = one.reshape(-1), other.reshape(-1)
    for start in range(0, left.size, CHUNK):
        x, y = left[start : start + CHUNK], right[start : start + CHUNK]
        different = _different(np, x, y)
        found = int(different.sum())
        if not found:
            continue
        count += found
        if numeric:
            exact = np.complex128 if "c" in (one.dtype.kind, other.dtype.kind) else np.float64
            with np.errstate(invalid="ignore", over="ignore"):
                apart = np.abs(x[different].astype(exact) - y[different].astype(exact))
            apart = np.where(np.isnan(apart), np.inf, apart)  # a number on one side only
            total += float(apart.sum())
            if largest is None or float(apart.max()) > largest:
                largest, place = float(apart.max()), start + int(np.flatnonzero(different)[int(apart.argmax())])
    where = None if largest is None else [int(each) for each in np.unravel_index(place, one.shape)]
    return count, largest, total, where


def _different(np: Any, x: Any, y: Any) -> Any:
    if x.dtype.hasobject or y.dtype.hasobject:
        return np.fromiter((not _equal(p, q) for p, q in zip(x.tolist(), y.tolist(), strict=True)), bool, len(x))
    try:
        different = np.asarray(x != y)
    except (TypeError, ValueError):  # types that do not compare
        return np.ones(len(x), bool)
    if different.shape != x.shape:
        return np.ones(len(x), bool)
    if x.dtype.kind in "fcmM" and y.dtype.kind in "fcmM":
        different &= ~((x != x) & (y != y))
    return different


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one is other or one == other or (one != one and other != other))
    except Exception:  # an == of somebody else's class, or one that gives no truth value
        return False


def _statistics(one: Any, other: Any) -> list[tuple[str, str, str]]:
    rows = []
    for name in ("min", "max", "mean", "std"):
        before, after = _statistic(one, name), _statistic(other, name)
        if before or after:
            rows.append((name, before, after))
    return rows


def _statistic(array: Any, name: str) -> str:
    if not array.size or array.dtype.kind not in "biuf":
        return ""
    import numpy as np

    options = {"dtype": "float64"} if name in ("mean", "std") else {}
    with np.errstate(all="ignore"):
        return number_text(float(getattr(array, name)(**options)))
