"""`lineal server`: what it refuses, what it prints, and a whole life of it as a process, behind a proxy too."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lineal.errors import UsageError
from lineal.server.access import COOKIE
from lineal.server.team_up import check_exposure, checked_root

MAIN = "import sys; from lineal.cli import main; main(sys.argv[1:])"
PASSWORD = "the engine weaves"


def lineal(*arguments: str, given: str = "", status: int = 0) -> str:
    """Run a command as a process, which has no terminal, and give what it prints."""
    done = subprocess.run([sys.executable, "-c", MAIN, *arguments], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


class Server:
    """A server as a process."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-c", MAIN, "server", "--port", "0", "--json", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        assert self.process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            assert line, text
            text += line
        found = json.loads(text)
        self.url: str = found["url"]
        self.setup: str | None = found["setup_token"]

    def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def started(lineal_home: Path) -> "Iterator[Any]":
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        servers.append(Server(*arguments))
        return servers[-1]

    yield start
    for each in servers:
        each.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "say under which names"),
        (["--host", "::"], "say under which names"),
        (["--host", "0.0.0.0", "--allow-host", "x.test"], "would travel unencrypted"),
        (["--host", "nowhere.test"], "is no address"),
        (["--root-path", "lineal"], "is no path"),
        (["--root-path", "/a/../b"], "is no path"),
        (["--root-path", "/a?b"], "is no path"),
        (["--trusted-proxy", "*"], "no address or network"),
        (["--trusted-proxy", "proxy.test"], "no address or network"),
    ],
)
def test_what_would_be_open_to_others_is_refused(lineal_home: Path, arguments: list[str], says: str) -> None:
    """A22: before it listens."""
    assert says in lineal("server", *arguments, status=2)
    assert not lineal_home.exists()


def test_what_encrypts_is_told_apart(tmp_path: Path) -> None:
    one, names = tmp_path / "one", ("x.test",)
    assert check_exposure("0.0.0.0", names, has_proxy=False, tls=(one, one), is_insecure=False)
    assert check_exposure("0.0.0.0", names, has_proxy=True, tls=(None, None), is_insecure=False)
    assert not check_exposure("0.0.0.0", names, has_proxy=False, tls=(None, None), is_insecure=True)
    assert not check_exposure("127.0.0.1", (), has_proxy=False, tls=(None, None), is_insecure=False)
    with pytest.raises(UsageError, match="belong together"):
        check_exposure("127.0.0.1", (), has_proxy=False, tls=(one, None), is_insecure=False)
    assert (checked_root("/lineal/"), checked_root("/"), checked_root("")) == ("/lineal", "", "")


def test_a_certificate_that_cannot_be_used_is_refused(lineal_home: Path, tmp_path: Path) -> None:
    """Before it listens, and says what is wrong with which file."""
    for name in ("chain", "key"):
        (tmp_path / name).write_text("no PEM")
    said = lineal("server", "--tls-cert", str(tmp_path / "chain"), "--tls-key", str(tmp_path / "key"), status=2)
    assert f"--tls-cert {tmp_path / 'chain'} and --tls-key {tmp_path / 'key'} cannot be used: " in said
    assert "Traceback" not in said


def test_a_server_from_its_first_start_to_a_token_that_is_ended(started: Any, lineal_home: Path) -> None:
    """Set up, add people, make a token, use it, end it: the accounts outlive the process, and the command line works on the same."""
    server = started()
    assert server.setup is not None
    with httpx2.Client(base_url=server.url) as browser:
        made = browser.post("/api/v1/setup", json={"token": server.setup, "name": "ada", "password": PASSWORD})
        assert made.status_code == 204
        token = browser.post("/api/v1/tokens", json={"name": "mine"}).json()["token"]
        session = dict(browser.cookies)
    lineal("login", server.url, "--token", given=f"{token}\n")
    assert json.loads(lineal("user", "list", "--server", server.url, "--json"))[0]["name"] == "ada"
    assert "eddy is added as editor" in lineal("user", "add", "eddy", "--role", "editor", "--server", server.url, given=f"{PASSWORD}\n")
    assert "vera is added as viewer" in lineal("user", "add", "vera", given=f"{PASSWORD}\n"), "in the home, while the server runs"
    lineal("user", "add", "robot", "--service")
    robot = lineal("token", "create", "ci", "--user", "robot", "--days", "1").strip()
    me = httpx2.get(f"{server.url}/api/v1/me", headers={"authorization": f"Bearer {robot}"}).json()
    assert (me["name"], me["role"], me["kind"]) == ("robot", "viewer", "service")
    assert "is viewer now" in lineal("user", "set-role", "eddy", "viewer", "--server", server.url)
    assert "may not sign in" in lineal("user", "deactivate", "eddy")
    lineal("user", "reset-password", "vera", given="quite another engine\n")
    assert "is deleted" in lineal("user", "delete", "vera", "--yes")
    lineal("token", "revoke", robot.split("_")[1])
    assert httpx2.get(f"{server.url}/api/v1/me", headers={"authorization": f"Bearer {robot}"}).status_code == 401
    assert re.search(r"robot +ci +viewer", lineal("token", "list"))
    assert "entries fit" in lineal("audit", "verify", "--server", server.url)
    whats = {each["what"] for each in json.loads(lineal("audit", "list", "--json"))["items"]}
    assert {"setup", "login", "user added", "user changed", "user deleted", "token created", "token revoked"} <= whats
    server.close()
    again = started()
    assert again.setup is None, "there is an admin"
    (secret,) = session.values()
    there = {f"{COOKIE}_{again.url.rpartition(':')[2]}": secret}  # each port of a machine has a cookie of its own
    assert httpx2.get(f"{again.url}/api/v1/me", cookies=there).json()["name"] == "ada", "sessions outlive the process"
    assert "works no more" not in lineal("logout", server.url)
    assert "no token is kept" in lineal("logout", server.url, status=3)


def test_a_forwarded_address_and_scheme_are_believed_of_named_proxies_only(started: Any) -> None:
    """A24: and behind TLS the cookie is one that no other site or plain connection can set."""
    forwarded = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "host": "lineal.example.org"}
    for arguments, peer, cookie in (
        (("--allow-host", "lineal.example.org"), "127.0.0.1", "lineal_session="),
        (("--allow-host", "lineal.example.org", "--trusted-proxy", "127.0.0.1"), "203.0.113.9", "__Host-lineal_session="),
    ):
        server = started(*arguments)
        port = httpx2.URL(server.url).port
        assert port is None, "the name that a proxy shows has no port of ours"
        found = _listening(server)
        if server.setup is not None:
            body = {"token": server.setup, "name": "ada", "password": PASSWORD}
            answer = httpx2.post(f"{found}/api/v1/setup", json=body, headers=forwarded)
        else:
            answer = httpx2.post(f"{found}/api/v1/session", json={"name": "ada", "password": PASSWORD}, headers=forwarded)
        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith(cookie)
        assert ("Secure" in answer.headers["set-cookie"]) == cookie.startswith("__")
        assert ("strict-transport-security" in answer.headers) == cookie.startswith("__")
        assert json.loads(lineal("audit", "list", "--json"))["items"][0]["peer"] == peer
        server.close()


def _listening(server: Server) -> str:
    """Give the address on which a process listens, from the kernel."""
    pid = server.process.pid
    inodes = {found[1] for each in Path(f"/proc/{pid}/fd").iterdir() if (found := re.match(r"socket:\[(\d+)\]", str(each.readlink())))}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and fields[3] == "0A":
            return f"http://127.0.0.1:{int(fields[1].partition(':')[2], 16)}"
    raise AssertionError("it does not listen")


@pytest.mark.parametrize("prefix", ["", "/lineal"])
def test_it_works_below_a_path_whether_the_proxy_takes_it_off_or_not(started: Any, prefix: str) -> None:
    server = started("--root-path", "/lineal")
    assert server.setup is not None
    base = server.url.removesuffix("/lineal") + prefix
    with httpx2.Client(base_url=base) as browser:
        assert '<div id="root">' in browser.get("/").text
        made = browser.post("/api/v1/setup", json={"token": server.setup, "name": "ada", "password": PASSWORD})
        assert (made.status_code, "Path=/lineal/" in made.headers["set-cookie"]) == (204, True)
        cookie = made.headers["set-cookie"].partition(";")[0]
        assert browser.get("/api/v1/me", headers={"cookie": cookie}).json()["name"] == "ada"
        assert browser.get("/api/v1/nothing", headers={"cookie": cookie}).status_code == 404
