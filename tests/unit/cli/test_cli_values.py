"""`lineal artifact load`, `download`, `save` and `register`."""

import os
from pathlib import Path

import pytest

from lineal import Client, save_artifact


@pytest.fixture
def folder() -> Path:
    """Give a folder in the working directory."""
    root = Path("images")
    (root / "a").mkdir(parents=True)
    (root / "a/1.bin").write_bytes(b"1" * 10)
    (root / "2.txt").write_text("two")
    return root.absolute()


def test_load_prints_the_value(lineal) -> None:
    """Text as it is, anything else as Python shows it; what a terminal would obey does not get through there."""
    save_artifact({"b": (1, None)}, "value")
    save_artifact({"b": 2}, "value")
    save_artifact("two\nlines", "text")
    assert lineal("artifact", "load", "value@1").out == "{'b': (1, None)}\n"
    assert lineal("artifact", "load", "value").out == "{'b': 2}\n"
    assert lineal("artifact", "load", "text").out == "two\nlines\n"


@pytest.mark.parametrize("size", [1, 100_000])
def test_load_json_prints_what_is_stored(lineal, size: int) -> None:
    """Typed JSON, from the row or from the store, without the value's class; what is no JSON says what to do."""
    save_artifact({"b": (1, None), "c": "x" * size}, "value")
    shown = lineal("artifact", "load", "value", "--json").json
    assert shown["c"] == "x" * size
    assert shown["b"] != [1, None]  # a tuple is no list
    save_artifact(b"123", "raw")
    result = lineal("artifact", "load", "raw", "--json")
    assert result.code == 2
    assert "raw@1 is stored as bytes/1, which is not JSON; use lineal artifact download" in result.err


def test_a_file_or_folder_is_loaded_as_its_path(lineal, folder: Path) -> None:
    """A private copy would be gone with the process."""
    lineal("artifact", "register", folder, "--name", "images")
    assert lineal("artifact", "load", "images").out == f"{folder}\n"


def test_save_stores_a_copy_of_a_file_or_folder(lineal, folder: Path) -> None:
    """With everything that is said of it; the copy comes back with download."""
    result = lineal(
        "artifact", "save", "images", "--name", "images", "--tag", "raw", "--tag", "eu", "--data-type", "model", "--version", "v1"
    )
    assert result.code == 0, result.err
    assert result.out.startswith("saved images@v1: 2 files, 13 B, ")
    version = Client().get_artifact_version("images")
    assert (version.tags, version.data_type, version.save_type) == (["raw", "eu"], "model", "manual")
    (folder / "2.txt").unlink()
    assert lineal("artifact", "download", "images", "out").out == "images@v1: 2 files, 13 B in out\n"
    assert Path("out/images/2.txt").read_text() == "two"
    again = lineal("artifact", "download", "images", "out")
    assert (again.code, again.out) == (2, "")
    assert "is not empty" in again.err
    done = lineal("artifact", "download", "images@v1", "out", "--overwrite", "--json").json
    assert done == {"version": "images@v1", "folder": "out", "files": 2, "size": 13}


def test_register_leaves_the_bytes_where_they_are(lineal, folder: Path) -> None:
    """Unless a copy is asked for; `--json` gives the version."""
    result = lineal("artifact", "register", "images", "--name", "images")
    assert result.out == f"registered images@1: 2 files, 13 B, {folder}\n"
    assert lineal("artifact", "show", "images").out.count(str(folder)) == 1
    shown = lineal("artifact", "register", f"file://{folder}/2.txt", "--name", "two", "--mode", "copy", "--tag", "t", "--json").json
    assert (shown["name"], shown["version"], shown["tags"], shown["save_type"]) == ("two", "1", ["t"], "registered")
    assert shown["uri"] != str(folder / "2.txt")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("save", "missing", "--name", "x"), 3, "'missing' cannot be saved: there is no such file or folder"),
        (("register", "missing", "--name", "x"), 3, "'missing' cannot be registered: there is no such file or folder"),
        (("register", "s3://bucket/x", "--name", "x"), 2, "s3:// is not supported"),
        (("register", "images", "--name", "../x"), 2, "artifact name '../x' is not allowed"),
        (("register", "images", "--name", "x", "--data-type", "picture"), 2, "must be one of data, model"),
        (("register", "images"), 2, "Missing option '--name'"),
        (("register", "images", "--name", "x", "--mode", "move"), 2, "'move' is not one of"),
        (("load", "nothing"), 3, "no artifact has the name 'nothing'"),
        (("download", "nothing", "out"), 3, "no artifact has the name 'nothing'"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_the_remedy(lineal, folder: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    result = lineal("artifact", *arguments)
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1)
    assert message in result.err


def test_a_refused_folder_is_listed_on_one_line(lineal, folder: Path) -> None:
    """Also when its names hold line ends."""
    os.mkfifo(folder / "pi\npe")
    result = lineal("artifact", "register", folder, "--name", "x")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "is no plain file but a FIFO" in result.err
