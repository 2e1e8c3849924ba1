"""`register_artifact`: any file or folder becomes a version, where it lies or as a copy."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import Client, load_artifact, pipeline, register_artifact, save_artifact, step
from lineal.errors import ArtifactCorrupted, ArtifactMissing, DataChanged, InvalidName, PathNotFound, UsageError, VersionExists
from lineal.host import host_name
from lineal.workspace import open_workspace


def content(path: Path) -> dict[str, Any]:
    """Give what is under a path: contents of files, None for folders, targets of links."""
    found: dict[str, Any] = {}
    for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
        name = each.relative_to(path.parent).as_posix()
        found[name] = str(each.readlink()) if each.is_symlink() else each.read_bytes() if each.is_file() else None
    return found


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Give a folder of some depth."""
    root = tmp_path / "data" / "images"
    (root / "a/b/c").mkdir(parents=True)
    (root / "none").mkdir()
    (root / "a/b/c/1.bin").write_bytes(b"1" * 10)
    (root / "2.bin").write_bytes(b"2" * 20)
    (root / "two").symlink_to("2.bin")
    time.sleep(0.12)  # so that what is read now is remembered
    return root


@pytest.fixture(params=["local", "processes"])
def orchestrator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run steps in this process, and in worker processes."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", request.param)
    yield request.param
    if request.param == "processes":
        open_workspace()._workers().shutdown(cancel_futures=True)


MODES = pytest.mark.parametrize("mode", ["reference", "copy"])


@MODES
def test_any_local_path_or_file_url_can_be_registered(images: Path, mode: Any):
    """Files and folders of any depth; the version says what it is."""
    os.chdir(images.parent)
    for uri in ("images", images, f"file://{images}"):
        version = register_artifact(uri, "images", mode=mode)
        assert (version.save_type, version.type, version.data_type, version.materializer) == (
            "registered", "pathlib.Path", "data", "pathlib.Path/1",
        )  # fmt: skip
        assert version.metadata["files"] == 4
        assert version.size == 50 + len(b'["images/none"]')
    file = register_artifact(images / "2.bin", "two", mode=mode)
    assert [entry.path for entry in file.files] == ["2.bin"]
    assert file.load().read_bytes() == b"2" * 20


@MODES
def test_everything_that_is_said_is_kept(images: Path, mode: Any):
    """Version, kind, tags, metadata."""
    version = register_artifact(images, "images", "v1", "model", ["raw"], {"source": "camera"}, mode)
    assert (version.version, version.data_type, version.tags, version.metadata["source"]) == ("v1", "model", ["raw"], "camera")


@MODES
def test_load_gives_a_path_on_a_private_copy_with_the_original_name(images: Path, mode: Any):
    """Writable, and nobody else's."""
    version = register_artifact(images, "images", mode=mode)
    one, other = version.load(), load_artifact("images")
    assert one.name == other.name == "images"
    assert one != other
    assert content(one) == {**content(images), "images/two": b"2" * 20}
    (one / "2.bin").write_text("mine")
    (one / "new").touch()
    assert (other / "2.bin").read_bytes() == (images / "2.bin").read_bytes() == b"2" * 20
    assert content(version.load()) == content(other)


@MODES
def test_path_gives_the_place_in_place(images: Path, mode: Any, lineal_home: Path):
    """The registered path itself for a reference; inside the store, under its name, for a copy."""
    version = register_artifact(images, "images", mode=mode)
    assert version.path.name == "images"
    assert (version.path == images) is (mode == "reference")
    assert version.path.is_relative_to(lineal_home) is (mode == "copy")
    assert (version.path / "a/b/c/1.bin").read_bytes() == b"1" * 10


@MODES
def test_download_gives_the_files_at_any_depth(images: Path, tmp_path: Path, mode: Any):
    """With empty folders, and nothing else."""
    folder = register_artifact(images, "images", mode=mode).download(tmp_path / "out")
    assert content(folder / "images") == {**content(images), "images/two": b"2" * 20}
    assert [each.name for each in folder.iterdir()] == ["images"]


def test_bytes_that_are_registered_stay_where_they_are(images: Path, lineal_home: Path):
    """They are not stored, and nothing of Lineal touches them."""
    before = content(images), images.stat().st_mtime_ns
    version = register_artifact(images, "images")
    assert version.uri == str(images)
    assert not list((lineal_home / "store").glob("objects/*/*"))
    version.load()
    assert (content(images), images.stat().st_mtime_ns) == before


def test_a_copy_is_independent_of_its_source(images: Path):
    """And says where it was taken from."""
    version = register_artifact(images, "images", mode="copy")
    assert version.metadata["source"] == str(images)
    before = content(version.load())
    (images / "2.bin").write_text("changed")
    (images / "a/b/c/1.bin").unlink()
    assert content(version.load()) == before


@MODES
def test_the_same_content_shares_one_object(images: Path, lineal_home: Path, mode: Any):
    """As a new version, as the same explicit version, and saved as a Path: one digest."""
    one, two = register_artifact(images, "images", mode=mode), register_artifact(images, "images", mode=mode)
    assert (one.version, two.version, one.digest) == ("1", "2", two.digest)
    first = register_artifact(images, "images", "v1", mode=mode)
    assert register_artifact(images, "images", "v1", mode=mode).id == first.id
    assert save_artifact(images, "saved").digest == one.digest
    assert len(list((lineal_home / "store").glob("objects/*/*"))) == 1
    (images / "2.bin").write_text("changed")
    with pytest.raises(VersionExists):
        register_artifact(images, "images", "v1", mode=mode)
    assert register_artifact(images, "images", mode=mode).digest != one.digest


def test_data_that_changed_since_is_noticed_when_it_is_loaded(images: Path, tmp_path: Path):
    """By load, path and download; the error names place and file."""
    version = register_artifact(images, "images")
    times = (images / "2.bin").stat()
    (images / "2.bin").write_bytes(b"3" * 20)
    os.utime(images / "2.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
    for read in (version.load, lambda: version.download(tmp_path / "out")):
        with pytest.raises(
            ArtifactCorrupted, match=r"images changed since it was registered: 2.bin holds other bytes; bring back"
        ) as caught:
            read()
    assert not (tmp_path / "out").exists()
    (images / "2.bin").write_bytes(b"longer than before" * 9)
    with pytest.raises(ArtifactCorrupted, match=r"2.bin had 20 bytes and has 162") as caught:
        version.path
    (images / "2.bin").unlink()
    with pytest.raises(ArtifactMissing, match=r"2.bin is gone") as caught:
        version.load()
    assert caught.value.__notes__ == ["while loading images@1"]
    (images / "2.bin").write_bytes(b"2" * 20)
    assert version.load().name == "images"


def odd(kind: str, folder: Path) -> None:
    """Make something in a folder that cannot be registered."""
    path = folder / "odd"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "socket":
            os.chdir(folder)  # the path of a socket must be short
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind("odd")
        case _:
            path.symlink_to({"outside": folder.parent, "dangling": "nothing", "loop": "odd", "device": "/dev/null"}[kind])


@MODES
@pytest.mark.parametrize("kind", ["outside", "dangling", "loop", "fifo", "socket", "device"])
def test_links_that_lead_outside_and_special_files_are_refused_with_a_list(images: Path, mode: Any, kind: str, lineal_home: Path):
    """And nothing is kept."""
    odd(kind, images)
    odd("fifo", images / "a")
    with pytest.raises(UsageError, match=r"because of 2 things in it: a/odd is no plain file but a FIFO; odd is (a link to|no plain file)"):
        register_artifact(images, "images", mode=mode)
    assert Client().list_artifact_versions().total == 0
    assert not list((lineal_home / "store").glob("objects/*/*"))


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("missing", PathNotFound),
        ("~/data", PathNotFound),
        ("$HOME", PathNotFound),
        ("a\0b", UsageError),
        ("", UsageError),
        ("s3://bucket/x", UsageError),
        ("http:///#/../../etc/", UsageError),
        ("//host/share", PathNotFound),
        ("file://host/etc", UsageError),
        (None, UsageError),
    ],
)
def test_what_is_not_there_or_not_a_place_is_a_typed_error(uri: Any, error: type):
    """It must exist; a casual `except FileNotFoundError` is enough."""
    with pytest.raises(error):
        register_artifact(uri, "x")
    assert issubclass(PathNotFound, FileNotFoundError)


@pytest.mark.parametrize(
    ("arguments", "error"), [({"name": "a/b"}, InvalidName), ({"mode": "move"}, UsageError), ({"version": "00"}, InvalidName)]
)
def test_what_is_said_is_checked_before_anything_is_read(
    images: Path, arguments: dict[str, Any], error: type, monkeypatch: pytest.MonkeyPatch
):
    """A folder may be large."""
    monkeypatch.setattr("lineal.artifact_store.external.External.scan", lambda *given: pytest.fail("it was read"))
    with pytest.raises(error):
        register_artifact(images, **{"name": "x", **arguments})


def test_the_stores_objects_are_refused_and_a_folder_in_the_store_is_taken():
    """Frameworks write their checkpoints below `active_stack.artifact_store.path`; in and out of the store is the same."""
    path = Path(Client().active_stack.artifact_store.path)
    digest = save_artifact(b"x" * 100_000, "x").digest
    for own in (path / "objects", path / "objects" / digest[:2] / digest, path, path.parent):
        with pytest.raises(UsageError, match="the artifact store"):
            register_artifact(own, "x")
    (path / "checkpoints/epoch-1").mkdir(parents=True)
    (path / "checkpoints/epoch-1/weights.bin").write_text("w")
    version = register_artifact(path / "checkpoints/epoch-1", "checkpoints", mode="reference")
    assert (version.load() / "weights.bin").read_text() == "w"
    assert version.path == path / "checkpoints/epoch-1"


def test_a_folder_that_changes_while_it_is_read_is_not_registered(images: Path, monkeypatch: pytest.MonkeyPatch):
    """Neither in place nor as a copy."""
    from lineal.engine.bar import ReadingBar

    monkeypatch.setattr(ReadingBar, "begin", lambda self, files, size: (images / "2.bin").write_bytes(os.urandom(20)))
    for mode in ("reference", "copy"):
        with pytest.raises(DataChanged, match=r"2.bin"):
            register_artifact(images, "images", mode=mode)  # type: ignore[arg-type]
    assert Client().list_artifact_versions().total == 0


def test_a_folder_that_changes_while_it_is_copied_is_not_registered(images: Path, monkeypatch: pytest.MonkeyPatch, lineal_home: Path):
    """What was read and what was copied must be one thing."""
    from lineal.artifact_store.external import External

    scan = External.scan

    def and_change(self: External, *given: Any) -> object:
        found = scan(self, *given)
        (images / "2.bin").write_bytes(b"other")
        return found

    monkeypatch.setattr(External, "scan", and_change)
    with pytest.raises(DataChanged, match=r"changed while it was copied.*2.bin"):
        register_artifact(images, "images", mode="copy")
    assert not list((lineal_home / "store").glob("*/*/*"))


# -- in steps


@step(enable_cache=False)
def train(folder: str, epochs: int) -> Annotated[str, "best"]:
    for epoch in range(epochs):
        checkpoint = Path(folder) / f"epoch-{epoch}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights.bin").write_bytes(bytes([epoch]))
        register_artifact(checkpoint, "checkpoints", tags=["best"] if epoch == 1 else None, artifact_metadata={"epoch": epoch})
    return str(Client().list_artifact_versions("checkpoints", tags="best")[0].load())


@step
def read(folder: Path) -> Annotated[tuple[str, bytes], "content"]:
    (folder / "weights.bin").write_bytes((folder / "weights.bin").read_bytes() + b"!")
    return str(folder), (folder / "weights.bin").read_bytes()


@pipeline
def training(folder: str):
    train(folder, 3)


@pipeline
def reading():
    read(Client().get_artifact_version("checkpoints", 2))


def test_a_training_step_registers_its_checkpoints(orchestrator: str, tmp_path: Path):
    """As further outputs of the step run; the copies that it loaded are gone when it has ended."""
    run = training(str(tmp_path / "out"))
    assert list(run.steps["train"].outputs) == ["best", "checkpoints@1", "checkpoints@2", "checkpoints@3"]
    assert not Path(run.steps["train"].output.load()).exists()
    version = Client().get_artifact_version("checkpoints", 2)
    assert (version.step.name, version.metadata["epoch"], version.tags) == ("train", 1, ["best"])


def test_a_registered_version_is_an_input_like_any_other(orchestrator: str, tmp_path: Path):
    """The step has a private copy, which is gone when it has ended; the registered bytes are untouched; the same again is a hit."""
    training(str(tmp_path / "out"))
    run = reading()
    place, found = run.steps["read"].output.load()
    assert found == b"\x01!"
    assert not Path(place).exists()
    assert Path(place).name == "epoch-1"
    assert (tmp_path / "out/epoch-1/weights.bin").read_bytes() == b"\x01"
    assert run.steps["read"].inputs["folder"].version == "2"
    assert reading().steps["read"].status == "cached"


def test_copies_are_gone_when_the_process_ends(images: Path, lineal_home: Path):
    """Outside of steps; also those beside the store."""
    register_artifact(images, "images")
    code = "import lineal; path = lineal.load_artifact('images'); assert path.is_dir(); print(path)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert not Path(done.stdout.strip()).parent.exists()


def test_a_copy_lies_beside_the_store_when_only_there_blocks_can_be_shared(
    images: Path, lineal_home: Path, monkeypatch: pytest.MonkeyPatch
):
    """On the file system of the data; what a killed process left there goes with the next copy."""
    from lineal import private

    monkeypatch.setattr(private, "_device", lambda path: 1 if str(path).startswith(tempfile.gettempdir() + os.sep) else 2)
    left = lineal_home / "copies" / f"{host_name()}~999999~dead"
    left.mkdir(parents=True)
    copy = register_artifact(images, "images").load()
    assert copy.is_relative_to(lineal_home / "copies")
    assert content(copy)
    assert not left.exists()


def test_reading_again_reads_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of many files, one."""
    from lineal.engine.bar import ReadingBar

    many = tmp_path / "many"
    for folder in range(10):
        (many / f"{folder}").mkdir(parents=True)
        for file in range(100):
            (many / f"{folder}/{file}").write_text(f"{folder} {file}")
    time.sleep(0.12)
    told: list[int] = []
    begin = ReadingBar.begin
    monkeypatch.setattr(ReadingBar, "begin", lambda self, files, size: (told.append(files), begin(self, files, size)))
    first = register_artifact(many, "many")
    (many / "3/33").write_text("changed")
    second = register_artifact(many, "many")
    assert told == [1000, 1]
    changed = set(second.files) ^ set(first.files)
    assert {entry.path for entry in changed} == {"many/3/33"}


def test_a_reference_and_a_copy_of_one_content_keep_their_own_ways(images: Path):
    """The copy does not change with the place; the reference is noticed."""
    reference, copy = register_artifact(images, "images"), register_artifact(images, "images", mode="copy")
    assert reference.digest == copy.digest
    (images / "2.bin").write_text("changed")
    assert (copy.load() / "2.bin").read_bytes() == b"2" * 20
    get = Client().get_artifact_version
    assert get("images", 2).load().name == "images"
    with pytest.raises(ArtifactCorrupted):
        get("images", 1).load()
