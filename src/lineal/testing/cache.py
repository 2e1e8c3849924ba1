"""What every metadata store answers when it is asked for an earlier result; part of `MetadataStoreTests`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineal.errors import NotFound, VersionGone
from lineal.metadata_store.base import MetadataStore
from lineal.model import digest
from lineal.model.records import FileEntry, NewOutput, ObjectRecord, RunRecord, SameOutput, StepCommit
from lineal.model.states import Status
from lineal.testing.records import a_run, a_step_run, an_output


class CacheTests:
    """The part of the contract that is about `find_cached`."""

    def make_store(self, tmp_path: Path) -> MetadataStore:
        """Open a new, empty store."""
        raise TypeError(f"{type(self).__qualname__} has no make_store()")

    @pytest.fixture
    def store(self, tmp_path: Path) -> MetadataStore:
        """Give a new store."""
        return self.make_store(tmp_path)

    @pytest.fixture
    def run(self, store: MetadataStore) -> RunRecord:
        """Give a run that is under way."""
        return store.begin_run(a_run())

    def end(self, store: MetadataStore, run: RunRecord, *outputs: NewOutput | SameOutput, **given: Any) -> StepCommit:
        """Commit a step run with these outputs."""
        commit = StepCommit(a_step_run(run, **given), (), outputs)
        store.finish_step(commit)
        return commit

    def test_find_cached(self, store: MetadataStore, run: RunRecord) -> None:
        """The newest success with the key is found, with its outputs; failures and other keys are not."""
        assert store.find_cached("key").get("key") is None
        self.end(store, run, status=Status.FAILED, cache_key="key")
        assert store.find_cached("key").get("key") is None
        first = self.end(store, run, an_output(), an_output("report", output="report"), cache_key="key")
        found = store.find_cached("key").get("key")
        assert found is not None
        assert (found.step_run_id, found.run_id, found.run_name, found.ended) == (first.step_run.id, run.id, run.name, 9)
        assert found.outputs == {"output": store.get_version("model"), "report": store.get_version("report")}
        again = self.end(store, run, *(SameOutput(n, v) for n, v in found.outputs.items()), cache_key="key", status=Status.CACHED)
        newest = store.find_cached("key").get("key")
        assert newest is not None
        assert newest.step_run_id == again.step_run.id
        assert newest.outputs == found.outputs
        assert newest.outputs["output"].step_run_id == first.step_run.id

    def test_find_cached_without_outputs(self, store: MetadataStore, run: RunRecord) -> None:
        """A step that gives nothing can be a hit too."""
        commit = self.end(store, run, cache_key="silent")
        found = store.find_cached("silent").get("silent")
        assert found is not None
        assert (found.step_run_id, found.outputs) == (commit.step_run.id, {})

    def test_find_cached_looks_ahead(self, store: MetadataStore, run: RunRecord) -> None:
        """Beside the answer come those to the keys recorded right after it in its run, each the newest; others' and failures do not."""
        other = store.begin_run(a_run())
        for key in "abc":
            self.end(store, run, an_output(key), cache_key=key)
        self.end(store, other, an_output("of another run"), cache_key="other")
        self.end(store, run, cache_key="failed", status=Status.FAILED)
        self.end(store, run, an_output("d"), an_output("e", output="second"), cache_key="d")
        newer = self.end(store, other, an_output("b"), cache_key="b")
        found = store.find_cached("a", 5)
        assert list(found) == ["a", "b", "c", "d"]
        assert found == {key: store.find_cached(key)[key] for key in "abcd"}
        assert found["b"].step_run_id == newer.step_run.id
        assert list(found["d"].outputs) == ["output", "second"]
        assert list(store.find_cached("a", 1)) == ["a", "b"]
        assert list(store.find_cached("a")) == ["a"]
        assert store.find_cached("nothing", 5) == store.find_cached("failed", 5) == {}

    def test_find_cached_leaves_out_long_listings_ahead(self, store: MetadataStore, run: RunRecord) -> None:
        """Hundreds of folders with thousands of files each would be read for a single look; asked for by itself such a call is found."""
        files = tuple(FileEntry(f"a folder with a long name/{number}.txt", 1, "d" * 64) for number in range(1200))
        self.end(store, run, an_output("a"), cache_key="a")
        folder = an_output("folder", output="folder", object=ObjectRecord(digest.of_object(files), 1200, files))
        self.end(store, run, an_output("b"), folder, cache_key="b")
        self.end(store, run, an_output("c"), cache_key="c")
        assert list(store.find_cached("a", 5)) == ["a", "c"]
        found = store.find_cached("b", 5)
        assert list(found) == ["b", "c"]
        assert found["b"].outputs["folder"].object.files == files

    def test_find_cached_of_calls_with_one_key(self, store: MetadataStore, run: RunRecord) -> None:
        """A run may make one call several times: the answer is one."""
        for _ in range(3):
            newest = self.end(store, run, an_output(), cache_key="same")
        first = self.end(store, run, an_output(), cache_key="first")
        for version in (store.get_version("model", "3"), store.get_version("model", "2")):
            newest = self.end(store, run, SameOutput("output", version), cache_key="same")
        found = store.find_cached("first", 9)
        assert {key: call.step_run_id for key, call in found.items()} == {"first": first.step_run.id, "same": newest.step_run.id}
        assert [version.version for version in found["same"].outputs.values()] == ["2"]

    def test_a_run_ends_with_its_last_step_runs(self, store: MetadataStore) -> None:
        """In one transaction with the run itself when it was not recorded before; the same again changes nothing."""
        made = self.end(store, store.begin_run(a_run()), an_output(), cache_key="key")
        hit = SameOutput("output", store.find_cached("key")["key"].outputs["output"])
        for is_begun in (True, False):
            run = a_run(tags=("t",), plan=[{"name": "train"}])
            if is_begun:
                store.begin_run(run)
            ended = replace(run, status=Status.COMPLETED, ended=9, duration=5, metadata={"n": 1})
            commits = [StepCommit(a_step_run(run, f"train {n}", status=Status.CACHED, cache_key="key"), (), (hit,)) for n in range(3)]
            for _ in range(2):
                store.finish_run(ended, commits, is_begun=is_begun)
                assert replace(store.get_run(run.id), seq=0) == ended
                assert [each.name for each in store.list_step_runs(run.id)] == ["train 0", "train 1", "train 2"]
            assert store.list_runs({"tag": "t"}, "name", 10, 0).total == (1 if is_begun else 2)
        assert made.step_run.id not in store.find_cached("key")["key"].step_run_id

    def test_a_run_that_was_begun_unawares_ends(self, store: MetadataStore) -> None:
        """Who began it may have been stopped before it could take note of that."""
        run = store.begin_run(a_run())
        store.finish_run(replace(run, status=Status.CANCELLED, ended=9), is_begun=False)
        assert (store.get_run(run.id).status, store.get_run(run.id).ended) == (Status.CANCELLED, 9)

    def test_a_run_that_ends_with_what_is_gone_does_not_end(self, store: MetadataStore) -> None:
        """Nothing of it is recorded, and it is told which step run it was."""
        version = store.save_version(an_output(), None)
        assert store.prune([version.id], "artifact", 9) == [version.id]
        run = a_run()
        commit = StepCommit(a_step_run(run, status=Status.CACHED), (), (SameOutput("output", version),))
        with pytest.raises(VersionGone) as gone:
            store.finish_run(replace(run, status=Status.COMPLETED), [commit], is_begun=False)
        assert gone.value.step_run_id == commit.step_run.id
        with pytest.raises(NotFound):
            store.get_run(run.id)
