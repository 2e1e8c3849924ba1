"""Faults F13 to F32: disks that are full, broken or not there, and files that are not what they were."""

import sys
from pathlib import Path
from typing import Any

import pytest

LIMITED = """
    import os, resource, signal, sys
    import numpy as np
    from lineal import pipeline, save_artifact, step
    from lineal.errors import StorageFull, StoreError

    def limit(bytes):  # a real limit of the system: a write beyond it fails with EFBIG
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))

    @step
    def large(n: int) -> tuple[np.ndarray, int]:
        if n > 2:
            limit(8 << 20)
        return np.arange(float(n)), n

    @step
    def small(n: int) -> int:
        if n:
            limit(os.path.getsize(os.environ["LINEAL_HOME"] + "/lineal.db-wal"))
        return n

    @pipeline
    def saving(n: int):
        large(n)

    @pipeline
    def recording(n: int):
        small(n)

    saving(1), recording(0)
    here = sys.argv[1]
    try:
        if here == "files":
            saving(2_000_000)
        elif here == "facts":
            recording(7)
        else:
            limit(8 << 20)
            save_artifact(np.arange(2_000_000.0), "by_hand")
    except StoreError as error:
        assert here == "facts" or isinstance(error, StorageFull)  # SQLite does not tell a limit from another trouble of the disk
        assert np.max(error.value) == (7 if here == "facts" else 1_999_999)
        assert set(error.values) == {"files": {"output_0", "output_1"}, "facts": {"output"}, "hand": set()}[here], error.values
        print("kept")
    """


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limit on the size of files")
@pytest.mark.parametrize(("here", "orchestrator"), [("files", "local"), ("files", "processes"), ("facts", "local"), ("hand", "local")])
def test_f16_what_a_full_disk_does_not_take_hangs_on_the_exception(
    here: str, orchestrator: str, ended: Any, monkeypatch: pytest.MonkeyPatch, lineal_home: Path
) -> None:
    """The limit is met by the files of a value, by the facts of a step, and by what a script saves; staging is empty after each."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", orchestrator)
    code, out, err = ended(LIMITED, here)
    assert (code, out.splitlines()[-1:]) == (0, ["kept"]), err
    assert list((lineal_home / "store/staging").iterdir()) == []
