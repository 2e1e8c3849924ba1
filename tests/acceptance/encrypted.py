"""What the tests of encrypted servers are made of: a small authority, another machine, and nginx as docs/server.md shows it."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

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


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


Start = Callable[..., "subprocess.Popen[str]"]


def serve(start: Start, port: int, *arguments: str) -> "subprocess.Popen[str]":
    return start([sys.executable, "-c", MAIN, "server", "--port", str(port), *arguments], port)


class Behind(NamedTuple):
    """A server behind nginx: `url` is its address, `again` starts the server once more, `machine` uses it."""

    url: str
    server: "subprocess.Popen[str]"
    again: Callable[[], Any]
    machine: Machine
    verify: ssl.SSLContext


def nginx_as_shown(folder: Path, outer: int, inner: int, certificate: tuple[Path, Path]) -> list[str]:
    """Write the example of docs/server.md with ports and files that there are here, and give the command that runs it."""
    chain, key = certificate
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
    folder.mkdir()
    kinds = "".join(f"{each}_temp_path {folder}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    head = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\nevents {{}}\n"
    (folder / "nginx.conf").write_text(f"{head}http {{ access_log off; {kinds}\n{shown}}}\n")
    return [tool("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
