"""Copying an object's files out of the store."""

from pathlib import Path

import pytest

from lineal.artifact_store.local import LocalArtifactStore
from lineal.artifacts import inline_object
from lineal.errors import ArtifactCorrupted, ArtifactMissing, UsageError
from lineal.model.records import FileEntry, ObjectRecord
from lineal.views.files import copy_out


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(tmp_path / "store")


@pytest.fixture
def tree(store: LocalArtifactStore) -> ObjectRecord:
    staged = store.stage()
    (staged / "a" / "b").mkdir(parents=True)
    (staged / "top.txt").write_text("top")
    (staged / "a" / "b" / "deep.txt").write_text("deep")
    [record] = store.seal([staged])
    return record


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


TREE = {"top.txt": "top", "a/b/deep.txt": "deep"}


def test_files_of_any_depth_arrive_in_a_new_folder_at_any_depth(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "out"
    assert copy_out(tree, store, target, overwrite=False) == target
    assert files(target) == TREE


def test_what_arrives_belongs_to_the_caller(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    target = copy_out(tree, store, tmp_path / "out", overwrite=False)
    (target / "top.txt").write_text("changed")
    assert files(store.fetch(tree, verify=True)) == TREE


def test_an_inline_value_is_written_like_any_other(store: LocalArtifactStore, tmp_path: Path) -> None:
    record = inline_object("data.json", b"[1, 2]")
    assert files(copy_out(record, store, tmp_path / "out", overwrite=False)) == {"data.json": "[1, 2]"}


def test_an_empty_folder_is_filled_and_a_full_one_refused(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    copy_out(tree, store, target, overwrite=False)
    with pytest.raises(UsageError, match=r"is not empty; .* overwrite=True"):
        copy_out(tree, store, target, overwrite=False)


def test_overwrite_replaces_files_and_leaves_others_alone(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "top.txt").write_text("old")
    (target / "mine.txt").write_text("mine")
    copy_out(tree, store, target, overwrite=True)
    assert files(target) == {**TREE, "mine.txt": "mine"}


def test_a_file_as_target_is_refused(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        copy_out(tree, store, tmp_path / "out", overwrite=True)


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a//b", "", ".", "a/.", "nul\0byte"])
def test_a_hostile_file_name_writes_nothing(store: LocalArtifactStore, tmp_path: Path, path: str) -> None:
    record = ObjectRecord("0" * 64, 1, (FileEntry("good", 1, "0"), FileEntry(path, 1, "0")), inline=b"x")
    with pytest.raises(ArtifactCorrupted, match="leads out of its object"):
        copy_out(record, store, tmp_path / "out", overwrite=False)
    assert not (tmp_path / "out").exists()


def test_a_link_in_the_target_leads_nowhere(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    outside, target = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    target.mkdir()
    (target / "a").symlink_to(outside)
    with pytest.raises(UsageError, match="through a link"):
        copy_out(tree, store, target, overwrite=True)
    assert files(outside) == {}


def test_a_linked_file_in_the_target_is_replaced_and_not_followed(store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path) -> None:
    outside, target = tmp_path / "outside.txt", tmp_path / "out"
    outside.write_text("mine")
    target.mkdir()
    (target / "top.txt").symlink_to(outside)
    copy_out(tree, store, target, overwrite=True)
    assert outside.read_text() == "mine"
    assert files(target) == TREE


def test_a_folder_that_was_made_is_removed_when_copying_fails(
    store: LocalArtifactStore, tree: ObjectRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: object, target: Path) -> None:
        target.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lineal.views.files.shutil.copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        copy_out(tree, store, tmp_path / "out", overwrite=False)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="No space left"):
        copy_out(tree, store, tmp_path / "out", overwrite=False)
    assert files(tmp_path / "out") == {}


def test_bytes_that_are_gone_leave_no_folder(store: LocalArtifactStore, tmp_path: Path) -> None:
    record = ObjectRecord("0" * 64, 1, (FileEntry("data", 1, "0" * 64),))
    with pytest.raises(ArtifactMissing):
        copy_out(record, store, tmp_path / "out", overwrite=False)
    assert not (tmp_path / "out").exists()
