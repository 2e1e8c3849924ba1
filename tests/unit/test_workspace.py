"""The workspace: how a home comes to be."""

from pathlib import Path

import pytest

from lineal import files, pipeline, step
from lineal.errors import LinealWarning, SettingsError
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


@pytest.mark.parametrize("url", ["postgresql://me@host/db", "ftp://host", "lineal.db"])
def test_what_is_no_metadata_store_is_refused(tmp_path: Path, url: str) -> None:
    """By name, with what can be given."""
    workspace = Workspace(Settings.load({}, tmp_path, home=tmp_path / "home", metadata_store=url))
    with pytest.raises(SettingsError, match=rf"metadata_store '{url}' is not supported; use sqlite:///.* or the https:// address"):
        workspace.metadata.identity()


def test_a_server_is_chosen_by_its_address(tmp_path: Path) -> None:
    """Nothing is asked until something is needed; claims are kept in the home, apart for each server."""
    urls = ["https://lineal.example", "https://lineal.example/team"]
    spaces = [Workspace(Settings.load({}, tmp_path, home=tmp_path / "home", metadata_store=url)) for url in urls]
    assert [each.metadata.place for each in spaces] == urls
    assert [each.database for each in spaces] == [None, None]
    assert spaces[0].claims is not spaces[1].claims
    assert not spaces[0].metadata.takes_bytes


def test_a_token_that_would_travel_in_the_clear_is_told(tmp_path: Path) -> None:
    """Anybody on the way could read it; on this machine there is nobody on the way."""
    settings = Settings.load({}, tmp_path, home=tmp_path / "home", metadata_store="http://lineal.example:8237")
    with pytest.warns(LinealWarning, match=r"http://lineal\.example:8237 .* in the clear; use https"):
        _ = Workspace(settings).metadata


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
