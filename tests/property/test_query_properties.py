"""Metadata queries: SQL answers what a plain evaluation of the same tree answers, and no text breaks the parser."""

import contextlib
import math
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineal.errors import UsageError
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.metadata import hold_metadata
from lineal.model.query import parse_query
from lineal.testing.query import matches
from lineal.testing.records import an_output

KEYS = ["a", "b", "val loss", "a.b", "ü", "$float", "in", "x\\y"]
zones = st.sampled_from([None, UTC, timezone(timedelta(hours=2)), timezone(timedelta(minutes=-330, seconds=7))])
times = st.builds(
    lambda micros, zone: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).replace(tzinfo=zone),
    st.integers(-(1 << 50), 1 << 51),
    zones,
)
numbers = (
    st.sampled_from([0, 1, -1, 2, 1.0, 0.1, -0.0, 0.9333333333333333, 1e300, math.inf, -math.inf, math.nan, 1 << 63, -(1 << 63), 1 << 80])
    | st.integers()
    | st.floats()
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["1", "a", "true", "'", "\\"]
)
scalars = st.none() | st.booleans() | numbers | texts | times
stored = st.recursive(
    scalars | st.dates(date(1960, 1, 1), date(2100, 1, 1)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
metadata_dicts = st.dictionaries(st.sampled_from(KEYS), stored, max_size=4)


def literal(value: Any) -> str:
    """Write a value as a query has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'"
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def compared(key: str, value: Any, sign: str) -> str:
    ordered = value is not None and not isinstance(value, bool) and value == value
    return f"{key} {sign if ordered else '!='} {literal(value)}"


paths = st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(lambda parts: ".".join(f"`{part}`" for part in parts))
queries = st.recursive(
    st.builds(compared, paths, scalars, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
    | paths.map(lambda key: f"{key} exists")
    | st.builds(
        lambda key, word, values: f"{key} {word} [{', '.join(map(literal, values))}]",
        paths,
        st.sampled_from(["in", "not in"]),
        st.lists(scalars, max_size=3),
    ),
    lambda inner: (
        inner.map(lambda part: f"not ({part})")
        | st.builds(lambda a, word, b: f"({a}) {word} {b}", inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=150)
@given(st.lists(metadata_dicts, min_size=1, max_size=4), st.lists(queries, min_size=1, max_size=8))
@example([{"a": 1}, {"a": True}, {"a": "1"}, {"a": 1.0}], ["`a` == 1", "`a` == true", "`a` == '1'", "`a` != 1"])
@example([{"a": math.nan}, {"a": math.inf}], ["`a` == nan", "`a` > 5", "`a` < 5", "`a` == inf", "`a` <= -inf"])
@example([{"a": {"b": datetime(2026, 6, 1, tzinfo=timezone(timedelta(hours=2)))}}], ["`a`.`b` == 2026-05-31T22:00:00", "`a` exists"])
def test_sql_answers_what_a_plain_evaluation_answers(folder: Path, owners: list[dict[str, Any]], asked: list[str]) -> None:
    """For versions with any metadata and any query, through the whole store."""
    store = SqliteMetadataStore(folder / "facts.db", durability="off")
    name = f"a{len(list(folder.iterdir()))}-{id(owners)}-{store.list_versions({}, 'created', 1, 0).total}"
    held = [hold_metadata(each, "x") for each in owners]
    ids = [store.save_version(an_output(name, metadata=each), None).id for each in held]
    for text in asked:
        found = {version.id for version in store.list_versions({"artifact": name, "metadata": text}, "created", 100, 0).items}
        tree = parse_query(text)
        records = store.versions_by_id(ids)
        assert found == {id for id in ids if matches(tree, records[id].metadata)}, text
    store.close()


@given(st.text(max_size=30) | st.text("ab.`'\"()[],=<>!0129-+T: \\einfotx", max_size=30))
def test_any_text_is_a_query_or_a_usage_error(text: str) -> None:
    """No text makes the parser fail in another way."""
    with contextlib.suppress(UsageError):
        assert parse_query(text) == parse_query(f" {text} ")
