"""Faults F13 to F32, and F46: disks that are full, broken or not there, and files that are not what they were."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineal import Client, register_artifact, save_artifact
from lineal.errors import StorageFull, StoreMismatch
from lineal.materializers.numpy import ArrayMaterializer

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


MANY = 5_000


def test_five_thousand_files_are_one_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered, and saved as a copy: one content, whole when it is loaded, and one more file is another content."""
    monkeypatch.setenv("LINEAL_DURABILITY", "off")  # nothing here depends on how long a disk takes to sync
    for number in range(MANY):
        folder = tmp_path / "data" / str(number // 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_text(str(number))
    registered = register_artifact(tmp_path / "data", "many")
    saved = save_artifact(tmp_path / "data", "saved")
    assert registered.record.object.digest == saved.record.object.digest
    assert len(saved.record.object.files) == MANY
    loaded = saved.load()
    assert [(loaded / str(n // 100) / f"{n}.txt").read_text() for n in range(MANY)] == [str(n) for n in range(MANY)]
    (tmp_path / "data/one-more.txt").write_text("")
    assert register_artifact(tmp_path / "data", "many").record.object.digest != saved.record.object.digest
    assert Client().get_artifact_version("many", version=1).record.object.digest == saved.record.object.digest


KILLED = """
    import os
    from lineal import save_artifact

    save_artifact(b"x" * 40_000, "kept")
    os._exit(0)  # nothing copies the log into the database
    """


def test_f46_a_database_that_lost_its_log_is_an_older_one(ended: Any, lineal_home: Path) -> None:
    """As after a bare copy of the one file, under a process that goes on: what it does not know is not taken for a leftover."""
    client = Client()
    save_artifact(b"y" * 40_000, "first")
    save_artifact(b"z" * 40_000, "loose")
    client.delete_artifact("loose")
    client.workspace.metadata.close()
    code, _, err = ended(KILLED)
    assert code == 0, err
    assert (lineal_home / "lineal.db-wal").stat().st_size
    for name in ("lineal.db-wal", "lineal.db-shm"):
        (lineal_home / name).unlink()
    again = Client()
    assert again.get_artifact_version("first").load() == b"y" * 40_000
    with pytest.raises(StoreMismatch, match="older"):
        again.prune_artifacts(older_than="0 seconds")
    assert [each.kind for each in again.verify().problems] == ["older"]
    assert len(list(again.workspace.artifact_store.digests())) == 2  # "first" and "kept"


def test_f13_a_quota_that_numpy_does_not_name_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy says only how much of its array was written; the value hangs on the error, and the next save works."""
    value = np.arange(5000)
    save = ArrayMaterializer.save

    def cut_short(self: ArrayMaterializer, value: Any, folder: Path) -> None:
        (folder / "data.npy").write_bytes(b"half")
        raise OSError("5000 requested and 512 written")

    monkeypatch.setattr(ArrayMaterializer, "save", cut_short)
    with pytest.raises(StorageFull, match=r"took only a part of what was written .*Free some space") as caught:
        save_artifact(value, "array")
    assert caught.value.value is value
    monkeypatch.setattr(ArrayMaterializer, "save", save)
    assert save_artifact(value, "array").version == "1"


CUT_SHORT = """
    import resource, signal
    import numpy as np
    from lineal import Client, save_artifact
    from lineal.errors import StorageFull

    whole, seen = 128 + 3000 * 8, 0
    for limit in [*range(16_384 + 100, whole, 500), whole - 1]:  # beyond the blocks that the C library writes at once
        array = np.arange(3000.0) + limit
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        for value in (array, np.ma.masked_less(array, 5)):
            try:
                save_artifact(value, "array")
            except StorageFull as error:
                assert "Free some space" in str(error), error
                seen += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(seen, len(Client().list_artifact_versions()))
    """


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limit on the size of files")
def test_f16_an_array_without_its_end_is_not_saved(ended: Any) -> None:
    """NumPy does not look whether the last block, which it leaves to the C library, was written when it closes the file."""
    code, out, err = ended(CUT_SHORT)
    assert (code, out.split()) == (0, ["34", "0"]), err
