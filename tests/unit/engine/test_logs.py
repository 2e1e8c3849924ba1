"""What a step prints and logs reaches its log, as the user sees it, and nothing of the user's is changed by that."""

import logging
import sys
from pathlib import Path

import pytest

from lineal.engine.logs import StepLog, teeing


def written(folder: Path, *parts: str) -> str:
    log = StepLog(folder, "log")
    for part in parts:
        log.write(part)
    log.close()
    return log.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        (["one\n", "two\n"], "one\ntwo\n"),
        (["no end"], "no end\n"),
        (["\r10%", "\r20%", "\r100%\n"], "100%\n"),
        (["10%\r", "20%\r", "\n"], "20%\n"),
        (["windows\r", "\nnext\n"], "windows\nnext\n"),
        (["a\r\nb\r\n"], "a\nb\n"),
        (["lone surrogate \ud800\n"], "lone surrogate \\ud800\n"),
    ],
)
def test_lines_are_kept_in_their_last_state(tmp_path, parts, kept):
    assert written(tmp_path, *parts) == kept


def test_a_silent_step_makes_no_file(tmp_path):
    log = StepLog(tmp_path / "run", "log")
    log.close()
    assert not log.path.parent.exists()


def test_handlers_of_every_kind_reach_the_log_once_and_are_put_back(tmp_path, capsys):
    logger = logging.getLogger("lineal-test-logs")
    logger.propagate = False
    ordinary = logging.StreamHandler(sys.stderr)
    looks_up = logging._StderrHandler()  # has a stream that cannot be set
    log = StepLog(tmp_path, "log")
    stream = ordinary.stream
    for handler in (ordinary, looks_up):
        logger.addHandler(handler)
    try:
        with teeing(lambda: log):
            logger.warning("careful")
            print("printed")
    finally:
        logger.removeHandler(ordinary)
        logger.removeHandler(looks_up)
    log.close()
    assert log.path.read_text(encoding="utf-8") == "careful\ncareful\nprinted\n"
    assert ordinary.stream is stream
    assert capsys.readouterr().err == "careful\ncareful\n"


def test_a_log_that_cannot_be_written_does_not_disturb_the_step(tmp_path):
    (tmp_path / "file").touch()
    log = StepLog(tmp_path / "file", "log")
    log.write("lost\n")
    log.close()
    assert isinstance(log.failure, OSError)
