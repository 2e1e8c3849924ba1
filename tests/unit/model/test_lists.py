"""What is asked of a list becomes filters, or an error that says what there is."""

import pytest

from lineal.errors import UsageError
from lineal.model.lists import created_in, given, state
from lineal.model.states import Status


def test_filters_that_are_none_are_left_out_and_unknown_ones_refused() -> None:
    assert given({"name": "a", "tag": None}, {}) == {"name": "a"}
    with pytest.raises(UsageError, match="'nmae' is not a filter of this list; there are: name, tags, created, sort, limit, offset"):
        given({"name": "a", "tag": None}, {"nmae": "a"})


def test_states_are_text() -> None:
    assert (state(None), state("failed"), state(Status.CACHED)) == (None, "failed", "cached")
    with pytest.raises(UsageError, match="'flying' is not a state of a run"):
        state("flying")


def test_the_narrowest_span_counts() -> None:
    found = created_in("2026-01-01..2026-02-01", "2026-01-10", "2026-03-01")
    assert found == {"created_after": 1768003200000000, "created_before": 1769904000000000}
    assert created_in(None, None, None) == {"created_after": None, "created_before": None}
