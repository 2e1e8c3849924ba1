"""What every artifact store keeps, as tests. A new store's test file says how to open it and inherits the rest:

from lineal.testing.artifact_store import ArtifactStoreTests

class TestMyStore(ArtifactStoreTests):
    def make_store(self, tmp_path):
        return MyStore(tmp_path / "store")
"""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lineal import host
from lineal.artifact_store.base import ArtifactStore
from lineal.errors import ArtifactCorrupted, ArtifactMissing, UsageError
from lineal.model import digest
from lineal.model.records import FileEntry, ObjectRecord

FILES = {"data.bin": b"\x00\x01" * 600, "meta.json": b"{}", "deep/er/part": b"part", "Größe.txt": b"12"}


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder: content by relative path."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def record_of(files: Mapping[str, bytes]) -> ObjectRecord:
    """Give the record that a durable object with these files must have."""
    entries = sorted((path, len(content), digest.of_bytes(content)) for path, content in files.items())
    size = sum(len(content) for content in files.values())
    return ObjectRecord(digest.of_object(entries), size, tuple(FileEntry(*entry) for entry in entries))


def seal(store: ArtifactStore, *objects: Mapping[str, bytes], sync: bool = True) -> list[ObjectRecord]:
    """Store objects given as content by path."""
    return store.seal([write(store.stage(), files) for files in objects], sync=sync)


def content(folder: Path, paths: Iterable[str]) -> dict[str, bytes]:
    """Read files of a folder."""
    return {path: (folder / path).read_bytes() for path in paths}


class ArtifactStoreTests:
    """The contract of `lineal.artifact_store.base.ArtifactStore`. Inherit it and give `make_store`."""

    def make_store(self, tmp_path: Path) -> ArtifactStore:
        """Open the store under test; called again with the same folder, give another handle on the same store."""
        raise NotImplementedError(f"{type(self).__name__} must say how its store is opened")

    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        """The store under test, empty."""
        return self.make_store(tmp_path)

    def test_staged_folders_are_new_and_empty(self, store: ArtifactStore) -> None:
        """Each call of `stage` gives another empty folder."""
        folders = [store.stage() for _ in range(3)]
        assert len(set(folders)) == 3
        assert [list(folder.iterdir()) for folder in folders] == [[], [], []]

    def test_what_was_sealed_is_fetched(self, store: ArtifactStore) -> None:
        """All files come back bit by bit, under their own names, with and without verifying."""
        [record] = seal(store, FILES)
        assert content(store.fetch(record), FILES) == FILES
        assert content(store.fetch(record, verify=True), FILES) == FILES

    def test_the_record_tells_what_is_stored(self, store: ArtifactStore) -> None:
        """Digest, sizes and the listing in order of path follow from the content alone."""
        assert seal(store, FILES) == [record_of(FILES)]

    def test_bytes_and_a_folder_give_the_same_object(self, store: ArtifactStore) -> None:
        """`seal_bytes` is a short way to the same object."""
        record = store.seal_bytes("data.json", b"[1]")
        assert [record] == seal(store, {"data.json": b"[1]"})
        assert content(store.fetch(record, verify=True), ["data.json"]) == {"data.json": b"[1]"}

    def test_many_are_sealed_in_order_and_their_folders_are_gone(self, store: ArtifactStore) -> None:
        """Records stand in the order of the folders; equal ones among them are one object."""
        objects = [{"a": b"1"}, FILES, {"a": b"1"}, {"b": b"1"}]
        folders = [write(store.stage(), files) for files in objects]
        assert store.seal(folders) == [record_of(files) for files in objects]
        assert not any(folder.exists() for folder in folders)
        assert len(list(store.digests())) == 3
        assert store.seal([]) == []

    def test_equal_content_is_one_object(self, store: ArtifactStore) -> None:
        """Sealing again gives the object that is there."""
        assert seal(store, FILES) == seal(store, dict(reversed(FILES.items())))
        assert list(store.digests()) == [record_of(FILES).digest]

    def test_names_and_contents_both_count(self, store: ArtifactStore) -> None:
        """Another name, another content or another split into files is another object."""
        objects = [{"a": b"xy"}, {"b": b"xy"}, {"a": b"xz"}, {"a": b"x", "b": b"y"}, {"a/b": b"xy"}]
        assert len({record.digest for record in seal(store, *objects)}) == len(objects)

    @pytest.mark.parametrize("files", [{}, {"empty": b""}], ids=["no file", "empty file"])
    def test_emptiness_is_kept(self, store: ArtifactStore, files: dict[str, bytes]) -> None:
        """An object without files and one with an empty file are objects like others."""
        [record] = seal(store, files)
        assert record == record_of(files)
        assert content(store.fetch(record, verify=True), files) == files

    def test_an_object_is_a_set_of_files(self, store: ArtifactStore) -> None:
        """Sub-folders without any file do not count and do not come back."""
        folder = write(store.stage(), {"a/b": b"1"})
        (folder / "none" / "here").mkdir(parents=True)
        (folder / "a" / "none").mkdir()
        [record] = store.seal([folder])
        assert record == record_of({"a/b": b"1"})
        assert sorted(path.name for path in store.fetch(record).rglob("*")) == ["a", "b"]

    def test_files_come_back_read_only(self, store: ArtifactStore) -> None:
        """Nobody changes an object by accident."""
        [record] = seal(store, FILES)
        folder = store.fetch(record)
        assert [(folder / path).stat().st_mode & 0o222 for path in FILES] == [0] * len(FILES)

    def test_links_are_refused_and_nothing_is_kept(self, store: ArtifactStore, tmp_path: Path) -> None:
        """An object must not depend on what lies elsewhere: the error names the link, and no folder of the call stays."""
        (tmp_path / "elsewhere").write_bytes(b"1")
        good, bad = write(store.stage(), {"a": b"1"}), write(store.stage(), {"b": b"1"})
        (bad / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(UsageError, match="link"):
            store.seal([good, bad])
        assert not good.exists()
        assert not bad.exists()
        assert (tmp_path / "elsewhere").read_bytes() == b"1"
        assert list(store.digests()) == []

    def test_foreign_folders_are_refused(self, store: ArtifactStore, tmp_path: Path) -> None:
        """Sealing and discarding remove folders, so they take only what `stage` gave."""
        mine = write(tmp_path / "mine", {"a": b"1"})
        for call in (lambda: store.seal([mine]), lambda: store.discard(mine)):
            with pytest.raises(UsageError, match="mine"):
                call()
        assert (mine / "a").read_bytes() == b"1"

    def test_durability_is_recorded(self, store: ArtifactStore) -> None:
        """What was not synced names the boot that wrote it; `sync` takes it."""
        [late] = seal(store, {"a": b"1"}, sync=False)
        assert late in (record_of({"a": b"1"}), replace(record_of({"a": b"1"}), boot=host.boot_id()))
        store.sync([late.digest, late.digest])
        assert store.holds(replace(late, boot=None), verify=True)

    def test_an_unknown_object_is_missing(self, store: ArtifactStore) -> None:
        """Absence is a typed error that names the object."""
        record = record_of(FILES)
        assert not store.holds(record)
        with pytest.raises(ArtifactMissing, match=record.digest[:8]):
            store.fetch(record)
        with pytest.raises(ArtifactMissing, match=record.digest[:8]):
            store.sync([record.digest])

    def test_a_wrong_size_is_noticed(self, store: ArtifactStore) -> None:
        """Sizes are always compared."""
        [record] = seal(store, {"a": b"12"})
        wrong = replace(record, files=(replace_entry(record.files[0], size=3),))
        assert not store.holds(wrong)
        with pytest.raises(ArtifactCorrupted, match="a"):
            store.fetch(wrong)

    def test_wrong_bytes_are_noticed(self, store: ArtifactStore) -> None:
        """Digests are compared when asked for, and unasked for what another boot did not sync."""
        [record] = seal(store, {"a": b"12"})
        wrong = replace(record, files=(replace_entry(record.files[0], digest=digest.of_bytes(b"21")),))
        assert not store.holds(wrong, verify=True)
        assert not store.holds(replace(wrong, boot="another boot"))
        with pytest.raises(ArtifactCorrupted, match="a"):
            store.fetch(wrong, verify=True)

    def test_what_another_boot_wrote_whole_is_given(self, store: ArtifactStore) -> None:
        """Verifying after a boot is no reason to refuse good bytes."""
        [record] = seal(store, FILES)
        assert content(store.fetch(replace(record, boot="another boot")), FILES) == FILES

    def test_deleting_frees_bytes_once(self, store: ArtifactStore) -> None:
        """The first call removes the object and tells its size, the second finds nothing; others stay."""
        gone, kept = seal(store, FILES, {"a": b"1"})
        assert store.delete(gone.digest) == gone.size
        assert store.delete(gone.digest) == 0
        assert not store.holds(gone)
        assert list(store.digests()) == [kept.digest]
        assert seal(store, FILES) == [gone]
        assert store.holds(gone, verify=True)

    def test_withdrawing_takes_an_object_away_before_its_bytes_are_removed(self, store: ArtifactStore) -> None:
        """Nobody finds it any more; what a killed process left of it goes with the next sweep, whatever its age."""
        first, second = seal(store, FILES, {"a": b"1"})
        assert (store.has(first.digest), store.has("0" * 64)) == (True, False)
        grave = store.withdraw(first.digest)
        assert grave is not None
        assert not store.has(first.digest)
        assert store.withdraw(first.digest) is None
        assert store.discard(grave) == first.size
        assert store.discard(grave) == 0
        assert store.withdraw(second.digest) is not None
        assert store.sweep(3600) == 1
        assert seal(store, FILES) == [first]
        assert store.has(first.digest)

    def test_all_digests_are_listed(self, store: ArtifactStore) -> None:
        """The walk gives each object once, and nothing that is only staged."""
        write(store.stage(), {"a": b"staged"})
        records = seal(store, *({"a": b"%d" % n} for n in range(40)))
        assert sorted(store.digests()) == sorted(record.digest for record in records)

    @pytest.mark.parametrize("name", ["", "..", "../../etc", "a" * 63, "A" * 64, "a" * 64 + "/", "a" * 64 + "\n"])
    def test_only_digests_name_objects(self, store: ArtifactStore, name: str) -> None:
        """A name that could lead out of the store is refused before anything is touched."""
        for call in (
            store.delete,
            store.has,
            store.withdraw,
            lambda name: store.sync([name]),
            lambda name: store.fetch(replace(record_of(FILES), digest=name)),
        ):
            with pytest.raises(UsageError):
                call(name)

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "\udcff"])
    def test_only_plain_names_are_sealed(self, store: ArtifactStore, name: str) -> None:
        """A file's name must be one that every store and system can keep."""
        with pytest.raises(UsageError):
            store.seal_bytes(name, b"1")
        assert list(store.digests()) == []

    def test_discarding_removes_all_and_may_be_repeated(self, store: ArtifactStore) -> None:
        """What was staged and is not wanted leaves nothing."""
        folder = write(store.stage(), FILES)
        store.discard(folder)
        store.discard(folder)
        assert not folder.exists()
        assert list(store.digests()) == []

    def test_sweeping_goes_by_age(self, store: ArtifactStore) -> None:
        """Only what was not touched for long enough is removed from staging; objects never."""
        [record] = seal(store, FILES)
        old, new = write(store.stage(), FILES), write(store.stage(), FILES)
        for path in (*old.rglob("*"), old):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        assert store.sweep(3600) == 1
        assert (old.exists(), new.exists()) == (False, True)
        assert store.sweep(0) == 1
        assert not new.exists()
        assert store.holds(record, verify=True)

    def test_two_handles_are_one_store(self, store: ArtifactStore, tmp_path: Path) -> None:
        """What one handle sealed or deleted, the other sees at once."""
        other = self.make_store(tmp_path)
        [record] = seal(store, FILES)
        assert other.holds(record, verify=True)
        assert (other.url, other.identity) == (store.url, store.identity)
        assert other.delete(record.digest) == record.size
        assert not store.holds(record)

    def test_threads_may_seal_equal_content_at_once(self, store: ArtifactStore) -> None:
        """However many do it, all get the same records and the objects are whole."""
        objects = [{"a": b"%d" % n, "b/c": bytes(2000)} for n in range(8)]
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(lambda _: seal(store, *objects, sync=False), range(6)))
        assert [[record.digest for record in records] for records in found] == [[record_of(files).digest for files in objects]] * 6
        assert all(store.holds(record, verify=True) for record in found[0])
        assert len(list(store.digests())) == len(objects)


def replace_entry(entry: FileEntry, *, size: int | None = None, digest: str | None = None) -> FileEntry:
    """Give a file's entry with another size or digest."""
    return FileEntry(entry.path, entry.size if size is None else size, digest or entry.digest)
