"""Digests of files that were read before, so that what has not changed need not be read again.

One small file per registered place says for each of its files what the system said of it (inode, size, times of the last change of
content and of inode) and its digest. A digest is given only for a file of which the system says exactly the same, and is kept only
if the file had been quiet for a while when it was read: a second change within one tick of the file system's clock would leave no
trace. These files can be removed at any time; then everything is read again.
"""

import array
import contextlib
import logging
import os
import secrets
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lineal.model import digest

FINE_TICK = 100_000_000
"""Nanoseconds without a change after which the times of a file tell any further change."""

COARSE_TICK = 3_000_000_000
"""The same where the file system keeps whole seconds, or two of them."""

MOST_FILES = 1000
"""How many places are remembered; the oldest are forgotten."""

_MAGIC: Final = b"lineal-hashes/1\n"
_HEAD: Final = struct.Struct("<16sQQ")
_SEAL: Final = 32  # bytes of a digest
_MASK: Final = (1 << 63) - 1
_log = logging.getLogger("lineal")


Stamp = tuple[int, int, int, int]
"""What the system says of a file, which differs once the file has changed: inode, size, times of change of content and of inode."""


SIZE: Final = 1
"""The place of the size in a stamp."""


def stamp_of(status: os.stat_result) -> Stamp:
    """Give the stamp of a file."""
    return (status.st_ino & _MASK, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_quiet(stamp: Stamp, now: int) -> bool:
    """Tell whether any change after `now` (nanoseconds since 1970) is sure to give the file another stamp."""
    if sys.platform == "win32":  # what is called the time of change there is that of creation
        return False
    _, _, modified, changed = stamp
    tick = FINE_TICK if changed % 1_000_000_000 else COARSE_TICK
    return max(modified, changed) + tick < now


class Hashes:
    """The remembered digests of one place: a file or a folder.

    Args:
        folder: Where they are kept; None to forget them.
        place: The real path of the place.
    """

    def __init__(self, folder: Path | None, place: str) -> None:
        self._file = None if folder is None else folder / f"{digest.of('hashes/1', place)[:32]}.bin"
        self._known = {} if self._file is None else _read(self._file)

    def get(self, path: str, stamp: Stamp) -> str | None:
        """Give the digest of a file, by its path in the place, if it is known and nothing has changed."""
        found = self._known.get(path)
        return found[1] if found is not None and found[0] == stamp else None

    def learn(self, found: Mapping[str, tuple[Stamp, str]], now: int, *, forget: bool) -> None:
        """Remember digests of files that were read after `now` (nanoseconds since 1970); with `forget` nothing else is remembered.

        What cannot be written is forgotten: it costs time, nothing else.
        """
        quiet = {path: each for path, each in found.items() if is_quiet(each[0], now)}
        self._known = quiet if forget else {**self._known, **quiet}
        if self._file is None or not self._known:
            return
        try:
            _write(self._file, self._known)
        except OSError as error:
            _log.info("digests of files could not be kept in %s: %s", self._file, error)


def _write(file: Path, known: Mapping[str, tuple[Stamp, str]]) -> None:
    paths = "\0".join(known).encode("utf-8", "surrogateescape")
    stamps = array.array("q", [number for stamp, _ in known.values() for number in stamp])
    digests = bytes.fromhex("".join(each for _, each in known.values()))
    data = b"".join((_HEAD.pack(_MAGIC, len(known), len(paths)), paths, stamps.tobytes(), digests))
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{secrets.token_hex(4)}")
    try:
        partial.write_bytes(data + bytes.fromhex(digest.of_bytes(data)))
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    _thin(file.parent)


def _read(file: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        data = file.read_bytes()
    except OSError:
        return {}  # not there, or not readable: nothing is known
    body, seal = memoryview(data)[:-_SEAL], data[-_SEAL:]
    if len(data) < _HEAD.size + _SEAL or bytes.fromhex(digest.of_bytes(body)) != seal:
        return {}  # half a file, or one that was changed: nothing in it can be trusted
    magic, count, size = _HEAD.unpack_from(body)
    if magic != _MAGIC or len(body) != _HEAD.size + size + count * (32 + _SEAL):
        return {}
    paths = bytes(body[_HEAD.size : _HEAD.size + size]).decode("utf-8", "surrogateescape").split("\0")
    stamps = array.array("q", bytes(body[_HEAD.size + size : _HEAD.size + size + count * 32]))
    digests = body[_HEAD.size + size + count * 32 :].hex()
    fours = zip(stamps[::4], stamps[1::4], stamps[2::4], stamps[3::4], strict=True)
    return {path: (stamp, digests[64 * n : 64 * n + 64]) for n, (path, stamp) in enumerate(zip(paths, fours, strict=True))}


def _thin(folder: Path) -> None:
    names = os.listdir(folder)
    if len(names) > MOST_FILES:
        for path in sorted((folder / name for name in names), key=_age)[: len(names) - MOST_FILES]:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
