"""What every metadata store keeps, as tests. A new store's test file says how to open it and inherits the rest:

from lineal.testing.metadata_store import MetadataStoreTests

class TestMyStore(MetadataStoreTests):
    def make_store(self, tmp_path):
        return MyStore(tmp_path / "facts")
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineal.errors import Conflict, NotFound, UsageError, VersionExists
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import CodeRecord, InputEdge, NewOutput, RunRecord, SameOutput, StepCommit, VersionRecord
from lineal.model.states import Status
from lineal.testing.cache import CacheTests
from lineal.testing.deleting import DeletingTests
from lineal.testing.history import HistoryTests
from lineal.testing.marks import MarkTests
from lineal.testing.overviews import OverviewTests
from lineal.testing.records import ODD, a_run, a_step_run, an_object, an_output, now
from lineal.testing.visualizations import VisualizationTests


class MetadataStoreTests(CacheTests, DeletingTests, HistoryTests, MarkTests, VisualizationTests, OverviewTests):
    """Inherit, and implement `make_store`."""

    def make_store(self, tmp_path: Path) -> MetadataStore:
        """Open a new, empty store, or the one that an earlier call with the same folder opened."""
        raise TypeError(f"{type(self).__qualname__} has no make_store()")

    @pytest.fixture
    def store(self, tmp_path: Path) -> MetadataStore:
        """Give a new store."""
        return self.make_store(tmp_path)

    @pytest.fixture
    def run(self, store: MetadataStore) -> RunRecord:
        """Give a run that is under way."""
        return store.begin_run(a_run())

    def commit(self, store: MetadataStore, run: RunRecord, *outputs: NewOutput | SameOutput, inputs: Any = (), **given: Any) -> StepCommit:
        """Commit a step run with these outputs; `inputs` are versions."""
        edges = tuple(InputEdge(f"x{place}", version.id) for place, version in enumerate(inputs))
        commit = StepCommit(a_step_run(run, **given), edges, outputs)
        store.finish_step(commit)
        return commit

    def made(self, store: MetadataStore, run: RunRecord, *inputs: VersionRecord, artifact: str = "model", **given: Any) -> VersionRecord:
        """Commit a step run with one new version, and give that."""
        output = an_output(artifact, content=new_id().encode())
        self.commit(store, run, output, inputs=inputs, **given)
        return store.get_version(output.id)

    # -- the store itself

    def test_identity_stays_over_reopening(self, store: MetadataStore, tmp_path: Path) -> None:
        """The id pairs facts with bytes, so it outlives connections."""
        identity = store.identity()
        store.close()
        assert store.identity() == identity
        assert self.make_store(tmp_path).identity() == identity

    # -- runs

    def test_run_comes_back_as_it_was(self, store: MetadataStore) -> None:
        """Every field of a run is kept, odd values of JSON too."""
        run = a_run(
            tags=("b", "a"),
            parameters={"lr": 0.1, **ODD},
            metadata={"note": "ü"},
            environment={"python": "3.12"},
            process="host:1:ab",
            heartbeat=now(),
        )
        begun = store.begin_run(run)
        assert begun.seq > 0
        found = store.get_run(run.id)
        assert repr(replace(found, parameters=dict(sorted(found.parameters.items())))) == repr(
            replace(begun, parameters=dict(sorted(begun.parameters.items())))
        )
        assert store.get_run(run.name).id == run.id
        assert store.get_run(run.id[:20]).id == run.id

    def test_begin_run_again_changes_nothing(self, store: MetadataStore) -> None:
        """A lost answer is asked for again with the same id."""
        run = a_run()
        assert store.begin_run(run) == store.begin_run(replace(run, name="other"))
        assert store.list_runs({}, "created", 10, 0).total == 1

    def test_finish_run_keeps_what_was_logged_and_ends_once(self, store: MetadataStore, run: RunRecord) -> None:
        """Metadata logged during the run stays; a run that has ended does not end again."""
        store.update_run(run.id, metadata={"logged": 1, "both": 1}, add_tags=["x"])
        done = replace(run, status=Status.FAILED, ended=99, duration=5, error="bad \ud800", plan=[1, {"a": None}], metadata={"both": 2})
        store.finish_run(done)
        store.finish_run(replace(done, status=Status.COMPLETED, ended=100))
        planned = store.begin_run(a_run(plan=[{"name": "a"}]))
        store.finish_run(replace(planned, status=Status.COMPLETED, plan=None))  # what was recorded of it stays
        assert store.get_run(planned.id).plan == [{"name": "a"}]
        found = store.get_run(run.id)
        assert (found.status, found.ended, found.duration, found.plan) == (Status.FAILED, 99, 5, [1, {"a": None}])
        assert found.metadata == {"logged": 1, "both": 2}
        assert found.tags == ("x",)
        assert str(found.error).startswith("bad")

    def test_heartbeat_shows_steps_and_the_end_replaces_it(self, store: MetadataStore, run: RunRecord) -> None:
        """A step shown as running becomes completed under the same id, and no late heartbeat takes it back."""
        step = a_step_run(run, status=Status.RUNNING, ended=None, duration=None)
        beat = now()
        store.heartbeat(run.id, beat, [step])
        assert store.get_step_run(step.id).status is Status.RUNNING
        assert store.get_run(run.id).heartbeat == beat
        done = replace(step, status=Status.COMPLETED, ended=9, cache_key="k")
        [version] = store.finish_step(StepCommit(done, outputs=(an_output(),)))
        store.heartbeat(run.id, now(), [step])
        found = store.get_step_run(step.id)
        assert (found.status, found.ended, found.cache_key) == (Status.COMPLETED, 9, "k")
        assert version.step_run_id == step.id
        assert [each.id for each in store.list_step_runs(run.id)] == [step.id]

    def test_crash_run_marks_only_what_is_running(self, store: MetadataStore, run: RunRecord) -> None:
        """A run that has ended keeps its state; step runs that have ended keep theirs."""
        done = self.commit(store, run, an_output()).step_run
        hanging = a_step_run(run, "hanging", status=Status.RUNNING, ended=None)
        moment = now()
        store.heartbeat(run.id, moment, [hanging])
        store.crash_run(run.id, "its process is gone", moment)
        found = store.get_run(run.id)
        assert (found.status, found.ended, found.error) == (Status.CRASHED, moment, "its process is gone")
        assert store.get_step_run(hanging.id).status is Status.CRASHED
        assert store.get_step_run(done.id).status is Status.COMPLETED
        ended = store.begin_run(a_run())
        store.finish_run(replace(ended, status=Status.COMPLETED, ended=3))
        store.crash_run(ended.id, "late", moment)
        assert store.get_run(ended.id).status is Status.COMPLETED

    def test_a_run_thought_dead_may_still_end(self, store: MetadataStore, run: RunRecord) -> None:
        """A suspended laptop wakes up: its steps and its run end as they really did."""
        step = a_step_run(run, status=Status.RUNNING)
        store.heartbeat(run.id, now(), [step])
        store.crash_run(run.id, "no sign of life", now())
        store.finish_step(StepCommit(replace(step, status=Status.COMPLETED)))
        store.finish_run(replace(run, status=Status.COMPLETED, ended=9))
        assert store.get_step_run(step.id).status is Status.COMPLETED
        assert store.get_run(run.id).status is Status.COMPLETED

    def test_list_runs_filters_sorts_and_pages(self, store: MetadataStore) -> None:
        """Filters narrow, `-` descends, the total counts what the filters let through, not the page."""
        runs = [
            store.begin_run(a_run(name=f"run {n}", pipeline=f"p{n % 2}", started=100 * n, tags=("even",) if n % 2 == 0 else ()))
            for n in range(6)
        ]
        page = store.list_runs({"pipeline": "p0"}, "-created", 2, 0)
        assert ([run.name for run in page.items], page.total) == (["run 4", "run 2"], 3)
        assert [run.name for run in store.list_runs({"pipeline": "p0"}, "-created", 2, 2).items] == ["run 0"]
        assert store.list_runs({}, "created", 2, 100) == ([], 6)
        assert store.list_runs({"tag": "even", "name": "run 2"}, "name", 10, 0).items == [runs[2]]
        assert store.list_runs({"name": "*3"}, "name", 10, 0).items == [runs[3]]
        assert store.list_runs({"created_after": 200, "created_before": 400}, "created", 10, 0).items == runs[2:4]
        assert store.list_runs({"status": ["failed", Status.RUNNING]}, "created", 10, 0).total == 6
        assert store.list_runs({"status": Status.FAILED, "tag": None}, "created", 10, 0).total == 0

    @pytest.mark.parametrize("listed", ["list_runs", "find_step_runs", "list_versions", "list_artifacts"])
    def test_lists_refuse_what_they_do_not_know(self, store: MetadataStore, listed: str) -> None:
        """An unknown field never filters silently; the message names those that exist."""
        method = getattr(store, listed)
        with pytest.raises(UsageError, match=r"'colour'.*name"):
            method({"colour": "red"}, "name", 10, 0)
        with pytest.raises(UsageError, match=r"'name; DROP TABLE runs'.*created"):
            method({}, "name; DROP TABLE runs", 10, 0)
        with pytest.raises(UsageError, match="text"):
            method({"name": 5}, "name", 10, 0)
        for limit, offset in ((0, 0), (10_001, 0), (True, 0), (1, -1)):
            with pytest.raises(UsageError, match="must be an int"):
                method({}, "name", limit, offset)

    def test_missing_run_names_the_closest(self, store: MetadataStore) -> None:
        """A typing error is answered with what was meant."""
        store.begin_run(a_run(name="nightly training"))
        with pytest.raises(NotFound, match="did you mean 'nightly training'"):
            store.get_run("nightly trainin")
        with pytest.raises(NotFound):
            store.get_step_run(new_id())
        for method in (store.finish_run, lambda run: store.heartbeat(run.id, now()), lambda run: store.crash_run(run.id, "", now())):
            with pytest.raises(NotFound):
                method(a_run())

    # -- the route of one value

    def test_finish_step_gives_what_can_be_read(self, store: MetadataStore, run: RunRecord) -> None:
        """What a commit gives back is what every later query gives."""
        first = self.made(store, run, artifact="data")
        outputs = (
            an_output("model", tags=("a", "b"), metadata={"auc": 0.9, **ODD}),
            an_output("report", b"2", output="report", object=an_object(b"2", boot="boot-1")),
        )
        step = a_step_run(run, "fit", parameters={"c": 1.5}, ingredients={"code": "abc"}, cache_key="key", metadata={"rows": 3})
        given = store.finish_step(StepCommit(step, (InputEdge("x", first.id, "version"),), outputs))
        assert [each.id for each in given] == [each.id for each in outputs]
        read = [store.get_version(each.id) for each in outputs]
        assert [_same(each) for each in given] == [_same(each) for each in read]
        assert (read[0].version, read[0].number, read[0].pipeline, read[0].step, read[0].run_id) == ("1", 1, "training", "fit", run.id)
        assert replace(store.get_step_run(step.id), seq=0) == step
        assert store.step_edges(step.id).inputs == [("x", first)]
        assert [name for name, _ in store.step_edges(step.id).outputs] == ["output", "report"]

    def test_the_same_commit_again_gives_the_same_versions(self, store: MetadataStore, run: RunRecord) -> None:
        """Publishing is exactly once: a repetition changes nothing, also of named versions and reused ones."""
        old = self.made(store, run)
        commit = StepCommit(
            a_step_run(run), (InputEdge("x", old.id),), (an_output(), an_output("named", version="gold"), SameOutput("again", old))
        )
        first, second = store.finish_step(commit), store.finish_step(commit)
        assert first == second
        assert store.list_versions({"artifact": "model"}, "number", 10, 0).total == 2
        assert len(store.step_edges(commit.step_run.id).outputs) == 3
        with pytest.raises(Conflict, match="ended before"):
            store.finish_step(StepCommit(commit.step_run, (), (an_output(),)))

    def test_versions_are_dense(self, store: MetadataStore, run: RunRecord) -> None:
        """A commit that fails takes no number with it."""
        self.made(store, run)
        with pytest.raises(NotFound):
            self.commit(store, run, an_output(), inputs=[replace(self.made(store, run, artifact="x"), id=new_id())])
        assert self.made(store, run).version == "2"

    def test_many_threads_get_dense_versions(self, store: MetadataStore, run: RunRecord) -> None:
        """Whoever commits at the same moment gets a number of its own, and none is left out."""
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: self.made(store, run), range(40)))
        assert sorted(version.number or 0 for version in made) == list(range(1, 41))

    def test_explicit_versions(self, store: MetadataStore, run: RunRecord) -> None:
        """The same bytes are given back, other bytes refused; a number moves the count on, a name does not."""
        named = store.save_version(an_output(version="gold"), None)
        assert (named.version, named.number) == ("gold", None)
        assert store.save_version(an_output(version="gold"), None) == named
        with pytest.raises(VersionExists, match=r"'gold' of 'model'"):
            store.save_version(an_output(content=b"other", version="gold"), None)
        assert self.made(store, run).version == "1"
        assert store.save_version(an_output(version="7"), None).number == 7
        assert self.made(store, run).version == "8"
        assert store.save_version(an_output(version="3"), None).number == 3
        assert store.save_version(an_output(version="20230615143045123456"), None).number is None
        assert self.made(store, run).version == "9"
        given = self.commit(store, run, an_output(version="gold"))
        assert store.step_edges(given.step_run.id).outputs == [("output", named)]

    def test_an_unknown_run_or_input_commits_nothing(self, store: MetadataStore, run: RunRecord) -> None:
        """A commit is whole or absent."""
        lost = StepCommit(a_step_run(run), (InputEdge("data", new_id()),), (an_output(),))
        with pytest.raises(NotFound, match="'data'"):
            store.finish_step(lost)
        with pytest.raises(NotFound, match="begin_run"):
            store.finish_step(StepCommit(a_step_run(a_run()), outputs=(an_output(),)))
        with pytest.raises(UsageError, match="has ended"):
            store.finish_step(StepCommit(a_step_run(run, status=Status.RUNNING)))
        assert store.list_step_runs(run.id) == []
        assert store.list_artifacts({}, "name", 10, 0).total == 0

    def test_finish_steps_is_one_transaction(self, store: MetadataStore, run: RunRecord) -> None:
        """Of several commits all become visible, or none."""
        good = [StepCommit(a_step_run(run, f"s{n}"), outputs=(an_output(),)) for n in range(3)]
        with pytest.raises(NotFound):
            store.finish_steps([*good, StepCommit(a_step_run(run), (InputEdge("x", new_id()),))])
        assert store.list_step_runs(run.id) == []
        assert [versions[0].version for versions in store.finish_steps(good)] == ["1", "2", "3"]
        assert store.finish_steps([]) == []

    def test_a_step_with_very_many_edges(self, store: MetadataStore, run: RunRecord) -> None:
        """A step that gathers hundreds of versions keeps the order of them all."""
        outputs = tuple(an_output(f"part {n}", str(n).encode(), output=f"o{n}") for n in range(150))
        parts = store.finish_step(StepCommit(a_step_run(run, "split"), outputs=outputs))
        gathered = self.commit(store, run, *(SameOutput(f"o{n}", part) for n, part in enumerate(parts)), inputs=parts)
        edges = store.step_edges(gathered.step_run.id)
        assert [version.id for _, version in edges.inputs] == [version.id for _, version in edges.outputs] == [part.id for part in parts]

    def test_find_running(self, store: MetadataStore, run: RunRecord) -> None:
        """A step that is shown as running is found by its key until it ends, with its run's last sign of life."""
        step = a_step_run(run, status=Status.RUNNING, cache_key="key")
        beat = now()
        store.heartbeat(run.id, beat, [step])
        assert (store.find_running("key") or run).heartbeat == beat
        store.finish_step(StepCommit(replace(step, status=Status.COMPLETED)))
        assert store.find_running("key") is None

    def test_versions_saved_inside_a_step(self, store: MetadataStore, run: RunRecord) -> None:
        """They are outputs of the step run in its edges, but not what a cache hit gives back."""
        step = a_step_run(run, status=Status.RUNNING)
        with pytest.raises(NotFound, match="heartbeat"):
            store.save_version(an_output("side"), step.id)
        store.heartbeat(run.id, now(), [step])
        output = an_output("side", output="", save_type="manual")
        saved = store.save_version(output, step.id)
        assert saved == store.save_version(output, step.id) == store.get_version("side")
        assert (saved.step_run_id, saved.run_id, saved.pipeline, saved.step) == (step.id, run.id, "training", "train")
        store.finish_step(StepCommit(replace(step, status=Status.COMPLETED, cache_key="key"), outputs=(an_output(),)))
        assert [name for name, _ in store.step_edges(step.id).outputs] == ["output", "side@1"]
        found = store.find_cached("key").get("key")
        assert found is not None
        assert list(found.outputs) == ["output"]
        assert [edge.step_run_id for edge in store.lineage(saved.id, upstream=True)] == [step.id]

    def test_previous_step_runs(self, store: MetadataStore, run: RunRecord) -> None:
        """Earlier successes under the same pipeline and name, newest first; failures, other pipelines and itself do not count."""
        other = store.begin_run(a_run(pipeline="other"))
        first = self.commit(store, run).step_run
        self.commit(store, store.begin_run(a_run()), status=Status.FAILED)
        self.commit(store, other)
        second = self.commit(store, store.begin_run(a_run()), status=Status.CACHED, cached_from=first.id).step_run
        third = self.commit(store, store.begin_run(a_run())).step_run
        assert store.previous_step_runs(first.id) == []
        previous = [store.previous_step_runs(step.id) for step in (second, third)]
        assert [[each.id for each in found] for found in previous] == [[first.id], [second.id, first.id]]

    def test_settle_and_objects(self, store: MetadataStore, run: RunRecord) -> None:
        """An object keeps the boot id until it is settled; what is durable stays so, whatever is saved later."""
        loose = an_object(b"loose", boot="boot-1", inline=None)
        store.save_version(an_output(object=loose), None)
        assert store.get_object(loose.digest) == loose
        store.settle([loose.digest])
        assert store.get_object(loose.digest).boot is None
        store.save_version(an_output(object=replace(loose, boot="boot-2")), None)
        assert store.get_object(loose.digest).boot is None
        store.settle([])
        with pytest.raises(NotFound):
            store.get_object("0" * 64)

    def test_registered_data_and_own_bytes_of_the_same_content(self, store: MetadataStore) -> None:
        """Each version knows its own place; an object of which we hold the bytes is ours."""
        one, two, own = (an_object(inline=None, external=place) for place in ("/data/a", "/data/b", None))
        versions = [store.save_version(an_output(object=record), None) for record in (one, two, own, one)]
        assert [store.get_version(version.id).object.external for version in versions] == ["/data/a", "/data/b", None, "/data/a"]
        assert store.get_object(own.digest).external is None

    def test_code_is_kept_once(self, store: MetadataStore, run: RunRecord, tmp_path: Path) -> None:
        """Code comes with each commit and is kept under its digest."""
        code = CodeRecord("c" * 64, {"parts": ["train", None]}, "def train():\n    return 'ü'\n")
        for opened in (store, store, self.make_store(tmp_path)):
            opened.finish_step(StepCommit(a_step_run(run), code=code))
        assert store.get_code(code.digest) == code
        with pytest.raises(NotFound):
            store.get_code("d" * 64)

    # -- artifacts

    def test_get_version(self, store: MetadataStore, run: RunRecord) -> None:
        """By name, by name and version, by id, by a prefix of the id; a name is only ever a name."""
        first, second = self.made(store, run), self.made(store, run)
        assert store.get_version("model") == store.get_version("model", "latest") == second
        assert store.get_version("model", "1") == store.get_version(first.id) == store.get_version(first.id[:-1]) == first
        tricky = self.made(store, run, artifact=first.id[:-1])
        assert store.get_version(first.id[:-1]) == tricky
        for last in "12":
            self.commit(store, run, an_output("other", id=f"abcdef01-0000-7000-8000-00000000000{last}"))
        with pytest.raises(UsageError, match="give more"):
            store.get_version("abcdef01")

    def test_missing_version_says_what_there_is(self, store: MetadataStore, run: RunRecord) -> None:
        """The closest names, or the newest version of a name that exists."""
        self.made(store, run, artifact="Churn Model")
        with pytest.raises(NotFound, match="did you mean 'Churn Model'"):
            store.get_version("churn-model")
        with pytest.raises(NotFound, match=r"no version '9'; the newest is '1'"):
            store.get_version("Churn Model", "9")
        with pytest.raises(KeyError):
            store.get_version("f" * 12)

    def test_list_versions(self, store: MetadataStore, run: RunRecord) -> None:
        """Each filter alone and together, with `*` in names and nothing else as a wildcard."""
        other = store.begin_run(a_run(pipeline="etl"))
        a = self.made(store, run, artifact="a_b", name="fit")
        b = self.made(store, other, artifact="axb", name="load")
        c = store.save_version(an_output("a%b", content=b"22", type="str", data_type="model", tags=("gold", "eu")), None)

        def found(sort: str = "created", **filters: Any) -> list[str]:
            return [version.id for version in store.list_versions(filters, sort, 100, 0).items]

        assert (
            found(name="a_b") == found(artifact="a_b") == found(step="fit") == found(pipeline="training") == found(run=run.name) == [a.id]
        )
        assert found(run=other.id) == found(pipeline=["etl", "nothing"]) == [b.id]
        assert (
            found(name="a%b") == found(tag="gold") == found(tag=["gold", "eu"]) == found(data_type="model") == found(type="str") == [c.id]
        )
        assert found(tag=["gold", "us"]) == found(name="A_B") == found(name="a") == found(version="2") == found(pipeline=[]) == []
        assert found(name="a*b") == found(name="*") == found(version=1) == found(created_after=a.created) == [a.id, b.id, c.id]
        assert found(created_before=a.created) == []
        assert found("-name") == [b.id, a.id, c.id]
        assert found("size", data_type="data") == [a.id, b.id]

    def test_list_artifacts(self, store: MetadataStore, run: RunRecord) -> None:
        """Each artifact with its newest version and their number."""
        self.made(store, run, artifact="b")
        self.made(store, run, artifact="a")
        newest = store.save_version(an_output("b", b"333", version="gold", type="str", data_type="model", tags=("t",)), None)
        page = store.list_artifacts({}, "name", 10, 0)
        assert [(each.name, each.versions, each.latest) for each in page.items] == [("a", 1, "1"), ("b", 2, "gold")]
        assert (page.items[1].type, page.items[1].size, page.items[1].updated) == ("str", 3, newest.created)
        assert [each.name for each in store.list_artifacts({}, "-updated", 10, 0).items] == ["b", "a"]
        for filters in ({"tag": "t"}, {"type": "str"}, {"data_type": "model"}, {"name": "b*"}):
            assert [each.name for each in store.list_artifacts(filters, "name", 10, 0).items] == ["b"]

    def test_update_version_and_run(self, store: MetadataStore, run: RunRecord) -> None:
        """Tags are added and taken away, metadata merged by key, the pin set; filters see it at once."""
        version = self.made(store, run)
        store.update_version(version.id, add_tags=["x", "y", "x"], metadata={"a": 1, "b": 1}, pinned=True)
        changed = store.update_version(version.id, remove_tags=["x"], metadata={"b": 2})
        assert (changed.tags, changed.metadata, changed.pinned) == (("y",), {"a": 1, "b": 2}, True)
        assert store.get_version(version.id) == changed
        assert [store.list_versions({"tag": tag}, "name", 1, 0).total for tag in "xy"] == [0, 1]
        assert store.update_version(version.id, pinned=False).pinned is False
        assert store.update_run(run.id, add_tags=["r"], metadata={"m": None}).tags == ("r",)
        assert store.list_runs({"tag": "r"}, "name", 1, 0).items[0].metadata == {"m": None}
        for update in (store.update_version, store.update_run):
            with pytest.raises(NotFound):
                update(new_id(), add_tags=["x"])

    # -- lineage

    def test_lineage_both_ways(self, store: MetadataStore, run: RunRecord) -> None:
        """A diamond: each edge once, nearest first, bounded by depth."""
        raw = self.made(store, run, artifact="raw", name="load")
        left, right = self.made(store, run, raw, artifact="left"), self.made(store, run, raw, artifact="right")
        joined = self.made(store, run, left, right, artifact="joined", name="join")
        up = store.lineage(joined.id, upstream=True)
        assert [(edge.version_id, edge.direction) for edge in up] == [
            (joined.id, "output"), (left.id, "input"), (right.id, "input"),
            (left.id, "output"), (raw.id, "input"), (right.id, "output"), (raw.id, "input"), (raw.id, "output"),
        ]  # fmt: skip
        down = store.lineage(raw.id, upstream=False)
        assert [(edge.version_id, edge.direction) for edge in down] == [
            (raw.id, "input"), (left.id, "output"), (raw.id, "input"), (right.id, "output"),
            (left.id, "input"), (joined.id, "output"), (right.id, "input"),
        ]  # fmt: skip
        assert store.lineage(joined.id, upstream=True, depth=1) == up[:3]
        assert store.lineage(joined.id, upstream=True, depth=2) == up[:7]
        assert store.lineage(joined.id, upstream=True, depth=40) == up
        assert store.lineage(raw.id, upstream=False, depth=0) == store.lineage(new_id(), upstream=True) == []
        with pytest.raises(UsageError, match="depth"):
            store.lineage(raw.id, upstream=True, depth=-1)

    def test_lineage_through_cached_steps_and_circles(self, store: MetadataStore, run: RunRecord) -> None:
        """Reusing an output is an edge downstream only, and may close a circle."""
        one = self.made(store, run, artifact="one")
        two = self.made(store, run, one, artifact="two", name="there")
        back = self.commit(store, run, SameOutput("output", one), inputs=[two], name="back", status=Status.CACHED)
        down = store.lineage(one.id, upstream=False)
        assert [(edge.version_id, edge.direction) for edge in down] == [
            (one.id, "input"),
            (two.id, "output"),
            (two.id, "input"),
            (one.id, "output"),
        ]
        assert down[-1].step_run_id == back.step_run.id
        assert [edge.version_id for edge in store.lineage(one.id, upstream=True)] == [one.id]
        assert len(store.lineage(two.id, upstream=False, depth=3)) == 4

    def test_consumers_and_records_by_id(self, store: MetadataStore, run: RunRecord) -> None:
        """Who used a version, oldest first; batches leave out what is not there."""
        version = self.made(store, run)
        steps = [self.commit(store, run, inputs=[version, version], name=name).step_run for name in ("b", "a")]
        assert [step.id for step in store.consumers(version.id)] == [step.id for step in steps]
        assert store.versions_by_id([version.id, new_id(), 'x"]']) == {version.id: version}
        assert list(store.step_runs_by_id([steps[1].id])) == [steps[1].id]
        assert (store.runs_by_id([run.id, run.id]), store.runs_by_id([])) == ({run.id: store.get_run(run.id)}, {})


def _same(version: VersionRecord) -> tuple[Any, str]:
    # NaN is not equal to itself; its text is.
    return replace(version, metadata={}), repr(sorted(version.metadata.items()))
