"""What every metadata store keeps of visualizations; part of `MetadataStoreTests`."""

from pathlib import Path

import pytest

from lineal.metadata_store.base import MetadataStore
from lineal.model.records import Companion, CompanionFile, RunRecord, StepCommit
from lineal.testing.records import a_run, a_step_run, an_object, an_output


def a_companion(content: bytes = b"<p>hello</p>") -> Companion:
    """Give two visualizations in one object."""
    files = (CompanionFile("html", "Sample ü", "0.html"), CompanionFile("image", "", "1.png"))
    return Companion(an_object(content), files)


class VisualizationTests:
    """The part of the contract that is about what shows a version."""

    def make_store(self, tmp_path: Path) -> MetadataStore:
        """Open a new, empty store."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> MetadataStore:
        """Give a new store."""
        return self.make_store(tmp_path)

    @pytest.fixture
    def run(self, store: MetadataStore) -> RunRecord:
        """Give a run that is under way."""
        return store.begin_run(a_run())

    def test_visualizations_come_back_in_order_with_their_object(self, store: MetadataStore, run: RunRecord) -> None:
        """What was recorded with a version is what is found, saved by itself or by a step, also when the bytes live in the row."""
        companion = a_companion()
        saved = store.save_version(an_output(companion=companion), None)
        commit = StepCommit(a_step_run(run), (), (an_output("other", companion=companion), an_output("bare")))
        made, bare = store.finish_step(commit)
        assert store.visualizations(saved.id) == store.visualizations(made.id) == companion
        assert store.visualizations(bare.id) is None
        assert store.finish_step(commit) == [made, bare]
        assert store.visualizations(made.id) == companion

    def test_a_version_without_visualizations_has_none(self, store: MetadataStore) -> None:
        """None, and no error, also for an id that is not there."""
        assert store.visualizations(store.save_version(an_output(), None).id) is None
        assert store.visualizations("no such id") is None

    def test_an_explicit_version_that_exists_keeps_its_visualizations(self, store: MetadataStore) -> None:
        """Saved again with the same bytes nothing changes; one that had none gains them."""
        store.save_version(an_output(version="v1", companion=a_companion()), None)
        again = store.save_version(an_output(version="v1", companion=a_companion(b"other")), None)
        assert store.visualizations(again.id) == a_companion()
        bare = store.save_version(an_output(version="v2"), None)
        store.save_version(an_output(version="v2", companion=a_companion()), None)
        assert store.visualizations(bare.id) == a_companion()

    def test_visualizations_that_were_not_synced_can_be_settled(self, store: MetadataStore) -> None:
        """Their object is an object like any other."""
        companion = Companion(an_object(b"unsynced", inline=None, boot="this boot"), a_companion().files)
        version = store.save_version(an_output(companion=companion), None)
        store.settle([companion.object.digest])
        found = store.visualizations(version.id)
        assert found is not None
        assert found.object.boot is None
