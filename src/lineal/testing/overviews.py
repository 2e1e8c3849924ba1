"""What every metadata store tells in overviews; part of `MetadataStoreTests`."""

from dataclasses import replace

from lineal.metadata_store.base import MetadataStore
from lineal.model.records import InputEdge, Port, RunRecord, SameOutput, StepCommit, StepCount, StepRunName, VersionName
from lineal.model.states import Status
from lineal.testing.records import a_run, a_step_run, an_output


class OverviewTests:
    """The part of the contract that is about many facts at once. `store` and `run` are fixtures of `DeletingTests`."""

    def test_the_edges_of_a_run_are_those_of_its_steps(self, store: MetadataStore, run: RunRecord) -> None:
        """Asked for together or one by one; steps without any are left out."""
        first = StepCommit(a_step_run(run, name="first"), (), (an_output("one", b"1"), an_output("two", b"2", output="second")))
        [one, two] = store.finish_step(first)
        edges = (InputEdge("x", two.id), InputEdge("y", one.id))
        second = StepCommit(a_step_run(run, name="second", position=1), edges, (SameOutput("again", one),))
        store.finish_step(second)
        store.finish_step(StepCommit(a_step_run(run, name="third", position=2)))
        found = store.run_edges(run.id)
        assert list(found) == [first.step_run.id, second.step_run.id]
        assert all(edges == store.step_edges(step_run) for step_run, edges in found.items())
        assert [name for name, _ in found[second.step_run.id].inputs] == ["x", "y"]
        assert store.run_edges("no-such-run") == {}
        made = Port("x", two.id, two.artifact, two.version, two.type, two.object.size)
        ports = store.run_ports(run.id)
        assert ports[second.step_run.id].inputs[0] == made
        assert {step_run: tuple([(port.port, port.id) for port in some] for some in each) for step_run, each in ports.items()} == {
            step_run: tuple([(name, record.id) for name, record in some] for some in each) for step_run, each in found.items()
        }
        assert store.run_ports("no-such-run") == {}

    def test_names_of_versions_and_step_runs_are_those_of_their_records(self, store: MetadataStore, run: RunRecord) -> None:
        """In any order; those that nobody made and those that are not there are told apart."""
        commits = [StepCommit(a_step_run(run, name=f"s_{place}"), (), (an_output("made", b"1"),)) for place in range(2)]
        versions = [version for made in store.finish_steps(commits) for version in made]
        versions.append(store.save_version(an_output("saved", b"2"), None))
        names = store.version_names([*(each.id for each in versions), "no-such-version"])
        assert sorted(names) == sorted(
            VersionName(each.id, each.artifact, each.version, each.type, each.object.digest, each.step_run_id) for each in versions
        )
        assert sorted(store.step_run_names([*(each.step_run.id for each in commits), "no-such-step-run"])) == sorted(
            StepRunName(each.step_run.id, run.id, each.step_run.name, each.step_run.step, "completed", run.name, run.pipeline)
            for each in commits
        )
        assert (store.version_names([]), store.step_run_names([])) == ([], [])

    def test_steps_are_counted_by_state_with_the_time_that_the_cache_saved(self, store: MetadataStore, run: RunRecord) -> None:
        """A cached step saved what the one took whose result it gave."""
        slow = a_step_run(run, name="slow", duration=5_000)
        store.finish_step(StepCommit(slow))
        other = store.begin_run(a_run())
        for place in range(2):
            cached = a_step_run(other, name=f"slow_{place}", position=place, status=Status.CACHED, duration=0, cached_from=slow.id)
            store.finish_step(StepCommit(cached))
        store.finish_step(StepCommit(a_step_run(other, name="bad", position=2, status=Status.FAILED, duration=7)))
        empty = store.begin_run(a_run())
        assert store.step_counts([run.id, other.id, empty.id]) == {
            run.id: [StepCount("completed", 1, 5_000)],
            other.id: [StepCount("cached", 2, 10_000), StepCount("failed", 1, 7)],
        }

    def test_pipelines_are_told_by_their_runs(self, store: MetadataStore) -> None:
        """The one that ran last comes first; its numbers are those of all its runs, its durations those of the last ones."""
        assert store.list_pipelines() == []
        for place in range(40):
            ended = store.begin_run(a_run(pipeline="daily", name=f"daily-{place}"))
            status = Status.FAILED if place % 4 == 0 else Status.COMPLETED
            store.finish_run(replace(ended, status=status, ended=9, duration=place))
        going = store.begin_run(a_run(pipeline="weekly", name="weekly-1"))
        weekly, daily = store.list_pipelines()
        assert (weekly.name, weekly.runs, weekly.running, weekly.latest_id, weekly.durations) == ("weekly", 1, 1, going.id, ())
        assert (daily.runs, daily.completed, daily.failed, daily.running) == (40, 30, 10, 0)
        assert (daily.latest_name, daily.latest_status) == ("daily-39", "completed")
        assert daily.durations == tuple(range(10, 40))

    def test_totals_count_shared_bytes_once(self, store: MetadataStore) -> None:
        """Two versions of one content are kept as one object."""
        assert tuple(store.totals()) == (0, 0, 0, 0, 0, 0)
        for name in ("one", "two"):
            store.save_version(an_output(name, b"x" * 100), None)
        totals = store.totals()
        assert (totals.artifacts, totals.versions, totals.objects) == (2, 2, 1)
        assert (totals.bytes_kept, totals.bytes_meant) == (100, 200)

    def test_space_is_told_by_artifact_and_type_and_shared_bytes_count_once(self, store: MetadataStore) -> None:
        """What the first version holds, a later one of the same content takes no more of."""
        assert store.space() == []
        store.save_version(an_output("small", b"x" * 100), None)
        store.save_version(an_output("large", b"y" * 900), None)
        store.save_version(an_output("again", b"y" * 900), None)
        told = [(each.artifact, each.versions, each.bytes_meant, each.bytes_kept) for each in store.space()]
        assert told == [("large", 1, 900, 900), ("small", 1, 100, 100), ("again", 1, 900, 0)]

    def test_artifacts_are_counted_by_what_tells_them_apart(self, store: MetadataStore) -> None:
        """A tag of the artifact and the same on two of its versions is one artifact that has it."""
        assert store.artifact_facets() == []
        for name in ("one", "one", "two"):
            version = store.save_version(an_output(name, b"x"), None)
            store.update_version(version.id, add_tags=["good"])
        store.update_artifact("one", add_tags=["good", "mine"])
        found = store.artifact_facets()
        assert [(each.value, each.artifacts) for each in found if each.field == "tag"] == [("good", 2), ("mine", 1)]
        assert [(each.field, each.artifacts) for each in found if each.field != "tag"] == [("data_type", 2), ("type", 2)]

    def test_recent_calls_are_the_newest_of_each_pipeline_by_name(self, store: MetadataStore) -> None:
        """Of the newest runs only; a pattern takes characters of a pattern of the database's own for themselves."""
        made = []
        for number, name in enumerate(("training", "training", "other")):
            run = store.begin_run(a_run(name=f"{name}-{number}", pipeline=name))
            for place, call in enumerate(("load", "train_2", "trainx2")):
                step = a_step_run(run, name=call, position=place)
                store.finish_step(StepCommit(step))
                made.append((step.id, call, "completed", run.id, run.name, name))
        assert store.recent_calls("*", 10, 10) == made[:2:-1]
        assert store.recent_calls("*", 10, 2) == made[:-3:-1]
        assert store.recent_calls("*ain_*", 10, 10) == [made[7], made[4]]
        assert store.recent_calls("load", 1, 10) == [made[6]]
        assert store.recent_calls("Load", 10, 10) == []

    def test_uses_are_counted_by_step_run_and_not_those_answered_from_the_cache(self, store: MetadataStore, run: RunRecord) -> None:
        """A step run that took a version twice used it once."""
        used, unused = (store.save_version(an_output(name, b"x"), None) for name in ("used", "unused"))
        for place, status in enumerate((Status.COMPLETED, Status.FAILED, Status.CACHED)):
            edges = (InputEdge("a", used.id), InputEdge("b", used.id))
            store.finish_step(StepCommit(a_step_run(run, name=f"step_{place}", position=place, status=status), edges))
        assert store.use_counts([used.id, unused.id, "no-such-version"]) == {used.id: 2}
