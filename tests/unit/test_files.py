"""What is in a folder, and copies of files."""

import os
import sys
from pathlib import Path

import pytest

from lineal import files
from lineal.errors import MaterializerError
from lineal.files import FOLDERS, content_of, copy_file, copy_open, is_inside, pack_folders, restore, some


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with files, empty folders and links inside."""
    root = tmp_path / "data"
    (root / "real/deep").mkdir(parents=True)
    (root / "void/inner").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "real/deep/b.bin").write_bytes(b"b")
    (root / "alias.txt").symlink_to("a.txt")
    (root / "other").symlink_to(root / "real")
    return root


def test_files_are_listed_under_every_name_that_leads_to_them(folder: Path):
    """Links to files and folders inside are followed; empty folders are told apart."""
    content = content_of(str(folder))
    assert {name: Path(path).relative_to(folder).as_posix() for name, path in content.files.items()} == {
        "a.txt": "a.txt",
        "alias.txt": "a.txt",
        "real/deep/b.bin": "real/deep/b.bin",
        "other/deep/b.bin": "real/deep/b.bin",
    }
    assert content.empty == ["void/inner"]
    assert content.refused == []
    assert set(content.folders) == {str(folder / name) for name in ("", "real", "real/deep", "void", "void/inner")}


def test_what_leads_outside_or_is_no_plain_file_is_listed_with_its_reason(tmp_path: Path):
    """Nothing of it is opened, and the rest is listed all the same."""
    (tmp_path / "data-evil").mkdir()
    root = tmp_path / "data"
    root.mkdir()
    (root / "good").write_text("x")
    (root / "out").symlink_to(tmp_path / "data-evil")  # the prefix of its path is the folder's own path
    (root / "gone").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    (root / "up").symlink_to("..")
    (root / "self").symlink_to(".")
    os.mkfifo(root / "pipe")
    (root / "to pipe").symlink_to("pipe")
    content = content_of(str(root))
    assert content.refused == [
        "gone is a link to nothing",
        "loop is a link to nothing",
        f"out is a link to {tmp_path}/data-evil, which is outside",
        "pipe is no plain file but a FIFO",
        "self is a link to a folder that it lies in",
        "to pipe is a link to what is no plain file but a FIFO",
        f"up is a link to {tmp_path}, which is outside",
    ]
    assert list(content.files) == ["good"]


def test_links_cannot_spell_a_million_paths(tmp_path: Path):
    """Thirty folders of two links each, every one to the next folder, would be a thousand million files."""
    for n in range(30):
        (tmp_path / f"{n}").mkdir()
        for side in "ab":
            (tmp_path / f"{n}/{side}").symlink_to(tmp_path / f"{n + 1}")
    (tmp_path / "30").mkdir()
    content = content_of(str(tmp_path))
    assert len(content.refused) < 10_000
    assert "ways into" in content.refused[0]


@pytest.mark.parametrize(
    ("path", "root", "inside"), [("/s", "/s", True), ("/s/a", "/s", True), ("/s-evil", "/s", False), ("/a", "/", True), ("/", "/s", False)]
)
def test_a_folder_is_not_inside_one_whose_name_it_begins_with(path: str, root: str, inside: bool):
    """`/store-evil` begins with `/store`, and is elsewhere."""
    assert is_inside(path, root) is inside


def test_a_list_in_a_message_is_cut():
    """The first ones, and how many more."""
    assert some(["a", "b"]) == "a; b"
    assert some([str(n) for n in range(25)], 2) == "0; 1; and 23 more"


def test_empty_folders_are_restored_and_never_outside(tmp_path: Path):
    """A list that was forged makes nothing elsewhere."""
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / FOLDERS).write_bytes(pack_folders("data", ["x/y", "é"]))
    restored = restore(tmp_path / "1")
    assert sorted(each.relative_to(restored).as_posix() for each in restored.rglob("*")) == ["x", "x/y", "é"]
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / FOLDERS).write_bytes(pack_folders("..", ["evil"]))
    with pytest.raises(MaterializerError, match="which is outside"):
        restore(tmp_path / "2")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_a_copy_has_the_content_and_is_writable(tmp_path: Path, size: int):
    """Whatever the mode of the original; what exists is not overwritten."""
    (tmp_path / "a").write_bytes(bytes(size))
    (tmp_path / "a").chmod(0o444)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == bytes(size)
    (tmp_path / "b").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "a", tmp_path / "b")


def test_a_copy_without_help_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the system can neither clone nor copy in the kernel, the bytes are copied."""
    monkeypatch.setattr(files, "_clone", lambda source, target: False)
    (tmp_path / "a").write_bytes(b"abc" * 1000)
    with (tmp_path / "a").open("rb") as file:
        copy_open(file.fileno(), tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"abc" * 1000


def test_a_copy_where_the_kernel_copies_nothing_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Some file systems do; the bytes are copied then."""
    monkeypatch.setattr(os, "copy_file_range", lambda *given: 0, raising=False)
    (tmp_path / "a").write_bytes(b"abc" * 1000)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"abc" * 1000


def test_an_unreadable_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """It is listed as such: what is in it cannot be known."""
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert content_of(str(folder)).refused == [
        "other/deep cannot be read: Permission denied",
        "real/deep cannot be read: Permission denied",
    ]


@pytest.mark.parametrize(("path", "named"), [("/dev/null", "a device"), (sys.executable, "a file"), ("/", "a folder")])
def test_what_something_is_has_a_name(path: str, named: str):
    """For messages."""
    assert files.kind(Path(path).stat()) == named
