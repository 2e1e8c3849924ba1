"""The command line in process, and servers that others reach, for the tests of what is promised."""

import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lineal.cli import main
from lineal.model.accounts import Role
from lineal.server.access import Principal, Source
from lineal.server.people import People
from lineal.workspace import open_workspace

from .encrypted import PASSWORD, Authority, Behind, Machine, Start, free_port, nginx_as_shown, serve


class Result(NamedTuple):
    """What one call of the command line gave."""

    code: Any
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def lineal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Give a function that runs `lineal` with arguments."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(*arguments: object) -> Result:
        loaded = set(sys.modules)
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        # A file is run once in a process of its own; here the next call has one of the same name.
        for name in set(sys.modules) - loaded:
            if str(Path.cwd()) in str(getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]
        return Result(exit_.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def token(lineal_home: Path) -> str:
    """A token of the editor eddy, on a server that is set up."""
    people = People(open_workspace().accounts, Principal("test", Role.ADMIN, "owner"), Source())
    people.add_user("ada", Role.ADMIN, PASSWORD)
    people.add_user("eddy", Role.EDITOR, PASSWORD)
    return people.create_token("test", None, 1, "eddy")[1]


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


@pytest.fixture
def behind(start: Start, authority: Authority, token: str, lineal_home: Path, tmp_path: Path) -> Behind:
    """A server behind nginx, below a path, and a machine that uses it."""
    outer, inner = free_port(), free_port()
    nginx = nginx_as_shown(tmp_path / "nginx", outer, inner, authority.certificate("DNS:localhost"))
    arguments = ["--allow-host", f"localhost:{outer}", "--root-path", "/lineal", "--trusted-proxy", "127.0.0.1"]
    server = serve(start, inner, *arguments)
    start(nginx, outer, stderr=subprocess.DEVNULL)
    machine = Machine(tmp_path / "machine", lineal_home, token, authority.file)
    trusted = ssl.create_default_context(cafile=authority.file)
    return Behind(f"https://localhost:{outer}/lineal", server, lambda: serve(start, inner, *arguments), machine, trusted)
