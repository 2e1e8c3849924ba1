"""The identity file: made once by any number of openers, checked before anything is made or removed."""

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lineal.artifact_store import identity
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import SchemaTooNew, StoreError, StoreMismatch


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_store_has_its_parts_and_nothing_else(tmp_path: Path):
    """Private, ignored by git, and its identity file says id, format and digest."""
    store = LocalArtifactStore(tmp_path / "a" / "b" / "store")
    assert names(store.path) == [".gitignore", "objects", "staging", "store.json"]
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o700
    assert (store.path / ".gitignore").read_text() == "*\n"
    facts = json.loads((store.path / "store.json").read_text())
    assert (facts["id"], facts["format"], facts["digest"]) == (store.identity, 1, "blake3")
    assert names(store.path / "staging") == []


def test_opening_again_changes_nothing(tmp_path: Path, recorder):
    """The id stays; a store that is only read needs no right to write."""
    first = LocalArtifactStore(tmp_path / "store")
    recorder.reset()
    assert LocalArtifactStore(tmp_path / "store").identity == first.identity
    assert recorder.log == []


def test_two_stores_differ(tmp_path: Path):
    """Ids are drawn anew."""
    assert LocalArtifactStore(tmp_path / "a").identity != LocalArtifactStore(tmp_path / "b").identity


def test_a_moved_store_is_the_same_store(tmp_path: Path):
    """The id does not depend on the path."""
    first = LocalArtifactStore(tmp_path / "a")
    record = first.seal_bytes("x", b"1")
    (tmp_path / "a").rename(tmp_path / "b")
    second = LocalArtifactStore(tmp_path / "b")
    assert second.identity == first.identity
    assert second.holds(record, verify=True)


def test_an_existing_folder_keeps_its_mode_and_its_files(tmp_path: Path):
    """A folder with other things in it is not hidden from git."""
    (tmp_path / "mine").mkdir(mode=0o755)
    (tmp_path / "mine" / "notes").write_text("1")
    LocalArtifactStore(tmp_path / "mine")
    assert names(tmp_path / "mine") == ["notes", "objects", "staging", "store.json"]
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o755


OPENER = """
import sys, time
from pathlib import Path
from lineal.artifact_store.local import LocalArtifactStore
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(LocalArtifactStore(folder / "store").identity)
"""


def test_sixteen_processes_make_one_store(tmp_path: Path):
    """All open a folder that is not there at the same moment, and all see one id."""
    command = [sys.executable, "-c", OPENER, str(tmp_path)]
    openers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(16)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    found = {opener.communicate(timeout=60)[0].strip() for opener in openers}
    assert [opener.returncode for opener in openers] == [0] * 16
    assert found == {LocalArtifactStore(tmp_path / "store").identity}
    assert names(tmp_path / "store") == [".gitignore", "objects", "staging", "store.json"]
    assert names(tmp_path / "store" / "staging") == []


@pytest.mark.parametrize("change", [{"format": 2}, {"digest": "blake9"}])
def test_a_newer_format_is_refused_untouched(store: LocalArtifactStore, change: dict[str, object]):
    """The error says what is there, what is known and what to install."""
    path = store.path / "store.json"
    path.chmod(0o600)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match=r"format .* upgrade Lineal"):
        LocalArtifactStore(store.path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "x"}', "\xff\xfe", '{"id": "x", "format": "new", "digest": "blake3"}'])
def test_a_damaged_identity_is_not_replaced(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch, text: str):
    """A new id would cut the facts from their bytes."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    path = store.path / "store.json"
    path.chmod(0o600)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(StoreMismatch, match="damaged"):
        LocalArtifactStore(store.path)
    assert path.read_text(encoding="latin-1") == text


def test_objects_without_identity_are_not_adopted(store: LocalArtifactStore):
    """A folder that lost its identity file, or some foreign folder with `objects` in it, is not made a store."""
    (store.path / "store.json").unlink()
    with pytest.raises(StoreMismatch, match=r"store\.json"):
        LocalArtifactStore(store.path)
    assert not (store.path / "store.json").exists()


@pytest.mark.parametrize("found", ["nothing", "another store"])
def test_a_store_that_went_away_is_noticed_before_anything_happens(store: LocalArtifactStore, tmp_path: Path, found: str):
    """An unmounted volume looks like an empty folder: no work is begun there, and nothing is called lost or removed."""
    record = store.seal_bytes("x", b"1")
    store.path.rename(tmp_path / "away")
    if found == "nothing":
        store.path.mkdir()
    else:
        LocalArtifactStore(store.path).seal_bytes("x", b"1")
    for call in (lambda: store.delete(record.digest), lambda: list(store.digests()), lambda: store.sweep(0)):
        with pytest.raises(StoreMismatch, match=store.identity):
            call()
    if found == "nothing":
        for call in (store.stage, lambda: store.fetch(record), lambda: store.holds(record), lambda: store.sync([record.digest])):
            with pytest.raises(StoreMismatch, match="Mount the volume"):
                call()
        assert names(store.path) == []
    assert LocalArtifactStore(tmp_path / "away").holds(record, verify=True)


def test_a_store_can_be_made_where_there_are_no_hard_links(tmp_path: Path, recorder):
    """Some filesystems have none; then the file is made in place, and only once."""
    recorder.fail = lambda name, args: OSError(errno.EPERM, "no links") if name == "link" else None
    first = LocalArtifactStore(tmp_path / "store")
    assert LocalArtifactStore(tmp_path / "store").identity == first.identity
    assert names(tmp_path / "store" / "staging") == []


def test_a_half_made_identity_is_waited_for(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch):
    """Without hard links the file can be seen before its content."""
    path = store.path / "store.json"
    text = path.read_text()
    path.chmod(0o600)
    path.write_text("")
    monkeypatch.setattr("time.sleep", lambda seconds: path.write_text(text))
    assert identity.read(str(store.path)) == store.identity


def test_a_file_in_place_of_the_folder_is_a_typed_error(tmp_path: Path):
    """The error names the path."""
    (tmp_path / "store").write_text("1")
    with pytest.raises(StoreError, match="store"):
        LocalArtifactStore(tmp_path / "store")


def test_a_folder_that_may_not_be_made_is_a_typed_error(tmp_path: Path, recorder):
    """Before any step runs, with the remedy."""
    recorder.fail = lambda name, args: PermissionError(errno.EACCES, os.strerror(errno.EACCES), args[0]) if name == "make_folder" else None
    with pytest.raises(StoreError, match="owner"):
        LocalArtifactStore(tmp_path / "store")


def test_making_a_store_may_be_killed_anywhere(tmp_path: Path, recorder, killed):
    """The next opener finishes it, or finds it finished."""
    recorder.syncs = False
    LocalArtifactStore(tmp_path / "count")
    total = len(recorder.log)
    assert total >= 10
    for point in range(total):
        folder = tmp_path / str(point)
        recorder.reset()
        recorder.die_at = point
        with pytest.raises(killed):
            LocalArtifactStore(folder)
        recorder.reset()
        store = LocalArtifactStore(folder)
        record = store.seal_bytes("x", b"1")
        assert LocalArtifactStore(folder).holds(record, verify=True)
        store.sweep(0)
        assert names(folder / "staging") == []


def test_a_new_store_is_durable_before_it_is_used(tmp_path: Path, recorder):
    """The draft is synced before it becomes the identity, and every folder that got a new entry is synced last."""
    LocalArtifactStore(tmp_path / "a" / "store")
    log = [(name, str(args[0])) for name, args in recorder.log]
    draft = next(path for name, path in log if name == "sync_file")
    assert log.index(("sync_file", draft)) < log.index(("link", draft))
    assert log[-3:] == [("sync_folder", str(path)) for path in (tmp_path / "a" / "store", tmp_path / "a", tmp_path)]
