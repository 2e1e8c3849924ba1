"""Keeps what was read from source files, so that a later process need not parse them again.

One small file per content. It is only ever a shortcut: an entry that is missing, torn, older than this format or forged to another
content is not used, and a folder that cannot be written is not an error.
"""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from lineal.model import digest

MAX_AGE = 90 * 24 * 3600.0

_folder: Path | None = None


def set_folder(folder: Path | None) -> None:
    """Choose the folder of the cache; None switches it off."""
    global _folder
    _folder = folder


def get(key: str) -> Any:
    """Give what was stored under a key, or None."""
    if _folder is None:
        return None
    try:
        seal, _, payload = (_folder / key).read_bytes().partition(b"\n")
        if seal.decode("ascii") != digest.of("cached/1", key, payload):
            return None
        return json.loads(payload)
    except (OSError, ValueError):
        return None


def put(key: str, value: Any) -> None:
    """Store a JSON value under a key. Readers see all of it or nothing; a crash may leave a file that nobody reads, removed by age."""
    if _folder is None:
        return
    payload = json.dumps(value, separators=(",", ":")).encode()
    target = _folder / key
    staged = _folder / f".{key[:16]}-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        _folder.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(digest.of("cached/1", key, payload).encode() + b"\n" + payload)
        staged.replace(target)
        if key.startswith("00"):  # one write in 256, so that the folder does not grow for ever
            _sweep(_folder)
    except OSError:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    oldest = time.time() - MAX_AGE
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process sweeps too
            if path.stat().st_mtime < oldest:
                path.unlink()
