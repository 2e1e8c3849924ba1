"""Shows what is stored in a form that a person can read anyway: typed JSON, bytes, files. Nothing is loaded for it.

Metrics (names with numbers) are a table, a list of records as well; other JSON is shown without the marks of its types.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lineal.errors import LinealError
from lineal.materializers import markup, table_view
from lineal.materializers.table_view import Column, Table
from lineal.materializers.visualized import LARGEST, MOST, fitting
from lineal.model import values
from lineal.model.records import FileEntry, Json
from lineal.model.text import size_text
from lineal.model.visualization import Kind, Visualization

METRICS: Final = 200
"""Entries up to which names with numbers are shown as a table."""

FILES: Final = 100
"""Files that a listing names."""

_KINDS: Final[Mapping[str, Kind]] = {
    "png": "image", "jpg": "image", "jpeg": "image", "gif": "image", "webp": "image", "svg": "svg", "html": "html", "md": "markdown",
    "csv": "csv", "json": "json", "txt": "text", "log": "text", "yaml": "text", "yml": "text", "toml": "text", "py": "text",
}  # fmt: skip
_MARK = "$type"
_SCALARS = (str, int, float, bool, type(None))


def show_json(data: bytes) -> list[Visualization]:
    """Give the visualization of a value that is stored as typed JSON."""
    if len(data) > LARGEST:
        return [fitting(Visualization("text", data[: LARGEST + 1].decode("utf-8", "ignore")))]
    value = readable(values.parse(data))
    if isinstance(value, str):
        return [Visualization("text", value)]
    if isinstance(value, dict) and _are_metrics(value):
        return [markup.page(markup.facts({name: _scalar_text(each) for name, each in value.items()}))]
    if isinstance(value, list) and len(value) > 1 and all(isinstance(each, dict) and _is_flat(each) for each in value):
        return [table_view.view(_records(value))]
    if isinstance(value, dict | list):
        return [Visualization("json", json.dumps(value, ensure_ascii=False))]
    return [Visualization("text", _scalar_text(value))]


def readable(node: Json) -> Json:
    """Give typed JSON without the marks of its types: as JSON that a person reads, and that does not come back as the value."""
    if isinstance(node, list):
        return [readable(each) for each in node]
    if not isinstance(node, dict):
        return node
    if _MARK not in node:
        return {name: readable(each) for name, each in node.items()}
    return _TAGS.get(str(node[_MARK]), _other)(node)


def _pairs(node: Mapping[str, Json]) -> Json:
    return {_key(readable(key)): readable(each) for key, each in node["items"]}


def _key(key: Json) -> str:
    return key if isinstance(key, str) else json.dumps(key, ensure_ascii=False)


def _other(node: Mapping[str, Json]) -> Json:
    for name, read in _SECTIONS.items():
        if name in node:
            return read(node[name])
    return {name: readable(each) for name, each in node.items() if name != _MARK}


def _bytes_text(text: str) -> str:
    return f"<{size_text(len(text) * 3 // 4 - text.count('='))} of bytes>"


_TAGS: Final[Mapping[str, Callable[[Mapping[str, Json]], Json]]] = {
    **dict.fromkeys(("dict", "defaultdict", "OrderedDict", "Counter"), _pairs),
    "enum": lambda node: f"{str(node['class']).rpartition(':')[2]}.{node['member']['name']}",
    "complex": lambda node: f"{_scalar_text(readable(node['real']))} + {_scalar_text(readable(node['imag']))}j",
    "range": lambda node: f"range({readable(node['start'])}, {readable(node['stop'])}, {readable(node['step'])})",
    "Fraction": lambda node: f"{readable(node['numerator'])}/{readable(node['denominator'])}",
    "int": lambda node: f"0x{node['hex']}",
    "item": lambda node: f"<{node['materializer']}>",
    "deep": lambda node: readable(node["parts"][0]),
    "part": lambda node: "...",
    "timedelta": lambda node: f"{node['days']} d {node['seconds'] + node['microseconds'] / 1e6:g} s",
}
_SECTIONS: Final[Mapping[str, Callable[[Any], Json]]] = {
    "items": readable,
    "fields": readable,
    "value": readable,
    "base64": _bytes_text,
    "key": readable,
}


def _are_metrics(value: dict[str, Any]) -> bool:
    numbers = any(isinstance(each, int | float) for each in value.values())
    return numbers and len(value) <= METRICS and _is_flat(value)


def _is_flat(value: dict[str, Any]) -> bool:
    return all(isinstance(each, _SCALARS) and not (isinstance(each, str) and len(each) > markup.LONGEST) for each in value.values())


def _scalar_text(value: Any) -> str:
    if isinstance(value, float):
        return markup.number_text(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 1000 else markup.number_text(value)
    return str(value)


def _records(rows: list[dict[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    places, sampled = table_view.shown_rows(len(rows)), table_view.sampled_rows(len(rows))
    body = [
        Column(name, "", [rows[place].get(name) for place in places], [rows[place].get(name) for place in sampled])
        for name in names[: table_view.COLUMNS]
    ]
    return Table(len(rows), len(names), (Column("", "", places, ()),), body)


def show_bytes(data: bytes) -> list[Visualization]:
    """Give the visualization of bytes: the first of them, in rows of sixteen, beside the characters that they stand for."""
    rows = []
    for start in range(0, min(len(data), 256), 16):
        part = data[start : start + 16]
        characters = "".join(chr(each) if 32 <= each < 127 else "." for each in part)
        rows.append(f"{start:08x}  {part.hex(' '):<47}  {characters}")
    more = f"\n... {len(data) - 256:,} more bytes" if len(data) > 256 else ""
    return [Visualization("text", "\n".join(rows) + more, f"{len(data):,} bytes")]


def show_files(files: Sequence[FileEntry], read: Callable[[str], bytes]) -> list[Visualization]:
    """Give the listing of files; of a single one that can be shown the content."""
    if len(files) == 1 and files[0].size <= LARGEST:
        shown = _content(files[0], read)
        if shown is not None:
            return [shown]
    rows = [(markup.escaped(entry.path, 200), markup.escaped(size_text(entry.size))) for entry in files[:FILES]]
    more = f"{len(files) - FILES:,} more files" if len(files) > FILES else ""
    total = f"{len(files):,} files, {size_text(sum(entry.size for entry in files))}" if len(files) != 1 else ""
    return [markup.page(markup.note(total), markup.table(("<b>file</b>", "<b>size</b>"), rows, (False, True)), markup.note(more))]


def show_pictures(files: Sequence[FileEntry], read: Callable[[str], bytes]) -> list[Visualization]:
    """Give those files that are pictures: what there is to see where the library that a value belongs to is not installed."""
    pictures = [entry for entry in files if entry.path.endswith((".png", ".svg", ".jpg")) and entry.size <= LARGEST]
    found = (_content(entry, read) for entry in pictures[:MOST])
    return [replace(each, title="") for each in found if each is not None]


def _content(entry: FileEntry, read: Callable[[str], bytes]) -> Visualization | None:
    kind = _KINDS.get(entry.path.rpartition(".")[2].lower())
    if kind is None:
        return None
    try:
        data = read(entry.path)
        return Visualization(kind, data if kind == "image" else data.decode("utf-8"), entry.path)
    except (LinealError, UnicodeDecodeError):  # gone, changed, or not what its name says
        return None


def show_parts(parts: Iterator[tuple[str, Any, Sequence[Visualization]]]) -> Iterator[Visualization]:
    """Give the visualizations of a container's parts under the parts' names, after a list of all of them."""
    found: list[Visualization] = []
    types: dict[str, object] = {}
    for name, value, shown in parts:
        cls = type(value)
        types[name] = value if isinstance(value, int | float | bool) else f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")
        found += [Visualization(each.kind, each.content, f"{name}: {each.title}" if each.title else name) for each in shown]
    yield markup.page(markup.facts(types), title="Parts")
    yield from found[: MOST - 1]
