"""What every metadata store keeps when facts are deleted, pruned and tagged; part of `MetadataStoreTests`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineal.errors import ArtifactMissing, InUse, NotFound, StoreMismatch, VersionGone
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.query import parse_query
from lineal.model.records import Companion, CompanionFile, InputEdge, NewOutput, RunRecord, SameOutput, StepCommit, VersionRecord
from lineal.model.states import Status
from lineal.testing.query import matches
from lineal.testing.records import a_run, a_step_run, an_object, an_output, now

NOW = 1_700_000_000_000_000


def taken(store: MetadataStore) -> tuple[list[str], int]:
    """Release all that is condemned; give the digests that were withdrawn, and the bytes that were in rows."""
    withdrawn: list[str] = []
    inline = store.release([digest for digest, _ in store.condemned()], withdrawn.append)
    assert store.condemned() == []
    return withdrawn, inline


def ended(store: MetadataStore, run: RunRecord, *outputs: NewOutput | SameOutput, inputs: Any = (), **given: Any) -> StepCommit:
    """Commit one step of a run, end the run, and give the commit."""
    edges = tuple(InputEdge(f"x{place}", version.id) for place, version in enumerate(inputs))
    commit = StepCommit(a_step_run(run, **given), edges, outputs)
    store.finish_step(commit)
    store.finish_run(replace(run, status=Status.COMPLETED, ended=9))
    return commit


class DeletingTests:
    """The part of the contract that is about what goes."""

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

    def saved(self, store: MetadataStore, artifact: str = "loose", content: bytes = b"", **given: Any) -> VersionRecord:
        """Save a version outside of any step."""
        return store.save_version(an_output(artifact, content or new_id().encode(), **given), None)

    # -- deleting

    def test_a_version_that_a_run_made_or_used_cannot_be_deleted_by_itself(self, store: MetadataStore, run: RunRecord) -> None:
        """The refusal says what refers to it, and nothing was deleted, not even what was free."""
        free = self.saved(store)
        used = self.saved(store)
        commit = ended(store, run, an_output("model"), inputs=[used], name="train")
        made = store.get_version("model")
        for version, verb in ((made, "made it"), (used, "used it")):
            with pytest.raises(InUse, match=rf"run '{run.name}' {verb} \(step 'train'\)"):
                store.delete_versions([free.id, version.id])
        assert [(each.kind, each.run_name, each.step_run_id) for each in store.references(made.id)] == [
            ("made", run.name, commit.step_run.id)
        ]
        assert [each.kind for each in store.references(used.id)] == ["used"]
        assert store.references(free.id) == []
        assert store.get_version("loose", "1") == free

    def test_a_pinned_version_cannot_be_deleted(self, store: MetadataStore) -> None:
        """Until it is unpinned."""
        version = self.saved(store)
        store.update_version(version.id, pinned=True)
        with pytest.raises(InUse, match=r"it is pinned.*unpin it first"):
            store.delete_versions([version.id])
        store.update_version(version.id, pinned=False)
        store.delete_versions([version.id])
        with pytest.raises(NotFound):
            store.delete_versions([version.id])

    def test_version_numbers_are_never_used_again(self, store: MetadataStore) -> None:
        """Neither the last one, nor after all versions of the artifact went."""
        ids = [self.saved(store).id for _ in range(3)]
        assert store.version_ids("loose") == ids
        store.delete_versions(ids)
        assert store.version_ids("loose") == store.version_ids("unknown") == []
        assert self.saved(store).version == "4"

    def test_deleting_a_run_frees_what_only_it_refers_to(self, store: MetadataStore) -> None:
        """Its versions stay and nothing refers to them any more; what another run reused or used is referred to as before."""
        first, second = store.begin_run(a_run(tags=("t",))), store.begin_run(a_run())
        commit = StepCommit(a_step_run(first, cache_key="k"), (), (an_output("model", b"m"), an_output("other", b"o", output="b")))
        model, other = store.finish_step(commit)
        with pytest.raises(InUse, match="running"):
            store.delete_run(first.id)
        ended(store, first, an_output("alone"), name="late")
        ended(
            store, second, SameOutput("output", model), SameOutput("b", other), status=Status.CACHED, cache_key="k",
            cached_from=commit.step_run.id,
        )  # fmt: skip
        assert store.only_of_runs([first.id]) == (1, 1)
        assert store.only_of_runs([first.id, second.id]).versions == 3
        store.update_version(other.id, pinned=True)
        assert store.only_of_runs([first.id, second.id]).versions == 2
        store.update_version(other.id, pinned=False)
        assert store.only_of_runs([first.id]).versions == store.delete_run(first.id) == 1
        assert [each.artifact for each in store.prunable()] == ["alone"]
        assert [each.kind for each in store.references(model.id)] == ["reused"]
        with pytest.raises(NotFound):
            store.get_run(first.id)
        with pytest.raises(NotFound):
            store.get_step_run(commit.step_run.id)
        with pytest.raises(NotFound):
            store.delete_run(first.id)
        assert store.list_runs({"tag": "t"}, "name", 10, 0).total == 0
        hit = store.find_cached("k").get("k")
        assert store.only_of_runs([second.id, "no-such-run"]).versions == 2
        assert hit is not None  # the cache of what others still use survives
        assert (hit.run_id, hit.outputs["output"].id) == (second.id, model.id)
        assert (hit.outputs["output"].run_id, hit.outputs["output"].step) == (None, None)

    def test_what_a_run_holds_is_kept_as_long_as_it_goes_on(self, store: MetadataStore, run: RunRecord) -> None:
        """Before any edge says so; what is gone is told. The end of the run, and its death, let go."""
        given, gone = self.saved(store), self.saved(store)
        store.delete_versions([gone.id])
        assert store.hold(run.id, [given.id, gone.id, given.id]) == [gone.id]
        assert [(each.kind, each.run_id, each.step) for each in store.references(given.id)] == [("held", run.id, "")]
        with pytest.raises(InUse, match=f"run '{run.name}' is going on and was given it"):
            store.delete_versions([given.id])
        assert (store.prunable(), store.prune([given.id], "all", NOW)) == ([], [])
        store.crash_run(run.id, "gone", now())
        assert [each.id for each in store.prunable()] == [given.id]
        second = store.begin_run(a_run())
        assert store.hold(second.id, [given.id]) == []
        ended(store, second)
        assert store.references(given.id) == []
        store.delete_versions([given.id])

    # -- pruning

    def test_prunable_is_what_no_run_and_no_pin_refers_to(self, store: MetadataStore, run: RunRecord) -> None:
        """Oldest first; by name, by age, and without the newest of each artifact."""
        loose = [self.saved(store, artifact) for artifact in ("a", "b", "a", "a")]
        pinned, used = self.saved(store, "a"), self.saved(store, "a")
        store.update_version(pinned.id, pinned=True)
        ended(store, run, an_output("made"), inputs=[used])

        def found(**given: Any) -> list[str]:
            return [each.id for each in store.prunable(**given)]

        assert found() == [each.id for each in loose]
        assert found(names=["b*", "nothing"]) == [loose[1].id]
        assert found(created_before=loose[0].created) == []
        assert found(keep_last=3) == [loose[0].id, loose[2].id]  # pinned, used and the newest loose one are the newest three of a
        assert found(keep_last=9) == []

    def test_prune_takes_only_what_nothing_refers_to_by_then(self, store: MetadataStore, run: RunRecord) -> None:
        """A run that came in between keeps what it uses."""
        gone, used = self.saved(store, content=b"12"), self.saved(store)
        candidates = [each.id for each in store.prunable()]
        ended(store, run, inputs=[used])
        assert store.prune(candidates, "all", NOW) == [gone.id]
        assert store.versions_by_id(candidates) == {used.id: used}
        assert store.condemned() == [(gone.object.digest, 2)]
        assert store.prune(candidates, "all", NOW) == []

    def test_giving_a_pruned_version_again_is_refused_by_name(self, store: MetadataStore, run: RunRecord) -> None:
        """The error says which step run would have given it, and nothing of the whole batch is recorded."""
        version = self.saved(store)
        store.prune([version.id], "artifact", NOW)
        good = StepCommit(a_step_run(run, "good"), (), (an_output("good"),))
        bad = StepCommit(a_step_run(run, "bad", status=Status.CACHED), (), (SameOutput("output", version),))
        with pytest.raises(VersionGone, match=r"loose@1 \(pruned\)") as caught:
            store.finish_steps([good, bad])
        assert caught.value.step_run_id == bad.step_run.id
        assert store.list_step_runs(run.id) == []

    # -- tags

    def test_one_version_of_an_artifact_holds_an_exclusive_tag(self, store: MetadataStore) -> None:
        """Giving it to another moves it, within the artifact; other tags stay where they are."""
        first, second, foreign = self.saved(store, "a"), self.saved(store, "a"), self.saved(store, "b")
        for version in (first, foreign):
            store.update_version(version.id, add_tags=["x", "production"], exclusive=True)
        assert store.update_version(second.id, add_tags=["production"], exclusive=True).tags == ("production",)
        assert [store.get_version(each.id).tags for each in (first, second, foreign)] == [("x",), ("production",), ("x", "production")]
        found = store.list_versions({"tag": "production"}, "created", 10, 0).items
        assert [each.id for each in found] == [second.id, foreign.id]

    # -- questions about metadata

    def test_lists_answer_questions_about_metadata(self, store: MetadataStore) -> None:
        """For versions and runs the same, and the same as a plain evaluation."""
        owners: list[dict[str, Any]] = [
            {"accuracy": 0.95, "split": "test"},
            {"accuracy": "0.95"},
            {"accuracy": 1, "nested": {"a b": True}},
            {},
        ]
        for metadata in owners:
            self.saved(store, metadata=metadata)
            store.begin_run(a_run(metadata=metadata))
        for text in ("accuracy > 0.9", "accuracy > 0.9 and split == 'test'", "nested.`a b` == true", "not accuracy exists", "split != 'x'"):
            tree = parse_query(text)
            expected = [metadata for metadata in owners if matches(tree, metadata)]
            assert [each.metadata for each in store.list_versions({"metadata": text}, "created", 10, 0).items] == expected
            assert [each.metadata for each in store.list_runs({"metadata": text}, "created", 10, 0).items] == expected
        assert store.list_versions({"metadata": ["accuracy > 0.9", "split exists"]}, "created", 10, 0).total == 1


class OwnFactsTests(DeletingTests):
    """A store that has the facts in its own process: it takes bytes away under the write lock, and is told whose bytes they are.

    Inherit beside `MetadataStoreTests`; over a wire these things are done on the other side.
    """

    def test_it_says_so(self, store: MetadataStore) -> None:
        """By that others know where to ask for a prune."""
        assert store.takes_bytes

    def test_deleting_condemns_bytes_that_nothing_else_needs(self, store: MetadataStore) -> None:
        """What another live version shares stays; visualizations go with their version."""
        shared, own = an_object(b"shared", inline=None), an_object(b"own", inline=None)
        picture = an_object(b"<svg/>", inline=None)
        beside = Companion(picture, (CompanionFile("svg", "", "data.json"),))
        first = store.save_version(an_output("a", object=shared), None)
        second = store.save_version(an_output("a", object=shared), None)
        third = store.save_version(an_output("a", object=own, companion=beside), None)
        store.delete_versions([first.id, third.id])
        assert store.condemned() == [(own.digest, 3), (picture.digest, 6)]
        assert taken(store) == ([own.digest, picture.digest], 0)
        assert store.get_version("a") == second
        store.delete_versions([second.id])
        assert taken(store) == ([shared.digest], 0)
        with pytest.raises(NotFound):
            store.get_object(shared.digest)

    def test_bytes_that_are_needed_again_are_not_released(self, store: MetadataStore) -> None:
        """A version that was recorded after the look keeps its object."""
        content = an_object(b"again", inline=None)
        store.delete_versions([store.save_version(an_output("a", object=content), None).id])
        [(digest, _)] = store.condemned()
        store.save_version(an_output("b", object=content), None)
        withdrawn: list[str] = []
        assert store.release([digest], withdrawn.append) == 0
        assert withdrawn == []
        assert store.get_version("b").object == content

    def test_a_failed_withdrawal_leaves_everything_to_the_next(self, store: MetadataStore) -> None:
        """The transaction is undone: the object stays condemned."""
        store.delete_versions([self.saved(store, content=b"x").id])
        condemned = store.condemned()

        def fail(digest: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.release([digest for digest, _ in condemned], fail)
        assert store.condemned() == condemned
        assert taken(store)[1] == 1

    def test_only_artifact_leaves_a_tombstone(self, store: MetadataStore) -> None:
        """The record stays and says when; it is not the newest any more, and the same bytes under the same version bring it back."""
        version = self.saved(store, content=b"12", version="gold", metadata={"m": 1}, tags=("t",))
        registered = self.saved(store, "far", object=an_object(b"far", inline=None, external="/data/far"))
        assert store.bytes_kept() == 2
        assert store.prune([version.id, registered.id], "artifact", NOW) == [version.id]
        assert taken(store) == ([version.object.digest], 2)
        assert store.bytes_kept() == 0
        tomb = store.get_version("loose", "gold")
        assert (tomb.state, tomb.pruned, tomb.object.inline, tomb.metadata, tomb.tags) == ("pruned", NOW, None, {"m": 1}, ("t",))
        with pytest.raises(NotFound, match="pruned"):
            store.get_version("loose")
        assert store.get_version("far") == registered
        again = store.save_version(an_output("loose", b"12", version="gold"), None)
        assert (again.id, again.state, again.pruned, again.object.inline) == (version.id, "live", None, b"12")

    def test_a_tombstone_goes_with_the_next_whole_prune(self, store: MetadataStore) -> None:
        """Data that is gone already is no obstacle."""
        version = self.saved(store)
        store.prune([version.id], "artifact", NOW)
        taken(store)
        assert [each.state for each in store.prunable(keep_last=5)] == ["pruned"]
        assert store.prune([version.id], "all", NOW) == [version.id]
        assert taken(store) == ([], 0)

    def test_only_metadata_forgets_the_bytes_where_they_are(self, store: MetadataStore) -> None:
        """The record goes, and with it what says that there is an object; nobody withdraws it."""
        version = self.saved(store, object=an_object(b"far", inline=None))
        assert store.prune([version.id], "metadata", NOW) == [version.id]
        assert taken(store) == ([], 0)
        with pytest.raises(NotFound):
            store.get_object(version.object.digest)

    def test_facts_belong_to_one_artifact_store(self, store: MetadataStore, tmp_path: Path) -> None:
        """The first one is remembered, also by those who open the store later; another is refused."""
        store.pair("one")
        store.pair("one")
        with pytest.raises(StoreMismatch, match=r"one.*two"):
            self.make_store(tmp_path).pair("two")


class SealedTests:
    """A store that asks whether objects are in place: inherit, and open it with that question."""

    def make_asking_store(self, tmp_path: Path, sealed: Any) -> MetadataStore:
        """Open a store that calls `sealed(digest)` in the transactions that record versions."""
        raise NotImplementedError

    def test_a_version_whose_bytes_are_gone_is_not_recorded(self, tmp_path: Path) -> None:
        """Neither by a step nor alone; values in rows, and data that is registered elsewhere, are not asked for."""
        gone, picture = an_object(b"gone", inline=None), an_object(b"picture", inline=None)
        store = self.make_asking_store(tmp_path, lambda digest: digest not in (gone.digest, picture.digest))
        run = store.begin_run(a_run())
        beside = Companion(picture, (CompanionFile("svg", "", "data.json"),))
        for output in (an_output(object=gone), an_output(object=an_object(b"there", inline=None), companion=beside)):
            with pytest.raises(ArtifactMissing, match="save the value again"):
                store.save_version(output, None)
            with pytest.raises(ArtifactMissing):
                store.finish_step(StepCommit(a_step_run(run), (), (output,)))
        assert store.list_step_runs(run.id) == []
        assert store.save_version(an_output(object=replace(gone, external="/data")), None).number == 1
        assert store.save_version(an_output(), None).number == 2
