"""Damage to an object, kind by kind: each is noticed, named, never blocks, and is healed by storing the content again."""

import errno
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lineal.artifact_store import checks, tree
from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import ArtifactCorrupted, ArtifactMissing
from lineal.model.records import FileEntry, ObjectRecord

CONTENT = bytes(range(256)) * 20
FILES = {"a.bin": CONTENT, "sub/b.bin": CONTENT[::-1]}


def sealed(store: LocalArtifactStore) -> ObjectRecord:
    folder = store.stage()
    (folder / "sub").mkdir()
    for path, content in FILES.items():
        (folder / path).write_bytes(content)
    return store.seal([folder])[0]


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def flip(at: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        overwrite(path, bytes(data))

    return damage


def swapped_for(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def link_to_equal_bytes(path: Path) -> None:
    (path.parents[4] / "equal").write_bytes(CONTENT)
    path.symlink_to(path.parents[4] / "equal")


BY_SIGHT = {
    "deleted": (Path.unlink, ArtifactMissing, "a.bin"),
    "truncated to nothing": (lambda path: overwrite(path, b""), ArtifactCorrupted, "5,120 bytes and has 0"),
    "truncated by half": (lambda path: overwrite(path, CONTENT[:2560]), ArtifactCorrupted, "has 2,560"),
    "appended to": (lambda path: overwrite(path, CONTENT + b"x"), ArtifactCorrupted, "has 5,121"),
    "a folder": (swapped_for(Path.mkdir), ArtifactCorrupted, "is a folder"),
    "a FIFO": (swapped_for(os.mkfifo), ArtifactCorrupted, "is a FIFO"),
    "a socket": (swapped_for(bind), ArtifactCorrupted, "is a socket"),
    "a link to equal bytes": (swapped_for(link_to_equal_bytes), ArtifactCorrupted, "is a symbolic link"),
    "a dangling link": (swapped_for(lambda path: path.symlink_to("nowhere")), ArtifactCorrupted, "is a symbolic link"),
    "a link to itself": (swapped_for(lambda path: path.symlink_to(path.name)), ArtifactCorrupted, "is a symbolic link"),
}
BY_DIGEST = {
    "first bit flipped": flip(0),
    "middle bit flipped": flip(2560),
    "last bit flipped": flip(-1),
    "another file of the same size": lambda path: overwrite(path, FILES["sub/b.bin"]),
    "zeros of the same size": lambda path: overwrite(path, bytes(len(CONTENT))),
}


def check_healing(store: LocalArtifactStore, record: ObjectRecord) -> None:
    """Storing the content again makes the object whole, whoever asks."""
    assert sealed(store) == record
    assert LocalArtifactStore(store.path).holds(record, verify=True)
    assert sorted(path.name for path in (store.path / "staging").iterdir()) == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", BY_SIGHT)
def test_damage_that_shows(store: LocalArtifactStore, kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Noticed without reading a byte; the error names object, file, what is wrong and what to do."""
    monkeypatch.chdir(tmp_path)
    record = sealed(store)
    damage, cls, part = BY_SIGHT[kind]
    damage(store.fetch(record) / "a.bin")
    for verify in (False, True):
        assert not store.holds(record, verify=verify)
        with pytest.raises(cls) as caught:
            store.fetch(record, verify=verify)
        for expected in (record.digest[:12], "a.bin", part, "run the step"):
            assert expected in str(caught.value)
    check_healing(store, record)


@pytest.mark.parametrize("kind", BY_DIGEST)
def test_damage_that_does_not_show(store: LocalArtifactStore, kind: str):
    """Noticed by the digest; also when the file keeps its time."""
    record = sealed(store)
    assert store.holds(record, verify=True)
    path = store.fetch(record) / "a.bin"
    before = path.stat()
    BY_DIGEST[kind](path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not store.holds(record, verify=True)
    with pytest.raises(ArtifactCorrupted, match=r"bytes of a\.bin"):
        store.fetch(record, verify=True)
    check_healing(store, record)


@pytest.mark.parametrize("place", ["sub", "."])
@pytest.mark.parametrize("kind", ["gone", "a file", "a link"])
def test_a_damaged_folder(store: LocalArtifactStore, place: str, kind: str, tmp_path: Path):
    """A link in the middle of a path is not followed, even to equal files."""
    record = sealed(store)
    folder = (store.fetch(record) / place).resolve()
    shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(folder)
    if kind == "a file":
        folder.write_bytes(b"1")
    elif kind == "a link":
        folder.symlink_to(tmp_path / "copy")
    with pytest.raises(ArtifactMissing if kind == "gone" else ArtifactCorrupted, match=record.digest[:12]):
        store.fetch(record)
    assert not store.holds(record)
    check_healing(store, record)
    assert (tmp_path / "copy").is_dir()


def test_another_object_in_its_place(store: LocalArtifactStore):
    """Two whole objects whose folders were exchanged are both noticed."""
    first, second = store.seal_bytes("x", b"12"), store.seal_bytes("x", b"21")
    one, two = store.fetch(first), store.fetch(second)
    one.rename(store.path / "moved")
    two.rename(one)
    (store.path / "moved").rename(two)
    assert [store.holds(record, verify=True) for record in (first, second)] == [False, False]


def test_other_files_in_the_folder_mean_nothing(store: LocalArtifactStore):
    """The listing says what an object is; it is still the same object."""
    record = sealed(store)
    folder = store.fetch(record)
    (folder / "extra").write_bytes(b"1")
    (folder / "sub" / "link").symlink_to("/")
    assert store.fetch(record, verify=True) == folder
    assert sealed(store) == record


def test_a_listing_that_does_not_give_the_digest_is_noticed(store: LocalArtifactStore):
    """A changed record cannot make a part of an object, or other files, pass for it."""
    record = sealed(store)
    part = replace(record, files=record.files[:1])
    assert store.holds(part)
    with pytest.raises(ArtifactCorrupted, match="record was changed"):
        store.fetch(part, verify=True)


def test_what_another_boot_did_not_sync_is_verified_unasked(store: LocalArtifactStore):
    """After a power cut a file may have its size and hold zeros."""
    record = sealed(store)
    overwrite(store.fetch(record) / "a.bin", bytes(len(CONTENT)))
    assert store.holds(record)
    assert not store.holds(replace(record, boot="another boot"))


def age(folder: Path) -> None:
    for path in folder.rglob("*.bin"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the files that are read for a digest."""
    found: list[str] = []
    real = tree.digest_file
    monkeypatch.setattr(
        tree, "digest_file", lambda path, freeze=False: real(path, freeze=freeze) if freeze else (found.append(path), real(path))[1]
    )
    return found


def test_a_second_look_reads_nothing(store: LocalArtifactStore, reads: list[str], monkeypatch: pytest.MonkeyPatch):
    """Unchanged files are remembered once their times are settled; any change makes them read again."""
    monkeypatch.setattr(checks, "SETTLED", -(10**18))
    record = sealed(store)
    store.fetch(record, verify=True)
    assert len(reads) == 2
    store.fetch(record, verify=True)
    assert len(reads) == 2
    path = store.fetch(record) / "a.bin"
    path.chmod(0o444)  # changes nothing but the change time
    store.fetch(record, verify=True)
    assert len(reads) == 3
    overwrite(path, CONTENT[::-1])
    assert not store.holds(record, verify=True)


def test_a_file_changed_just_now_is_not_remembered(store: LocalArtifactStore, reads: list[str], monkeypatch: pytest.MonkeyPatch):
    """A further change within the same tick of the file's clock would not show."""
    monkeypatch.setattr(checks, "SETTLED", 10**18)
    record = sealed(store)
    for expected in (2, 4):
        store.fetch(record, verify=True)
        assert len(reads) == expected


def test_a_remembered_file_is_compared_with_each_record(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch):
    """What is remembered is the digest, not that somebody was content with it."""
    monkeypatch.setattr(checks, "SETTLED", -(10**18))
    record = sealed(store)
    store.fetch(record, verify=True)
    wrong = replace(record, files=(FileEntry("a.bin", len(CONTENT), "0" * 64), *record.files[1:]))
    assert not store.holds(wrong, verify=True)


def test_memory_for_verified_files_is_bounded(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch):
    """A long-lived process does not grow with the store."""
    monkeypatch.setattr(checks, "SETTLED", -(10**18))
    monkeypatch.setattr(checks, "REMEMBERED", 3)
    for number in range(10):
        store.fetch(store.seal_bytes("x", b"%d" % number), verify=True)
    assert len(store._checks._verified) <= 3


def test_a_bad_sector_is_corruption(store: LocalArtifactStore, monkeypatch: pytest.MonkeyPatch):
    """What cannot be read is as good as lost: the cache misses, and storing the content again heals it."""
    record = sealed(store)
    real = os.read

    def broken(descriptor: int, size: int) -> bytes:
        if os.path.samestat(os.fstat(descriptor), bad):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, size)

    bad = (store.fetch(record) / "a.bin").stat()
    monkeypatch.setattr(os, "read", broken)
    assert not store.holds(record, verify=True)
    with pytest.raises(ArtifactCorrupted, match="cannot be read"):
        store.fetch(record, verify=True)
    check_healing(store, record)
