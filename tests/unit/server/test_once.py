"""What is asked for twice under one key is done once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lineal.errors import KeyReused, NotFound
from lineal.server import once as module
from lineal.server.once import SECONDS, Once


def test_the_first_answer_is_given_again() -> None:
    """Also when it was an error."""
    once, done = Once(), []

    def work() -> bytes:
        done.append(1)
        return b"answer"

    def fail() -> bytes:
        done.append(2)
        raise NotFound("gone")

    assert [once.answer("a", b"r", work) for _ in range(3)] == [b"answer"] * 3
    for _ in range(2):
        with pytest.raises(NotFound, match="gone"):
            once.answer("b", b"r", fail)
    assert done == [1, 2]


def test_a_key_stands_for_one_request() -> None:
    """F65: with another body it is refused."""
    once = Once()
    once.answer("a", b"one", lambda: b"")
    with pytest.raises(KeyReused, match="another request"):
        once.answer("a", b"two", lambda: b"")


def test_who_comes_while_it_is_being_done_waits() -> None:
    """A client that gave up waiting asks again on another connection."""
    once, begun, go, done = Once(), threading.Event(), threading.Event(), []

    def work() -> bytes:
        done.append(1)
        begun.set()
        assert go.wait(10)
        return b"answer"

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(once.answer, "a", b"r", work)
        assert begun.wait(10)
        others = [pool.submit(once.answer, "a", b"r", work) for _ in range(3)]
        go.set()
        assert [each.result(10) for each in (first, *others)] == [b"answer"] * 4
    assert done == [1]


def test_an_error_that_nobody_foresaw_is_tried_again() -> None:
    """Nobody knows what became of it."""
    once, answers = Once(), iter([ZeroDivisionError(), b"answer"])

    def work() -> bytes:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(ZeroDivisionError):
        once.answer("a", b"r", work)
    assert once.answer("a", b"r", work) == b"answer"


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By time, by number and by size."""
    now = [0.0]
    once, done = Once(lambda: now[0]), []

    def work() -> bytes:
        done.append(1)
        return b"x" * 10

    once.answer("a", b"r", work)
    now[0] = SECONDS + 1
    once.answer("a", b"r", work)
    assert len(done) == 2
    monkeypatch.setattr(module, "MOST_BYTES", 25)
    for key in "bcd":
        once.answer(key, b"r", work)
    once.answer("a", b"r", work)
    assert len(done) == 6
    monkeypatch.setattr(module, "MOST", 2)
    for key in "efg":
        once.answer(key, b"r", work)
    assert len(once._kept) <= 2
