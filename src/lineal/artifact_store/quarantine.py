"""What a look at a store finds that is no whole object, and the folder where it is put aside: `quarantine/`, beside `objects/`.

Nothing here deletes: what is put aside keeps its name, and an object that turns out to be whole comes back from there.
"""

import itertools
import os
import re
import time
from collections.abc import Iterator

from lineal.artifact_store import fsops

FOLDER = "quarantine"
MOST = 50
"""How many copies of one object are looked for there."""

_is_digest = re.compile(r"[0-9a-f]{64}\Z").match


def strays(objects: str) -> Iterator[str]:
    """Give the relative paths of what lies under `objects/` and is no object: files, and folders under names that are no digests."""
    for fanout in _entries(objects):
        if len(fanout.name) != 2 or not fanout.is_dir(follow_symlinks=False):
            yield fanout.name
            continue
        for entry in _entries(fanout.path):
            fits = _is_digest(entry.name) and entry.name.startswith(fanout.name) and entry.is_dir(follow_symlinks=False)
            if not fits:
                yield f"{fanout.name}/{entry.name}"


def extras(place: str, listed: set[str]) -> list[str]:
    """Give the paths of what lies in an object's folder and does not belong to it, in order."""
    found = []
    pending = [""]
    for inner in pending:  # grows while we walk
        for entry in _entries(f"{place}/{inner}"):
            path = inner + entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(path + "/")
            elif path not in listed:
                found.append(path)
    return sorted(found)


def put_aside(folder: str, path: str, older_than: float) -> str | None:
    """Move what lies at a path under `objects/` into the store's quarantine, and give where it is now.

    None when nothing was there, or when it was put there less than `older_than` seconds ago.
    """
    source, aside = f"{folder}/objects/{path}", f"{folder}/{FOLDER}"
    try:
        # Its own time of change is when it was put in its place: a rename sets it.
        if older_than and time.time() - os.lstat(source).st_ctime < older_than:
            return None
        os.makedirs(aside, mode=0o700, exist_ok=True)
        target = next(place for place in _places(aside, os.path.basename(path)) if not os.path.lexists(place))
        fsops.rename(source, target)
    except FileNotFoundError:
        return None
    fsops.sync_folder(aside)
    return target


def kept_aside(folder: str, digest: str) -> Iterator[str]:
    """Give the places in the quarantine where an object of that digest lies."""
    return (place for place in itertools.islice(_places(f"{folder}/{FOLDER}", digest), MOST) if os.path.lexists(place))


def _places(aside: str, name: str) -> Iterator[str]:
    return itertools.chain([f"{aside}/{name}"], (f"{aside}/{name}.{place}" for place in itertools.count(2)))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
