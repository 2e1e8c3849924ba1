"""The leaves of typed JSON: how a value without parts becomes a JSON node, and back.

A leaf that JSON itself has (text, whole and finite numbers, true, false, null) is its own node. Every other leaf is an object whose
`$type` names what it is. To add a type: a writer in LEAVES and a reader in READERS under the same tag.
"""

import math
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from lineal.model.records import Json

TAG: Final = "$type"

UNHELD: Final = object()
"""What a writer gives for a value that its type alone did not rule out, such as a datetime in a foreign time zone."""

NoneType: Final = type(None)

# Python refuses decimal text of huge integers above a limit that a process may set, but never below 640 digits (2,126 bits).
_SAFE_BITS = 2_000
_MICROSECOND = timedelta(microseconds=1)


def tagged(tag: str, **payload: Json) -> dict[str, Json]:
    """Give the node of a value that JSON itself does not have."""
    return {TAG: tag, **payload}


def itself(value: Any) -> Json:
    """Write a value that is its own node."""
    return value


def is_text(value: str) -> bool:
    """Tell whether text can be written as UTF-8: lone surrogates cannot."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _write_str(value: str) -> Json:
    # A pair of lone surrogates would come back as one character.
    return value if is_text(value) else tagged("str", base64=_base64(value.encode("utf-8", "surrogatepass")))


def _write_int(value: int) -> Json:
    if value.bit_length() > _SAFE_BITS:
        limit = sys.get_int_max_str_digits()
        if limit and value.bit_length() > 3 * limit and not _has_text(value):
            return _hex(value)
    return value


def _has_text(value: int) -> bool:
    # Asks Python itself, so that what this writes as plain digits is exactly what the JSON encoder can write.
    try:
        int.__repr__(value)
    except ValueError:
        return False
    return True


def _hex(value: int) -> Json:
    return tagged("int", hex=f"{value:x}")


def _whole(value: int) -> Json:
    # Inside other leaves: the form may not depend on the limit of this process.
    return value if value.bit_length() <= _SAFE_BITS else _hex(value)


def _read_whole(node: Json) -> int:
    if type(node) is dict:
        return _read_int(node)
    if type(node) is int:
        return node
    raise TypeError(f"a whole number was expected, got {node!r:.80}")


def _read_int(node: Mapping[str, Json]) -> int:
    return int(node["hex"], 16)


def _write_float(value: float) -> Json:
    return value if math.isfinite(value) else tagged("float", value=repr(value))


def _read_real(node: Json) -> float:
    return float(node["value"] if type(node) is dict else node)


def _base64(value: bytes | bytearray) -> str:
    return b64encode(value).decode("ascii")


def _bytes(node: Mapping[str, Json]) -> bytes:
    return b64decode(node["base64"], validate=True)


def _write_tz(value: tzinfo | None) -> Json:
    if value is None:
        return None
    writer = LEAVES.get(type(value))
    return UNHELD if writer is None else writer(value)


def _read_tz(node: Json) -> tzinfo | None:
    if node is None:
        return None
    if node[TAG] not in ("timezone", "ZoneInfo"):
        raise ValueError(f"{node[TAG]!r} is no time zone")
    zone: tzinfo = READERS[node[TAG]](node)
    return zone


def _write_timezone(value: timezone) -> Json:
    offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]  # what pickle uses; the name is not public
    return tagged("timezone", microseconds=offset // _MICROSECOND, **({"name": _write_str(name[0])} if name else {}))


def _read_timezone(node: Mapping[str, Json]) -> timezone:
    offset = timedelta(microseconds=node["microseconds"])
    return timezone(offset, _read_text(node["name"])) if "name" in node else timezone(offset)


def _write_zone(value: ZoneInfo) -> Json:
    return tagged("ZoneInfo", key=value.key) if value.key else UNHELD  # a zone read from a file has no key


def _write_moment(value: datetime | time) -> Json:
    zone = _write_tz(value.tzinfo)
    if zone is UNHELD:
        return UNHELD
    node = tagged(type(value).__name__, value=value.replace(tzinfo=None, fold=0).isoformat())
    if zone is not None:
        node["tz"] = zone
    if value.fold:
        node["fold"] = 1
    return node


def _read_datetime(node: Mapping[str, Json]) -> datetime:
    return datetime.fromisoformat(node["value"]).replace(tzinfo=_read_tz(node.get("tz")), fold=node.get("fold", 0))


def _read_time(node: Mapping[str, Json]) -> time:
    return time.fromisoformat(node["value"]).replace(tzinfo=_read_tz(node.get("tz")), fold=node.get("fold", 0))


def _write_timedelta(value: timedelta) -> Json:
    return tagged("timedelta", days=value.days, seconds=value.seconds, microseconds=value.microseconds)


def _read_text(node: Json) -> str:
    if type(node) is dict:
        return _bytes(node).decode("utf-8", "surrogatepass")
    if type(node) is str:
        return node
    raise TypeError(f"text was expected, got {node!r:.80}")


def _write_path(value: Path) -> Json:
    return tagged("Path", value=_write_str(value.as_posix()))


def _write_pure_path(value: PurePosixPath | PureWindowsPath) -> Json:
    return tagged(type(value).__name__, value=_write_str(value.as_posix()))


LEAVES: Final[Mapping[type, Callable[[Any], Json]]] = {
    str: _write_str,
    int: _write_int,
    float: _write_float,
    bool: itself,
    NoneType: itself,
    bytes: lambda value: tagged("bytes", base64=_base64(value)),
    bytearray: lambda value: tagged("bytearray", base64=_base64(value)),
    complex: lambda value: tagged("complex", real=_write_float(value.real), imag=_write_float(value.imag)),
    range: lambda value: tagged("range", start=_whole(value.start), stop=_whole(value.stop), step=_whole(value.step)),
    datetime: _write_moment,
    date: lambda value: tagged("date", value=value.isoformat()),
    time: _write_moment,
    timedelta: _write_timedelta,
    timezone: _write_timezone,
    ZoneInfo: _write_zone,
    UUID: lambda value: tagged("UUID", value=str(value)),
    Decimal: lambda value: tagged("Decimal", value=str(value)),
    Fraction: lambda value: tagged("Fraction", numerator=_whole(value.numerator), denominator=_whole(value.denominator)),
    PosixPath: _write_path,
    WindowsPath: _write_path,
    PurePosixPath: _write_pure_path,
    PureWindowsPath: _write_pure_path,
}
"""Writers by exact type."""

READERS: Final[Mapping[str, Callable[[Mapping[str, Json]], Any]]] = {
    "str": _read_text,
    "int": _read_int,
    "float": _read_real,
    "bytes": _bytes,
    "bytearray": lambda node: bytearray(_bytes(node)),
    "complex": lambda node: complex(_read_real(node["real"]), _read_real(node["imag"])),
    "range": lambda node: range(_read_whole(node["start"]), _read_whole(node["stop"]), _read_whole(node["step"])),
    "datetime": _read_datetime,
    "date": lambda node: date.fromisoformat(node["value"]),
    "time": _read_time,
    "timedelta": lambda node: timedelta(node["days"], node["seconds"], node["microseconds"]),
    "timezone": _read_timezone,
    "ZoneInfo": lambda node: ZoneInfo(node["key"]),
    "UUID": lambda node: UUID(node["value"]),
    "Decimal": lambda node: Decimal(node["value"]),
    "Fraction": lambda node: Fraction(_read_whole(node["numerator"]), _read_whole(node["denominator"])),
    "Path": lambda node: Path(_read_text(node["value"])),  # of the system that reads: a POSIX path cannot be made on Windows
    "PurePosixPath": lambda node: PurePosixPath(_read_text(node["value"])),
    "PureWindowsPath": lambda node: PureWindowsPath(_read_text(node["value"])),
}
"""Readers by tag."""

IDENTITY_LEAVES: Final[Mapping[type, Callable[[Any], Json]]] = {**LEAVES, str: itself, int: itself, float: itself, bytes: itself}
"""Writers for cache keys: what a digest takes as it is stays as it is."""

CONDITIONAL: Final = frozenset({datetime, time, ZoneInfo})
"""Leaf types of which some values are UNHELD."""

ATOMS: Final = frozenset(LEAVES) - CONDITIONAL
"""Exact types of which every value is held and has no parts."""
