"""The client of a server's facts: what it sends once, and what it makes of answers. The contract itself is in `tests/contract`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lineal import errors
from lineal.errors import AccessRefused, LinealError, NotFound, StoreError, UsageError, VersionGone
from lineal.metadata_store.http import HttpMetadataStore, error_of
from lineal.metadata_store.link import Answer
from lineal.metadata_store.operations import HERE, operations, protocol_methods
from lineal.model.records import CodeRecord, StepCommit
from lineal.server.answers import problem_of
from lineal.testing.records import a_run, a_step_run

from .servers import Told, told

PROBLEM = "application/problem+json"


@pytest.fixture
def server() -> Iterator[Told]:
    def commit(handler: Any, body: bytes) -> None:
        handler.reply(200, [[] for _ in json.loads(body)["commits"]])

    with told(commit) as found:
        yield found


def test_it_has_all_of_the_protocol() -> None:
    """What is sent and what is refused."""
    missing = [name for name, _ in protocol_methods() if not hasattr(HttpMetadataStore, name)]
    assert missing == []
    assert HERE.isdisjoint(operations())


def test_code_travels_once(server: Told) -> None:
    """It is the largest part of most commits, and the server has it from the first time on."""
    store, run = HttpMetadataStore(server.url, lambda: "t"), a_run()
    for _ in range(2):
        store.finish_step(StepCommit(a_step_run(run), code=CodeRecord("d" * 64, {}, "def f(): ...")))
    store.finish_steps([])
    store.close()
    assert [path for path, _, _ in server.seen] == ["/api/v1/store/finish_steps"] * 2
    assert [b"def f" in body for _, _, body in server.seen] == [True, False]
    keys = [headers["idempotency-key"] for _, headers, _ in server.seen]
    assert len(set(keys)) == 2


ERRORS = sorted(
    (each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, LinealError)), key=lambda each: each.__name__
)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda each: each.__name__)
def test_an_error_arrives_as_what_it_was(kind: type[LinealError]) -> None:
    """Class and message; a caller catches the same thing whether the facts are here or there."""
    sent = problem_of(kind("what it says: ü 'x'"))
    found = error_of(Answer(sent.status_code, PROBLEM, bytes(sent.body)), "http://s")
    assert (type(found), str(found)) == (kind, "what it says: ü 'x'")


def test_which_step_run_would_have_given_what_is_gone_is_told() -> None:
    """The run goes on by that."""
    sent = problem_of(VersionGone("gone", "step-run"))
    found = error_of(Answer(404, PROBLEM, bytes(sent.body)), "http://s")
    assert isinstance(found, VersionGone)
    assert found.step_run_id == "step-run"


@pytest.mark.parametrize(
    ("status", "kind", "body", "expected", "message"),
    [
        (
            403,
            PROBLEM,
            {"title": "Not allowed", "detail": "this takes the role editor"},
            AccessRefused,
            "http://s does not allow it: .*editor",
        ),
        (413, PROBLEM, {"title": "Too large", "detail": "at most 5 bytes"}, UsageError, "at most 5 bytes"),
        (500, PROBLEM, {"title": "Internal error", "detail": "log has it as 1f"}, StoreError, "http://s answered 500: log has it as 1f"),
        (421, PROBLEM, {"title": "Not a host"}, StoreError, "http://s answered 421: Not a host"),
        (404, PROBLEM, {"title": "NotFound", "detail": "no run"}, NotFound, "^no run$"),
        (404, "text/html", "<h1>nginx</h1>", StoreError, "http://s answered 404 and is not a Lineal server"),
        (
            413,
            "text/html",
            "<h1>nginx</h1>",
            StoreError,
            "what stands before .* let it pass 64 MiB, with nginx by client_max_body_size 64m",
        ),
        (301, "text/html", "", StoreError, "http://s sends elsewhere"),
        (404, PROBLEM, "[1]", StoreError, "is not a Lineal server"),
        (404, PROBLEM, "{", StoreError, "is not a Lineal server"),
        (400, PROBLEM, {"title": "KeyboardInterrupt"}, StoreError, "answered 400: KeyboardInterrupt"),
    ],
)
def test_other_answers_are_errors_of_the_store(status: int, kind: str, body: Any, expected: type[LinealError], message: str) -> None:
    """No answer makes a class that is none of ours."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    found = error_of(Answer(status, kind, data), "http://s")
    assert type(found) is expected
    with pytest.raises(expected, match=message):
        raise found


def test_an_answer_that_is_no_result_is_an_error_of_the_store(server: Told) -> None:
    """The other side may be another version of Lineal, or something else."""
    server.answer = lambda handler, body: handler.reply(200, {"odd": 1})
    store = HttpMetadataStore(server.url, lambda: "t")
    with pytest.raises(StoreError, match=f"the Lineal server {server.url} is not understood: the answer to identity must be a list"):
        store.identity()
    store.close()
    assert repr(store) == f"HttpMetadataStore({server.url!r})"
