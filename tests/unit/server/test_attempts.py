"""How often somebody may try."""

import threading
from collections.abc import Callable

import pytest

from lineal.server.access import SignInRefused, TooManyAttempts
from lineal.server.attempts import FORGOTTEN, LONGEST, MOST, Attempts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock, free=3)


def fail(attempts: Attempts, *keys: str) -> None:
    with pytest.raises(SignInRefused), attempts.attempt(*keys):
        raise SignInRefused("no")


def waits(attempts: Attempts, *keys: str) -> float:
    with pytest.raises(TooManyAttempts) as caught, attempts.attempt(*keys):
        raise AssertionError
    return caught.value.seconds


def test_after_some_attempts_the_wait_doubles(attempts: Attempts, clock: Clock) -> None:
    """A24: and no attempt is made during it, not even a right one."""
    for _ in range(3):
        fail(attempts, "a")
    for expected in (1.0, 2.0, 4.0):
        assert waits(attempts, "a") == expected
        clock.now += expected
        fail(attempts, "a")
    for _ in range(20):
        clock.now += LONGEST
        fail(attempts, "a")
    assert waits(attempts, "a") == LONGEST


def test_the_longer_wait_of_account_and_address_holds(attempts: Attempts) -> None:
    """A24: neither many addresses nor many accounts are a way around."""
    for place in range(3):
        fail(attempts, "user", f"peer{place}")
    assert waits(attempts, "user", "fresh") == 1.0
    for place in range(3):
        fail(attempts, f"user{place}", "peer")
    assert waits(attempts, "fresh", "peer") == 1.0


def test_what_was_right_does_not_count(attempts: Attempts) -> None:
    for _ in range(10):
        with attempts.attempt("a"):
            pass
    with pytest.raises(RuntimeError), attempts.attempt("a"):
        raise RuntimeError
    fail(attempts, "a")
    attempts.forget("a")
    for _ in range(3):
        fail(attempts, "a")


def test_what_is_long_ago_is_forgotten(attempts: Attempts, clock: Clock) -> None:
    for _ in range(3):
        fail(attempts, "a")
    clock.now += FORGOTTEN
    fail(attempts, "a")
    fail(attempts, "a")


def test_many_at_the_same_moment_are_no_way_around(attempts: Attempts) -> None:
    """A24: each counts before it is made."""
    inside: list[int] = []
    refused: list[int] = []
    barrier, leave = threading.Barrier(20), threading.Event()

    def attempt() -> None:
        barrier.wait()
        try:
            with attempts.attempt("a"):
                inside.append(1)
                leave.wait(10)
                raise SignInRefused("no")
        except TooManyAttempts:
            refused.append(1)
            if len(refused) == 17:
                leave.set()
        except SignInRefused:
            pass

    run: Callable[[], None] = attempt
    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(inside), len(refused)) == (3, 17)


def test_what_is_remembered_is_bounded(attempts: Attempts) -> None:
    """A39."""
    for place in range(MOST + 10):
        fail(attempts, f"a{place}")
    assert len(attempts._counts) == MOST
