"""A skops file whose bytes depend on the model alone.

skops names objects by their address in memory and stamps entries with the time. Here the same container is written again with dates
that are fixed and numbers in the order of appearance; only lists, dicts, arrays and the like that really occur twice keep a number,
since whether two equal texts or tuples are one object is an accident. Sets are ordered. skops reads the result like its own.
"""

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np

from lineal.materializers.npy import canonical as canonical_array
from lineal.model.records import Json

EPHEMERAL = frozenset({"_stop_words_id"})
"""Attributes that hold an address in memory, as a mark of what has been checked in this process; a file holds zero instead."""

_VALUES = frozenset({"JsonNode", "TypeNode", "FunctionNode", "BytesNode", "DTypeNode", "TupleNode", "SliceNode"})
_SCHEMA = "schema.json"
_UNIX = 3
_DROPPED = object()
_FORGOTTEN = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "0", "is_json": True}


def rewrite(source: IO[bytes], target: Path) -> Mapping[str, Json]:
    """Write the skops file `source` to `target` in its canonical form, and give its schema."""
    with ZipFile(source) as old, ZipFile(target, "w") as new:
        schema = json.loads(old.read(_SCHEMA))
        del schema["_skops_version"]  # nothing reads it, and another release would change the digest
        renumbering = _Renumbering(schema)
        schema = renumbering.node(schema)
        _add(new, _SCHEMA, json.dumps(schema, separators=(",", ":")).encode())
        for name, former in renumbering.files.items():
            _add(new, name, _clean(old.read(former)) if name.endswith(".npy") else old.read(former))
    return schema  # type: ignore[no-any-return]


def _add(archive: ZipFile, name: str, data: bytes) -> None:
    entry = ZipInfo(name)  # dated 1980
    entry.create_system = _UNIX
    archive.writestr(entry, data)


def _clean(data: bytes) -> bytes:
    array = np.load(io.BytesIO(data), allow_pickle=False)
    cleaned = canonical_array(array)
    if cleaned is array:
        return data
    out = io.BytesIO()
    np.save(out, cleaned, allow_pickle=False)
    return out.getvalue()


class _Renumbering:
    def __init__(self, schema: Json) -> None:
        self.files: dict[str, str] = {}
        self._numbers: dict[int, int] = {}
        self._names: dict[str, str] = {}
        self._occurrences = Counter(node["__id__"] for node in _nodes(schema) if "__id__" in node)

    def node(self, node: Json) -> Json:
        """Give a node with new numbers and file names."""
        if isinstance(node, list):
            return [self.node(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.get("__loader__") == "SetNode":
            node = {**node, "content": sorted(node["content"], key=_content_key)}
        if not _is_node(node):  # a dict inside a node: its keys are the user's
            return {key: _FORGOTTEN if key in EPHEMERAL else self.node(item) for key, item in node.items()}
        return {key: value for key, item in node.items() if (value := self._entry(node, key, item)) is not _DROPPED}

    def _entry(self, node: Mapping[str, Json], key: str, item: Json) -> Json:
        if key == "__id__":
            shared = self._occurrences[item] > 1 and not _is_value(node)
            return self._numbers.setdefault(item, len(self._numbers) + 1) if shared else _DROPPED
        if key == "file":
            return self._file(item, separate=_is_value(node))
        return self.node(item)

    def _file(self, former: str, *, separate: bool) -> str:
        name = None if separate else self._names.get(former)
        if name is None:
            name = self._names[former] = f"{len(self.files)}.{former.rpartition('.')[2]}"
            self.files[name] = former
        return name


def _is_node(node: Mapping[str, Json]) -> bool:
    return isinstance(node.get("__loader__"), str)


def _is_value(node: Mapping[str, Json]) -> bool:
    """Tell whether nobody can see if two occurrences are one object: it cannot be changed."""
    loader = node["__loader__"]
    return loader in _VALUES or (loader == "NdArrayNode" and node["__module__"] == "numpy" and node["__class__"] != "ndarray")


def _nodes(node: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(node, dict):
        if _is_node(node):
            yield node
        for item in node.values():
            yield from _nodes(item)
    elif isinstance(node, list):
        for item in node:
            yield from _nodes(item)


def _content_key(node: Json) -> str:
    return json.dumps(_without_ids(node), sort_keys=True)


def _without_ids(node: Json) -> Json:
    if isinstance(node, dict):
        return {key: _without_ids(item) for key, item in node.items() if key not in ("__id__", "file")}
    return [_without_ids(item) for item in node] if isinstance(node, list) else node
