"""What every metadata store tells about earlier step runs, for planning; part of `MetadataStoreTests`."""

from typing import Any

from lineal.metadata_store.base import MetadataStore
from lineal.model.records import NewOutput, RunRecord, SameOutput, StepCommit, StepRunRecord
from lineal.model.states import Status
from lineal.testing.records import a_run, a_step_run, an_output, now


class HistoryTests:
    """The part of the contract that is about what a pipeline's steps did before. `store` and `run` are fixtures of `DeletingTests`."""

    def test_an_earlier_version_saved_again_is_one_output(self, store: MetadataStore, run: RunRecord) -> None:
        """However often it is asked for: the answer may have been lost, and the ids of the call tell nothing, as the version has its own."""
        gold = store.save_version(an_output("side", version="gold"), None)
        step = a_step_run(run, status=Status.RUNNING)
        store.heartbeat(run.id, now(), [step])
        again = an_output("side", version="gold", output="")
        for _ in range(3):
            assert store.save_version(again, step.id).id == gold.id
        assert [(name, version.id) for name, version in store.step_edges(step.id).outputs] == [("side@gold", gold.id)]

    def test_earlier_step_runs(self, store: MetadataStore, run: RunRecord) -> None:
        """The newest successes of each name in the pipeline, newest first; a cached one with what the step run that really ran cost."""

        def ended(run: RunRecord, *outputs: NewOutput | SameOutput, **given: Any) -> StepRunRecord:
            commit = StepCommit(a_step_run(run, **given), outputs=outputs)
            store.finish_step(commit)
            return commit.step_run

        first = ended(run, an_output(content=b"12345"), an_output("side", b"123"), duration=7000)
        load = ended(run, name="load", duration=2000)
        ended(store.begin_run(a_run()), status=Status.FAILED)
        ended(store.begin_run(a_run(pipeline="other")))
        [made] = [version for name, version in store.step_edges(first.id).outputs if version.artifact == "model"]
        again = ended(store.begin_run(a_run()), SameOutput("output", made), status=Status.CACHED, cached_from=first.id, duration=0)
        orphan = ended(store.begin_run(a_run()), status=Status.CACHED, cached_from="gone", duration=0)
        found = store.earlier_step_runs("training", ["load", "train", "unknown"], 3)
        assert [(each.step_run.id, each.origin, each.duration, each.size) for each in found] == [
            (orphan.id, orphan.id, None, 0),
            (again.id, first.id, 7000, 8),
            (load.id, load.id, 2000, 0),
            (first.id, first.id, 7000, 8),
        ]
        assert [each.step_run.id for each in store.earlier_step_runs("training", ["train"], 1)] == [orphan.id]
        assert store.earlier_step_runs("training", [], 3) == []
