"""`lineal doctor`."""

from pathlib import Path
from typing import Any


def test_doctor_says_what_it_found_and_ends_with_5_for_a_problem(lineal: Any, lineal_home: Path) -> None:
    """People get a table, programs get JSON."""
    result = lineal("doctor")
    assert result.code == 0, result.out
    assert "test of the database" in result.out
    found = lineal("doctor", "--json")
    assert (found.code, found.json["ok"]) == (0, True)
    assert {"name", "state", "found", "remedy"} == set(found.json["checks"][0])
    (lineal_home / "store" / "epoch").write_text("99")
    result = lineal("doctor")
    assert result.code == 5
    assert "put the newer one back" in result.out
