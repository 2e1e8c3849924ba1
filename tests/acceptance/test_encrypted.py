"""A server that others reach, for real: with a certificate of its own, and behind nginx as docs/server.md shows it."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from lineal import Client, save_artifact
from lineal.model.accounts import Role
from lineal.server.access import Principal, Source
from lineal.server.people import People
from lineal.workspace import open_workspace

DOCS = Path(__file__).parents[2] / "docs" / "server.md"
PASSWORD = "the engine weaves"
MAIN = "import sys; from lineal.cli import main; main(sys.argv[1:])"
SCRIPT = """
import sys, time
from pathlib import Path
from lineal import get_step_context, pipeline, step

@step
def slow() -> int:
    print(get_step_context().run_id, flush=True)
    sys.stdin.readline()
    return 1

@step
def last(n: int) -> int:
    return n + 1

@step
def many(n: int) -> Path:
    folder = Path(sys.argv[1])
    for each in range(n):
        (folder / f"a file with a name of its own, {each:06}.txt").write_text(str(each))
    return folder

@pipeline
def watched() -> None:
    last(slow())

@pipeline
def large(n: int = 15_000) -> None:
    many(n)

run = watched() if sys.argv[1] == "watch" else large()
print([each.status.value for each in run.steps.values()])
"""


def tool(name: str) -> str:
    """Where a program is that these tests need."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"no {name} on the path; on Debian: apt-get install {name}")
    return found


class Authority:
    """A small certificate authority, which the machine does not trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.pem"
        folder.mkdir()
        self._run("req", "-x509", *self._key("ca.key"), "-days", "2", "-subj", "/CN=authority", "-out", "ca.pem")

    def certificate(self, names: str) -> tuple[Path, Path]:
        """Make a certificate for names, such as `DNS:localhost,IP:127.0.0.1`, and its key."""
        (self.folder / "names").write_text(f"subjectAltName={names}")
        self._run("req", *self._key("key.pem"), "-subj", "/CN=server", "-out", "request")
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "chain.pem"]
        self._run("x509", "-req", "-in", "request", *signed)
        return self.folder / "chain.pem", self.folder / "key.pem"

    def _key(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name]

    def _run(self, *arguments: str) -> None:
        subprocess.run([tool("openssl"), *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Machine:
    """Another machine: a home of its own, the artifact store of the server, and a certificate that it trusts."""

    def __init__(self, folder: Path, served: Path, token: str, trusted: Path | None) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "script.py").write_text(SCRIPT)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("LINEAL_", "SSL_"))}
        self.environment = {
            **clean, "LINEAL_HOME": str(folder / "home"), "LINEAL_ARTIFACT_STORE": str(served / "store"), "LINEAL_QUIET": "1",
            "XDG_CONFIG_HOME": str(folder / "config"), **({} if trusted is None else {"SSL_CERT_FILE": str(trusted)}),
        }  # fmt: skip
        self.token = token

    def run(self, *arguments: str, given: str = "", url: str = "") -> Ended:
        """Run a `lineal` command, on the facts of a server if its URL is given."""
        return self._end([sys.executable, "-c", MAIN, *arguments], given, url)

    def script(self, argument: str, url: str) -> "subprocess.Popen[str]":
        """Begin the script."""
        command = [sys.executable, "script.py", argument]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=self.folder, env=self._at(url))

    def _at(self, url: str) -> dict[str, str]:
        return self.environment if not url else {**self.environment, "LINEAL_METADATA_STORE": url, "LINEAL_TOKEN": self.token}

    def _end(self, command: list[str], given: str, url: str) -> Ended:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=120, check=False, cwd=self.folder, env=self._at(url)
        )
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def token(lineal_home: Path) -> str:
    """A token of the editor eddy."""
    people = People(open_workspace().accounts, Principal("test", Role.ADMIN, "owner"), Source())
    people.add_user("eddy", Role.EDITOR, PASSWORD)
    return people.create_token("test", None, 1, "eddy")[1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(lineal_home: Path) -> Iterator[Start]:
    """Starts a process that listens on a port, and waits until it does."""
    processes: list[subprocess.Popen[str]] = []

    def begin(command: list[str], port: int, **more: Any) -> "subprocess.Popen[str]":
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True, **more)
        processes.append(process)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert process.poll() is None, "it ended"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process
            time.sleep(0.05)
        raise AssertionError("it does not listen")

    yield begin
    for each in processes:
        each.terminate()
        each.wait(20)


def serve(start: Start, port: int, *arguments: str) -> "subprocess.Popen[str]":
    return start([sys.executable, "-c", MAIN, "server", "--port", str(port), *arguments], port)


def test_a_server_with_its_own_certificate_is_used_by_who_trusts_its_authority(
    start: Start, authority: Authority, token: str, lineal_home: Path, tmp_path: Path
) -> None:
    """Signing in, listing, running: over TLS, by a name that the certificate is for."""
    port = free_port()
    chain, key = authority.certificate("DNS:localhost,IP:127.0.0.1")
    serve(start, port, "--tls-cert", str(chain), "--tls-key", str(key))
    machine = Machine(tmp_path / "machine", lineal_home, token, authority.file)
    for url in (f"https://localhost:{port}", f"https://127.0.0.1:{port}"):
        assert "knows you as eddy (editor)" in machine.run("login", url, "--token", given=token).out
        assert "eddy" in machine.run("token", "list", "--server", url).out
    url = f"https://localhost:{port}"
    for expected in ("['completed', 'completed']", "['cached', 'cached']"):
        out, err = machine.script("watch", url).communicate("\n", timeout=120)
        assert expected in out, err
    assert Client().list_pipeline_runs().total == 2
    with httpx2.Client(base_url=url, verify=ssl.create_default_context(cafile=authority.file)) as browser:
        answer = browser.post("/api/v1/session", json={"name": "eddy", "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-lineal_session=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "strict-transport-security" in browser.get("/").headers


@pytest.mark.parametrize(
    ("names", "is_trusted", "reason"),
    [
        ("DNS:localhost,IP:127.0.0.1", False, "unable to get local issuer certificate"),
        ("DNS:lineal.example.org", True, "Hostname mismatch, certificate is not valid for 'localhost'"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(
    start: Start, authority: Authority, token: str, lineal_home: Path, tmp_path: Path, names: str, is_trusted: bool, reason: str
) -> None:
    """A stranger who answers in the server's place gets no token: the error says why, and what to do. It is not tried again."""
    port = free_port()
    chain, key = authority.certificate(names)
    serve(start, port, "--tls-cert", str(chain), "--tls-key", str(key))
    machine = Machine(tmp_path / "machine", lineal_home, token, authority.file if is_trusted else None)
    url = f"https://localhost:{port}"
    began = time.monotonic()
    for said in (machine.run("login", url, "--token", given=token), machine.run("runs", "list", url=url)):
        assert said.code == 5
        assert f"the certificate of {url} cannot be trusted: {reason}" in said.err
        assert "SSL_CERT_FILE" in said.err
        assert "Traceback" not in said.err
    assert time.monotonic() - began < 30
    assert open_workspace().accounts.list_tokens("eddy")[0].used is None, "the token was never sent"


class Behind(NamedTuple):
    """A server behind nginx: `url` is its address, `again` starts the server once more, `machine` uses it."""

    url: str
    server: "subprocess.Popen[str]"
    again: Callable[[], Any]
    machine: Machine
    verify: ssl.SSLContext


@pytest.fixture
def behind(start: Start, authority: Authority, token: str, lineal_home: Path, tmp_path: Path) -> Behind:
    """The example of docs/server.md, with ports and files that there are here."""
    outer, inner = free_port(), free_port()
    chain, key = authority.certificate("DNS:localhost")
    [shown] = re.findall(r"```nginx\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    for there, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{outer} ssl"),
        ("lineal.example.org", "localhost"),
        ("/etc/ssl/lineal/chain.pem", str(chain)),
        ("/etc/ssl/lineal/key.pem", str(key)),
        ("127.0.0.1:8237", f"127.0.0.1:{inner}"),
    ):
        assert shown.count(there) == 1, there
        shown = shown.replace(there, here)
    folder = tmp_path / "nginx"
    folder.mkdir()
    kinds = "".join(f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    head = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{head}http {{ access_log off; {kinds}\n{shown}}}\n")
    arguments = ["--allow-host", f"localhost:{outer}", "--root-path", "/lineal", "--trusted-proxy", "127.0.0.1"]
    server = serve(start, inner, *arguments)
    start([tool("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")], outer, stderr=subprocess.DEVNULL)
    machine = Machine(tmp_path / "machine", lineal_home, token, authority.file)
    return Behind(
        f"https://localhost:{outer}/lineal",
        server,
        lambda: serve(start, inner, *arguments),
        machine,
        ssl.create_default_context(cafile=authority.file),
    )


def test_behind_nginx_a_run_is_shown_while_it_goes_on(behind: Behind) -> None:
    """Its events are not kept back by the proxy: they come while its step waits for us."""
    process = behind.machine.script("watch", behind.url)
    assert process.stdin is not None
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    headers = {"authorization": f"Bearer {behind.machine.token}"}
    statuses, last = [], ""
    with (
        httpx2.Client(base_url=behind.url, verify=behind.verify, headers=headers, timeout=60) as client,
        client.stream("GET", f"/api/v1/runs/{run_id}/events") as events,
    ):
        for line in events.iter_lines():
            if line.startswith("event: "):
                last = line.removeprefix("event: ")
            if line.startswith("data: ") and last == "run":
                statuses.append(json.loads(line.removeprefix("data: "))["status"])
                if len(statuses) == 1:
                    assert process.poll() is None
                    process.stdin.write("\n")
                    process.stdin.flush()
    assert (statuses[0], statuses[-1], last) == ("running", "completed", "end")
    out, err = process.communicate(timeout=60)
    assert "['completed', 'completed']" in out, err


def test_behind_nginx_large_things_pass_both_ways(behind: Behind, tmp_path: Path, lineal_home: Path) -> None:
    """A commit of several megabytes in, a file of sixty out, as a whole and in parts."""
    folder = behind.machine.folder / "many"
    folder.mkdir()
    out, err = behind.machine.script(str(folder), behind.url).communicate(timeout=120)
    assert "['completed']" in out, err
    data = os.urandom(1 << 20) * 60
    version = save_artifact(data, "data")
    path = f"/api/v1/versions/{version.id}/files/0"
    headers = {"authorization": f"Bearer {behind.machine.token}"}
    with httpx2.Client(base_url=behind.url, verify=behind.verify, headers=headers, timeout=60) as client:
        assert client.get(path).content == data
        part = client.get(path, headers={"range": "bytes=52428800-53477375"})
        assert (part.status_code, part.content) == (206, data[52428800:53477376])
        assert part.headers["content-range"] == f"bytes 52428800-53477375/{len(data)}"
        assert client.get(path, headers={"range": f"bytes={len(data)}-"}).status_code == 416
        assert client.get(path, headers={"if-none-match": part.headers["etag"]}).status_code == 304


def test_behind_nginx_the_dashboard_is_whole_below_its_path_and_who_asks_is_known(behind: Behind) -> None:
    """Cookies are for that path and for TLS; another site changes nothing; the audit has the address of who asked the proxy."""
    with httpx2.Client(base_url=behind.url, verify=behind.verify) as browser:
        page = browser.get("/")
        assets = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page.text)
        assert assets
        assert [browser.get(f"/{each}").status_code for each in assets] == [200] * len(assets)
        for origin, status in (("https://evil.test", 403), (behind.url.removesuffix("/lineal"), 204)):
            body = {"name": "eddy", "password": PASSWORD}
            answer = browser.post("/api/v1/session", json=body, headers={"origin": origin, "x-forwarded-for": "203.0.113.9"})
            assert answer.status_code == status
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Secure-lineal_session=")
        assert "Path=/lineal/" in cookie
        assert browser.get("/api/v1/me").json()["name"] == "eddy"
    assert open_workspace().accounts.list_audit(what="login").items[0].peer == "127.0.0.1", "what a client says of itself counts nothing"


def test_behind_nginx_a_server_that_is_restarted_is_waited_for(behind: Behind) -> None:
    """The proxy answers 502 meanwhile, in a page of its own."""
    process = behind.machine.script("watch", behind.url)
    assert process.stdout is not None
    process.stdout.readline()
    behind.server.terminate()
    behind.server.wait(20)
    assert httpx2.get(behind.url, verify=behind.verify, follow_redirects=True).status_code == 502
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    time.sleep(1)
    behind.again()
    out, err = process.communicate(timeout=60)
    assert "['completed', 'completed']" in out, err
