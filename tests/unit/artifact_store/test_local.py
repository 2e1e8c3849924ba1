"""The local store: order of writing, durability, errors, kills at every point, and many writers at once."""

import errno
import json
import os
import pickle
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lineal import host
from lineal.artifact_store import fsops, tree
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import ArtifactCorrupted, ArtifactMissing, InvalidName, StorageFull, StoreError, UsageError
from lineal.model.records import ObjectRecord
from lineal.testing.artifact_store import record_of, seal, write

ONE = {"a.bin": b"1" * 3000}
TWO = {"b.bin": b"2" * 10, "sub/deep/c.bin": b"3" * 10}


def staged(store: LocalArtifactStore) -> list[str]:
    return sorted(os.listdir(store.path / "staging"))


def whole(store: LocalArtifactStore, *known: ObjectRecord) -> set[str]:
    """Assert that there is nothing under `objects/` but whole objects, bit by bit and file by file; give their digests."""
    records = {record.digest: record for record in known}
    for fanout in (store.path / "objects").iterdir():
        for folder in fanout.iterdir():
            record = records[folder.name]
            assert folder.name.startswith(fanout.name)
            assert store.fetch(record, verify=True) == folder
            found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            assert found == [entry.path for entry in record.files]
    return set(store.digests())


# -- layout and cost


def test_an_object_lies_under_its_digest(store: LocalArtifactStore):
    """`objects/ab/<digest>/<files>`, read-only files under their own names."""
    [record] = seal(store, TWO)
    folder = store.fetch(record)
    assert folder == store.path / "objects" / record.digest[:2] / record.digest
    assert {stat.S_IMODE((folder / path).stat().st_mode) for path in TWO} == {0o444}
    assert staged(store) == []
    assert store.url == str(store.path)


def test_one_small_file_costs_three_operations(store: LocalArtifactStore, recorder):
    """Make the folder, make the file read-only, rename: the budget of the hot path."""
    seal(store, ONE, sync=False)
    store.delete(record_of(ONE).digest)
    recorder.reset()
    seal(store, ONE, sync=False)
    assert recorder.names == ["make_folder", "make_read_only", "rename"]
    store.delete(record_of(ONE).digest)
    recorder.reset()
    store.seal_bytes("a.bin", ONE["a.bin"], sync=False)
    assert recorder.names == ["make_folder", "write_new", "rename"]


def test_looking_changes_nothing(store: LocalArtifactStore, recorder):
    """Reading works on a read-only filesystem."""
    [record] = seal(store, TWO)
    recorder.reset()
    store.fetch(record, verify=True)
    list(store.digests())
    assert recorder.log == []


def test_foreign_things_under_objects_are_not_listed(store: LocalArtifactStore):
    """Only names that are digests, in their own fan-out folder, are objects."""
    [record] = seal(store, ONE)
    write(store.path / "objects", {".DS_Store": b"", "zz/readme": b"", "00/" + "f" * 64 + "/x": b"", record.digest[:2] + "/short/x": b""})
    assert list(store.digests()) == [record.digest]


def test_a_store_goes_to_another_process(store: LocalArtifactStore):
    """A pickled store is a handle on the same store."""
    [record] = seal(store, ONE)
    assert pickle.loads(pickle.dumps(store)).holds(record, verify=True)


def test_a_relative_folder_is_fixed_when_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A later change of the working directory does not move the store."""
    monkeypatch.chdir(tmp_path)
    store = LocalArtifactStore(Path("here"))
    monkeypatch.chdir("/")
    assert store.holds(store.seal_bytes("x", b"1"))
    assert store.url == str(tmp_path / "here")


# -- order of writing


def test_objects_are_durable_before_they_are_visible(store: LocalArtifactStore, recorder):
    """All files of all folders, then their folders, then the renames, then the folders above; each once."""
    folders = [write(store.stage(), files) for files in (ONE, TWO)]
    recorder.reset()
    records = store.seal(folders)
    log = [(name, str(args[0])) for name, args in recorder.log]
    files = [f"{folder}/{path}" for folder, content in zip(folders, (ONE, TWO), strict=True) for path in content]
    first_rename = recorder.names.index("rename")
    last_rename = len(log) - 1 - recorder.names[::-1].index("rename")
    assert [path for name, path in log[:first_rename] if name == "sync_file"] == files
    assert {path for name, path in log[:first_rename] if name == "sync_folder"} == {
        str(folders[0]),
        str(folders[1]),
        f"{folders[1]}/sub",
        f"{folders[1]}/sub/deep",
    }
    assert recorder.names.index("start_writeback") < recorder.names.index("sync_file")
    fanouts = sorted({f"{store.path}/objects/{record.digest[:2]}" for record in records})
    assert log[last_rename + 1 :] == [("sync_folder", path) for path in (*fanouts, f"{store.path}/objects")]
    assert not {"sync_file", "sync_folder"} & set(recorder.names[first_rename : last_rename + 1])


def test_the_folder_of_all_objects_is_synced_only_for_a_new_fan_out(store: LocalArtifactStore, recorder):
    """Once this process knows that a fan-out folder is on disk, its own entry needs no further sync."""
    [record] = seal(store, ONE)
    store.delete(record.digest)
    recorder.reset()
    seal(store, ONE)
    assert ("sync_folder", (f"{store.path}/objects",)) not in recorder.log
    recorder.reset()
    LocalArtifactStore(store.path).sync([record.digest])
    assert recorder.log[-1] == ("sync_folder", (f"{store.path}/objects",))


def test_a_fan_out_that_was_removed_is_made_durable_again(store: LocalArtifactStore, recorder):
    """What this process knew of the old folder does not hold for a new one."""
    [record] = seal(store, ONE)
    fanout = store.fetch(record).parent
    store.delete(record.digest)
    fanout.rmdir()
    recorder.reset()
    seal(store, ONE)
    assert recorder.log[-1] == ("sync_folder", (f"{store.path}/objects",))


def test_without_sync_nothing_is_waited_for(store: LocalArtifactStore, recorder):
    """And the record says which boot wrote it."""
    recorder.reset()
    [record] = seal(store, TWO, sync=False)
    assert record == replace(record_of(TWO), boot=host.boot_id())
    assert not {"sync_file", "sync_folder", "start_writeback"} & set(recorder.names)


def test_sync_makes_up_for_it_in_one_barrier(store: LocalArtifactStore, recorder):
    """Each file, each folder and the folders above, once; digests may repeat."""
    records = seal(store, ONE, TWO, sync=False)
    recorder.reset()
    store.sync([record.digest for record in records] * 2)
    places = [f"{store.path}/objects/{record.digest[:2]}/{record.digest}" for record in records]
    files = [f"{place}/{entry.path}" for place, record in zip(places, records, strict=True) for entry in record.files]
    assert [args[0] for name, args in recorder.log if name == "sync_file"] == files
    assert recorder.log[0] == ("start_writeback", (files,))
    assert {args[0] for name, args in recorder.log if name == "sync_folder"} >= {*places, f"{store.path}/objects"}
    assert len(recorder.log) == len(set(map(str, recorder.log)))


def test_an_adopted_object_is_made_durable_too(store: LocalArtifactStore, recorder):
    """An equal object may lie there unsynced; the new record says that it is durable."""
    [early] = seal(store, ONE, sync=False)
    recorder.reset()
    [late] = seal(store, ONE, sync=True)
    place = store.fetch(early)
    assert (early.boot, late.boot) == (host.boot_id(), None)
    assert ("sync_file", (f"{place}/a.bin",)) in recorder.log
    assert ("sync_folder", (str(place.parent),)) in recorder.log


def test_sync_names_what_is_damaged(store: LocalArtifactStore):
    """A link in the place of a file is not synced through."""
    [record] = seal(store, ONE, sync=False)
    path = store.fetch(record) / "a.bin"
    path.unlink()
    path.symlink_to("/dev/null")
    with pytest.raises(ArtifactCorrupted, match=record.digest[:12]):
        store.sync([record.digest])


# -- errors


def once(name: str, code: int, part: str = ""):
    """Let the first operation of that name, on a path with that part, fail."""
    left = [1]

    def fail(operation: str, args: tuple[object, ...]) -> OSError | None:
        if operation == name and part in str(args[0]) and left:
            left.pop()
            return OSError(code, os.strerror(code), str(args[0]))
        return None

    return fail


def test_a_file_whose_sync_failed_is_never_synced_again(store: LocalArtifactStore, recorder):
    """The system may report success at the second call although the bytes are lost: the staged copy is void."""
    folder = write(store.stage(), ONE)
    recorder.reset()
    recorder.fail = once("sync_file", errno.EIO)
    with pytest.raises(StoreError, match="Input/output error"):
        store.seal([folder])
    assert recorder.names.count("sync_file") == 1
    assert (staged(store), list(store.digests())) == ([], [])
    assert seal(store, ONE) == [record_of(ONE)]


def test_a_big_file_goes_to_the_disk_while_it_is_digested(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch):
    """Both take about as long; and all are synced once more afterwards, for what may have been written in between."""
    monkeypatch.setattr(tree, "BESIDE", 4)
    synced: list[tuple[str, bool]] = []
    begun = threading.Event()
    sync_file, digest_of = fsops.sync_file, tree._digest

    def sync(path: str) -> None:
        synced.append((path.rpartition("/")[2], threading.current_thread() is threading.main_thread()))
        begun.set()
        sync_file(path)

    def wait_and_digest(descriptor: int, size: int) -> str:
        assert size < 4 or begun.wait(10)
        return digest_of(descriptor, size)

    monkeypatch.setattr(fsops, "sync_file", sync)
    monkeypatch.setattr(tree, "_digest", wait_and_digest)
    files = {"big": b"12345", "little": b"123"}
    assert seal(store, files) == [record_of(files)]
    assert synced == [("big", False), ("big", True), ("little", True)]
    synced.clear()
    seal(store, {"big": b"54321"}, sync=False)
    assert synced == []


def test_a_big_file_is_synced_without_a_thread_where_there_is_none(store: LocalArtifactStore, recorder, monkeypatch: pytest.MonkeyPatch):
    """As while the interpreter ends: it only takes longer."""
    monkeypatch.setattr(tree, "BESIDE", 1)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError("can't start new thread")))
    assert seal(store, ONE) == [record_of(ONE)]
    assert recorder.names.count("sync_file") == len(ONE)


def test_a_big_file_that_the_disk_refuses_is_never_synced_again(store: LocalArtifactStore, recorder, monkeypatch: pytest.MonkeyPatch):
    """What the thread was told counts: the sync that follows would report success."""
    monkeypatch.setattr(tree, "BESIDE", 1)
    recorder.fail = once("sync_file", errno.EIO)
    with pytest.raises(StoreError, match="Input/output error"):
        seal(store, ONE)
    assert recorder.names.count("sync_file") == 1
    assert (staged(store), list(store.digests())) == ([], [])


def test_an_object_whose_sync_failed_is_replaced_by_a_fresh_copy(store: LocalArtifactStore, recorder):
    """`sync` refuses it from then on without asking the disk again, and it is not adopted."""
    [record] = seal(store, ONE, sync=False)
    inode = (store.fetch(record) / "a.bin").stat().st_ino
    recorder.fail = once("sync_file", errno.EIO)
    with pytest.raises(StoreError, match="Input/output error"):
        store.sync([record.digest])
    recorder.reset()
    with pytest.raises(StoreError, match=record.digest[:12]):
        store.sync([record.digest])
    assert recorder.log == []
    keep = (store.fetch(record) / "a.bin").open("rb")  # or the inode's number could be given again
    with keep:
        assert seal(store, ONE) == [record_of(ONE)]
        assert (store.fetch(record) / "a.bin").stat().st_ino != inode
    store.sync([record.digest])
    assert whole(store, record) == {record.digest}


def test_an_adopted_object_whose_sync_fails_is_replaced(store: LocalArtifactStore, recorder):
    """The fresh copy is on disk already, so it takes the place."""
    [record] = seal(store, ONE, sync=False)
    with (store.fetch(record) / "a.bin").open("rb") as old:
        recorder.fail = once("sync_file", errno.EIO, part="/objects/")
        assert seal(store, ONE) == [record_of(ONE)]
        assert not os.path.samestat(os.fstat(old.fileno()), (store.fetch(record) / "a.bin").stat())
    assert whole(store, record) == {record.digest}


def test_a_failed_sync_of_the_folders_above_is_remembered(store: LocalArtifactStore, recorder):
    """The rename may not be on disk: the next copy is renamed anew instead of trusting that."""
    recorder.fail = once("sync_folder", errno.EIO, part="/objects")
    with pytest.raises(StoreError):
        seal(store, ONE)
    recorder.reset()
    assert seal(store, ONE) == [record_of(ONE)]
    assert recorder.names.count("rename") >= 3  # refused, the old one out, the new one in
    assert whole(store, record_of(ONE)) == {record_of(ONE).digest}


LIMITED = """
import json, resource, sys
from pathlib import Path
from lineal.artifact_store import fsops, tree
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import StorageFull
store = LocalArtifactStore(Path(sys.argv[1]))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
try:
    store.seal_bytes("data.bin", bytes(1_000_000))
except StorageFull as error:
    message = str(error)
left = [path.name for folder in ("objects", "staging") for path in (store.path / folder).iterdir()]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
record = store.seal_bytes("data.bin", bytes(1_000_000))
print(json.dumps([message, left, store.holds(record, verify=True)]))
"""


def test_a_real_file_size_limit_is_storage_full(tmp_path: Path):
    """The system itself refuses the bytes: typed error with the numbers, nothing kept, and later it works."""
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path / "store")], capture_output=True, text=True, check=True, timeout=60)
    message, left, held = json.loads(done.stdout)
    for part in ("data.bin", "1,000,000 bytes were needed", "bytes are free", "limit"):
        assert part in message
    assert (left, held) == ([], True)


def test_a_long_name_is_a_typed_error(store: LocalArtifactStore):
    """The system's limit is told in the user's terms."""
    with pytest.raises(InvalidName, match="255 bytes"):
        store.seal_bytes("x" * 256, b"1")
    assert staged(store) == []


def test_a_full_disk_at_staging_is_storage_full(store: LocalArtifactStore, recorder):
    """Also a folder needs space."""
    recorder.fail = once("make_folder", errno.ENOSPC)
    with pytest.raises(StorageFull, match="staging"):
        store.stage()


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_store_that_may_not_be_written_says_so_and_is_still_read(store: LocalArtifactStore, recorder, code: int):
    """Lost rights are a typed error at staging, before any value is written."""
    [record] = seal(store, ONE)
    recorder.fail = lambda name, args: OSError(code, os.strerror(code), args[0])
    with pytest.raises(StoreError, match="mounted"):
        store.stage()
    with pytest.raises(StoreError, match="mounted"):
        store.delete(record.digest)
    assert store.holds(record, verify=True)


def test_a_swept_folder_is_told_when_sealed(store: LocalArtifactStore):
    """The error says what happened to it."""
    folder = write(store.stage(), ONE)
    store.sweep(0)
    with pytest.raises(StoreError, match=folder.name):
        store.seal([folder])


def test_the_same_folder_twice_is_refused(store: LocalArtifactStore):
    """It can only be renamed once; nothing is touched."""
    folder = write(store.stage(), ONE)
    with pytest.raises(UsageError, match="twice"):
        store.seal([folder, folder])
    assert store.seal([folder]) == [record_of(ONE)]


def test_a_failed_cleaning_does_not_hide_the_cause(store: LocalArtifactStore, recorder):
    """The first error is raised, with a note on what was left for the sweep."""
    folder = write(store.stage(), ONE)
    (folder / "link").symlink_to("a.bin")
    recorder.fail = lambda name, args: OSError(errno.EIO, "broken") if name == "remove_folder" else None
    with pytest.raises(UsageError, match="link") as caught:
        store.seal([folder])
    assert "next sweep" in caught.value.__notes__[0]


def test_a_fan_out_that_is_a_file_is_a_typed_error(store: LocalArtifactStore):
    """Nothing is forced."""
    fanout = store.path / "objects" / record_of(ONE).digest[:2]
    fanout.write_text("mine")
    with pytest.raises(StoreError, match="Not a directory"):
        seal(store, ONE)
    assert fanout.read_text() == "mine"


def test_a_place_that_is_always_taken_ends_in_an_error(store: LocalArtifactStore, recorder):
    """No endless loop when something keeps interfering."""
    seal(store, ONE)
    recorder.fail = lambda name, args: (
        OSError(errno.ENOTEMPTY, "taken") if name == "rename" else OSError(errno.EIO, "bad") if "objects" in str(args) else None
    )
    with pytest.raises(StoreError):
        seal(store, ONE)
    assert staged(store) == []


def test_a_lost_staging_or_objects_folder_is_made_again(store: LocalArtifactStore):
    """As long as the identity file is there, it is this store."""
    (store.path / "staging").rmdir()
    (store.path / "objects").rmdir()
    assert (list(store.digests()), store.sweep(0)) == ([], 0)
    assert store.holds(seal(store, ONE)[0])


# -- kills


def scenario(store: LocalArtifactStore) -> None:
    """All that a store does: objects alone and together, equal ones, unsynced ones made durable, damage healed, deletes."""
    seal(store, ONE, TWO)
    store.seal_bytes("x", b"x" * 100)
    late = store.seal_bytes("y", b"y", sync=False)
    store.sync([late.digest])
    seal(store, TWO)
    store.discard(write(store.stage(), ONE))
    store.delete(record_of(TWO).digest)
    seal(store, TWO, sync=False)
    store.sweep(0)


KNOWN = [record_of(files) for files in (ONE, TWO, {"x": b"x" * 100}, {"y": b"y"})]
ALL = {record.digest for record in KNOWN}


def operations(tmp_path: Path, recorder) -> int:
    store = LocalArtifactStore(tmp_path / "count")
    recorder.reset()
    scenario(store)
    assert whole(store, *KNOWN) == ALL
    return len(recorder.log)


def test_a_kill_at_any_operation_leaves_whole_objects_only(tmp_path: Path, recorder, killed):
    """Whoever opens the store afterwards finds no half object, can do the work again, and sweeps what was left."""
    recorder.syncs = False
    total = operations(tmp_path, recorder)
    assert total > 50
    for point in range(total):
        store = LocalArtifactStore(tmp_path / str(point))
        recorder.reset()
        recorder.die_at = point
        with pytest.raises(killed):
            scenario(store)
        recorder.reset()
        store = LocalArtifactStore(store.path)
        whole(store, *KNOWN)
        scenario(store)
        assert whole(store, *KNOWN) == ALL
        assert staged(store) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_an_error_at_any_operation_is_typed_and_leaves_nothing(tmp_path: Path, recorder, code: int):
    """One failing operation, wherever: a typed error or success, whole objects only, and staging can be emptied."""
    recorder.syncs = False
    total = operations(tmp_path, recorder)
    failed = 0
    for point in range(total):
        store = LocalArtifactStore(tmp_path / str(point))
        recorder.reset()
        recorder.fail = lambda name, args, point=point: (
            OSError(code, os.strerror(code), args[0]) if len(recorder.log) == point + 1 else None
        )
        try:
            scenario(store)
        except StorageFull:
            assert code == errno.ENOSPC
            failed += 1
        except StoreError:
            assert code == errno.EIO
            failed += 1
        kind = recorder.names[point]
        recorder.reset()
        whole(store, *KNOWN)
        if kind not in ("make_folder", "remove_file", "remove_folder"):  # what the scenario staged itself, and what refused to go
            assert staged(store) == []
        scenario(store)
        assert whole(store, *KNOWN) == ALL
        assert staged(store) == []
    assert failed > total / 2


def test_ctrl_c_while_sealing_leaves_nothing_staged(store: LocalArtifactStore, recorder):
    """An interrupt is not an error of the store, and is cleaned up after like one."""
    folder = write(store.stage(), ONE)

    def interrupt(name: str, args: tuple[object, ...]) -> None:
        if name == "sync_file":
            raise KeyboardInterrupt

    recorder.fail = interrupt
    with pytest.raises(KeyboardInterrupt):
        store.seal([folder])
    assert (staged(store), list(store.digests())) == ([], [])


# -- many at once

SEALER = """
import sys
from pathlib import Path
from lineal.artifact_store import fsops, tree
from lineal.artifact_store.local import LocalArtifactStore
store = LocalArtifactStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
digests = []
for number in range(60):
    folder = store.stage()
    (folder / "a").write_bytes(b"%d" % number * 500)
    (folder / "b").write_bytes(b"same")
    digests.append(store.seal([folder], sync=number % 10 == 0)[0].digest)
print(*digests)
"""


def test_processes_may_seal_equal_content_at_once(store: LocalArtifactStore):
    """All get the same digests; every object is whole and nothing is left over."""
    command = [sys.executable, "-c", SEALER, str(store.path)]
    sealers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for sealer in sealers:
        assert sealer.stdout is not None
        assert sealer.stdout.readline() == "ready\n"
    for sealer in sealers:
        assert sealer.stdin is not None
        sealer.stdin.write("go\n")
        sealer.stdin.flush()
    found = {sealer.communicate(timeout=60)[0] for sealer in sealers}
    expected = [record_of({"a": b"%d" % number * 500, "b": b"same"}) for number in range(60)]
    assert found == {" ".join(record.digest for record in expected) + "\n"}
    assert whole(store, *expected) == {record.digest for record in expected}
    assert staged(store) == []


def test_sealing_and_deleting_at_once_never_shows_half_an_object(store: LocalArtifactStore):
    """Whoever finds the object finds all of it; the last word is a seal, so it is there in the end."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def deleter() -> None:
        while not stop.is_set():
            store.delete(record_of(TWO).digest)

    def reader() -> None:
        while not stop.is_set():
            try:
                assert store.fetch(record_of(TWO)).name == record_of(TWO).digest
            except ArtifactMissing:
                continue
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=deleter), threading.Thread(target=reader)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        assert [record.digest for record in seal(store, TWO, sync=False)] == [record_of(TWO).digest]
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    seal(store, TWO)
    assert whole(store, record_of(TWO)) == {record_of(TWO).digest}
    assert staged(store) == []


def test_many_threads_heal_one_damaged_object(store: LocalArtifactStore):
    """Whoever replaces it, in the end it is whole and the damaged one is gone."""
    [record] = seal(store, ONE)
    for _ in range(10):
        path = store.fetch(record) / "a.bin"
        path.chmod(0o600)
        path.write_bytes(b"0" * 3000)
        threads = [threading.Thread(target=seal, args=(store, ONE), kwargs={"sync": False}) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert whole(store, record) == {record.digest}
    assert staged(store) == []
