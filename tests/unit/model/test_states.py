"""The table of states: what may follow what."""

import pytest

from lineal.model.states import FOLLOWS, Status


def test_every_state_has_a_row() -> None:
    """No look-up can fail."""
    assert set(FOLLOWS) == set(Status)


def test_no_state_follows_itself_and_nothing_returns_to_pending() -> None:
    """Time goes one way."""
    assert [state for state in Status if state in FOLLOWS[state]] == []
    assert [state for state in Status if Status.PENDING in FOLLOWS[state]] == []


@pytest.mark.parametrize("state", [Status.COMPLETED, Status.CACHED, Status.FAILED, Status.SKIPPED, Status.CANCELLED])
def test_ended_is_ended(state: Status) -> None:
    """Nothing follows an end."""
    assert state.is_final
    assert FOLLOWS[state] == frozenset()


def test_a_run_that_was_thought_dead_may_still_end() -> None:
    """A laptop that slept is not a crash: its run ends by itself later, but does not start again."""
    assert not Status.CRASHED.is_final
    assert FOLLOWS[Status.CRASHED] == {Status.COMPLETED, Status.FAILED, Status.CANCELLED}


def test_every_state_can_be_reached() -> None:
    """A state that nothing leads to would be a leftover."""
    reached, waiting = {Status.PENDING}, [Status.PENDING]
    while waiting:
        for state in FOLLOWS[waiting.pop()] - reached:
            reached.add(state)
            waiting.append(state)
    assert reached == set(Status)


def test_only_success_gives_usable_outputs() -> None:
    """Outputs of a completed or cached step may be used, of no other."""
    assert {state for state in Status if state.is_success} == {Status.COMPLETED, Status.CACHED}


def test_a_state_is_stored_as_its_word() -> None:
    """The word in the database and in JSON is the state's value, and reads back."""
    assert f"{Status.CACHED}" == "cached"
    assert Status("crashed") is Status.CRASHED
