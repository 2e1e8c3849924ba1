"""`lineal verify`."""

from pathlib import Path
from typing import Any

from lineal import Client, save_artifact


def test_verify_says_what_is_lost_who_made_it_and_how_to_get_it_back(lineal: Any, trained: list[str]) -> None:
    """0 when all is well, 5 when something is lost, also when it was dealt with; 0 again afterwards."""
    result = lineal("verify")
    assert (result.code, result.out.splitlines()[-1].split(":")[-1]) == (0, " all is well")
    save_artifact("x" * 100_000, "text")
    (Path(Client().get_artifact_version("text").uri) / "data.json").unlink()
    result = lineal("verify", "--read-data")
    assert result.code == 5
    assert "missing: text@1\n" in result.out
    assert "made by      saved by save_artifact on " in result.out
    assert "get it back  save text@1 again" in result.out
    result = lineal("verify", "--repair", "--json")
    assert result.code == 5
    assert result.json["problems"][0]["repaired"] == "marked as lost: 1 version"
    result = lineal("verify", "--json")
    assert (result.code, result.json["ok"], result.json["lost"]) == (0, True, ["text@1"])
    assert "marked as lost before: text@1" in lineal("verify").out


def test_verify_lists_what_is_left_over(lineal: Any, trained: list[str]) -> None:
    """What killed runs leave is no problem; a repair puts it aside."""
    store = Client().workspace.artifact_store
    store.seal_bytes("data.bin", b"left")
    store.stage()
    (Path(store.url) / "objects" / "stray").touch()
    out = lineal("verify").out
    assert "1 object without a record, which do no harm; --repair puts them into quarantine" in out
    assert "1 file or folder among the objects that are none; --repair puts them into quarantine: stray" in out
    result = lineal("verify", "--repair", "--older-than", "0s")
    assert result.code == 0
    assert "1 unfinished write, swept" in result.out
    assert "2 put into quarantine" in result.out
    assert lineal("verify").out.count("\n") == 1
    assert lineal("verify", "--older-than", "soon").code == 2
