"""What holds for any facts: they come back as they were, and lists give what a plain loop over them would give."""

import math
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lineal.metadata_store.json_text import dump, load
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import RunRecord, StepCommit, VersionRecord
from lineal.testing.records import a_run, a_step_run, an_output

any_text = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(["$float", "$", "$$", "\x00", "\ud800", "\udfff"])
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=15,
)
SORTS: dict[str, Callable[[VersionRecord], Any]] = {
    "created": lambda _: 0,
    "name": lambda version: version.artifact.encode(),
    "number": lambda version: version.number,
    "size": lambda version: version.object.size,
}
names = st.text("aB%_\\.*", min_size=1, max_size=4)


def alike(a: Any, b: Any) -> bool:
    """Compare JSON values with their types; NaN is like NaN, and -0.0 is not like 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return bool(a == b)


@given(any_json)
def test_json_text_round_trip(value: Any) -> None:
    """Every value comes back, and its text is canonical: reading and writing again changes nothing."""
    text = dump(value)
    assert text.isascii()
    assert alike(load(text), value)
    assert dump(load(text)) == text


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(any_text, any_json, max_size=5), any_text)
def test_metadata_round_trip_through_the_store(metadata: dict[str, Any], text: str) -> None:
    """In each place where JSON is kept; free text stays readable whatever is in it."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteMetadataStore(Path(folder) / "x.db", durability="off")
        run = store.begin_run(a_run(metadata=metadata, parameters=metadata, environment=metadata, plan=metadata))
        step = a_step_run(run, metadata=metadata, parameters=metadata, ingredients=metadata, error=text)
        [version] = store.finish_step(StepCommit(step, outputs=(an_output(metadata=metadata),)))
        found_run, found_step = store.get_run(run.id), store.get_step_run(step.id)
        places = [found_run.metadata, found_run.parameters, found_run.environment, found_run.plan]
        places += [found_step.metadata, found_step.parameters, found_step.ingredients, store.get_version(version.id).metadata]
        assert all(alike(place, metadata) for place in places)
        assert found_step.error == text.encode("utf-8", "backslashreplace").decode()
        store.close()


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name fits a pattern in which only `*` is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(names, st.sets(st.sampled_from("xyz")), st.booleans()), max_size=8),
    st.fixed_dictionaries(
        {},
        optional={
            "name": names,
            "tag": st.lists(st.sampled_from("xyz"), max_size=2),
            "version": st.sampled_from(["1", "2"]),
            "pipeline": st.just("p"),
        },
    ),
    st.sampled_from(["created", "-created", "name", "-name", "number", "-size"]),
    st.integers(1, 4),
    st.integers(0, 4),
)
def test_lists_are_what_a_loop_would_give(
    made: list[tuple[str, set[str], bool]], filters: dict[str, Any], sort: str, limit: int, offset: int
) -> None:
    """Filters, order, paging and total of versions, against the plainest reading of what they mean."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteMetadataStore(Path(folder) / "x.db", durability="off")
        run = store.begin_run(a_run(pipeline="p"))
        versions = [_make(store, run, str(number), *each) for number, each in enumerate(made)]
        wanted = [version for version in versions if _lets_through(filters, version)]
        key, descending = SORTS[sort.removeprefix("-")], sort.startswith("-")
        wanted.sort(key=lambda version: (key(version), versions.index(version)), reverse=descending)
        page = store.list_versions(filters, sort, limit, offset)
        assert [version.id for version in page.items] == [version.id for version in wanted[offset : offset + limit]]
        assert page.total == len(wanted)
        store.close()


def _make(store: SqliteMetadataStore, run: RunRecord, content: str, name: str, tags: set[str], in_step: bool) -> VersionRecord:
    output = an_output(name, content.encode(), tags=tuple(sorted(tags)))
    if in_step:
        return store.finish_step(StepCommit(a_step_run(run), outputs=(output,)))[0]
    return store.save_version(output, None)


def _lets_through(filters: dict[str, Any], version: VersionRecord) -> bool:
    return (
        ("name" not in filters or matches(version.artifact, filters["name"]))
        and set(filters.get("tag", ())) <= set(version.tags)
        and filters.get("version", version.version) == version.version
        and ("pipeline" not in filters or version.pipeline == filters["pipeline"])
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, None, "1", "5", "gold"])), max_size=12))
def test_numbers_are_never_given_twice(saves: list[tuple[str, str | None]]) -> None:
    """Counted and asked-for versions mix: unique under each name, counted ones beyond all numbers before them."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteMetadataStore(Path(folder) / "x.db", durability="off")
        highest: dict[str, int] = {}
        for name, version in saves:
            made = store.save_version(an_output(name, version=version), None)
            if version is None:
                assert made.number == highest.get(name, 0) + 1
            highest[name] = max(highest.get(name, 0), made.number or 0)
        page = store.list_versions({}, "name", 100, 0)
        keys = [(version.artifact, version.version) for version in page.items]
        assert len(keys) == len(set(keys)) == page.total
        store.close()
