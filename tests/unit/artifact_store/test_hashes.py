"""Remembered digests: given only for what has certainly not changed, and never from a damaged file."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.artifact_store import hashes
from lineal.artifact_store.hashes import Hashes, is_quiet, stamp_of

NOW = 1_700_000_000_000_000_000
OLD = (1, 5, NOW - 10**12 + 1, NOW - 10**12 + 1)


def names(n: int) -> dict[str, tuple[tuple[int, int, int, int], str]]:
    return {f"f{i}": ((i, 5, OLD[2], OLD[3]), f"{i:064x}") for i in range(n)}


def test_what_was_learned_is_known_to_the_next_process(tmp_path: Path):
    """Under the exact stamp, in the same place, and nowhere else."""
    Hashes(tmp_path / "h", "/data").learn(names(3), NOW, forget=True)
    known = Hashes(tmp_path / "h", "/data")
    assert known.get("f2", names(3)["f2"][0]) == f"{2:064x}"
    for place in range(4):
        other = list(names(3)["f2"][0])
        other[place] += 1
        assert known.get("f2", tuple(other)) is None
    assert known.get("f9", OLD) is None
    assert Hashes(tmp_path / "h", "/data2").get("f2", names(3)["f2"][0]) is None
    assert Hashes(None, "/data").get("f2", names(3)["f2"][0]) is None


def test_forgetting_keeps_only_what_is_there_now(tmp_path: Path):
    """Files that were removed leave nothing behind."""
    known = Hashes(tmp_path, "/data")
    known.learn(names(3), NOW, forget=True)
    known.learn(names(1), NOW, forget=False)
    assert known.get("f2", names(3)["f2"][0])
    known.learn(names(1), NOW, forget=True)
    assert Hashes(tmp_path, "/data").get("f2", names(3)["f2"][0]) is None


@pytest.mark.parametrize(
    ("modified", "changed", "quiet"),
    [
        (NOW - 10**9 + 1, NOW - 10**9 + 1, True),
        (NOW - 10**7, NOW - 10**12 + 1, False),  # the content changed just now
        (NOW - 10**12, NOW - 10**7 + 1, False),  # a tool set the time of the content back; the inode tells
        (NOW + 10**12, NOW - 10**12 + 1, False),  # from the future: somebody's clock is wrong
        (NOW - 2 * 10**9, NOW - 2 * 10**9, False),  # whole seconds: the file system may know nothing finer
        (NOW - 4 * 10**9, NOW - 4 * 10**9, True),
    ],
)
def test_a_file_that_changed_a_moment_ago_is_not_remembered(tmp_path: Path, modified: int, changed: int, quiet: bool):
    """A second change in the same tick of the clock would leave the same stamp."""
    stamp = (1, 5, modified, changed)
    assert is_quiet(stamp, NOW) is quiet
    known = Hashes(tmp_path, "/data")
    known.learn({"f": (stamp, "a" * 64)}, NOW, forget=True)
    assert (Hashes(tmp_path, "/data").get("f", stamp) is not None) is quiet


def test_where_the_system_does_not_tell_changes_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch):
    """On Windows a tool can change a file and set its times back."""
    monkeypatch.setattr("sys.platform", "win32")
    assert not is_quiet(OLD, NOW)


@given(st.binary(max_size=60), st.integers(0, 400), st.sampled_from(["cut", "flip", "add", "other"]))
def test_a_damaged_file_is_as_good_as_none(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, how: str):
    """Whatever happened to it: nothing is known then, or exactly what was written."""
    folder = tmp_path_factory.mktemp("hashes")
    Hashes(folder, "/data").learn(names(2), NOW, forget=True)
    [file] = folder.iterdir()
    data = file.read_bytes()
    at %= len(data)
    damaged = {
        "cut": data[:at],
        "flip": data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
        "add": data + b"x" + noise,
        "other": noise,
    }[how]
    file.write_bytes(damaged)
    assert Hashes(folder, "/data").get("f1", names(2)["f1"][0]) is None


def test_an_unknown_format_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A later Lineal may write another one beside it."""
    monkeypatch.setattr(hashes, "_MAGIC", b"lineal-hashes/9\n")
    Hashes(tmp_path, "/data").learn(names(2), NOW, forget=True)
    monkeypatch.undo()
    assert Hashes(tmp_path, "/data").get("f1", names(2)["f1"][0]) is None


@pytest.mark.parametrize("name", ["a\nb", "é", os.fsdecode(b"\xff\xfe")])
def test_any_file_name_can_be_remembered(tmp_path: Path, name: str):
    """Also one that is no text."""
    Hashes(tmp_path, "/data").learn({name: (OLD, "a" * 64)}, NOW, forget=True)
    assert Hashes(tmp_path, "/data").get(name, OLD) == "a" * 64


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """The digests are right all the same."""
    (tmp_path / "file").touch()
    known = Hashes(tmp_path / "file", "/data")
    with caplog.at_level("INFO", "lineal"):
        known.learn(names(1), NOW, forget=True)
    assert "could not be kept" in caplog.text
    assert known.get("f0", names(1)["f0"][0])


def test_old_places_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """So the folder does not grow for ever."""
    monkeypatch.setattr(hashes, "MOST_FILES", 3)
    for n in range(5):
        Hashes(tmp_path / "h", f"/data{n}").learn(names(1), NOW, forget=True)
        for file in (tmp_path / "h").iterdir():
            os.utime(file, (file.stat().st_mtime - 10,) * 2)
    assert len(list((tmp_path / "h").iterdir())) == 3
    assert Hashes(tmp_path / "h", "/data4").get("f0", names(1)["f0"][0])
    assert Hashes(tmp_path / "h", "/data0").get("f0", names(1)["f0"][0]) is None


def test_a_stamp_tells_a_file_that_was_replaced(tmp_path: Path):
    """Same size and same time of content: the inode is another one."""
    for name in "ab":
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1, 1))
    one = stamp_of((tmp_path / "a").stat())
    (tmp_path / "b").replace(tmp_path / "a")
    assert stamp_of((tmp_path / "a").stat()) != one
    assert not is_quiet(stamp_of((tmp_path / "a").stat()), time.time_ns() - 10**9)
