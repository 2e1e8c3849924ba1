"""What each durability level syncs, and when."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from lineal import Client, pipeline, step
from lineal.artifact_store import fsops
from lineal.host import boot_id
from lineal.metadata_store.sql import SqliteMetadataStore


@step
def make(n: int) -> np.ndarray:
    return np.arange(float(n))


@step
def double(array: np.ndarray) -> np.ndarray:
    return array * 2


@pipeline
def arrays(n: int):
    double(make(n))


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give what happens to the disk, in order: files synced, folders synced, facts committed, objects settled."""
    seen: list[str] = []

    def watch(owner: object, name: str, event: str) -> None:
        original = getattr(owner, name)

        def watched(*args: object, **kwargs: object) -> object:
            result = original(*args, **kwargs)
            seen.append(event)
            return result

        monkeypatch.setattr(owner, name, watched)

    watch(fsops, "sync_file", "file")
    watch(fsops, "sync_folder", "folder")
    watch(SqliteMetadataStore, "finish_steps", "commit")
    watch(SqliteMetadataStore, "settle", "settle")
    return seen


def objects() -> list[str | None]:
    return [each.record.object.boot for each in Client().list_artifact_versions()]


def test_step_syncs_each_steps_files_before_its_commit(events, monkeypatch):
    monkeypatch.setenv("LINEAL_DURABILITY", "step")
    arrays(3)
    events.clear()
    arrays(4)
    commits = [index for index, event in enumerate(events) if event == "commit"]
    assert len(commits) == 2
    assert "file" in events[: commits[0]]
    assert "folder" in events[: commits[0]]
    assert "file" in events[commits[0] : commits[1]]
    assert "settle" not in events
    assert objects() == [None] * 4


def test_run_syncs_once_at_the_end_and_then_says_so(events, monkeypatch):
    monkeypatch.setenv("LINEAL_DURABILITY", "run")
    arrays(3)
    events.clear()
    arrays(4)
    last = max(index for index, event in enumerate(events) if event == "commit")
    assert "file" not in events[:last]
    assert events[last:].count("file") == 2
    assert events[-1] == "settle"
    assert objects() == [None] * 4


def test_run_that_is_interrupted_leaves_objects_that_are_marked(monkeypatch):
    monkeypatch.setenv("LINEAL_DURABILITY", "run")

    @step
    def interrupt(array: np.ndarray) -> int:
        raise SystemError("pulled")

    settled: list[int] = []
    monkeypatch.setattr(SqliteMetadataStore, "settle", lambda self, digests: settled.append(len(digests)))

    @pipeline
    def broken():
        interrupt(make(5))

    with pytest.raises(SystemError):
        broken()
    assert settled == [1]
    assert objects() == [boot_id()], "not settled, so the rows still say which boot wrote them"


def test_off_syncs_nothing_and_says_so(events, monkeypatch):
    monkeypatch.setenv("LINEAL_DURABILITY", "off")
    arrays(3)
    events.clear()
    arrays(4)
    assert {"file", "folder", "settle"}.isdisjoint(events)
    assert objects() == [boot_id()] * 4


def test_unsynced_bytes_of_another_boot_are_verified_before_a_hit(monkeypatch):
    monkeypatch.setenv("LINEAL_DURABILITY", "off")
    arrays(3)
    version = Client().get_artifact_version("arrays::make::output")
    file = version.path
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1  # what a power cut can leave: the right size, other bytes
    file.write_bytes(content)
    other = dataclasses.replace(version.record.object, boot="another boot")
    assert not version.workspace.artifact_store.holds(other)
    run = arrays(3)
    assert run.steps["make"].status == "completed", "a miss, and the object is whole again"
    assert run.steps["double"].status == "cached"
    assert Client().get_artifact_version("arrays::make::output").load().tolist() == [0, 1, 2]
