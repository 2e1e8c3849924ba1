"""Doctor: what is well is said to be well, and each thing that is not is named with its remedy."""

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from lineal import Client, doctor, save_artifact
from lineal.artifact_store import fsops
from lineal.doctor import Check
from lineal.metadata_store import connections
from lineal.settings import Settings
from lineal.workspace import Workspace


def checks() -> dict[str, Check]:
    return {check.name: check for check in Client().doctor()}


@pytest.fixture
def home() -> Path:
    save_artifact("x" * 100_000, "text")
    return Client().workspace.settings.home


def test_a_healthy_home_has_no_problem_and_is_left_as_it_was(home: Path) -> None:
    """Scratch data is gone afterwards."""
    before = sorted(home.rglob("*"))
    found = checks()
    assert {check.state for check in found.values()} <= {"ok", "note"}
    assert {
        "lineal",
        "SQLite",
        "durability",
        "metadata store",
        "artifact store",
        "test of the database",
        "test of the artifact store",
    } <= set(found)
    assert [path for path in sorted(home.rglob("*")) if path not in before] == []
    assert {check.name: check.remedy for check in found.values() if check.state == "problem"} == {}


@pytest.mark.parametrize(
    ("version", "state"), [((3, 40, 1), "note"), ((3, 44, 6), "ok"), ((3, 50, 6), "note"), ((3, 51, 3), "ok"), ((3, 34, 0), "problem")]
)
def test_the_sqlite_found_is_judged(home: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], state: str) -> None:
    """By what is known of it: too old, with the bug of the log, or fixed."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert next(check for check in doctor._versions() if check.name == "SQLite").state == state


@pytest.mark.parametrize(
    ("version", "has"),
    [((3, 6, 9), False), ((3, 7, 0), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 45, 0), True), ((3, 50, 7), False),
     ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False)],
)  # fmt: skip
def test_which_releases_can_damage_their_log(version: tuple[int, ...], has: bool) -> None:
    """Three branches have the fix."""
    assert connections.has_reset_bug(version) is has


def test_a_store_that_lost_its_identity_is_a_problem(home: Path) -> None:
    """And what else can be looked at is looked at."""
    Client().workspace.metadata.close()
    (home / "store" / "store.json").unlink()
    found = Client(Workspace(Settings.load())).doctor()
    problems = [check for check in found if check.state == "problem"]
    assert [check.name for check in problems] == ["artifact store", "test of the artifact store"]
    assert "store.json" in problems[0].found
    assert any(check.name == "metadata store" and check.state == "ok" for check in found)


def test_an_older_database_is_a_problem(home: Path) -> None:
    """With both remedies."""
    (home / "store" / "epoch").write_text("99")
    assert "lineal verify --repair" in checks()["stores together"].remedy


def test_stores_that_do_not_belong_together_are_a_problem(home: Path) -> None:
    """The facts name another artifact store."""
    db = sqlite3.connect(home / "lineal.db", isolation_level=None)
    db.execute("UPDATE meta SET value = 'another' WHERE key = 'artifact_store'")
    db.close()
    assert checks()["stores together"].state == "problem"


def test_little_space_and_open_permissions_are_noted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They work, and there is something to do."""
    usage = SimpleNamespace(total=10, used=9, free=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    home.chmod(0o777)
    found = checks()
    assert (found["space for the home"].state, found["permissions of the home"].state) == ("note", "note")
    assert "go-w" in found["permissions of the home"].remedy


def test_what_cannot_be_written_is_a_problem(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root everything can be written, so the system's answer is given here."""
    monkeypatch.setattr("os.access", lambda *_: False)
    assert checks()["permissions of the database"].state == "problem"


def test_a_disk_that_does_not_keep_what_is_written_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test reads what it wrote."""
    real = fsops.write_new
    monkeypatch.setattr(fsops, "write_new", lambda path, data, *mode: real(path, b"\0" * len(data) if len(data) > 10_000 else data, *mode))
    assert checks()["test of the artifact store"].state == "problem"


@pytest.mark.parametrize("durability", ["step", "run", "off"])
def test_the_durability_in_force_is_said(durability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words: what a kill and what a power cut loses."""
    monkeypatch.setenv("LINEAL_DURABILITY", durability)
    assert checks()["durability"].found.startswith(f"{durability}: ")
