"""What a dead run says it died of, from what its process last wrote and from what the system counts."""

import json
import re
from pathlib import Path

import pytest

from lineal import memory
from lineal.host import LifeSign, Vitals, boot_id, host_name
from lineal.views.crashes import cause_of_death

TOKEN = f"{host_name()}:1:dead0000"
GB = 10**9


@pytest.mark.parametrize(
    ("vitals", "kills", "reason"),
    [
        (None, 0, "killed: its process ended without finishing it"),
        (Vitals("another boot", GB, 16 * GB, {}), 0, "lost: the machine was started anew"),
        (Vitals(boot_id(), GB, 16 * GB, {"count": 3}), 3, "killed: .* by a signal or a crash in native code; it had used 1.0 GB of 16 GB"),
        (Vitals(boot_id(), GB, 16 * GB, {"count": 3}), 4, "out of memory: .*; it had used 1.0 GB of 16 GB"),
        (Vitals(boot_id(), 15 * GB, 16 * GB, {}), 0, "out of memory: .*; it had used 15 GB of 16 GB"),
        (Vitals(boot_id(), 15 * GB, 16 * GB, {"count": 3}), 3, "killed: "),
        (Vitals(boot_id(), None, None, {}), 0, "killed: .* native code$"),
    ],
    ids=["no last words", "another boot", "killed", "counted", "near the limit", "near the limit and not counted", "a silent system"],
)
def test_the_cause_is_what_is_known(
    vitals: Vitals | None, kills: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that the system keeps beats a guess from how much was used."""
    life = LifeSign(tmp_path)
    if vitals is not None:
        (tmp_path / f"{TOKEN.replace(':', '-')}.lock").write_text(json.dumps(vitals))
    monkeypatch.setattr(memory, "_killed", lambda place: kills)
    assert re.match(reason, cause_of_death(TOKEN, life))


def test_half_a_word_is_no_word(tmp_path: Path) -> None:
    """What was being written when the process died is not read as anything."""
    (tmp_path / f"{TOKEN.replace(':', '-')}.lock").write_text('["boot", 12')
    assert cause_of_death(TOKEN, LifeSign(tmp_path)).startswith("killed: ")
