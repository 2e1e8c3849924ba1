"""Registered data of any shape: listed as it would be stored, given back as it was, and no change goes unnoticed."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineal.artifact_store.external import External
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import ArtifactCorrupted, ArtifactMissing
from lineal.files import restore
from lineal.materializers.paths import PathMaterializer
from lineal.model.records import ObjectRecord

NAMES = st.text("abé 0._-~$", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
TREES = st.recursive(
    st.one_of(st.binary(max_size=5), st.integers(1_000_000, 1_200_000).map(bytes)),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
).map(lambda tree: {"first": b"", "tree": tree})
"""Folders as dicts and files as bytes; at least one file."""


class Silent:
    """Shows nothing."""

    def begin(self, files: int, size: int) -> None: ...

    def advance(self, files: int, size: int) -> None: ...


def build(tree: dict[str, object], root: Path) -> None:
    """Write a tree below a new folder."""
    root.mkdir()
    for name, content in tree.items():
        if isinstance(content, bytes):
            (root / name).write_bytes(content)
        else:
            assert isinstance(content, dict)
            build(content, root / name)


def shape(root: Path) -> dict[str, bytes | None]:
    """Give what is below a folder."""
    return {each.relative_to(root).as_posix(): each.read_bytes() if each.is_file() else None for each in root.rglob("*")}


def register(place: Path, hashes: Path | None) -> ObjectRecord:
    return External(hashes).scan(os.path.realpath(place), place.name, Silent())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> LocalArtifactStore:
    return LocalArtifactStore(tmp_path_factory.mktemp("store"))


@settings(max_examples=60)
@given(TREES)
def test_a_folder_is_the_same_object_registered_or_saved_and_comes_back_as_it_was(
    store: LocalArtifactStore, tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object]
) -> None:
    """Whatever its names, contents and empty folders; also when its digests are remembered."""
    root = tmp_path_factory.mktemp("tree")
    build(tree, root / "data")
    record = register(root / "data", root / "hashes")
    assert register(root / "data", root / "hashes") == register(root / "data", None) == record
    staged = store.stage()
    PathMaterializer().save(root / "data", staged)
    [saved] = store.seal([staged], sync=False)
    assert replace(saved, boot=None) == replace(record, external=None)
    (root / "copy").mkdir()
    External(root / "hashes").copy(record, root / "copy")
    assert shape(restore(root / "copy")) == shape(root / "data")


CHANGES = st.sampled_from(["flip", "cut", "grow", "remove", "replace by a folder", "replace by a link"])


@settings(max_examples=100)
@given(TREES, CHANGES, st.data())
def test_no_change_of_a_file_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, object], change: str, data: st.DataObject
) -> None:
    """Whichever file, however small, with its times set back: the copy fails, or is exactly what was registered."""
    root = tmp_path_factory.mktemp("tree")
    build(tree, root / "data")
    before = shape(root / "data")
    record = register(root / "data", root / "hashes")
    files = sorted(path for path in (root / "data").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    old, content = path.stat(), path.read_bytes()
    path.unlink()
    match change:
        case "flip":
            path.write_bytes(bytes([content[0] ^ 1]) + content[1:] if content else content)
        case "cut":
            path.write_bytes(content[:-1])
        case "grow":
            path.write_bytes(content + b"\0")
        case "replace by a folder":
            path.mkdir()
        case "replace by a link":
            (root / "outside").write_bytes(content)
            path.symlink_to(root / "outside")
    if path.is_file() and not path.is_symlink():
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    (root / "copy").mkdir()
    failure = ""
    try:
        External(root / "hashes").copy(record, root / "copy")
    except (ArtifactCorrupted, ArtifactMissing) as error:
        failure = str(error)
    if failure:
        assert path.name in failure or path.parent.name in failure
    else:
        assert shape(restore(root / "copy")) == before == shape(root / "data")
