"""Registered data: looked at where it lies, never touched, and never taken for what it was when it has changed."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lineal.artifact_store import external, fsops
from lineal.artifact_store.external import External
from lineal.artifact_store.hashes import Stamp
from lineal.errors import ArtifactCorrupted, ArtifactMissing, DataChanged, UsageError
from lineal.files import FOLDERS, restore
from lineal.materializers.paths import PathMaterializer
from lineal.model.records import FileEntry, ObjectRecord


class Counted:
    """Notes what was read."""

    def __init__(self) -> None:
        self.announced: list[tuple[int, int]] = []
        self.files = 0
        self.bytes = 0
        self._lock = threading.Lock()

    def begin(self, files: int, size: int) -> None:
        self.announced.append((files, size))

    def advance(self, files: int, size: int) -> None:
        with self._lock:
            self.files += files
            self.bytes += size


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a folder with files in folders, a large one, an empty folder and links."""
    root = tmp_path / "data"
    (root / "deep/er").mkdir(parents=True)
    (root / "void").mkdir()
    (root / "a.txt").write_text("a")
    (root / "deep/er/b.bin").write_bytes(b"b" * 3_000_000)
    (root / "alias").symlink_to("a.txt")
    (root / "also").symlink_to("deep")
    time.sleep(0.12)
    return root


@pytest.fixture
def watched(tmp_path: Path) -> External:
    """Give what remembers digests."""
    return External(tmp_path / "hashes")


def scan(watched: External, place: Path, name: str = "data") -> tuple[ObjectRecord, Counted]:
    counted = Counted()
    return watched.scan(str(place), name, counted), counted


def stored(tmp_path: Path, place: Path) -> ObjectRecord:
    """Give the object that the same path has when a step returns it."""
    from lineal.artifact_store.local import LocalArtifactStore

    store = LocalArtifactStore(tmp_path / "store")
    staged = store.stage()
    PathMaterializer().save(place, staged)
    return store.seal([staged])[0]


def test_the_same_content_has_the_same_digest_registered_or_saved(tmp_path: Path, data: Path, watched: External):
    """Whether the bytes are ours or not is no part of what they are."""
    record, _ = scan(watched, data)
    assert record.external == str(data)
    assert replace(record, external=None) == stored(tmp_path, data)
    file, _ = scan(watched, data / "a.txt", "a.txt")
    assert replace(file, external=None) == stored(tmp_path, data / "a.txt")
    assert [entry.path for entry in record.files] == [
        FOLDERS, "data/a.txt", "data/alias", "data/also/er/b.bin", "data/deep/er/b.bin",
    ]  # fmt: skip


def test_only_what_changed_is_read_again(data: Path, watched: External):
    """Also by another process, and what is read is told."""
    first, read = scan(watched, data)
    assert (read.announced, read.files, read.bytes) == ([(4, 6_000_002)], 4, 6_000_002)
    again, read = scan(External(watched._hashes), data)
    assert again == first
    assert (read.announced, read.files) == ([(0, 0)], 0)
    (data / "a.txt").write_text("A")
    changed, read = scan(watched, data)
    assert changed.digest != first.digest
    assert (read.files, read.bytes) == (2, 2)  # the link leads to it too


def test_what_is_remembered_is_looked_at_once(data: Path, watched: External, monkeypatch: pytest.MonkeyPatch):
    """What was read is looked at again; where nothing was read, all files were as remembered when the first was looked at."""
    looks: list[str] = []
    look_at = external._stamp
    monkeypatch.setattr(external, "_stamp", lambda path: (looks.append(path), look_at(path))[1])
    scan(watched, data)
    assert len(looks) == 2 * 4
    looks.clear()
    scan(watched, data)
    assert len(looks) == 4


def test_what_comes_while_what_is_remembered_is_looked_at_is_noticed(data: Path, watched: External, monkeypatch: pytest.MonkeyPatch):
    """A new file changes its folder."""
    scan(watched, data)
    look_at = external._stamp

    def add_and_look(path: str) -> Stamp:
        if not (data / "deep" / "new.txt").exists():
            (data / "deep" / "new.txt").write_text("new")
        return look_at(path)

    monkeypatch.setattr(external, "_stamp", add_and_look)
    record, _ = scan(watched, data)
    assert "data/deep/new.txt" in [entry.path for entry in record.files]


def test_a_change_in_the_tick_of_the_reading_is_noticed_by_the_next(data: Path, watched: External):
    """Same size, and times set back: what was young when it was read is read again."""
    (data / "a.txt").write_text("x")
    one, _ = scan(watched, data)
    times = (data / "a.txt").stat()
    (data / "a.txt").write_text("y")
    os.utime(data / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    two, _ = scan(watched, data)
    assert one.digest != two.digest


def test_nothing_is_moved_or_changed(data: Path, watched: External, tmp_path: Path):
    """By any of it."""

    def state() -> list[object]:
        return [(str(path), path.lstat()[:7], path.lstat().st_mtime_ns) for path in sorted(data.rglob("*"))]

    before = state()
    record, _ = scan(watched, data)
    watched.check(record, verify=True)
    watched.copy(record, tmp_path / "copy")
    assert state() == before


@pytest.mark.parametrize("kind", ["outside", "dangling", "loop", "fifo", "name"])
def test_what_cannot_be_registered_is_listed(data: Path, watched: External, kind: str):
    """The first twenty, and how many more."""
    for n in range(22):
        path = data / f"odd{n:02}"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "name":
            path.with_name(f"odd{n:02}\n").touch()
        else:
            path.symlink_to({"outside": "/etc/passwd", "dangling": "nothing", "loop": path.name}[kind])
    with pytest.raises(UsageError, match=r"because of 22 things in it: .*odd00.*odd19.*; and 2 more"):
        scan(watched, data)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["a pipe", "an empty folder"])
def test_what_holds_no_file_is_refused(tmp_path: Path, watched: External, make: Callable[[Path], None]):
    """There is nothing to keep."""
    make(tmp_path / "odd")
    with pytest.raises(UsageError, match=r"is a FIFO|holds no file"):
        scan(watched, tmp_path / "odd")


class Meddler(Counted):
    """Changes something between the listing of files and their reading, the first few times."""

    def __init__(self, what: Callable[[], object], times: int) -> None:
        super().__init__()
        self.what = what
        self.times = times

    def begin(self, files: int, size: int) -> None:
        super().begin(files, size)
        if self.times:
            self.times -= 1
            self.what()


@pytest.mark.parametrize("change", ["grow", "same size", "replace", "remove", "add", "rename folder"])
def test_a_change_while_it_is_read_is_noticed(data: Path, watched: External, change: str):
    """Once: it is looked at again. As long as it goes on: an error names what changed, and nothing is registered."""
    count = iter(range(100))

    def meddle() -> None:
        number = next(count)
        match change:
            case "grow":
                with (data / "a.txt").open("a") as file:
                    file.write("x")
            case "same size":
                (data / "a.txt").write_text(str(number % 10))
            case "replace":
                (data / "new").write_text("n")
                (data / "new").replace(data / "a.txt")
            case "remove":
                (data / f"gone{number}").unlink(missing_ok=True)
                (data / f"gone{number + 1}").touch()
            case "add":
                (data / f"more{number}").touch()
            case _:
                (data / "void").rename(data / f"void{number}")
                (data / "void").mkdir()

    once = Meddler(meddle, 1)
    record = watched.scan(str(data), "data", once)
    assert len(once.announced) == 2
    assert record == scan(watched, data)[0]
    with pytest.raises(DataChanged, match=r"changed while it was read, so it was not registered: .*(a.txt|what is in|gone)"):
        External(None).scan(str(data), "data", Meddler(meddle, 100))


def test_a_file_that_cannot_be_read_is_an_error(data: Path, watched: External, monkeypatch: pytest.MonkeyPatch):
    """It is not left out."""

    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(fsops, "open_regular", refuse)
    with pytest.raises(UsageError, match=r"cannot be read, so .* was not registered: Permission denied"):
        scan(watched, data)


def test_an_interrupt_is_not_kept_waiting(data: Path, watched: External):
    """Reading ends, also in the middle of a large file, and nothing is remembered of what was not read whole."""

    class Interrupt(Counted):
        def advance(self, files: int, size: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watched.scan(str(data), "data", Interrupt())
    assert scan(watched, data)[1].files == 4


# -- later


def test_a_copy_is_exactly_what_was_registered(data: Path, watched: External, tmp_path: Path):
    """With its empty folders; links have become files; it is writable."""
    record, _ = scan(watched, data, "images")
    (tmp_path / "copy").mkdir()
    watched.copy(record, tmp_path / "copy")
    copy = restore(tmp_path / "copy")
    assert copy.name == "images"
    assert (copy / "void").is_dir()
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    assert (copy / "alias").read_text() == "a"
    (copy / "a.txt").write_text("mine")
    assert (data / "a.txt").read_text() == "a"


def change_size(data: Path) -> None:
    (data / "a.txt").write_text("longer")


def change_bytes(data: Path) -> None:
    times = (data / "a.txt").stat()
    (data / "a.txt").write_text("b")
    os.utime(data / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))


def remove_file(data: Path) -> None:
    (data / "deep/er/b.bin").unlink()


def make_folder(data: Path) -> None:
    (data / "a.txt").unlink()
    (data / "a.txt").mkdir()


def fill_folder(data: Path) -> None:
    (data / "void/new").touch()


def lead_outside(data: Path) -> None:
    (data.parent / "secret").write_text("a")
    (data / "a.txt").unlink()
    (data / "a.txt").symlink_to(data.parent / "secret")


def lead_folder_outside(data: Path) -> None:
    (data / "deep/er").rename(data.parent / "er")
    (data / "deep/er").symlink_to(data.parent / "er")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_size, "a.txt had 1 bytes and has 6"),
        (change_bytes, "a(.txt|lias) holds other bytes"),
        (make_folder, "a.txt is a folder now"),
        (fill_folder, "other folders in it are empty"),
        (lead_outside, "a.txt leads out of it through a link"),
        (lead_folder_outside, "er leads out of it through a link"),
    ],
)
def test_what_changed_since_is_never_given(data: Path, watched: External, tmp_path: Path, change: Callable[[Path], None], message: str):
    """The error names the place, the file, and what to do."""
    record, _ = scan(watched, data)
    change(data)
    for action in (lambda: watched.copy(record, tmp_path / "copy"), lambda: watched.check(record, verify=True)):
        with pytest.raises(ArtifactCorrupted, match=f"{data} changed since it was registered: .*{message}.*; bring back"):
            action()


def test_what_is_gone_is_listed(data: Path, watched: External, tmp_path: Path):
    """One file, or everything."""
    record, _ = scan(watched, data)
    remove_file(data)
    with pytest.raises(ArtifactMissing, match=r"is not whole: also/er/b.bin is gone; deep/er/b.bin is gone; bring back"):
        watched.copy(record, tmp_path / "copy")
    change_size(data)
    with pytest.raises(ArtifactCorrupted, match=r"has 6.*b.bin is gone"):
        watched.check(record)
    data.rename(tmp_path / "elsewhere")
    with pytest.raises(ArtifactMissing):
        watched.check(record)


def test_files_that_came_later_mean_nothing(data: Path, watched: External, tmp_path: Path):
    """They are no part of what was registered, and are not in a copy."""
    record, _ = scan(watched, data)
    (data / "later").touch()
    watched.check(record, verify=True)
    (tmp_path / "copy").mkdir()
    watched.copy(record, tmp_path / "copy")
    assert not (tmp_path / "copy/data/later").exists()


def test_a_place_that_moved_and_left_a_link_is_still_the_place(data: Path, watched: External, tmp_path: Path):
    """The bytes tell."""
    record, _ = scan(watched, data)
    data.rename(tmp_path / "moved")
    data.symlink_to(tmp_path / "moved")
    watched.check(record, verify=True)
    (tmp_path / "copy").mkdir()
    watched.copy(record, tmp_path / "copy")
    assert (tmp_path / "copy/data/a.txt").read_text() == "a"


@pytest.mark.parametrize("path", ["data/../../secret", "/etc/passwd", "data//x", "data/./x", "data/a\0b"])
def test_a_forged_listing_reads_nothing_elsewhere(data: Path, watched: External, tmp_path: Path, path: str):
    """Rows can be written by others."""
    (tmp_path / "secret").write_text("s")
    record, _ = scan(watched, data)
    forged = replace(record, files=(FileEntry(path, 1, "0" * 64),))
    with pytest.raises(ArtifactCorrupted, match="leads out of"):
        watched.copy(forged, tmp_path / "copy")


def test_reading_a_copy_remembers_its_digests(data: Path, tmp_path: Path):
    """The second copy reads nothing twice; without a memory each is read."""
    watched = External(tmp_path / "hashes")
    record, _ = scan(External(None), data)
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        watched.copy(record, tmp_path / name)
    assert scan(watched, data)[1].files == 0
