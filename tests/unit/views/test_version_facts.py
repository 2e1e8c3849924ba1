"""What a version is and holds."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import pytest

from lineal import Client, pipeline, step
from lineal.errors import ArtifactMissing, UsageError
from lineal.views import VersionView


@step
def write() -> tuple[Annotated[Path, "file"], Annotated[Path, "folder"], Annotated[int, "number"]]:
    Path("out/deep").mkdir(parents=True)
    Path("out/deep/b.txt").write_text("b")
    Path("out/a.txt").write_text("a")
    Path("one.txt").write_text("one")
    return Path("one.txt"), Path("out"), 7


@pipeline
def writing() -> None:
    write()


@pytest.fixture
def versions() -> dict[str, VersionView]:
    return dict(writing().steps["write"].outputs)


def test_a_version_tells_what_it_is(versions: dict[str, VersionView]) -> None:
    number = versions["number"]
    assert isinstance(number.id, uuid.UUID)
    assert (number.name, number.version, number.type, number.data_type, number.save_type) == ("number", "1", "int", "data", "step")
    assert number.materializer == "json/1"
    assert (number.size, [entry.path for entry in number.files], len(number.digest)) == (1, ["data.json"], 64)
    assert datetime.now(UTC) - number.created < timedelta(minutes=1)
    assert (number.tags, number.pinned) == ([], False)
    assert number.metadata == number.record.metadata
    assert number.uri == f"inline:{number.digest}"


def test_a_stored_version_is_in_the_folder_that_its_uri_names(versions: dict[str, VersionView]) -> None:
    folder = versions["folder"]
    root = Path(Client().active_stack.artifact_store.path)
    assert root.is_dir()
    assert Path(folder.uri).is_relative_to(root)
    assert Path(folder.uri).is_dir()


def test_registered_data_is_where_it_was(versions: dict[str, VersionView]) -> None:
    record = versions["folder"].record
    elsewhere = VersionView(replace(record, object=replace(record.object, external="s3://bucket/x")), versions["folder"].workspace)
    assert elsewhere.uri == "s3://bucket/x"


def test_the_path_of_one_file_is_that_file_and_of_several_their_folder(versions: dict[str, VersionView]) -> None:
    assert versions["file"].path.read_text() == "one"
    found = {path.name: path.read_text() for path in versions["folder"].path.rglob("*.txt")}
    assert found == {"a.txt": "a", "b.txt": "b"}


def test_a_value_without_a_file_says_what_to_use(versions: dict[str, VersionView]) -> None:
    with pytest.raises(UsageError, match=r"number@1 is small .* use load\(\), or download\(folder\)"):
        versions["number"].path


def test_every_value_can_be_downloaded(versions: dict[str, VersionView], tmp_path: Path) -> None:
    for name, version in versions.items():
        folder = version.download(tmp_path / "down" / name)
        assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {e.path for e in version.files}
    assert (tmp_path / "down/number/data.json").read_text() == "7"


def test_a_full_folder_is_refused_unless_it_may_be_overwritten(versions: dict[str, VersionView], tmp_path: Path) -> None:
    versions["number"].download(tmp_path / "down")
    with pytest.raises(UsageError, match="is not empty"):
        versions["number"].download(str(tmp_path / "down"))
    versions["number"].download(tmp_path / "down", overwrite=True)


def test_pruned_data_is_said_to_be(versions: dict[str, VersionView], tmp_path: Path) -> None:
    pruned = VersionView(replace(versions["folder"].record, state="pruned"), versions["folder"].workspace)
    for use in (lambda: pruned.path, lambda: pruned.download(tmp_path / "x"), pruned.load):
        with pytest.raises(ArtifactMissing, match="pruned"):
            use()


def test_data_is_kept_and_load_is_fresh(versions: dict[str, VersionView]) -> None:
    folder = versions["folder"]
    assert folder.data is folder.data
    assert versions["number"].load() == versions["number"].data == 7


def test_the_json_of_a_version_has_all_of_it(versions: dict[str, VersionView]) -> None:
    shown = versions["number"].to_json()
    assert shown["id"] == str(versions["number"].id)
    assert shown["created"].endswith("Z")
    assert {"name", "version", "uri", "digest", "size", "files", "type", "metadata", "tags", "state"} <= set(shown)
