"""What every metadata store keeps of the tags of artifacts, of what their values are known by, and of step runs; part of `MetadataStoreTests`."""

from dataclasses import replace
from pathlib import Path

import pytest

from lineal.errors import NotFound
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import RunRecord, StepCommit
from lineal.model.states import Status
from lineal.testing.records import a_run, a_step_run, an_output


class MarkTests:
    """The part of the contract that is about artifacts' own tags and the content of versions."""

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

    def tagged(self, store: MetadataStore, tag: str) -> list[str]:
        """Give the names of the artifacts that a tag finds."""
        return [each.name for each in store.list_artifacts({"tag": tag}, "name", 10, 0).items]

    def test_an_artifact_has_tags_of_its_own(self, store: MetadataStore) -> None:
        """They come once and in order, are found by filters beside those of versions, and no version has them."""
        version = store.save_version(an_output("model"), None)
        store.update_version(store.save_version(an_output("other"), None).id, add_tags=["eu"])
        assert store.update_artifact("model", add_tags=["eu", "gold", "eu"]) == ("eu", "gold")
        assert store.update_artifact("model", add_tags=["new"], remove_tags=["gold", "none"]) == ("eu", "new")
        [record] = store.list_artifacts({"name": "model"}, "name", 1, 0).items
        assert record.tags == ("eu", "new")
        assert self.tagged(store, "eu") == ["model", "other"]
        assert self.tagged(store, "gold") == []
        assert store.get_version(version.id).tags == ()
        assert store.list_versions({"tag": "new"}, "name", 10, 0).total == 0

    def test_tags_of_an_artifact_go_with_its_last_version(self, store: MetadataStore) -> None:
        """Whoever uses the name again later begins without them; as long as a version is there, they stay."""
        first, second = (store.save_version(an_output("model", content=content), None) for content in (b"1", b"2"))
        store.update_artifact("model", add_tags=["eu"])
        store.delete_versions([first.id])
        assert self.tagged(store, "eu") == ["model"]
        store.prune([second.id], "all", 5)
        with pytest.raises(NotFound, match="no artifact has the name 'model'"):
            store.update_artifact("model", add_tags=["x"])
        store.save_version(an_output("model"), None)
        assert self.tagged(store, "eu") == []
        assert store.list_artifacts({}, "name", 1, 0).items[0].tags == ()

    def test_tagging_an_artifact_that_is_not_there(self, store: MetadataStore) -> None:
        """The error names the closest one."""
        store.save_version(an_output("model"), None)
        with pytest.raises(NotFound, match="did you mean 'model'"):
            store.update_artifact("modle", add_tags=["x"])

    def test_step_runs_are_found_across_runs(self, store: MetadataStore, run: RunRecord) -> None:
        """Newest first by row, by what their run and they themselves are, and page by page."""
        other = store.begin_run(a_run(pipeline="scoring"))
        for owner, name, status in ((run, "load", "completed"), (run, "train_2", "failed"), (other, "load", "completed")):
            step = "train" if name == "train_2" else name
            store.finish_step(StepCommit(a_step_run(owner, name, step=step, status=Status(status), metadata={"loss": len(name)})))

        def found(**filters: object) -> list[tuple[str, str]]:
            page = store.find_step_runs(filters, "-created", 10, 0)
            assert page.total == len(page.items)
            return [(each.name, each.run_id) for each in page.items]

        load, train, again = ("load", run.id), ("train_2", run.id), ("load", other.id)
        assert found() == [again, train, load]
        for filters in ({"name": "train*"}, {"step": "train"}, {"status": "failed"}, {"metadata": "loss > 4"}):
            assert found(**filters) == [train]
        assert found(run=other.name) == found(run=other.id) == found(pipeline="scoring") == [again]
        assert found(created_after=6) == found(created_before=5) == []
        page = store.find_step_runs({}, "name", 1, 1)
        assert ([each.name for each in page.items], page.total) == (["load"], 3)

    def test_content_is_kept_with_a_version(self, store: MetadataStore, run: RunRecord) -> None:
        """It stands for the value in keys; without it the digest of the bytes does, which stays what it is either way."""
        outputs = (an_output("plain", output="plain"), replace(an_output("known", output="known"), content="c0ffee"))
        commit = StepCommit(a_step_run(run, cache_key="key"), (), outputs)
        for plain, known in (store.finish_step(commit), store.finish_step(commit)):
            assert (plain.content, plain.identity) == (None, plain.object.digest)
            assert (known.content, known.identity) == ("c0ffee", "c0ffee")
            assert known.object == plain.object
            assert store.get_version(known.id) == known
        cached = store.find_cached("key").get("key")
        assert cached is not None
        assert {each.artifact: each.content for each in cached.outputs.values()} == {"plain": None, "known": "c0ffee"}
