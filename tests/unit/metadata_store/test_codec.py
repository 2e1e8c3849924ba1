"""Facts as JSON: exact both ways, and nothing is made of what is not the record that was asked for."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jsonschema_rs
import pytest

from lineal.errors import UsageError
from lineal.metadata_store.base import Page, StepEdges
from lineal.metadata_store.codec import codec_of
from lineal.metadata_store.json_text import dump_whole, load
from lineal.model.records import EarlierStepRun, NewOutput, ObjectRecord, RunRecord, SameOutput, StepCommit, Trust
from lineal.model.states import Status
from lineal.testing.records import ODD, a_run, a_step_run, an_output


def there_and_back(type_: Any, value: Any) -> Any:
    codec = codec_of(type_, "it")
    text = dump_whole(codec.encode(value), "it")
    json.loads(text, parse_constant=pytest.fail)  # what any reader of JSON takes
    return codec.decode(load(text))


def test_what_json_has_no_word_for_comes_back() -> None:
    """Bytes, NaN and infinities in metadata, integers beyond 2**53, lone surrogates, keys that look like marks."""
    run = a_run(metadata=ODD, tags=("b", "a"), duration=(1 << 62) + 1, status=Status.CRASHED)
    assert repr(there_and_back(RunRecord, run)) == repr(run)
    assert there_and_back(ObjectRecord, ObjectRecord("d", 3, (), inline=b"\x00\xff\n")).inline == b"\x00\xff\n"
    assert there_and_back(dict[str, int] | None, None) is None
    assert there_and_back(set[str], {"a", "b"}) == {"a", "b"}


def test_records_of_one_shape_are_told_apart() -> None:
    """An output is a new version or an earlier one again."""
    run = a_run()
    commit = StepCommit(a_step_run(run), (), (an_output(),))
    assert there_and_back(StepCommit, commit) == commit
    assert type(there_and_back(NewOutput | SameOutput, an_output())) is NewOutput


def test_generic_records_and_rows_keep_their_types() -> None:
    """A page of runs is read as runs; a list of pairs comes back as pairs."""
    run, step = a_run(), a_step_run(a_run())
    assert there_and_back(Page[RunRecord], Page([run], 7)) == Page([run], 7)
    assert there_and_back(list[EarlierStepRun], [EarlierStepRun(step, "o", None, 5)]) == [EarlierStepRun(step, "o", None, 5)]
    assert there_and_back(StepEdges, StepEdges([], [])) == StepEdges([], [])
    assert there_and_back(Sequence[tuple[str, str]], [("a", "1")]) == [("a", "1")]


def test_defaults_are_not_sent() -> None:
    """Most fields of most records have their default."""
    sent = codec_of(RunRecord, "run").encode(a_run())
    assert set(sent) == {"id", "name", "pipeline", "status", "started"}


def test_the_schema_says_what_is_written_and_no_more() -> None:
    """The description of the API is made of it: records with all that they hold, and none that has a field too many or too few."""
    commit = StepCommit(a_step_run(a_run()), (), (an_output(metadata=ODD), an_output(object=ObjectRecord("d", 1, (), inline=b"x"))))
    for type_, value in ((RunRecord, a_run(status=Status.CRASHED)), (StepCommit, commit), (Page[RunRecord], Page([a_run()], 7))):
        codec = codec_of(type_, "it")
        is_valid = jsonschema_rs.validator_for(codec.schema).is_valid
        written = json.loads(dump_whole(codec.encode(value), "it"))
        assert is_valid(written)
        if isinstance(written, dict):
            assert not is_valid({**written, "more": 1})
            assert not is_valid(dict(list(written.items())[1:]))
        else:
            assert not is_valid([*written, 1])


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (RunRecord, {"id": "x"}, "it lacks name, pipeline, status, started"),
        (RunRecord, {"is_admin": True}, "it has the field 'is_admin', which no RunRecord has here"),
        (RunRecord, {"id": 5}, r"it\.id must be a str, got 5"),
        (RunRecord, [], "it must be the record of a RunRecord, got a list"),
        (list[RunRecord], [{"status": "odd"}], r"it\[0\]\.status must be one of pending, running"),
        (int, True, "it must be an int, got True"),
        (int, 1.0, "it must be an int, got 1.0"),
        (int, 1 << 63, "it must fit into 64 bits, and does not"),
        (bool, 1, "it must be a bool, got 1"),
        (bytes, "ü", "it must be base64"),
        (bytes, "abc", "it must be base64"),
        (bytes, None, "it must be base64, got None"),
        (None, 0, "it must be null, got 0"),
        (Literal["all", "none"], "some", "it must be one of all, none, got 'some'"),
        (Literal["all"], [], "it must be one of all"),
        (Trust, ["d", "v", "p"], "it must be a list of 4 values"),
        (Trust, ["d", "v", 3, 4], r"it\.person must be a str, got 3"),
        (tuple[str, ...], "abc", "it must be a list, got 'abc'"),
        (tuple[str, int], ["a", "b"], r"it\[1\] must be an int"),
        (Mapping[str, int], {"a": "b"}, r"it\['a'\] must be an int"),
        (Mapping[str, int], [], "it must be an object"),
        (NewOutput | SameOutput, {"id": "x"}, "it must be one of NewOutput, SameOutput with its record"),
        (NewOutput | SameOutput, ["RunRecord", {}], "it must be one of NewOutput, SameOutput with its record"),
        (NewOutput | SameOutput, [["a"], {}], "it must be one of NewOutput, SameOutput with its record"),
        (str, "x" * 100, None),
    ],
)
def test_what_is_something_else_is_refused(type_: Any, value: Any, message: str | None) -> None:
    """By an error that says where."""
    if message is None:
        assert codec_of(type_, "it").decode(value) == value
        return
    with pytest.raises(UsageError, match=message):
        codec_of(type_, "it").decode(value)


@pytest.mark.parametrize("type_", [object, Callable[[], None], int | str, complex])
def test_what_cannot_be_sent_is_noticed_when_the_table_is_made(type_: Any) -> None:
    """Not when somebody calls it."""
    with pytest.raises(TypeError):
        codec_of(type_, "it")


def test_an_error_shows_no_more_than_a_line() -> None:
    with pytest.raises(UsageError) as caught:
        codec_of(int, "it").decode("x" * 10_000)
    assert len(str(caught.value)) < 200
    assert math.isnan(there_and_back(Any, math.nan))
