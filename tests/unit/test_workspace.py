"""The workspace: how a home comes to be."""

from pathlib import Path

import pytest

from lineal import files, pipeline, step
from lineal.settings import Settings
from lineal.workspace import Workspace


@step
def one() -> int:
    """A step."""
    return 1


@pipeline
def ones() -> None:
    """A pipeline."""
    one()


@pytest.mark.parametrize("part", ["life", "metadata", "artifact_store", "artifacts"])
def test_whichever_part_is_used_first_the_home_is_made_as_a_whole(tmp_path: Path, part: str) -> None:
    """Whoever comes first, the home ignores itself in git."""
    home = tmp_path / "project" / ".lineal"
    getattr(Workspace(Settings.load({}, tmp_path, home=home)), part)
    assert (home / ".gitignore").read_text() == "*\n"


def test_a_new_home_survives_a_power_cut_before_anything_in_it_is_reported_done(
    lineal_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in a folder is lost with the folder's own name, so the folder above is synced too."""
    synced: list[str] = []
    monkeypatch.setattr(files, "sync_folder", synced.append)
    ones()
    assert synced == [str(tmp_path)]
    assert (lineal_home / ".gitignore").exists()


def test_a_database_apart_survives_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All folders that were not there are synced into those above them, nearest first."""
    synced: list[str] = []
    monkeypatch.setattr(files, "sync_folder", synced.append)
    (tmp_path / "home").mkdir()
    url = f"sqlite:///{tmp_path}/a/b/facts.db"
    Workspace(Settings.load({}, tmp_path, home=tmp_path / "home", metadata_store=url)).metadata.identity()
    assert synced == [f"{tmp_path}/a", str(tmp_path)]
