"""Paths: the file or folder itself, and a private copy back."""

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from lineal.errors import MaterializerError
from lineal.files import FOLDERS
from lineal.materializers.paths import PathMaterializer
from lineal.materializers.registry import registry
from lineal.testing.materializers import MaterializerTests, content, load, save

PATHS = PathMaterializer()


def listing(path: Path) -> dict[str, Any]:
    """Give what is under a path: contents of files, None for folders."""
    if path.is_file():
        return {path.name: path.read_bytes()}
    return {each.relative_to(path.parent).as_posix(): each.read_bytes() if each.is_file() else None for each in (path, *path.rglob("*"))}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    root = tmp_path_factory.mktemp("sources")
    (root / "report é.html").write_bytes(b"<p>")
    (root / "empty.bin").touch()
    folder = root / "model.d"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/w.bin").write_bytes(b"\x00" * 70_000)
    (folder / "index.txt").write_text("x")
    (folder / "none/inner").mkdir(parents=True)
    (root / "void").mkdir()
    return (root / "report é.html", root / "empty.bin", folder, root / "void")


class TestPaths(MaterializerTests):
    materializer = PATHS

    @pytest.fixture(autouse=True)
    def _places(self, places: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "values", places)

    @pytest.fixture(autouse=True)
    def _supplied(self, _places: None) -> None:
        assert self.values

    def equal(self, one: Path, other: Path) -> bool:
        return listing(one) == listing(other)

    def mutate(self, value: Path) -> bool:
        changed = next((each for each in (value, *value.rglob("*")) if each.is_file()), None)
        if changed is None:
            (value / "new").touch()
        else:
            changed.write_bytes(b"other")
        return True


def test_name_and_layout(places: tuple[Path, ...], tmp_path: Path) -> None:
    """The object is the file or folder by its own name, so any tool can open it; empty folders are listed beside it."""
    assert list(content(save(PATHS, places[0], tmp_path / "1"))) == ["report é.html"]
    assert list(content(save(PATHS, places[2], tmp_path / "2"))) == [FOLDERS, "model.d/a/b/w.bin", "model.d/index.txt"]


def test_copy_is_private(places: tuple[Path, ...], tmp_path: Path) -> None:
    """In a folder that only this user may open."""
    copy = load(PATHS, save(PATHS, places[0], tmp_path / "1"))
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    assert copy.parent.parent.stat().st_mode & 0o777 == 0o700
    assert copy != load(PATHS, tmp_path / "1")


def test_copies_are_gone_when_the_process_ends(places: tuple[Path, ...], tmp_path: Path) -> None:
    """Also when a forked child ends earlier: that one removes nothing."""
    folder = save(PATHS, places[2], tmp_path / "1")
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom lineal.materializers.paths import private_copy\n"
        f"copy = private_copy(Path({str(folder)!r}))\n"
        "if hasattr(os, 'fork'):\n"
        "    child = os.fork()\n"
        "    if not child: sys.exit()\n"
        "    os.waitpid(child, 0)\n"
        "assert (copy / 'index.txt').exists()\n"
        "print(copy)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert not Path(done.stdout.strip()).parent.parent.exists()


def test_temporary_folder_that_was_swept_is_made_again(places: tuple[Path, ...], tmp_path: Path) -> None:
    """A system that clears its temporary folder does not stop a long process."""
    folder = save(PATHS, places[0], tmp_path / "1")
    root = load(PATHS, folder).parent.parent
    root.rename(tmp_path / "swept")
    assert load(PATHS, folder).read_bytes() == b"<p>"


def test_relative_and_linked_paths(places: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` has the folder's name; a link has its own name and the content that it points to."""
    monkeypatch.chdir(places[2])
    assert load(PATHS, save(PATHS, Path(), tmp_path / "1")).name == "model.d"
    (tmp_path / "latest.html").symlink_to(places[0])
    assert listing(load(PATHS, save(PATHS, tmp_path / "latest.html", tmp_path / "2"))) == {"latest.html": b"<p>"}


def test_links_inside_are_followed(tmp_path: Path) -> None:
    """To files and to folders beside them."""
    source = tmp_path / "s"
    (source / "real").mkdir(parents=True)
    (source / "real/x").write_text("x")
    (source / "file").symlink_to("real/x")
    (source / "folder").symlink_to("real")
    back = load(PATHS, save(PATHS, source, tmp_path / "1"))
    assert {name: each for name, each in listing(back).items() if each} == {"s/file": b"x", "s/folder/x": b"x", "s/real/x": b"x"}
    assert not (back / "file").is_symlink()


def test_what_cannot_be_kept_is_listed(tmp_path: Path) -> None:
    """Links that lead outside, to nothing or in a circle, pipes, sockets: one error names them, nothing is opened."""
    source = tmp_path / "s"
    source.mkdir()
    (tmp_path / "s-evil").mkdir()
    (source / "out").symlink_to(tmp_path / "s-evil")
    (source / "gone").symlink_to("nothing")
    (source / "loop").symlink_to("loop")
    (source / "up").symlink_to(".")
    os.mkfifo(source / "pipe")
    with pytest.raises(MaterializerError) as caught:
        save(PATHS, source, tmp_path / "1")
    for part in (
        "out is a link to",
        "gone is a link to nothing",
        "loop is a link to nothing",
        "up is a link to a folder",
        "pipe is no plain",
    ):
        assert part in str(caught.value)


def test_long_lists_are_cut(tmp_path: Path) -> None:
    """Ten, and how many more."""
    source = tmp_path / "s"
    source.mkdir()
    for n in range(12):
        (source / f"{n:02}").symlink_to("nothing")
    with pytest.raises(MaterializerError, match="09 is a link to nothing; and 2 more"):
        save(PATHS, source, tmp_path / "1")


def test_unusable_paths(tmp_path: Path) -> None:
    """Nothing there, no plain file, no name."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / FOLDERS).touch()
    for name, message in (("no", "cannot be read"), ("pipe", "neither"), (FOLDERS, "under its name")):
        with pytest.raises(MaterializerError, match=message):
            save(PATHS, tmp_path / name, tmp_path / f"to {name}")
    with pytest.raises(MaterializerError, match="under its name"):
        PATHS.save(Path("/"), tmp_path)


def test_forged_folder_list_stays_inside(places: tuple[Path, ...], tmp_path: Path) -> None:
    """A stored list of empty folders makes none elsewhere."""
    folder = save(PATHS, places[0], tmp_path / "1")
    for forged in ('["../../evil"]', f'["{tmp_path}/evil"]'):
        (folder / FOLDERS).write_text(forged)
        with pytest.raises(MaterializerError, match="which is outside"):
            load(PATHS, folder)
    assert not (tmp_path / "evil").exists()


def test_metadata(places: tuple[Path, ...]) -> None:
    """Name, files and bytes."""
    assert PATHS.metadata(places[0]) == {"name": "report é.html", "files": 1, "bytes": 3}
    assert PATHS.metadata(places[2]) == {"name": "model.d", "files": 2, "bytes": 70_001}


def test_who_takes_which_path() -> None:
    """A Path is a file; a pure path, a subclass and a path in a container are not."""

    class Special(type(Path())):  # type: ignore[misc]
        pass

    assert registry.for_value(Path("x")).id == "pathlib.Path/1"
    assert registry.for_value(PurePosixPath("x")).id == "json/1"
    assert registry.for_value([Path("x")]).id == "json/1"
    assert not PATHS.accepts(Special("x"))
