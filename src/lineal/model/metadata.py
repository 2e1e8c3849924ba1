"""Metadata that users log: what may stand in it, how large it may be, and how it is kept."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from lineal.errors import UsageError
from lineal.model import values
from lineal.model.records import Json

MAX_BYTES = 1 << 20
"""Bytes of JSON that the metadata of one call may take."""

MAX_LEVELS = 100
"""How deep lists and dicts may nest in a value."""


def hold_metadata(metadata: Mapping[Any, Any], what: str) -> dict[str, Json]:
    """Give metadata in the form in which it is stored: typed JSON by key.

    Values may be numbers, strings, booleans, None, datetimes, lists and dicts of such; numpy scalars become Python's. `what` names the
    owner in messages. Raises UsageError for other values, with the path to the value, for keys that are not text, for more than
    100 levels, and above 1 MiB.
    """
    if not isinstance(metadata, Mapping):
        raise UsageError(f"metadata of {what} must be a dict, got a {type(metadata).__qualname__}")
    held: dict[str, Json] = {}
    size = 0
    for key, value in metadata.items():
        if not isinstance(key, str) or not key:
            raise UsageError(f"metadata of {what}: keys must be text that is not empty, got {key!r}")
        try:
            plain = _plain(value, MAX_LEVELS)
            held[key] = values.to_json(plain, name=key)
            size += len(key) + len(values.dumps(plain))
        except _TooDeep:
            raise UsageError(
                f"metadata of {what}: {key!r} is nested more than {MAX_LEVELS} levels deep, or holds itself; return it from a step instead"
            ) from None
        except values.NotPlain as error:
            raise UsageError(
                f"metadata of {what}: {error.path} is a {type(error.value).__qualname__}, which metadata cannot hold; "
                "log numbers, text, booleans, datetimes, lists or dicts, and return larger things from a step"
            ) from error
        if size > MAX_BYTES:
            raise UsageError(
                f"metadata of {what} takes more than {MAX_BYTES:,} bytes at key {key!r}; return large values from a step instead"
            )
    return held


class _TooDeep(Exception):
    pass


def _plain(value: Any, levels: int) -> Any:
    # A numpy scalar knows its dtype and gives its Python twin; nothing of numpy is imported for this.
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    if isinstance(value, datetime) and value.tzinfo is not None:
        # Queries compare moments, and no store knows what a zone's name means; its offset at that moment says the same.
        return value.astimezone(timezone(value.utcoffset() or timedelta(0)))
    if type(value) in (dict, list, tuple) and not levels:
        raise _TooDeep
    if type(value) is dict:
        return {key: _plain(item, levels - 1) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain(item, levels - 1) for item in value)
    return value
