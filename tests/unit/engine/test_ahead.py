"""Looking ahead in the cache: few questions, and the same answers as one at a time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal import CachePolicy, Client, pipeline, step
from lineal.engine.ahead import Ahead
from lineal.engine.claims import Claims
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import CachedCall


@step(undeclared="off")
def add(x: int, n: int) -> int:
    return x + n


@pipeline
def chain(numbers: tuple[int, ...]) -> None:
    x: Any = 0
    for n in numbers:
        x = add(x, n)


@pipeline
def fan(numbers: tuple[int, ...]) -> None:
    for n in numbers:
        add(1, n)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give how far each look into the cache went."""
    asked: list[int] = []
    find = SqliteMetadataStore.find_cached

    def counted(self: SqliteMetadataStore, cache_key: str, ahead: int = 0) -> dict[str, CachedCall]:
        asked.append(ahead)
        return find(self, cache_key, ahead)

    monkeypatch.setattr(SqliteMetadataStore, "find_cached", counted)
    return asked


@pytest.mark.parametrize("flow", [chain, fan])
def test_a_cached_run_asks_ever_further_ahead(flow: Any, asked: list[int]) -> None:
    """Three hundred hits take six statements, in a chain too, where a key is known only when the step before it was found."""
    flow(tuple(range(300)))
    asked.clear()
    run = flow(tuple(range(300)))
    assert all(step_run.status == "cached" for step_run in run.steps.values())
    assert asked == [8, 16, 32, 64, 128, 256]


def test_a_fresh_run_asks_once_a_step(asked: list[int]) -> None:
    """Where nothing is known nothing is looked at ahead."""
    chain((1, 2, 3))
    assert len(asked) == 3


def test_what_was_found_ahead_and_is_gone_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prune between the look and the record is noticed when the record is written."""
    chain((1, 2, 3))
    latest = Client().get_artifact_version("chain::add_3::output")
    find = SqliteMetadataStore.find_cached
    looks = []

    def then_pruned(self: SqliteMetadataStore, cache_key: str, ahead: int = 0) -> dict[str, CachedCall]:
        found = find(self, cache_key, ahead)
        if not looks:
            self._db.write(lambda cursor: cursor.execute("UPDATE versions SET state = 'pruned' WHERE uid = ?", (str(latest.id),)))
        looks.append(len(found))
        return found

    monkeypatch.setattr(SqliteMetadataStore, "find_cached", then_pruned)
    run = chain((1, 2, 3))
    assert looks[0] == 3
    assert [step_run.status for step_run in run.steps.values()] == ["cached", "cached", "completed"]
    assert Client().get_artifact_version("chain::add_3::output").load() == 6


def test_what_was_found_ahead_and_cannot_be_given_is_claimed_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run may be making it at this moment."""

    @step(undeclared="off")
    def lasting(x: int) -> int:
        return x + 1

    @step(undeclared="off", cache_policy=CachePolicy(expires_after=1e-6))
    def passing(x: int) -> int:
        return x + 1

    @pipeline
    def mixed() -> None:
        passing(lasting(1))

    mixed()
    claimed: list[str] = []
    take = Claims.take
    monkeypatch.setattr(Claims, "take", lambda self, key: claimed.append(key) or take(self, key))
    steps = mixed().steps
    assert [each.status for each in steps.values()] == ["cached", "completed"]
    assert claimed == [each.record.cache_key for each in steps.values()]


class Known:
    """A store in which runs recorded some keys in order."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        self.given = 0

    def find_cached(self, cache_key: str, ahead: int = 0) -> dict[str, CachedCall]:
        if cache_key not in self.keys:
            return {}
        place = self.keys.index(cache_key)
        found = {key: CachedCall(key, "", "", 0, {}) for key in self.keys[place : place + 1 + ahead]}
        self.given += len(found)
        return found


@given(
    st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=20, unique=True),
    st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz!")),
)
def test_the_answers_are_those_of_one_look_each(recorded: list[str], wanted: list[str]) -> None:
    """Whatever was recorded, whatever is asked for, and whenever a step runs in between."""
    known = Known(recorded)
    ahead = Ahead(known)  # type: ignore[arg-type]  # all that it asks of a store
    for key in wanted:
        if key == "!":
            ahead.forget()
            assert not any(each in ahead for each in recorded)
            continue
        found = ahead.find(key)
        assert (found is not None) == (key in recorded)
        assert found is None or found.step_run_id == key


def test_looks_that_are_of_no_use_become_short() -> None:
    """A run whose order is another one each time pays for a neighbour or two a call, not for hundreds."""
    keys = [str(n) for n in range(10_000)]
    known = Known(keys)
    ahead = Ahead(known)  # type: ignore[arg-type]
    for key in reversed(keys):
        ahead.find(key)
    assert known.given < 2.1 * len(keys)
