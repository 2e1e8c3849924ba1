"""The server as a process: where it listens, what it prints, who can read its token."""

import gc
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import uvicorn

from lineal.errors import UsageError
from lineal.server.serve import HOST, listen, run

UP = [sys.executable, "-c", "from lineal.cli import main; main(['up', '--no-browser', '--port', '0'])"]


@pytest.fixture
def up(lineal_home: Path) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(UP, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def said(process: "subprocess.Popen[str]") -> tuple[str, str, Path]:
    assert process.stdout is not None
    text = "".join(process.stdout.readline() for _ in range(3))
    found = re.search(r"up at (\S+) .*\nopen +(\S+)\nprograms .*token in (\S+)\n", text)
    assert found is not None, text
    return found[1], found[2], Path(found[3])


def test_up_serves_this_machine_alone_until_it_is_interrupted(up: "subprocess.Popen[str]", lineal_home: Path) -> None:
    url, link, token_file = said(up)
    assert url.startswith(f"http://{HOST}:")
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert token_file.is_relative_to(lineal_home)
    token = token_file.read_text().strip()
    assert token not in link, "the link is good once, the token for ever"
    assert httpx2.get(f"{url}/api/v1/runs", headers={"authorization": f"Bearer {token}"}).json()["total"] == 0
    assert httpx2.get(link).headers["location"] == "./"
    port = int(url.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(OSError, match="refused"):
        other.connect(("127.0.0.2", port))
    up.send_signal(signal.SIGINT)
    out, err = up.communicate(timeout=30)
    assert (up.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_what_is_there_when_it_begins_is_not_looked_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's collector would go through every module's objects for each large answer."""
    frozen: list[int] = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda _self, sockets: frozen.append(gc.get_freeze_count()))
    with listen(0) as listener:
        run(None, listener)
    gc.unfreeze()
    assert frozen[0] > 10_000


def test_a_second_server_of_a_home_has_the_same_token(up: "subprocess.Popen[str]") -> None:
    """Programs that know it go on working."""
    *_, token_file = said(up)
    before = token_file.read_text()
    up.kill()
    up.wait()
    again = subprocess.Popen(UP, stdout=subprocess.PIPE, text=True)
    try:
        assert said(again)[2].read_text() == before
    finally:
        again.kill()
        again.communicate()


def test_a_port_that_is_taken_is_named() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be used: .*; choose another one, or 0 for any that is free"):
            listen(port)


def test_without_the_extra_it_says_what_to_install(lineal_home: Path) -> None:
    code = "import sys; sys.modules['fastapi'] = None; sys.modules['uvicorn'] = None; from lineal.cli import main; main(['up'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=60)
    assert done.returncode == 2
    assert re.search(r"error: lineal up needs \w+, which is not installed: pip install 'lineal\[server\]'", done.stderr)


def test_answers_are_sent_without_delay() -> None:
    """asyncio turns Nagle's delay off for sockets whose protocol is named; with it, each answer took 40 ms more."""
    with listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
