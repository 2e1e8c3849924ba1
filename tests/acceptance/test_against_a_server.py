"""Pipelines whose facts are on a Lineal server, which is another process: nothing in a user's code tells the difference.

Client and server have homes of their own and share the artifact store's folder, as machines of a team do.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineal import Client, load_artifact, pipeline, save_artifact, step
from lineal.errors import AccessRefused, StoreError, StoreMismatch, UsageError
from lineal.metadata_store.http import connect
from lineal.model import digest
from lineal.model.records import FileEntry, ObjectRecord, StepCommit
from lineal.model.states import Status
from lineal.settings import Settings
from lineal.testing.records import a_run, a_step_run, an_output
from lineal.workspace import Workspace

UP = "from lineal.cli import main; main(['up', '--no-browser', '--json', '--port', '{port}'])"
SCRIPT = """
from lineal import pipeline, step

@step
def numbers(n: int) -> list[int]:
    return list(range(n))

@step
def packed(values: list[int]) -> bytes:
    return bytes(values) * 10_000

@step
def size(data: bytes) -> int:
    return len(data)

@pipeline
def sizes(n: int = 5) -> None:
    size(packed(numbers(n)))

if __name__ == "__main__":
    run = sizes()
    print(run.name, [step.status.value for step in run.steps.values()], run.steps["size"].output.load())
"""


TALKING = """
import time
from pathlib import Path
from lineal import pipeline, step

@step(undeclared="off")
def talk() -> int:
    print("it begins")
    while not Path("go").exists():
        time.sleep(0.02)
    print("it ends")
    return 1

@pipeline
def talking() -> None:
    talk()

if __name__ == "__main__":
    talking()
"""


class Server:
    """A server in a process of its own, that can be killed and started again at the same address."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, 0
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "LINEAL_HOME": str(self.home)}
        for name in ("LINEAL_METADATA_STORE", "LINEAL_ARTIFACT_STORE", "LINEAL_TOKEN"):
            environment.pop(name, None)
        command = [sys.executable, "-c", UP.format(port=self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, "the server ended"
            said += line
        self.url = json.loads(said)["url"]
        self.port = int(self.url.rpartition(":")[2])
        self.token = Path(json.loads(said)["token_file"]).read_text().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(tmp_path: Path, lineal_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Start a server, and let this process and its children be clients of it."""
    found = Server(tmp_path / "served")
    monkeypatch.setenv("LINEAL_METADATA_STORE", found.url)
    monkeypatch.setenv("LINEAL_TOKEN", found.token)
    monkeypatch.setenv("LINEAL_ARTIFACT_STORE", str(found.home / "store"))
    metadata = Client().workspace.metadata
    try:
        yield found
    finally:
        metadata.close()
        found.kill()


@pytest.fixture
def own(server: Server) -> Client:
    """Give a client that reads the server's facts where they are."""
    return Client(Workspace(Settings(home=server.home)))


@pytest.mark.parametrize("orchestrator", ["local", "processes"])
def test_a_script_runs_unchanged(server: Server, own: Client, orchestrator: str) -> None:
    """In a process of its own; the second time everything is from the cache, and the server's machine has it all."""
    Path("sizes.py").write_text(textwrap.dedent(SCRIPT))
    environment = {**os.environ, "LINEAL_ORCHESTRATOR": orchestrator}
    said = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "sizes.py"], capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert "['completed', 'completed', 'completed'] 50000" in said[0]
    assert "['cached', 'cached', 'cached'] 50000" in said[1]
    run = own.get_pipeline_run(said[0].split()[0])
    assert run.status == Status.COMPLETED
    assert run.steps["packed"].output.load() == bytes(range(5)) * 10_000
    assert not (server.home.parent / "home" / "lineal.db").exists(), "no facts are kept beside the server's"


@pytest.mark.parametrize("orchestrator", ["local", "processes"])
def test_the_server_shows_what_steps_elsewhere_print(
    server: Server, own: Client, orchestrator: str, lineal: Callable[..., Any], tmp_path: Path
) -> None:
    """While they run and afterwards; it deletes and backs up the logs with the rest."""
    Path("talking.py").write_text(textwrap.dedent(TALKING))
    environment = {**os.environ, "LINEAL_ORCHESTRATOR": orchestrator}
    process = subprocess.Popen([sys.executable, "talking.py"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        text, end = "", time.monotonic() + 60
        while "begins" not in text:
            assert time.monotonic() < end
            time.sleep(0.05)
            for step_run in own.list_step_runs(step="talk"):
                text = asked(server, f"/step-runs/{step_run.id}/log")["text"]
        assert (text, own.get_pipeline_run("latest").status) == ("it begins\n", "running")
        Path("go").touch()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    run = own.get_pipeline_run("latest")
    assert (run.status, run.steps["talk"].logs) == ("completed", "it begins\nit ends\n")
    assert "it ends" in lineal("runs", "logs", run.name).out
    own.backup(tmp_path / "copy")
    assert Client(Workspace(Settings(home=tmp_path / "copy"))).get_pipeline_run(run.name).steps["talk"].logs == run.steps["talk"].logs
    Client().delete_pipeline_run(run.name)
    assert not [*(server.home / "store" / "logs").iterdir()]


def test_a_log_that_leads_elsewhere_is_not_shown(server: Server, own: Client, tmp_path: Path) -> None:
    """Whoever may write to the shared folder cannot have the server read its own files to them."""
    (tmp_path / "secret").mkdir()
    for name in ("link", "folder"):
        run = own.workspace.metadata.begin_run(a_run())
        step_run = a_step_run(run, status=Status.COMPLETED)
        own.workspace.metadata.finish_step(StepCommit(step_run))
        folder = server.home / "store" / "logs" / run.id
        (tmp_path / "secret" / f"{step_run.id}.log").write_text("secret")
        folder.parent.mkdir(exist_ok=True)
        if name == "folder":
            folder.symlink_to(tmp_path / "secret")
        else:
            folder.mkdir()
            (folder / f"{step_run.id}.log").symlink_to(tmp_path / "secret" / f"{step_run.id}.log")
        assert asked(server, f"/step-runs/{step_run.id}/log") == {"text": "", "next": 0}


def asked(server: Server, path: str) -> Any:
    request = urllib.request.Request(f"{server.url}/api/v1{path}", headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_everything_that_reads_and_tags_works(server: Server, own: Client, lineal: Callable[..., Any]) -> None:
    """The client, the functions and the command line."""
    save_artifact([1, 2, 3], "list", tags=["a"], user_metadata={"accuracy": 0.9, "odd": float("nan")})
    assert load_artifact("list") == [1, 2, 3]
    client = Client()
    version = client.get_artifact_version("list")
    version.add_tags(["b"])
    version.pin()
    assert own.get_artifact_version("list").tags == ["a", "b"]
    assert [each.name for each in client.list_artifact_versions(metadata="accuracy > 0.5", tags=["b"])] == ["list"]
    with pytest.raises(KeyError, match="did you mean 'list'"):
        client.get_artifact_version("lists")
    assert "list" in lineal("artifact", "list").out
    assert lineal("runs", "list").code == 0
    shown = {check["name"]: check for check in lineal("doctor", "--json").json["checks"]}
    assert server.url in shown["metadata store"]["found"]
    assert "test of the database" not in shown
    assert {check["state"] for check in shown.values()} <= {"ok", "note"}
    assert server.token not in lineal("config").out
    assert lineal("verify").code == 0


def test_what_takes_bytes_away_is_done_by_the_server(server: Server, own: Client, tmp_path: Path) -> None:
    """A version is deleted with its bytes; prune, repair and backup say where to do them."""
    for n in (1, 2):
        save_artifact(bytes([n]) * 50_000, "loose")
    client = Client()
    assert client.prune_artifacts(dry_run=True).versions == 2
    for work in (client.prune_artifacts, lambda: client.verify(repair=True), lambda: client.backup(tmp_path / "copy")):
        with pytest.raises(UsageError, match=rf"the facts are behind the server {server.url}: run `lineal .*` on its machine"):
            work()
    assert client.get_artifact_version("loose", 1).load() == b"\1" * 50_000
    client.delete_artifact_version("loose", 1)
    assert own.prune_artifacts().freed == 50_000
    assert own.verify().objects == 0


def test_what_is_refused_says_where_it_is_done(server: Server, lineal: Any, tmp_path: Path) -> None:
    """Before anything is shown or asked; and no page is named that cannot do it."""
    save_artifact([1], "loose")
    there = f"error: the facts are behind the server {server.url}: run `lineal {{}}` on its machine, with the settings that it runs with"
    for command, named, page in (
        (["artifact", "prune"], "artifact prune", ", or prune on the storage page of its dashboard"),
        (["verify", "--repair"], "verify --repair", ""),
        (["backup", str(tmp_path / "copy")], "backup", ""),
    ):
        found = lineal(*command)
        assert (found.code, found.out, found.err.strip()) == (2, "", there.format(named) + page)
    for command in (["user", "list"], ["audit", "list"], ["token", "list"], ["server", "--port", "0"]):
        found = lineal(*command)
        assert (found.code, f"give --server {server.url} to reach them there" in found.err) == (2, True), found.err
    assert lineal("artifact", "prune", "--dry-run", "--json").json["versions"] == 1


def test_another_artifact_store_is_refused_before_anything_is_made(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server could not serve what it cannot reach."""
    monkeypatch.delenv("LINEAL_ARTIFACT_STORE")
    with pytest.raises(StoreMismatch, match=rf"the server {server.url} has another artifact store .*LINEAL_ARTIFACT_STORE"):
        save_artifact(1, "x")


def test_a_wrong_token_names_the_remedy(server: Server, monkeypatch: pytest.MonkeyPatch, lineal: Callable[..., Any]) -> None:
    monkeypatch.setenv("LINEAL_TOKEN", "w" * 43)
    with pytest.raises(AccessRefused, match=rf"lineal login {server.url}.*LINEAL_TOKEN"):
        Client().list_pipeline_runs()
    found = lineal("runs", "list")
    assert found.code == 5
    assert found.err.count("\n") == 1
    assert "w" * 43 not in found.err
    Client().workspace.metadata.close()


KILLED: list[Server] = []


@step
def first() -> bytes:
    return b"first" * 10_000


@step
def second(data: bytes) -> int:
    if KILLED:
        KILLED.pop().kill()
    return len(data)


@pipeline
def both() -> None:
    second(first())


def test_a_server_that_dies_during_a_run_costs_nothing_that_was_done(server: Server, own: Client) -> None:
    """A typed error that names it; what was acknowledged is there, the next run has it from the cache, and the dead one ends as one."""
    quick = Workspace(Settings.load())
    quick._metadata = connect(server.url, lambda: server.token, patience=0.5)
    KILLED.append(server)
    with quick.inside(), pytest.raises(StoreError, match=rf"the Lineal server {server.url} cannot be reached"):
        both()
    [left] = own.list_pipeline_runs(pipeline="both")
    assert left.steps["first"].status == Status.COMPLETED
    server.start()
    run = both()
    assert [each.status for each in run.steps.values()] == [Status.CACHED, Status.COMPLETED]
    assert run.steps["second"].output.load() == 50_000
    assert own.get_artifact_version("both::second::output").version == "1"
    dead = Client().get_pipeline_run(left.name)
    assert dead.status == Status.RUNNING, "its process lives, and might still end it"
    own.workspace.metadata.crash_run(str(dead.id), "its process ended", 1)
    assert [each.status for each in dead.refresh().resume().steps.values()] == [Status.CACHED, Status.CACHED]
    quick.metadata.close()


def test_a_run_of_another_home_is_judged_by_its_heartbeat(server: Server, own: Client) -> None:
    """On this machine too: that its sign of life is not where the server looks does not make it dead."""
    client = Client()
    store, life = client.workspace.metadata, client.workspace.life
    run = store.begin_run(a_run(process=life.token(), heartbeat=time.time_ns() // 1000))
    assert own.get_pipeline_run(run.id).status == Status.RUNNING
    assert client.get_pipeline_run(run.id).status == Status.RUNNING
    silent = a_run(process=life.token().rpartition(":")[0] + ":00000000", heartbeat=time.time_ns() // 1000 - 90_000_000)
    own.workspace.metadata.begin_run(silent)
    found = own.get_pipeline_run(silent.id)
    assert found.status == Status.CRASHED
    assert "no sign of life for" in str(found.record.error)
    dead = store.begin_run(replace(a_run(), process=silent.process, heartbeat=time.time_ns() // 1000))
    assert client.get_pipeline_run(dead.id).status == Status.CRASHED, "who has the same home can ask, and need not wait"


class Thief:
    """A proxy that passes requests on and keeps some of the answers: the server has done it, and nobody knows."""

    def __init__(self, port: int, stolen: Callable[[bytes], bool]) -> None:
        self._target, self._stolen, self.taken = ("127.0.0.1", port), stolen, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._pass(client)

    def _pass(self, client: socket.socket) -> None:
        request = _message(client)
        if not request:
            return
        host = f"127.0.0.1:{self.port}".encode()
        with socket.create_connection(self._target) as server:
            server.sendall(request.replace(host, f"127.0.0.1:{self._target[1]}".encode()))
            answer = _message(server)
        if self._stolen(request):
            self.taken += 1
        else:
            client.sendall(answer)

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


def _message(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(1 << 16)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


def test_answers_that_are_lost_after_the_commit_make_nothing_twice(server: Server) -> None:
    """F65: every first answer is lost; runs, steps, versions and deletions are there once, and dense."""
    seen: set[bytes] = set()

    def first_time(request: bytes) -> bool:
        head = request.partition(b"\r\n\r\n")[0].lower()
        key = next((line for line in head.split(b"\r\n") if line.startswith(b"idempotency-key")), None)
        is_new = key is not None and key not in seen
        seen.add(key or b"")
        return is_new

    thief = Thief(server.port, first_time)
    store, direct = connect(f"http://127.0.0.1:{thief.port}", lambda: server.token), connect(server.url, lambda: server.token)
    try:
        run = store.begin_run(a_run())
        for number in range(1, 6):
            [version] = store.finish_step(StepCommit(a_step_run(run, f"s{number}"), (), (an_output(),)))
            assert version.number == number
        loose = store.save_version(an_output("loose"), None)
        store.delete_versions([loose.id])
        store.finish_run(replace(run, status=Status.COMPLETED, ended=9))
        assert store.delete_run(run.id) == 5
        assert thief.taken == 10
        assert direct.totals().runs == 0
        assert direct.list_versions({"artifact": "model"}, "number", 10, 0).total == 5
    finally:
        store.close()
        direct.close()
        thief.close()


def test_large_metadata_and_large_listings_travel(server: Server) -> None:
    """Up to what the facts themselves take; beyond that the error is the same as without a server."""
    store, text = Client().workspace.metadata, "ü" * (2 << 20)
    run = store.begin_run(a_run(metadata={"text": text}))
    assert store.get_run(run.id).metadata["text"] == text
    with pytest.raises(UsageError, match=r"metadata of the run has \d+ characters as JSON, at most 16777216 are kept"):
        store.update_run(run.id, metadata={"text": "x" * (17 << 20)})
    files = tuple(FileEntry(f"images/{number:06}.png", 1, "a" * 64) for number in range(50_000))
    record = ObjectRecord(digest.of_object(files), len(files), files, external="/data/images")
    saved = store.save_version(an_output("images", object=record), None)
    assert store.get_version(saved.id).object == record


def test_many_clients_get_dense_versions(server: Server, own: Client) -> None:
    """Sixteen, each with a connection of its own, none waiting for another's answer."""

    def work(_: int) -> list[int | None]:
        store = connect(server.url, lambda: server.token)
        run = store.begin_run(a_run())
        found = [store.finish_step(StepCommit(a_step_run(run, f"s{n}"), (), (an_output("shared"),)))[0].number for n in range(10)]
        store.close()
        return found

    with ThreadPoolExecutor(16) as pool:
        numbers = [number for part in pool.map(work, range(16)) for number in part]
    assert sorted(each for each in numbers if each is not None) == list(range(1, 161))


def test_an_interrupted_server_ends_and_clients_reach_the_next_one(server: Server) -> None:
    """An update of the server: connections that were kept are made anew."""
    save_artifact(1, "before")
    server.process.send_signal(signal.SIGINT)
    server.process.communicate(timeout=30)
    server.start()
    save_artifact(2, "after")
    assert load_artifact("before") == 1
