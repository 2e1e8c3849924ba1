"""A server's facts keep the contract of metadata stores, over a real connection to another process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineal.errors import StoreMismatch, UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.http import connect
from lineal.model.records import RunRecord
from lineal.testing.metadata_store import MetadataStoreTests
from lineal.testing.records import an_object, an_output

TOKEN = "t" * 43


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address below which each name is a server of its own."""
    folder = tmp_path_factory.mktemp("servers")
    command = [sys.executable, str(Path(__file__).with_name("many_servers.py")), str(folder), TOKEN]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.communicate()


class TestHttpMetadataStore(MetadataStoreTests):
    """The whole contract but for what needs the facts in the own process."""

    @pytest.fixture(autouse=True)
    def _servers(self, servers: str) -> None:
        self.servers = servers

    def make_store(self, tmp_path: Path) -> MetadataStore:
        return connect(f"{self.servers}/{tmp_path.name}", lambda: TOKEN)

    def test_facts_belong_to_the_artifact_store_of_the_server(self, store: MetadataStore) -> None:
        """Also when nobody has asked yet: a client with another store must not make the facts its own."""
        with pytest.raises(StoreMismatch, match=r"has another artifact store than the one in use here, another: .*LINEAL_ARTIFACT_STORE"):
            store.pair("another")

    def test_what_belongs_to_the_process_of_the_facts_is_refused(self, store: MetadataStore, tmp_path: Path) -> None:
        """By a sentence that says where to do it."""
        assert not store.takes_bytes
        calls: list[Any] = [
            lambda: store.backup(tmp_path / "copy"),
            lambda: store.release([], lambda digest: None),
            lambda: store.mark_lost(an_object(), 1, lambda: True),
            lambda: store.unless_recorded("a", lambda: None),
        ]
        for call in calls:
            with pytest.raises(UsageError, match="on the machine of the server http://127"):
                call()
        with store.room() as tight:
            assert not tight

    def test_deleted_versions_take_their_bytes_along(self, store: MetadataStore) -> None:
        """The server does it: nobody else can."""
        version = store.save_version(an_output("a", b"12"), None)
        store.delete_versions([version.id])
        assert store.condemned() == []
        assert store.bytes_kept() == 0

    def test_a_clock_that_is_wrong_keeps_no_run_alive_and_kills_none(self, store: MetadataStore, run: RunRecord) -> None:
        """Heartbeats are dated by the server, and whoever lives in the future does not get to say who is dead."""
        store.heartbeat(run.id, 77)
        beat = store.get_run(run.id).heartbeat
        assert beat is not None
        assert abs(beat - run.started) < 60_000_000
        store.crash_run(run.id, "lost", run.started + 3_600_000_000)
        assert store.get_run(run.id).status == "running"
