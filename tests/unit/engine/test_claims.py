"""Claims on results: one holder at a time, among threads and processes, and none left behind."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineal.engine.claims import Claims, claims_at
from lineal.errors import StorageFull, StoreError
from lineal.model import digest

KEY, OTHER = digest.of("key/1", 1), digest.of("key/1", 2)

HOLD = """
import sys, time
from pathlib import Path
from lineal.engine.claims import Claims
claims = Claims(Path(sys.argv[1]))
print(claims.take(sys.argv[2]), flush=True)
time.sleep(60)
"""


def holder(path: Path, key: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path), key], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "True"
    return process


def test_a_key_has_one_holder_in_a_process(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    assert claims.take(KEY)
    assert not claims.take(KEY)
    assert claims.take(OTHER)
    claims.drop(KEY)
    claims.drop(KEY)
    assert claims.take(KEY)
    claims.drop(KEY)
    claims.drop(OTHER)
    claims.rest()


def test_a_key_has_one_holder_among_processes_and_none_after_the_holder_was_killed(tmp_path: Path) -> None:
    claims, process = Claims(tmp_path / "claims"), holder(tmp_path / "claims", KEY)
    try:
        assert not claims.take(KEY)
        assert claims.take(OTHER)
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while not claims.take(KEY):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate()
    for key in (KEY, OTHER):
        claims.drop(key)
    claims.rest()


def test_claims_write_nothing(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    claims.take(KEY)
    assert (tmp_path / "claims").stat().st_size == 0
    assert (tmp_path / "claims").stat().st_mode & 0o077 == 0
    claims.drop(KEY)
    claims.rest()


def test_the_file_is_closed_when_nothing_is_claimed_and_opened_again(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "claims")
    claims.take(KEY)
    claims.rest()
    process_cannot = subprocess.run([sys.executable, "-c", HOLD.replace("time.sleep(60)", ""), str(tmp_path / "claims"), KEY], capture_output=True, text=True, check=True)  # fmt: skip
    assert process_cannot.stdout.strip() == "False"  # a claim is held, so the file stays open
    claims.drop(KEY)
    claims.rest()
    assert claims.take(KEY)
    claims.drop(KEY)
    claims.rest()


def test_a_forked_child_has_none_of_its_parents_claims_and_breaks_none(tmp_path: Path) -> None:
    path = tmp_path / "claims"
    claims = claims_at(path)
    assert claims.take(KEY)
    child = os.fork()
    if child == 0:
        os._exit(10 + claims.take(KEY) + 2 * claims.take(OTHER))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 12  # not the parent's, but another
    done = subprocess.run([sys.executable, "-c", HOLD.replace("time.sleep(60)", ""), str(path), KEY], capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "False"  # the child's end dropped nothing of the parent's
    claims.drop(KEY)
    claims.rest()


def test_the_same_path_has_the_same_claims(tmp_path: Path) -> None:
    assert claims_at(tmp_path / "claims") is claims_at(tmp_path / "claims")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_file_that_finds_no_space_names_that_remedy(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not helped by doing without claims."""

    def full(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(StorageFull, match=r"claims could not be written: .*Free some space"):
        Claims(tmp_path / "claims").take(KEY)


def test_a_file_that_cannot_be_opened_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    with pytest.raises(StoreError, match=r"claims cannot be opened: .*LINEAL_SINGLE_FLIGHT=off"):
        Claims(tmp_path / "claims").take(KEY)
