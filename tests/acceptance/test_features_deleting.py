"""What is promised of deleting and pruning, sentence by sentence, through the public names only.

More is proven elsewhere: kills at every point of a prune in
tests/unit/test_pruning.py::test_a_prune_that_was_killed_anywhere_loses_nothing_and_is_finished_by_the_next, a run that works
while a prune goes on in tests/unit/test_pruning.py::test_prune_never_takes_what_a_running_run_refers_to, and what cannot be removed in
tests/unit/test_pruning.py::test_what_cannot_be_removed_is_an_error_or_listed.
"""

import datetime as dt
import shutil
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import Client, pipeline, register_artifact, save_artifact, step
from lineal.errors import ArtifactMissing, InUse, NotFound, UsageError
from lineal.views import RunView

LARGE = 100_000


@step
def data(count: int) -> Annotated[bytes, "data"]:
    return bytes(count)


@step
def size(data: bytes) -> Annotated[int, "size"]:
    return len(data)


@pipeline
def measuring(count: int) -> None:
    size(data(count))


@pytest.fixture
def run() -> RunView:
    return measuring(LARGE)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", ["data", "size"])
def test_a_version_that_a_run_made_or_used_cannot_be_deleted_by_itself(name: str) -> None:
    """The error says which run and step refer to it, and the version stays."""
    with pytest.raises(InUse, match=rf"{name}@1 cannot be deleted: run 'measuring-.*' made it \(step '{name}'\)"):
        Client().delete_artifact_version(name, 1)
    assert Client().get_artifact_version(name).load()


def test_a_version_that_a_run_used_cannot_be_deleted_by_itself() -> None:
    """Also when no run made it."""
    save_artifact(b"xy", "given")

    @pipeline
    def using() -> None:
        size(Client().get_artifact_version("given"))

    used = using()
    with pytest.raises(InUse, match=rf"given@1 .*'{used.name}'"):
        Client().delete_artifact_version("given", 1)


def test_deleting_a_run_frees_what_only_it_refers_to(run: RunView) -> None:
    """What another run used or reused stays in use."""

    @pipeline
    def other() -> None:
        data(LARGE)

    later = other()
    assert later.steps["data"].output.digest == run.steps["data"].output.digest
    assert Client().delete_pipeline_run(run) >= 1
    with pytest.raises(NotFound):
        Client().get_pipeline_run(run.name)
    assert "size@1" in Client().prune_artifacts().names
    assert later.steps["data"].output.load() == bytes(LARGE)


def test_version_numbers_are_never_used_again(run: RunView) -> None:
    """After all versions of a name have gone, the next one counts on."""
    save_artifact(1, "n")
    save_artifact(2, "n")
    Client().delete_artifact_version("n", 2)
    assert save_artifact(3, "n").version == "3"
    Client().delete_artifact("n")
    assert save_artifact(4, "n").version == "4"
    Client().delete_pipeline_run(run)
    Client().prune_artifacts()
    assert measuring(LARGE).steps["data"].output.version == "2"


def test_prune_shows_names_counts_and_bytes_first(lineal: Any) -> None:
    """And asks: without a terminal to ask on, nothing goes unless `-y`; `--dry-run` changes nothing."""
    save_artifact(bytes(LARGE), "a")
    save_artifact(1, "b")
    for arguments in (["--dry-run"], []):
        shown = lineal("artifact", "prune", *arguments)
        assert shown.out.splitlines()[:2] == ["  a@1", "  b@1"]
        assert shown.out.splitlines()[2].startswith("2 versions of 2 artifacts, 100 kB of data")
        assert shown.code == (0 if arguments else 2)
    assert Client().list_artifact_versions().total == 2
    done = lineal("artifact", "prune", "-y")
    assert done.out.splitlines()[-1].startswith("pruned 2 versions of 2 artifacts, freed 100 kB")
    assert Client().list_artifact_versions().total == 0


def test_prune_takes_what_no_run_and_no_pin_refers_to(run: RunView) -> None:
    """Nothing else."""
    save_artifact(1, "free")
    save_artifact(1, "pinned").pin()
    assert Client().prune_artifacts().names == ("free@1",)
    assert Client().get_artifact_version("pinned").load() == 1
    assert run.steps["data"].output.load() == bytes(LARGE)


def test_prune_keeps_the_young_and_the_last() -> None:
    """`--older-than` and `--keep-last`."""
    for n in range(3):
        save_artifact(n, "a")
    assert Client().prune_artifacts(older_than=dt.timedelta(days=30)).names == ()
    assert Client().prune_artifacts(keep_last=1).names == ("a@1", "a@2")


def test_both_only_flags_together_are_an_error(lineal: Any) -> None:
    """In the client and on the command line, before anything is looked at."""
    save_artifact(1, "a")
    with pytest.raises(UsageError, match="exclude each other"):
        Client().prune_artifacts(only_artifact=True, only_metadata=True)
    result = lineal("artifact", "prune", "--only-artifact", "--only-metadata", "-y")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert Client().list_artifact_versions().total == 1


def test_data_already_gone_is_no_obstacle() -> None:
    """Somebody removed the folder of the object by hand."""
    version = save_artifact(bytes(LARGE), "a")
    folder = version.path.parent
    folder.chmod(0o755)
    shutil.rmtree(folder)
    report = Client().prune_artifacts()
    assert (report.names, report.errors) == (("a@1",), ())


def test_registered_bytes_are_never_deleted(tmp_path: Path) -> None:
    """The record goes, the file stays; by deleting and by pruning."""
    mine = tmp_path / "mine.bin"
    mine.write_bytes(bytes(LARGE))
    for remove in (lambda: Client().delete_artifact_version("mine", "latest"), lambda: Client().prune_artifacts()):
        register_artifact(mine, "mine")
        remove()
        assert Client().list_artifact_versions().total == 0
        assert mine.stat().st_size == LARGE


def test_only_artifact_leaves_a_tombstone() -> None:
    """The record stays, and load says that the data was pruned and when."""
    version = save_artifact(bytes(LARGE), "a", user_metadata={"k": 1})
    path = version.path
    Client().prune_artifacts(only_artifact=True)
    tombstone = Client().get_artifact_version(version.id)
    assert tombstone.metadata["k"] == 1
    assert not path.exists()
    with pytest.raises(ArtifactMissing, match=rf"a@1 was pruned on {tombstone.pruned:%Y-%m-%d %H:%M:%S} UTC"):
        tombstone.load()


def test_only_metadata_leaves_the_data() -> None:
    """The record goes, the file stays in the store."""
    path = save_artifact(bytes(LARGE), "a").path
    Client().prune_artifacts(only_metadata=True)
    assert path.exists()
    assert Client().list_artifact_versions().total == 0


def test_the_report_says_what_was_freed() -> None:
    """Equal content is kept once, so that one of two versions frees nothing."""
    save_artifact(bytes(LARGE), "kept").pin()
    save_artifact(bytes(LARGE), "shared")
    save_artifact(b"1" * LARGE, "own")
    report = Client().prune_artifacts()
    assert (report.versions, report.artifacts, report.errors) == (2, 2, ())
    assert report.bytes == 2 * LARGE
    assert LARGE <= report.freed < report.bytes


def test_verify_says_what_is_lost_and_who_made_it(lineal: Any, run: RunView) -> None:
    """`lineal verify`: a record without its object; the step and the run that made it, and how to get it back; nothing is run."""
    assert lineal("verify").code == 0
    folder = run.steps["data"].output.path.parent
    folder.chmod(0o755)
    shutil.rmtree(folder)
    result = lineal("verify")
    assert result.code == 5
    for part in ("data@1", run.name):
        assert part in result.out
    assert Client().list_pipeline_runs().total == 1


def test_verify_reads_the_data_when_it_is_asked_to(lineal: Any, run: RunView) -> None:
    """A flipped bit of the same size is seen with `--read-data`; `--repair` puts the object aside, and the step runs again next time."""
    path = run.steps["data"].output.path
    path.chmod(0o644)
    path.write_bytes(b"1" + bytes(LARGE - 1))
    assert lineal("verify").code == 0
    assert lineal("verify", "--read-data").code == 5
    assert lineal("verify", "--read-data", "--repair").code == 5
    assert Client().list_pipeline_runs().total == 1, "a repair runs nothing"
    again = measuring(LARGE)
    assert again.steps["data"].status == "completed"
    assert again.steps["data"].output.load() == bytes(LARGE)
    assert lineal("verify", "--read-data").code == 0
