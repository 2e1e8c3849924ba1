"""`lineal init`."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINEAL_HOME")


def test_init_makes_a_home_that_git_ignores_and_that_is_used_below_it(lineal, monkeypatch: pytest.MonkeyPatch) -> None:
    result = lineal("init")
    home = Path.cwd() / ".lineal"
    assert result == (0, f"{home} is made: what is run in this folder or below it is kept there\n", "")
    assert (home / ".gitignore").read_text() == "*\n"
    Path("deep/er").mkdir(parents=True)
    monkeypatch.chdir("deep/er")
    assert {"name": "home", "value": str(home)}.items() <= lineal("config", "--json").json["settings"][0].items()


def test_init_again_changes_nothing(lineal) -> None:
    assert lineal("init", "--json").json["new"] is True
    (Path(".lineal") / "kept").write_text("x")
    assert lineal("init", "--json").json["new"] is False
    assert (Path(".lineal") / "kept").exists()


def test_another_home_that_wins_is_said(lineal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINEAL_HOME", str(tmp_path / "elsewhere"))
    assert f"LINEAL_HOME says {tmp_path / 'elsewhere'} (environment), and that wins" in lineal("init").err


def test_init_needs_a_folder(lineal) -> None:
    assert lineal("init", "nowhere") == (2, "", "error: nowhere is not a folder; make it first\n")
    Path(".lineal").write_text("")
    result = lineal("init")
    assert result.code == 2
    assert "is a file" in result.err
