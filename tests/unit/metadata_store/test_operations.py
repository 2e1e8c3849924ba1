"""The table of operations: all of the protocol, each exactly once, and nothing that cannot be read."""

import inspect
import sys

import pytest

from lineal.errors import UsageError
from lineal.metadata_store import operations as module
from lineal.metadata_store.json_text import dump_whole
from lineal.metadata_store.operations import operations
from lineal.model.records import CodeRecord, StepCommit
from lineal.testing.records import ODD, a_run, a_step_run, an_output


def test_a_call_comes_over_as_it_was_made() -> None:
    """By place and by name, with defaults left to the other side."""
    commit = StepCommit(a_step_run(a_run()), (), (an_output(metadata=ODD),), CodeRecord("d", {"a": [1]}, "def f(): ..."))
    wanted = operations()["finish_steps"]
    given, named = wanted.unpack(wanted.pack((commit,)))
    assert (repr(given), named) == (repr([[commit]]), {})
    wanted = operations()["update_version"]
    assert wanted.unpack(wanted.pack("id", add_tags=("a",), metadata={})) == (["id"], {"add_tags": ["a"], "metadata": {}})
    wanted = operations()["list_runs"]
    assert wanted.unpack(wanted.pack({"status": {"failed"}}, "name", 10, 0)) == ([{"status": ["failed"]}, "name", 10, 0], {})
    wanted = operations()["get_version"]
    assert wanted.unpack(wanted.pack("model")) == (["model", None], {})


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("get_run", b"", "the body of get_run cannot be read"),
        ("get_run", b"\xff", "cannot be read"),
        ("get_run", b"[" * 100_000, "cannot be read: it is nested too deeply"),
        ("get_run", b"1" * 10_000, "cannot be read"),
        ("get_run", b'{"name_or_id": {"$float": "x"}}', "cannot be read"),
        ("get_run", b"[]", "should be an object with its arguments"),
        ("get_run", b"{}", "get_run lacks name_or_id"),
        ("get_run", b'{"name_or_id": "a", "self": 1}', "get_run takes no 'self'; it takes: name_or_id"),
        ("totals", b'{"x": 1}', "totals takes no 'x'; it takes: nothing"),
        ("hold", b'{"run_id": "a", "version_ids": [1]}', r"hold: version_ids\[0\] must be a str"),
    ],
)
def test_what_is_no_call_is_refused(name: str, body: bytes, message: str) -> None:
    """A39: whatever is sent, the answer is a sentence."""
    with pytest.raises(UsageError, match=message):
        operations()[name].unpack(body)


def test_what_cannot_be_sent_is_refused_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of other types, circles, and more than a server takes."""
    update, circle = operations()["update_run"], {}
    circle["self"] = circle
    for metadata in ({"x": object()}, circle, 5):
        with pytest.raises(UsageError, match="update_run"):
            update.pack("id", metadata=metadata)
    with pytest.raises(UsageError, match="finish_step"):
        operations()["finish_step"].pack("no commit")
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    with pytest.raises(UsageError, match=r"was given 1\d\d bytes, and a server takes 100 at once"):
        update.pack("x" * 100)


def test_results_come_back_and_other_answers_do_not() -> None:
    """An answer of another version of Lineal is not taken for something else."""
    wanted = operations()["begin_run"]
    run = a_run(metadata=ODD)
    assert repr(wanted.unpack_result(wanted.pack_result(run))) == repr(run)
    with pytest.raises(UsageError, match=r"the answer to begin_run has the field 'new', .* another version of Lineal"):
        wanted.unpack_result(dump_whole({"new": 1}, "").encode())


def test_writes_are_those_that_change_something() -> None:
    """Reads are asked for again without a key."""
    assert not operations()["find_cached"].takes_key
    assert not operations()["integrity"].takes_key
    assert operations()["finish_steps"].takes_key
    assert operations()["prune"].takes_key
    assert list(operations()) == [name for name in vars(sys.modules["lineal.metadata_store.base"].MetadataStore) if name in operations()]
    assert inspect.getdoc(module) is not None
