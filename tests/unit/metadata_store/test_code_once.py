"""The code of a step is written, and sent, once however many of its calls end together."""

import pytest

from lineal.metadata_store import commits, http
from lineal.metadata_store.http import HttpMetadataStore
from lineal.model.records import CodeRecord, StepCommit, VersionRecord
from lineal.testing.records import a_run, a_step_run

CODE = CodeRecord("d" * 64, {}, "def f(): ...")


def some_commits() -> list[StepCommit]:
    run = a_run()
    return [StepCommit(a_step_run(run, name), code=CODE) for name in "abc"]


def test_commits_that_are_written_together_bring_it_once() -> None:
    """Later ones of a store that knows it bring none."""
    assert [each.code_row is not None for each in commits.prepare(some_commits(), set())] == [True, False, False]
    assert not any(each.code_row for each in commits.prepare(some_commits(), {CODE.digest}))


def test_commits_that_are_sent_together_bring_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand hits of a new process would else send it a thousand times."""
    sent: list[bool] = []

    def called(self: HttpMetadataStore, operation: str, given: list[StepCommit]) -> list[list[VersionRecord]]:
        sent.extend(each.code is not None for each in given)
        return [[] for _ in given]

    monkeypatch.setattr(http.HttpMetadataStore, "call", called)
    store = HttpMetadataStore("http://127.0.0.1:9", lambda: "")
    store.finish_steps(some_commits())
    assert sent == [True, False, False]
    sent.clear()
    store.finish_steps(some_commits())
    assert sent == [False] * 3
