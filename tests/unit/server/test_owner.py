"""Tokens, links and sessions."""

import pytest

from lineal.server.access import SESSION_SECONDS, Source
from lineal.server.owner import LINK_SECONDS, OwnerAccess

TOKEN = "s" * 40


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(clock: Clock) -> OwnerAccess:
    return OwnerAccess(TOKEN, clock)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 characters, got 6"):
        OwnerAccess("secret")


def test_only_the_token_is_the_token(access: OwnerAccess) -> None:
    assert access.of_token(TOKEN) is not None
    for other in ("", TOKEN[:-1], TOKEN + "s", "S" * 40, "\ud800"):
        assert access.of_token(other) is None


def test_a_link_opens_one_session(access: OwnerAccess) -> None:
    code = access.new_link()
    secret = access.open_link(code, Source())
    assert secret is not None
    assert access.of_session(secret) is not None
    assert access.open_link(code, Source()) is None
    assert access.open_link("", Source()) is None
    assert access.open_link(TOKEN, Source()) is None, "the token never stands in an address"


def test_a_link_is_open_for_ten_minutes(access: OwnerAccess, clock: Clock) -> None:
    code = access.new_link()
    clock.now += LINK_SECONDS
    assert access.open_link(code, Source()) is None


def test_a_session_lasts_as_long_as_it_is_used(access: OwnerAccess, clock: Clock) -> None:
    secret = access.new_session()
    for _ in range(3):
        clock.now += SESSION_SECONDS - 1
        assert access.of_session(secret) is not None
    clock.now += SESSION_SECONDS
    assert access.of_session(secret) is None


def test_a_session_that_was_ended_is_over(access: OwnerAccess) -> None:
    """A29."""
    one, other = access.new_session(), access.new_session()
    access.end_session(one, Source())
    access.end_session("never was", Source())
    assert access.of_session(one) is None
    assert access.of_session(other) is not None


def test_no_secret_is_kept(access: OwnerAccess) -> None:
    """A27: what is in memory, and would be in a dump of it, opens nothing."""
    secrets = [TOKEN, access.new_link(), access.new_session()]
    kept = repr(vars(access))
    assert not any(secret in kept for secret in secrets)


def test_sessions_are_bounded(access: OwnerAccess, clock: Clock) -> None:
    first = access.new_session()
    for _ in range(1000):
        clock.now += 1
        access.new_session()
    assert access.of_session(first) is None, "the one that was used longest ago goes first"
