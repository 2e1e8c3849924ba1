"""The files of an object in a folder: listing, digesting, removing."""

import errno
import os
import socket
import stat
import tracemalloc
from pathlib import Path

import pytest
from blake3 import blake3

from lineal.artifact_store import fsops, tree
from lineal.errors import ArtifactCorrupted, InvalidName, UsageError
from lineal.model import digest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the working directory too, because a socket's path must be short."""
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    return tmp_path / "folder"


def test_listing_gives_files_and_folders(folder: Path):
    """Paths are relative and in POSIX form, parents before children."""
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "c").write_text("1")
    (folder / "d").write_text("2")
    files, folders = tree.listing(str(folder))
    assert (sorted(files), folders) == (["a/b/c", "d"], ["a", "a/b"])


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    ("kind", "named"), [("FIFO", "a FIFO"), ("link", "a symbolic link"), ("dangling", "a symbolic link"), ("socket", "a socket")]
)
def test_anything_but_files_is_refused_by_name(folder: Path, kind: str, named: str):
    """The error says what it is and where, also deep inside, and never opens it."""
    (folder / "sub").mkdir()
    if kind == "FIFO":
        os.mkfifo("sub/odd")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("sub/odd")
    else:
        Path("sub/odd").symlink_to("/" if kind == "link" else "nowhere")
    with pytest.raises(UsageError, match=f"sub/odd .* is {named}"):
        tree.take(str(folder))


def test_a_hard_link_is_refused(folder: Path):
    """Through its other name the object could be changed, and making it read-only would change the other."""
    (folder.parent / "mine").write_text("1")
    os.link(folder.parent / "mine", folder / "a")
    with pytest.raises(UsageError, match="hard link"):
        tree.take(str(folder))
    assert stat.S_IMODE((folder.parent / "mine").stat().st_mode) & 0o200


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "\x1b[0m", "a\x7f"])
def test_names_that_some_system_cannot_keep_are_refused(folder: Path, name: str):
    """Refused when sealing, not when somebody else loads."""
    (folder / name).write_text("1")
    with pytest.raises(InvalidName):
        tree.take(str(folder))


def test_names_of_any_script_are_fine(folder: Path):
    """Printable Unicode is kept as it is."""
    for name in ("данные.npy", "模型", "weights é.bin", "-x", "a:b", "café"):
        (folder / name).write_text("1")
        assert tree.check_path(name) == name
    assert len(tree.take(str(folder))[0]) == 6


def test_take_gives_the_listing_in_order_and_makes_read_only(folder: Path):
    """Entries stand in order of path whatever the order of making."""
    for name in ("c", "a", "b"):
        (folder / name).write_text(name * 3)
    entries, folders = tree.take(str(folder))
    assert entries == [(name, 3, digest.of_bytes((name * 3).encode())) for name in "abc"]
    assert folders == []
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in "abc"} == {0o444}


def test_folders_without_files_are_removed(folder: Path):
    """Those with a file somewhere below stay."""
    for path in ("a/b/c", "d/e", "f"):
        (folder / path).mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("1")
    assert tree.take(str(folder))[1] == ["a", "a/b"]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == ["a", "a/b", "a/b/file"]


@pytest.mark.parametrize("size", [0, 1, digest.CHUNK - 1, digest.CHUNK, digest.CHUNK + 1, tree.BLOCK - 1, tree.BLOCK, 2 * tree.BLOCK + 3])
def test_big_and_small_files_have_the_same_kind_of_digest(folder: Path, size: int):
    """Reading in blocks is skipped work, not another algorithm."""
    data = (b"0123456789abcdef!" * (size // 17 + 1))[:size]
    (folder / "a").write_bytes(data)
    assert tree.digest_file("a") == (size, blake3(data).hexdigest())


def test_memory_does_not_grow_with_the_file(folder: Path):
    """A file of any size is read through one buffer."""
    with open("a", "wb") as file:
        file.truncate(40 * tree.BLOCK)
    tracemalloc.start()
    try:
        tree.digest_file("a")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * tree.BLOCK


@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
@pytest.mark.parametrize("size", [100, digest.CHUNK + 100])
def test_a_file_that_changes_while_it_is_read_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch, change: str, size: int):
    """A writer that was not closed would make the digest a lie."""
    (folder / "a").write_bytes(bytes(size))
    os.utime("a", (1, 1))
    real = tree._digest

    def meanwhile(descriptor: int, expected: int) -> str:
        with open("a", "r+b") as file:
            file.truncate({"grow": size + 1, "shrink": size - 1, "rewrite": size}[change])
            file.write(b"x")
        return real(descriptor, expected)

    monkeypatch.setattr(tree, "_digest", meanwhile)
    with pytest.raises(ArtifactCorrupted, match="changed while it was read"):
        tree.digest_file("a")


def test_no_descriptor_is_left_open(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Neither after success nor after an error."""
    (folder / "a").write_bytes(b"1")
    (folder / "big").write_bytes(bytes(digest.CHUNK + 1))
    os.link("a", "b")
    before = len(os.listdir("/dev/fd"))
    tree.digest_file("big")
    with pytest.raises(UsageError):
        tree.digest_file("a", freeze=True)
    with pytest.raises(OSError):
        tree.digest_file("/dev/null")
    assert len(os.listdir("/dev/fd")) == before


def test_remove_tells_the_bytes_and_follows_no_link(folder: Path):
    """What a link points to is not ours."""
    (folder.parent / "mine").mkdir()
    (folder.parent / "mine" / "file").write_text("kept")
    (folder / "sub").mkdir()
    (folder / "sub" / "a").write_bytes(bytes(100))
    (folder / "link").symlink_to(folder.parent / "mine")
    os.mkfifo("fifo")
    freed = tree.remove(str(folder))
    assert freed - 100 == len(str(folder.parent / "mine"))
    assert not folder.exists()
    assert (folder.parent / "mine" / "file").read_text() == "kept"
    assert tree.remove(str(folder)) == 0


def test_remove_takes_a_link_in_place_of_the_folder(folder: Path):
    """Also at the top a link is removed, not followed."""
    (folder / "file").write_text("kept")
    link = folder.parent / "link"
    link.symlink_to(folder)
    tree.remove(str(link))
    assert not link.is_symlink()
    assert (folder / "file").exists()


def test_remove_opens_folders_that_were_left_read_only(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The saver of some framework may leave its folder so; nothing of it may stay in staging for ever."""
    (folder / "sub").mkdir()
    (folder / "sub" / "a").write_bytes(b"1")
    (folder / "sub").chmod(0o500)
    monkeypatch.setattr(os, "access", lambda path, mode: bool(os.stat(path).st_mode & 0o200))  # root is always let in
    modes = []
    real = fsops.remove_file
    monkeypatch.setattr(fsops, "remove_file", lambda path: modes.append(os.stat(os.path.dirname(path)).st_mode & 0o700) or real(path))
    tree.remove(str(folder))
    assert modes == [0o700]
    assert not folder.exists()


def test_a_deep_tree_needs_no_recursion(folder: Path):
    """A thousand levels are listed, digested and removed."""
    path = str(folder / "top")
    os.mkdir(path)
    for _ in range(1000):
        path += "/d"
        os.mkdir(path)
    Path(path, "file").write_text("deep")
    entries, folders = tree.take(str(folder / "top"))
    assert [(name.count("/"), size) for name, size, _ in entries] == [(1000, 4)]
    assert len(folders) == 1000
    assert tree.newest(str(folder / "top")) > 1
    assert tree.remove(str(folder / "top")) == 4
    assert not (folder / "top").exists()


def test_many_files_are_one_listing(folder: Path):
    """Thousands of files in one folder keep their order and their number."""
    for number in range(3000):
        fsops.write_new(f"{folder}/{number}", b"")
    entries, _ = tree.take(str(folder))
    assert [name for name, _, _ in entries] == sorted(map(str, range(3000)))


def test_sync_waits_for_files_then_for_folders_from_the_bottom(folder: Path, recorder):
    """A folder that is on disk lists files that are on disk."""
    recorder.syncs = False
    tree.sync("/f", ["a", "s/b"], ["s", "s/t"])
    paths = [(name, args[0]) for name, args in recorder.log]
    assert paths == [
        ("sync_file", "/f/a"),
        ("sync_file", "/f/s/b"),
        ("sync_folder", "/f/s/t"),
        ("sync_folder", "/f/s"),
        ("sync_folder", "/f"),
    ]


def test_an_error_while_removing_is_not_hidden(folder: Path, recorder):
    """Only absence is fine."""
    (folder / "a").write_text("1")
    recorder.fail = lambda name, args: OSError(errno.EIO, "broken") if name == "remove_file" else None
    with pytest.raises(OSError, match="broken"):
        tree.remove(str(folder))
