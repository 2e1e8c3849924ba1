"""Keeps what was read from source files, so that a later process need neither parse nor open them again.

One file for all: an index, which says for each source file what the system said of it (see `artifact_store.hashes`) and the digest of
its text, then what was read from each, as JSON that is decoded only when asked for. A file of which the system says the same is not
opened; any other is read, and known again by its text wherever it lies.

It is only ever a shortcut: one that is missing, torn, or of another format is not used, and a folder that cannot be written is not an
error. Of two processes that write at once the later one wins, and what the other read is read again.
"""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from lineal.artifact_store.hashes import Stamp, is_quiet
from lineal.model import digest

FORMAT = "units/2"
MAX_AGE = 90
"""Days after which a source file that nobody looked at is forgotten."""

MAX_BYTES = 128 << 20
"""Size from which on the file is begun anew."""


class _Entry(NamedTuple):
    stamp: Stamp | None  # None: the file had changed a moment before, so that its times say nothing
    text: str
    day: int
    payload: bytes | memoryview


class Known:
    """What is known of the source files of a folder of the cache; None for a folder keeps nothing. Safe to use from threads."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] | None = None
        self._by_text: dict[str, _Entry] = {}
        self._seen: set[str] = set()
        self._new: dict[str, _Entry] = {}

    def get(self, path: str, stamp: Stamp) -> Any:
        """Give what was read from a file of which the system says `stamp`, or None."""
        found = self._loaded().get(path)
        if found is None or found.stamp != stamp:
            return None
        self._seen.add(path)
        return json.loads(bytes(found.payload))

    def find(self, path: str, stamp: Stamp, text: str) -> Any:
        """Give what was read from a text with the digest `text`, or None; from now on that is known of `path`."""
        self._loaded()
        found = self._by_text.get(text)
        if found is None:
            return None
        self._learn(path, stamp, text, found.payload)
        return json.loads(bytes(found.payload))

    def put(self, path: str, stamp: Stamp, text: str, value: Any) -> None:
        """Remember what was read from a file, as a JSON value, once `flush` is called."""
        if self.folder is not None:
            self._learn(path, stamp, text, json.dumps(value, separators=(",", ":")).encode())

    def _learn(self, path: str, stamp: Stamp, text: str, payload: bytes | memoryview) -> None:
        sure = stamp if is_quiet(stamp, time.time_ns()) else None
        known = self._loaded().get(path)
        self._seen.add(path)
        if known is None or (known.stamp, known.text) != (sure, text):
            entry = _Entry(sure, text, _today(), payload)
            with self._lock:
                self._new[path] = self._loaded()[path] = self._by_text[text] = entry

    def flush(self) -> None:
        """Write what is new. Readers see all of it or nothing; a crash may leave a file that nobody reads."""
        if self.folder is None or not self._new:
            return
        with self._lock:
            new, self._new = self._new, {}
            seen = set(self._seen)
        # Again from the file: another process may have written since it was read here.
        kept = {path: entry for path, entry in _read(self.folder / _name()).items() if entry.day + MAX_AGE >= _today()}
        if sum(len(entry.payload) for entry in kept.values()) > MAX_BYTES:
            kept = {}
        kept |= new
        _write(self.folder / _name(), {path: e._replace(day=_today()) if path in seen else e for path, e in kept.items()}.items())

    def _loaded(self) -> dict[str, _Entry]:
        if self._entries is None:
            entries = {} if self.folder is None else _read(self.folder / _name())
            self._by_text = {entry.text: entry for entry in entries.values()}
            self._entries = entries
        return self._entries


known = Known(None)
"""The one in use."""


def set_folder(folder: Path | None) -> None:
    """Choose the folder of the cache; None switches it off."""
    global known
    if folder != known.folder:
        known = Known(folder)


def _name() -> str:
    # What compiled code looks like depends on these.
    return f"units-{sys.version_info[0]}.{sys.version_info[1]}-{sys.flags.optimize}"


def _today() -> int:
    return int(time.time() // 86_400)


def _read(file: Path) -> dict[str, _Entry]:
    try:
        data = file.read_bytes()
        seal, _, rest = data[:128].partition(b"\n")
        body = memoryview(data)[len(seal) + 1 :]
        if seal.decode("ascii") != digest.of_bytes(body):
            return {}
        size = int(rest.partition(b"\n")[0])
        start = len(str(size)) + 1
        index = json.loads(bytes(body[start : start + size]))
        if index["format"] != FORMAT:
            return {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found, place = {}, start + size
    for path, stamp, text, day, length in index["files"]:
        found[path] = _Entry(tuple(stamp) if stamp else None, text, day, body[place : place + length])
        place += length
    return found


def _write(file: Path, entries: Iterable[tuple[str, _Entry]]) -> None:
    rows = [[path, e.stamp, e.text, e.day, len(e.payload)] for path, e in entries]
    index = json.dumps({"format": FORMAT, "files": rows}, separators=(",", ":")).encode()
    body = b"".join([f"{len(index)}\n".encode(), index, *(entry.payload for _, entry in entries)])
    staged = file.with_name(f".{file.name}-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(digest.of_bytes(body).encode() + b"\n" + body)
        staged.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
