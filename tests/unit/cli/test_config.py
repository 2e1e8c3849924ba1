"""`lineal config` and `lineal version`."""

import platform
from pathlib import Path

import pytest

from lineal.settings import setting_names


def test_each_setting_is_shown_with_its_source_and_variable(lineal, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("lineal.toml").write_text('pickle = "forbid"\n')
    monkeypatch.setenv("LINEAL_DURABILITY", "off")
    settings = {each["name"]: each for each in lineal("config", "--json").json["settings"]}
    assert list(settings) == setting_names()
    assert settings["durability"] == {"name": "durability", "value": "off", "source": "environment", "variable": "LINEAL_DURABILITY"}
    assert (settings["pickle"]["value"], settings["pickle"]["source"]) == ("forbid", str(Path("lineal.toml").absolute()))
    assert settings["quiet"]["value"] is False
    table = lineal("config").out.splitlines()
    assert table[0].split() == ["setting", "value", "from", "variable"]
    assert len(table) == len(settings) + 1


def test_secrets_are_not_shown(lineal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_TOKEN", "canary-1")
    monkeypatch.setenv("LINEAL_METADATA_STORE", "postgresql://me:canary-2@host/db")
    for arguments in (["config"], ["config", "--json"]):
        result = lineal(*arguments)
        assert "canary" not in result.out + result.err
        assert "(set, not shown)" in result.out
        assert "postgresql://me:***@host/db" in result.out


def test_a_wrong_setting_is_one_line(lineal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_DURABLITY", "off")
    result = lineal("config")
    assert result.code == 2
    assert result.err == "error: LINEAL_DURABLITY in the environment is not a setting; did you mean LINEAL_DURABILITY?\n"


def test_version_names_lineal_and_python(lineal) -> None:
    shown = lineal("version", "--json").json
    assert shown["python"] == platform.python_version()
    assert lineal("version").out == f"lineal {shown['lineal']} (Python {shown['python']})\n"
