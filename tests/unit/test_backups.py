"""Backups: whole at every moment, made beside runs, never half renewed; and an older copy that is put back is noticed."""

import shutil
import threading
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import Client, load_artifact, pipeline, register_artifact, save_artifact, step
from lineal.errors import Conflict, LinealWarning, StoreError, StoreMismatch, UsageError
from lineal.host import alone
from lineal.settings import Settings
from lineal.workspace import Workspace, inside

BIG = 5000


@step
def load(rows: int) -> Annotated[list[int], "numbers"]:
    """Give something that has a file of its own."""
    print("loading")
    return list(range(rows))


@step
def total(numbers: list[int]) -> Annotated[int, "total"]:
    """Give something that fits in a row."""
    return sum(numbers)


@pipeline
def counting(rows: int = BIG) -> None:
    """Make both."""
    total(load(rows))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def opened(home: Path) -> Client:
    return Client(Workspace(Settings.load(home=str(home))))


def check(target: Path) -> Client:
    """Verify a backup as a user does: as a home of its own."""
    client = opened(target)
    report = client.verify(read_data=True)
    assert (report.problems, report.strays) == ([], [])
    client.workspace.metadata.close()
    return client


def put_back(home: Path, copy: Path) -> Client:
    """Put a copy of the database in the place of the one in a home, and give a new client."""
    for file in home.glob("lineal.db*"):
        if file.is_file():
            file.unlink()
    shutil.copy(copy, home / "lineal.db")
    return opened(home)


def test_a_backup_is_a_home_with_everything(target: Path, tmp_path: Path) -> None:
    """Values, runs and logs are in it; registered data is counted and stays where it is."""
    counting()
    data = tmp_path / "data.csv"
    data.write_text("1,2")
    register_artifact(data, name="data")
    report = Client().backup(target)
    assert (report.objects, report.copied, report.external, report.problems) == (2, 1, 1, [])
    assert report.copied_bytes == Client().get_artifact_version("numbers").size < report.bytes
    client = check(target)
    assert client.get_artifact_version("numbers").load() == list(range(BIG))
    assert client.get_artifact_version("total").load() == sum(range(BIG))
    [run] = client.list_pipeline_runs()
    assert run.steps["load"].logs == "loading\n"
    client.workspace.metadata.close()
    assert not list(target.glob("lineal.db?*"))


def test_renewing_copies_what_is_new(target: Path) -> None:
    """What is there is not copied again, and what is there in part is."""
    counting()
    Client().backup(target)
    counting(rows=BIG + 1)
    report = Client().backup(target)
    assert (report.objects, report.copied) == (4, 1)
    assert len(check(target).list_pipeline_runs()) == 2
    [file, _] = target.glob("store/objects/*/*/data.json")
    file.unlink()
    assert Client().backup(target).copied == 1
    check(target)


def test_backups_are_whole_while_runs_go_on(target: Path) -> None:
    """Facts are copied at one moment, and all that they need is there: whatever is written, and deleted, meanwhile."""
    counting()
    stop = threading.Event()
    errors: list[BaseException] = []
    written = threading.Semaphore(0)

    def work() -> None:
        try:
            while not stop.is_set():
                save_artifact(list(range(BIG)), "busy")
                Client().delete_artifact("busy")
                written.release()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number in range(5):
            assert written.acquire(timeout=60)
            report = Client().backup(target.with_name(f"backup-{number % 2}"))
            assert report.problems == []
    finally:
        stop.set()
        thread.join(60)
    assert errors == []
    for number in range(2):
        check(target.with_name(f"backup-{number}"))


def test_what_is_deleted_during_a_backup_leaves_its_bytes_to_the_next_prune(target: Path) -> None:
    """A backup may have copied the record a moment before."""
    save_artifact(list(range(BIG)), "loose")
    client = Client()
    place = Path(client.get_artifact_version("loose").uri)
    with alone(client.workspace.settings.home / "prune.lock"):
        client.delete_artifact("loose")
        assert place.is_dir()
        with pytest.raises(Conflict, match="backup"):
            client.backup(target)
    client.prune_artifacts()
    assert not place.exists()


@pytest.mark.parametrize("where", ["twin", "seal", "note_epoch", "publish"])
def test_a_backup_that_is_killed_leaves_the_earlier_one(target: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Its facts change last and at once; the next one finishes what the killed one began."""
    counting()
    Client().backup(target)
    counting(rows=BIG + 1)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lineal.backups.publish" if where == "publish" else f"lineal.artifact_store.local.LocalArtifactStore.{where}", killed)
        with pytest.raises(KeyboardInterrupt):
            Client().backup(target)
    assert len(check(target).list_pipeline_runs()) == (2 if where == "note_epoch" else 1)
    Client().backup(target)
    assert len(check(target).list_pipeline_runs()) == 2
    assert not list(target.glob("lineal.db.part*"))


def test_what_is_damaged_here_is_said_and_not_copied(target: Path) -> None:
    """A backup must not spread damage: each object is compared with its digest on the way."""
    counting()
    save_artifact("x" * 100_000, "text")
    save_artifact("y" * 100_000, "gone")
    client = Client()
    file = Path(client.get_artifact_version("text").uri) / "data.json"
    file.chmod(0o644)
    file.write_text('"' + "z" * 100_000 + '"')
    (Path(client.get_artifact_version("gone").uri) / "data.json").unlink()
    report = client.backup(target)
    assert (report.objects, report.copied, len(report.problems)) == (4, 1, 2)
    assert {each.kind for each in opened(target).verify(read_data=True).problems} == {"missing"}
    assert opened(target).get_artifact_version("numbers").load() == list(range(BIG))


def test_other_folders_are_refused_and_left_alone(target: Path, tmp_path: Path) -> None:
    """What is no backup of this store is not written into."""
    counting()
    client = Client()
    home = client.workspace.settings.home
    for wrong in (home, home / "store" / "inner", home.parent):
        with pytest.raises(UsageError, match="elsewhere"):
            client.backup(wrong)
    target.mkdir()
    (target / "mine.txt").touch()
    with pytest.raises(UsageError, match="no backup"):
        client.backup(target)
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    with pytest.raises(UsageError, match="no folder"):
        client.backup(target / "mine.txt")
    other = opened(tmp_path / "other")
    other.backup(tmp_path / "of-other")
    with pytest.raises(StoreMismatch):
        client.backup(tmp_path / "of-other")
    check(tmp_path / "of-other")


def test_a_full_disk_leaves_the_earlier_backup(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is typed, and nothing half stays in the store of the backup."""
    import errno

    counting()
    Client().backup(target)
    counting(rows=BIG + 1)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lineal.backups.copy_file", full)
        with pytest.raises(StoreError, match="No space left"):
            Client().backup(target)
    assert list((target / "store" / "staging").iterdir()) == []
    check(target)


# -- an older copy is put back


@pytest.fixture
def older(target: Path) -> Iterator[Client]:
    """Give a client of a home into which the database of a backup was put back after more was made."""
    counting()
    save_artifact("x" * 100_000, "loose")
    client = Client()
    client.backup(target)
    counting(rows=BIG + 1)
    client.workspace.metadata.close()
    home = client.workspace.settings.home
    shutil.copy(home / "lineal.db", target.with_name("newer.db"))
    found = put_back(home, target / "lineal.db")
    yield found
    found.workspace.metadata.close()


def test_an_older_database_deletes_nothing(older: Client) -> None:
    """What the newer facts need must still be there when they are put back."""
    assert older.workspace.metadata
    with pytest.warns(LinealWarning, match="older than the artifact store"):
        assert older.workspace.artifacts
    with pytest.raises(StoreMismatch, match=r"seen 4 changes, and 6 were made.*lineal verify --repair"):
        older.prune_artifacts()
    with pytest.raises(StoreMismatch, match="older"):
        older.delete_artifact("loose")
    assert older.get_artifact_version("loose").load() == "x" * 100_000
    assert [each.kind for each in older.verify().problems] == ["older"]


def test_an_older_database_stays_noticed_however_much_is_done(older: Client) -> None:
    """Its count stands still: else it would overtake the one that was noted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)
        for number in range(5):
            save_artifact(number, "more")
    assert [each.kind for each in older.verify().problems] == ["older"]


def test_an_older_database_can_be_accepted_and_then_the_newer_one_is_noticed(older: Client, target: Path) -> None:
    """After a repair it is the one that counts; what it does not know lies in the quarantine, from where the newer one has it back."""
    report = older.verify(repair=True, older_than=timedelta(0))
    assert [each.repaired for each in report.problems] == ["accepted: these records count from now on"]
    assert len(report.quarantined) == 1
    assert older.verify().ok
    assert older.prune_artifacts().versions == 1
    older.workspace.metadata.close()
    again = put_back(older.workspace.settings.home, target.with_name("newer.db"))
    assert {each.kind for each in again.verify().problems} == {"missing", "older"}
    repaired = {each.kind: each.repaired for each in again.verify(repair=True).problems if "numbers@2" in each.versions}
    assert repaired == {"missing": "it was whole in the quarantine, and put back"}
    assert again.get_artifact_version("numbers").load() == list(range(BIG + 1))
    again.workspace.metadata.close()


@pytest.mark.parametrize("durability", ["step", "run", "off"])
def test_what_is_counted_survives_a_power_cut(durability: str, tmp_path: Path) -> None:
    """A count that the store has and the facts may lose would be a false alarm: relaxed levels note it only at what is durable."""
    workspace = Workspace(Settings.load(home=str(tmp_path / "other"), durability=durability))
    noted = [workspace.artifact_store.epoch()]
    with inside(workspace):
        save_artifact(1, "one")
        noted.append(workspace.artifact_store.epoch())
        counting()
        noted.append(workspace.artifact_store.epoch())
    workspace.metadata.close()
    assert noted == {"step": [0, 2, 4], "run": [0, 0, 2], "off": [0, 0, 0]}[durability]


def test_a_backup_can_be_read_as_any_home(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With LINEAL_HOME set to it."""
    counting()
    Client().backup(target)
    monkeypatch.setenv("LINEAL_HOME", str(target))
    values: Any = load_artifact("numbers")
    assert values == list(range(BIG))
