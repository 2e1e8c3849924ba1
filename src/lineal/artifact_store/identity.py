"""The identity file of a store: which store a folder is, in which format, under which digest.

It tells a store from an empty mount point and from another store at the same path, before anything is made or removed there.
"""

import contextlib
import errno
import json
import os
import secrets
import time

from lineal.artifact_store import fsops
from lineal.errors import SchemaTooNew, StoreMismatch
from lineal.model import naming

FORMAT = 1
"""The version of the on-disk format that this Lineal writes (`docs/store-format.md`)."""

ALGORITHM = "blake3"
FILE = "store.json"
EPOCH = "epoch"
"""The name of the file that holds the largest count of changes that the facts of this store have had."""

_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})


def open_store(folder: str) -> str:
    """Give the id of the store in a folder; make the store when there is none. All who do so at the same time get the same id.

    Raises SchemaTooNew for a format that this Lineal does not know, StoreMismatch when the folder holds objects of an unknown store.
    """
    return read(folder) or _make(folder)


def read(folder: str) -> str | None:
    """Give the id of the store in a folder, or None when there is no identity file."""
    path = f"{folder}/{FILE}"
    try:
        text = _text(path)
    except FileNotFoundError:
        return None
    try:
        facts = json.loads(text)
        found, version, algorithm = str(facts["id"]), int(facts["format"]), str(facts["digest"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreMismatch(f"{path} is damaged ({error!r}): it should name the store; restore it from a backup") from error
    if version > FORMAT or algorithm != ALGORITHM:
        raise SchemaTooNew(
            f"the artifact store {folder} has format {version} with digest {algorithm}; this Lineal knows format {FORMAT} with "
            f"{ALGORITHM}. Nothing was changed; upgrade Lineal: pip install --upgrade lineal"
        )
    return found


def check(folder: str, expected: str) -> None:
    """Raise StoreMismatch unless a folder is the store with that id."""
    found = read(folder)
    if found != expected:
        what = f"it is the store {found}" if found else f"it has no {FILE}"
        raise StoreMismatch(
            f"{folder} is not the artifact store {expected} any more: {what}. Mount the volume or put the folder back; nothing was changed"
        )


def read_epoch(folder: str) -> int:
    """Give the largest count of changes that the facts of this store have had; 0 when nobody noted any."""
    try:
        with open(f"{folder}/{EPOCH}", "rb") as file:
            return int(file.read(32))
    except (FileNotFoundError, ValueError):
        return 0


def write_epoch(folder: str, epoch: int) -> None:
    """Note a count of changes. One write in place and unsynced: a count that is too small, after a power cut, does no harm."""
    descriptor = os.open(f"{folder}/{EPOCH}", os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        os.write(descriptor, b"%020d\n" % epoch)
    finally:
        os.close(descriptor)


def copy(source: str, folder: str) -> None:
    """Make a folder a copy of a store, without its objects: of the same identity. Raises StoreMismatch when it is something else already."""
    if read(folder) is None:
        if os.path.isdir(folder) and os.listdir(folder):
            raise StoreMismatch(f"{folder} is neither empty nor an artifact store; a copy of {source} cannot be made there")
        with open(f"{source}/{FILE}", "rb") as file:
            data = file.read()
        os.makedirs(f"{folder}/staging", mode=0o700, exist_ok=True)
        fsops.write_new(f"{folder}/{FILE}", data)
        fsops.sync_file(f"{folder}/{FILE}")
        _make_inner(f"{folder}/objects")
        fsops.sync_folder(folder)
    expected = read(source)
    if expected is not None:
        check(folder, expected)


def _text(path: str) -> str:
    for _ in range(50):  # only where there are no hard links can the file be seen before its content
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if text:
            break
        time.sleep(0.02)
    return text


def _make(folder: str) -> str:
    made = _missing(folder)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        fsops.make_folder(folder, 0o700)
    names = set(os.listdir(folder))
    if not names:
        with contextlib.suppress(FileExistsError):
            fsops.write_new(f"{folder}/.gitignore", b"*\n", 0o644)
    if "objects" in names and read(folder) is None:
        raise StoreMismatch(
            f"{folder} has a folder objects but no {FILE}: it is no store, or it lost its identity. Restore {FILE}, or use another folder"
        )
    _make_inner(f"{folder}/staging")
    _publish(folder)
    # Last, so that objects without an identity file can only mean that the file was lost.
    _make_inner(f"{folder}/objects")
    for path in (folder, *made):
        fsops.sync_folder(path)
    found = read(folder)
    if found is None:
        raise StoreMismatch(f"{folder}/{FILE} was removed while the store was made; open it again")
    return found


def _missing(folder: str) -> list[str]:
    """Give the folders, nearest first, that get a new entry when `folder` is made."""
    changed = []
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
        changed.append(folder)
    return changed


def _make_inner(path: str) -> None:
    with contextlib.suppress(FileExistsError):
        fsops.make_folder(path)


def _publish(folder: str) -> None:
    facts = {"id": naming.new_id(), "format": FORMAT, "digest": ALGORITHM, "about": "An artifact store of Lineal: docs/store-format.md"}
    data = (json.dumps(facts, indent=2) + "\n").encode()
    draft = f"{folder}/staging/{secrets.token_hex(8)}"
    fsops.write_new(draft, data)
    try:
        fsops.sync_file(draft)
        fsops.link(draft, f"{folder}/{FILE}")
    except FileExistsError:
        return  # another process was first, and its id holds
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with contextlib.suppress(FileExistsError):
            fsops.write_new(f"{folder}/{FILE}", data)
    finally:
        fsops.remove_file(draft)
