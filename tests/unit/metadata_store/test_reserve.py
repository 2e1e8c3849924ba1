"""The reserve: it is there before the disk is full, is given back first, and comes again."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lineal import Client, save_artifact
from lineal.metadata_store import reserve
from lineal.metadata_store.reserve import LOW, SIZE, Reserve


class Disk:
    """What the system says of the free space."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = LOW
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=LOW, used=0, free=self.free))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def kept(tmp_path: Path) -> Reserve:
    return Reserve(tmp_path / "lineal.db")


def test_it_is_made_when_the_disk_begins_to_fill_up(disk: Disk, kept: Reserve) -> None:
    """Not before, and not when there is hardly room for it."""
    for free, there in ((LOW, False), (2 * SIZE - 1, False), (LOW - 1, True)):
        disk.free = free
        kept.keep()
        assert kept.path.exists() is there
    assert kept.path.stat().st_size == SIZE
    assert kept.path.stat().st_blocks * 512 >= SIZE  # a file with holes would keep nothing
    Reserve(kept.path.with_name("lineal.db")).keep()


def test_it_is_given_back_while_a_block_runs_and_made_again(disk: Disk, kept: Reserve) -> None:
    """Only where it is needed."""
    disk.free = LOW - 1
    kept.keep()
    with kept.released() as tight:
        assert not tight
        assert kept.path.exists()
    disk.free = 0
    with kept.released() as tight:
        assert tight
        assert not kept.path.exists()
    assert not kept.path.exists()
    disk.free = LOW - 1
    with kept.released():
        assert not kept.path.exists()
    assert kept.path.exists()


def test_what_cannot_be_made_stops_nothing(disk: Disk, kept: Reserve, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves no part of itself."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    disk.free = LOW - 1
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full, raising=False)
        kept.keep()
    assert not kept.path.exists()


def test_where_space_cannot_be_told_nothing_is_given_back(tmp_path: Path) -> None:
    """A folder that is not there yet has no reserve either."""
    with Reserve(tmp_path / "not" / "there" / "lineal.db").released() as tight:
        assert not tight


def test_a_prune_on_a_full_disk_goes_in_small_parts(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part removes its bytes before the next one is asked for, so that there is room for it."""
    disk.free = LOW - 1
    for number in range(5):
        save_artifact([number] * 10_000, "loose")
    client = Client()
    metadata, store = client.workspace.metadata, client.workspace.artifact_store
    there = client.workspace.settings.home / "lineal.db.reserve"
    assert there.exists()
    assert reserve.SIZE == SIZE
    disk.free = 0
    monkeypatch.setattr("lineal.pruning._FEW_ROWS", 2)
    seen: list[tuple[bool, int]] = []
    real = metadata.prune

    def prune(*arguments: object) -> list[str]:
        seen.append((there.exists(), len(list(store.digests()))))
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(metadata, "prune", prune)
    report = client.prune_artifacts()
    assert seen == [(False, 5), (False, 3), (False, 1)]
    assert (report.versions, report.freed) == (5, report.bytes)
    assert list(store.digests()) == []
    disk.free = LOW - 1
    save_artifact(1, "again")
    assert there.exists()


def test_deleting_gives_it_back_too(disk: Disk) -> None:
    """One version, or a run, may be what there is to delete."""
    disk.free = LOW - 1
    save_artifact(list(range(10_000)), "loose")
    there = Client().workspace.settings.home / "lineal.db.reserve"
    assert there.exists()
    disk.free = 0
    Client().delete_artifact("loose")
    assert not there.exists()
