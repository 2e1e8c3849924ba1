"""`lineal backup`."""

from pathlib import Path
from typing import Any

import pytest

from lineal import Client, save_artifact


def test_a_backup_says_what_it_holds_and_how_to_verify_it(lineal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is said works; what could not be copied makes the exit code 5."""
    save_artifact("x" * 100_000, "text")
    target = tmp_path / "back up"
    result = lineal("backup", target)
    assert (result.code, result.out) == (0, f"1 object, 100 kB, in {target}; copied 1, 100 kB\n")
    assert f"to verify it: 'LINEAL_HOME={target}' " in result.err
    assert lineal("backup", target, "--json").json["copied"] == 0
    assert lineal("backup", Path.cwd().parent).code == 2
    save_artifact("y" * 100_000, "gone")
    (Path(Client().get_artifact_version("gone").uri) / "data.json").unlink()
    result = lineal("backup", target)
    assert result.code == 5
    assert "not copied: data.json of object" in result.err
    monkeypatch.setenv("LINEAL_HOME", str(target))
    assert lineal("artifact", "load", "text").out == "x" * 100_000 + "\n"
