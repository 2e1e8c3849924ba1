"""Looks whether this machine and this home can do what Lineal relies on: versions, file systems, space, permissions, and a test of it all."""

import os
import platform
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal, TypeVar

from lineal import filesystems
from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import LinealError
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.connections import NETWORK_REMEDY, OLDEST_SQLITE, has_reset_bug
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.text import size_text

LITTLE = 1 << 30
"""Bytes of free space below which it is said."""

DURABILITY = {
    "step": "a step that is reported completed survives a kill and a power cut",
    "run": "a kill loses nothing; a power cut may lose steps of runs that had not ended, which is noticed",
    "off": "a kill loses nothing; a power cut may lose anything, which is noticed",
}

T = TypeVar("T")
State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        state: "ok", "note" (it works, and there is something to know) or "problem".
        found: What was found.
        remedy: What to do; empty when all is well.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """What is looked at: the home, the database (None where a server has the facts), the artifact store's folder, the durability in force,
    and how the stores are opened.
    """

    home: Path
    database: Path | None
    store: Path
    durability: str
    open_metadata: Callable[[], MetadataStore]
    open_store: Callable[[], ArtifactStore]


def examine(places: Places) -> list[Check]:
    """Look at everything. Writes only into folders of its own, which are gone afterwards; makes the stores when they are not there."""
    checks = [*_versions(), *_stores(places), _durability(places.durability)]
    database = places.database
    for name, path in (("home", places.home), ("database", database), ("artifact store", places.store)):
        checks += [] if path is None else _place(name, path, sqlite=name == "database")
    if database is not None:
        checks.append(_tested("test of the database", lambda: _test_database(database.parent)))
    checks.append(_tested("test of the artifact store", lambda: _test_store(places.open_store())))
    return checks


def _versions() -> Iterator[Check]:
    yield Check("lineal", "ok", f"{version('lineal')} on Python {platform.python_version()}, {platform.platform(terse=True)}")
    found = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield Check("SQLite", "problem", f"{found} is too old", "use a Python or a system library with SQLite 3.35 or newer")
    elif has_reset_bug(sqlite3.sqlite_version_info):
        yield Check(
            "SQLite",
            "note",
            f"{found} can damage a write-ahead log that is reset during a checkpoint; Lineal checkpoints under the write lock alone, where that cannot be",
            "do not write to the database with other tools while something runs, or use SQLite 3.51.3 or newer",
        )
    else:
        yield Check("SQLite", "ok", found)


def _stores(places: Places) -> Iterator[Check]:
    metadata, store = _tried(places.open_metadata), _tried(places.open_store)
    for name, found in (("metadata store", metadata), ("artifact store", store)):
        if isinstance(found, LinealError):
            yield Check(name, "problem", str(found), "see the message")
    if isinstance(metadata, LinealError):
        return
    identity = _tried(metadata.identity)
    if isinstance(identity, LinealError):
        yield Check("metadata store", "problem", str(identity), "see the message")
        return
    yield Check("metadata store", "ok", f"{metadata.place}, schema {identity[1]}")
    if isinstance(store, LinealError):
        return
    yield Check("artifact store", "ok", f"{store.url}, id {store.identity}")
    paired = _tried(lambda: metadata.pair(store.identity))
    if isinstance(paired, LinealError):
        yield Check("stores together", "problem", str(paired), "see the message")
        return
    noted, known = store.epoch(), metadata.epoch()
    if known < noted:
        found_text = f"the database is an older copy: it has seen {known:,} changes, and {noted:,} were made"
        yield Check("stores together", "problem", found_text, "put the newer one back, or accept this one: lineal verify --repair")


def _durability(level: str) -> Check:
    return Check("durability", "ok" if level == "step" else "note", f"{level}: {DURABILITY[level]}")


def _place(name: str, path: Path, *, sqlite: bool) -> Iterator[Check]:
    kind = filesystems.type_of(path)
    if filesystems.is_network(kind) and sqlite:
        yield Check(f"file system of the {name}", "problem", f"{kind}, one of the network", NETWORK_REMEDY)
    elif filesystems.is_network(kind):
        yield Check(
            f"file system of the {name}", "note", f"{kind}, one of the network: it is slower, and what it keeps is up to its server"
        )
    else:
        yield Check(f"file system of the {name}", "ok", kind or "unknown")
    place = path
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    state: State = "ok" if free >= LITTLE else "note"
    yield Check(f"space for the {name}", state, f"{size_text(free)} free", "" if state == "ok" else "lineal artifact prune makes room")
    yield _permissions(name, place)


def _permissions(name: str, place: Path) -> Check:
    title = f"permissions of the {name}"
    needed = os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0)
    if not os.access(place, needed):
        return Check(title, "problem", f"{place} cannot be read and written", "give its folder to the user who runs pipelines")
    status = place.stat()
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        return Check(title, "note", f"{place} belongs to another user", "let one user run pipelines, or use a Lineal server")
    if stat.S_IMODE(status.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        return Check(title, "note", f"others may write to {place}", f"chmod go-w {place}")
    return Check(title, "ok", "read and write")


def _tried(work: Callable[[], T]) -> T | LinealError:
    try:
        return work()
    except LinealError as error:
        return error


def _tested(name: str, work: Callable[[], None]) -> Check:
    try:
        work()
    except (LinealError, OSError) as error:
        return Check(name, "problem", str(error), "see the message")
    return Check(name, "ok", "written, read and deleted")


def _test_database(folder: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="doctor-", dir=folder))
    try:
        facts = SqliteMetadataStore(scratch / "lineal.db", busy_timeout=5)
        facts.pair("scratch")
        facts.pair("scratch")
        found = facts.integrity(thorough=True)
        facts.close()
        if found:
            raise OSError(f"a new database in {folder} is damaged: {found[0]}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _test_store(store: ArtifactStore) -> None:
    scratch = store.stage()  # swept with the rest if this is killed
    try:
        small = LocalArtifactStore(scratch / "store")
        record = small.seal_bytes("data.bin", os.urandom(1 << 16))
        small.fetch(record, verify=True)
        small.delete(record.digest)
    finally:
        store.discard(scratch)
